"""The networks that statements are tested on, in groups, and what a table of them is made from.

A group says once which runs it trains, to which epochs, and which epoch the text means for
them. A statement names its group in `Claim.epoch`; one on other networks is an entry more here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from sparsedecay.errors import DamagedFile
from sparsedecay.files.storage import again
from sparsedecay.science.networks import NetworkName
from sparsedecay.science.regularizers import RegularizerName
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Epoch, Settings

Study = Any
"""A `study.study.Study` with claims, which knows this room, so that it cannot be imported here."""


@dataclass(frozen=True)
class Networks:
    """A group of networks."""

    epoch: Callable[[Study], int]
    """The epoch that the text speaks of."""
    runs: Callable[[Study], Iterator[tuple[Run, Iterable[int]]]]
    """The runs of one draw, each with the milestones at which it is tested."""


def of_figure_2(study: Study) -> Iterator[tuple[Run, Iterable[int]]]:
    fig2 = study.figures.section("fig2")
    for lam in fig2.lam:
        for kind in fig2.regularizers:
            run = study.run(fig2.network, kind, lam)
            yield run, (study.training.epochs, *study.claims.further(run.network))


def of_figure_3(study: Study) -> Iterator[tuple[Run, Iterable[int]]]:
    fig3 = study.figures.section("fig3")
    for panel in fig3.panels:
        run = study.run(panel.network, panel.regularizer, fig3.lam)
        yield run, (fig3.epoch, *study.claims.further(run.network))


def shallow(study: Study) -> Iterator[tuple[Run, Iterable[int]]]:
    """One hidden layer, of several widths, with weight decay (Section 1)."""
    asked = study.claims.shallow
    for K in asked.K:
        shape = study.network.model_copy(update={"L": 1, "K": K})
        run = study.run("representer", "weight_decay", asked.lam)
        yield run.model_copy(update={"shape": shape}).literal(), (asked.epoch,)


def read_kept(file: Path) -> list[str]:
    """Names of the readings that a search keeps.

    Raises:
        DamagedFile: it is no list of names.
    """
    try:
        return TypeAdapter(list[str]).validate_json(file.read_bytes())
    except ValueError:
        raise DamagedFile(f"{file}: is no list of readings.\n{again(file)}") from None


NETWORKS = {
    "fig2": Networks(lambda study: study.training.epochs, of_figure_2),
    "fig3": Networks(lambda study: study.figures.section("fig3").epoch, of_figure_3),
    "shallow": Networks(lambda study: study.claims.shallow.epoch, shallow),
}


class Trained(Settings):
    """A trained network that statements are tested on."""

    run: str
    """Run id."""
    network: NetworkName
    regularizer: RegularizerName
    """That of the literal reading, for which another may stand in."""
    lam: float
    """Regularization parameter; 0 without regularizer."""
    L: int
    """Hidden layers."""
    K: int
    """ReLU neurons in each."""
    epochs: Annotated[tuple[Epoch, ...], Field(strict=False)]
    """Milestones at which it is tested."""
    groups: Annotated[tuple[str, ...], Field(strict=False)]
    """Names in `NETWORKS` of the groups that it belongs to."""
    first: Epoch
    """The run's first milestone, whose trajectory begins with the initialisation."""


class Reading(Settings):
    """One way to read the text, trained from one or more seeds."""

    name: str
    """Name in `readings.yaml`; `literal` is the config itself."""
    title: str
    """The same in a few words."""
    average_over: tuple[str, ...] = Field(strict=False)
    """Kinds of matrices that the average sparsity runs over."""
    draws: Annotated[
        tuple[Annotated[tuple[Trained, ...], Field(strict=False)], ...], Field(strict=False)
    ]
    """For each draw its networks."""


class Statements(Settings):
    """All that a table of statements is made from, besides the tables of the runs."""

    lams: Annotated[tuple[float, ...], Field(strict=False)]
    """Regularization parameters of figure 2."""
    lam: float
    """That of figures 3 and 4."""
    layer: int
    """Of the matrix between ReLU layers that figures 3 and 4 show."""
    epochs: dict[str, Epoch]
    """Epoch that the text names for each group of networks."""
    partial: bool = False
    """Whether a statement is tested by those of its parts whose networks are there."""
    readings: Annotated[tuple[Reading, ...], Field(strict=False)]
    """The readings, the literal one first."""

    def only(self, kept: Iterable[str]) -> "Statements":
        """The same for some readings, by name."""
        names = set(kept)
        chosen = tuple(one for one in self.readings if one.name in names)
        return self.model_copy(update={"readings": chosen})
