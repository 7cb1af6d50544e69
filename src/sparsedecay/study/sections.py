"""Sections of a config about measures, statements and sweeps, and what tables are made from."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sparsedecay.figures.declaration import Panel
from sparsedecay.science import data, initializations, optimizers, regularizers
from sparsedecay.science.networks import NetworkName, Shape
from sparsedecay.science.regularizers import Objective
from sparsedecay.science.settings import Epoch, Lam, Settings


class Shallow(Settings):
    """Networks of one hidden layer, trained with weight decay (Section 1)."""

    K: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...],
        Field(min_length=2, max_length=20, strict=False),
    ]
    """Widths: ReLU neurons of each of these networks."""
    lam: Lam
    """Regularization parameter."""
    epoch: Epoch
    """Epoch at which their neurons are counted."""


Milestones = Annotated[tuple[Epoch, ...], Field(min_length=1, max_length=20, strict=False)]
Vary = Annotated[
    tuple[Literal["targets", "weights"], ...], Field(min_length=1, max_length=2, strict=False)
]


class Distinct(Settings):
    """A section whose lists hold each value only once."""

    @model_validator(mode="after")
    def distinct(self) -> Self:
        for name, values in self:
            if isinstance(values, tuple) and len(set(values)) != len(values):
                raise ValueError(f"{name}: each value may stand only once")
        return self


class Search(Settings):
    """Combinations of readings, screened in stages (`snakemake search`)."""

    seeds: Annotated[int, Field(ge=1, le=1000)]
    """Draws of each combination that the screen trains: its networks of figure 3 that are not
    dense."""
    combine: Annotated[int, Field(ge=1, le=4)]
    """Most readings that are combined; those that make the same `choice` are not."""
    keep: Annotated[int, Field(ge=1, le=100)]
    """Combinations, the closest to what the paper reports, that go on to all networks."""


class Claims(Distinct):
    """The paper's statements, tested over several seeds and for what the text leaves open."""

    seeds: Annotated[int, Field(ge=1, le=1000)]
    """Draws that `snakemake replicate` trains. The first has the seeds of `data` and
    `initialization`, each further one has the next whole number."""
    vary: Vary
    """What is drawn anew: the targets, the initial weights, or both."""
    milestones: Milestones
    """Epochs at which statements on representer networks are tested."""
    dense_milestones: Milestones
    """Epochs at which statements on dense networks are tested; each takes far longer."""
    shallow: Shallow
    """Networks of one hidden layer, trained with weight decay (Section 1)."""
    readings: Annotated[str, Field(min_length=1, max_length=200)]
    """File, beside the config, with what the text leaves open as named variations."""
    reading_seeds: Annotated[int, Field(ge=1, le=1000)]
    """Draws of each reading that `snakemake readings` trains, the first so many of `seeds`."""
    search: Search | None = None
    """Combinations of readings, screened in stages (`snakemake search`). If it is left out, there
    is nothing to search."""

    def further(self, network: NetworkName) -> Milestones:
        """Epochs at which statements on a kind of network are tested."""
        found: Milestones = getattr(self, f"{network}_milestones", self.milestones)
        return found


VARIABLE: dict[str, tuple[type[Settings], ...]] = {
    "data": tuple(data.KINDS.values()),
    "network": (Shape,),
    "objective": (Objective,),
    "initialization": tuple(initializations.KINDS.values()),
    "optimizer": tuple(optimizers.KINDS.values()),
}
"""Sections of a config that make up its runs, but for their regularizers; of each its kinds."""
KEYS = tuple(
    dict.fromkeys(
        f"{section}.{name}"
        for section, kinds in VARIABLE.items()
        for kind in kinds
        for name in kind.model_fields
        if name not in ("seed", "kind", *getattr(kind, "unvaried", ()))
    )
)
"""What a sweep may vary besides the seeds, which its draws count up."""


class Sweep(Distinct):
    """Many variants of the runs, trained and put into two tables that are read in parts."""

    seeds: Annotated[int, Field(ge=1, le=10_000)]
    """Draws of each setting. The first has the seeds of `data` and `initialization`, each further
    one has the next whole number."""
    vary: Vary
    """What is drawn anew: the targets, the initial weights, or both."""
    networks: Annotated[tuple[Panel, ...], Field(min_length=1, max_length=100, strict=False)]
    """The trained networks, as the panels of figure 3."""
    lam: Annotated[tuple[Lam, ...], Field(min_length=1, max_length=1000, strict=False)]
    """Regularization parameters. Networks with the regularizer `none` do not depend on them."""
    settings: Annotated[
        dict[str, Annotated[tuple[Any, ...], Field(min_length=1, max_length=1000, strict=False)]],
        Field(json_schema_extra={"propertyNames": {"enum": list(KEYS)}}),
    ]
    """Other values, by keys such as `network.d`: every combination is trained. All keys of the
    sections `data`, `network`, `objective`, `initialization` and `optimizer` but the seeds; `{}`
    for none."""
    milestones: Milestones
    """Epochs at which the networks are measured."""

    @property
    def size(self) -> int:
        """Number of runs, those counted twice that two settings share."""
        weighted = (regularizers.KINDS[one.regularizer].weighted for one in self.networks)
        lams = (len(self.lam) if each else 1 for each in weighted)
        return self.seeds * sum(lams) * math.prod(map(len, self.settings.values()))


Target = Literal["all", "replicate", "readings", "sweep"]


class Archive(Distinct):
    """The package for a repository: what `snakemake archive` puts into it beside the source."""

    targets: Annotated[tuple[Target, ...], Field(min_length=1, max_length=4, strict=False)]
    """Targets whose results it holds: `all` (the figures), `replicate`, `readings` and `sweep`.
    They are made first if they are not there."""
    weights: bool
    """Whether it holds the milestones that figures read. Without them it is far smaller, but
    figures 3 and 4 cannot be drawn again from it without training."""

    data: bool = True
    """Whether it holds the file that the data come from (`data.file`). Without it, for private or
    large data, the archive has its SHA-256 only, no run can be trained again from it, and the
    config must give `data.sha256`, `rows` and `test_rows`."""

    @model_validator(mode="after")
    def check(self) -> "Archive":
        if "all" not in self.targets:
            raise ValueError("targets: it must hold all, the figures; add it")
        return self
