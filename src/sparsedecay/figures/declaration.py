"""What a figure declares, and what it is asked to show."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from pydantic import Field, ValidationInfo, field_validator

from sparsedecay.figures import find
from sparsedecay.files import fingerprint, paths
from sparsedecay.files.results import Results
from sparsedecay.science import networks, regularizers
from sparsedecay.science.convex.problem import Posed
from sparsedecay.science.data import AnyData
from sparsedecay.science.measures import Measures
from sparsedecay.science.networks import NetworkName, Shape
from sparsedecay.science.optimizers import AnyOptimizer
from sparsedecay.science.regularizers import RegularizerName
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Epoch, Settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

S = TypeVar("S", bound=Settings | None)
"""A figure's section of the config; None if it has none."""


class Panel(Settings):
    """One trained network of a figure."""

    network: NetworkName
    """`representer` is the network of Theorem 1, `dense` that of footnote 1 (A not factorised)."""
    regularizer: RegularizerName
    """`eq2` is the paper's equation 2, `weight_decay` the sum of squares of all parameters."""


Panels = Annotated[tuple[Panel, ...], Field(min_length=1, max_length=8, strict=False)]


class Shown(Settings):
    """One trained network in a figure."""

    run: str
    """Run id, the name of its folders."""
    network: NetworkName
    regularizer: RegularizerName
    lam: float
    """Regularization parameter of the run; 0 without regularizer."""
    data: str
    """Id of its data set."""
    seeds: Annotated[tuple[int, int], Field(strict=False)]
    """Seed of the targets, seed of the weights."""
    epochs: Annotated[tuple[Epoch, ...], Field(strict=False)]
    """Milestones whose tables hold its trajectory; the last is the one that is shown."""

    @property
    def milestone(self) -> tuple[str, int]:
        """The run, and the epoch that is shown."""
        return self.run, self.epochs[-1]


Draw = Annotated[tuple[Shown, ...], Field(strict=False)]
"""The networks of one draw."""


class Proof(NamedTuple):
    """A global optimum that a figure asks for."""

    problem: Posed
    gap: float
    """Relative distance of the best network and the lower bound that is proved."""
    slack: float | None = None
    """What the sparsest network may lose, as a fraction of the objective; None if it is not
    shown."""

    @property
    def options(self) -> str:
        """Of the command `sparsedecay optimum`."""
        slack = "" if self.slack is None else f" --slack {self.slack}"
        return f"--gap {self.gap}{slack}"


class Bound(Settings):
    """Where a figure finds the lower bound of the objective of some of its networks."""

    problem: str
    """Id of the convex problem."""
    data: str
    """Id of its data set."""
    lam: float


class Request(Settings, Generic[S]):
    """All that a figure is made from, besides the files of the runs it shows."""

    figure: str
    """Its name, that of a module of `sparsedecay.figures`."""
    settings: S
    """The figure's section of the config; none for the statements, which are read from a table."""
    measures: Measures | None
    """Definitions, for labels; none where nothing measured is shown."""
    shown: Draw
    """The networks, in the order of the figure's milestones."""
    draws: Annotated[tuple[Draw, ...], Field(strict=False)] = ()
    """The same networks from several seeds; then `shown` is the first of them, and the figure
    chooses a typical one."""
    bounds: Annotated[tuple[Bound, ...], Field(strict=False)] = ()
    """Bounds of the objective that it reads."""

    @field_validator("figure")
    @classmethod
    def known(cls, figure: str) -> str:
        find(figure)
        return figure

    @field_validator("settings", mode="before")
    @classmethod
    def read(cls, settings: Any, about: ValidationInfo) -> Any:
        """The section as the figure's own class, also where it comes from a file."""
        section = find(about.data["figure"]).section if "figure" in about.data else None
        return section.model_validate(settings) if section and settings is not None else settings

    @property
    def name(self) -> str:
        """Path of the figure in the folder of figures, without ending."""
        return f"replicate/{self.figure}" if self.draws else self.figure

    @property
    def files(self) -> list[str]:
        """All files that it reads, those of every draw: summaries tell which draw is typical."""
        reads = find(self.figure).reads
        found = [file for draw in self.draws or [self.shown] for file in reads(draw)]
        found += [paths.optimum(one.problem, "optimum.parquet") for one in self.bounds]
        return list(dict.fromkeys(found))

    @property
    def code(self) -> str:
        """What the figure looks like as far as code decides it (`files.fingerprint`)."""
        kinds = [networks.KINDS[one.network] for one in self.shown]
        more = [regularizers.KINDS[one.regularizer] for one in self.shown]
        return fingerprint.picture(self.figure, [*kinds, *more])


class Explored(Settings):
    """What the page of all runs is made from."""

    runs: Annotated[tuple[Draw, ...], Field(min_length=1, strict=False)]
    """The milestones of each run, in order."""
    measures: Measures

    @property
    def files(self) -> list[str]:
        """All files that it reads."""
        found: dict[str, None] = {}
        for one in (one for run in self.runs for one in run):
            found[paths.data(one.data)] = None
            found[paths.state(*one.milestone)] = None
            found[paths.measured(*one.milestone, "summary")] = None
            found |= {paths.measured(one.run, e, "trajectory"): None for e in one.epochs}
        return list(found)


class Asked(Protocol):
    """What figures ask of a `study.study.Study`, which knows all figures, so that none can import
    it."""

    data: AnyData
    optimizer: AnyOptimizer
    network: Shape
    training: Any

    def run(self, network: NetworkName, regularizer: RegularizerName, lam: float) -> Run: ...


def redrawn(run: Run, draw: int) -> Run:
    """The run from the seeds of its draw (from 0): those of data and weights, counted up."""
    later = {
        name: section.model_copy(update={"seed": section.seed + draw})
        for name, section in (("data", run.data), ("initialization", run.initialization))
    }
    return run.model_copy(update=later)


class Declaration(ABC, Generic[S]):
    """A figure: its section of the config, what it shows, what it reads, how it is rendered.

    The docstring of each, in reStructuredText, is what people read of it. The first line is its
    title in the documentation of the config, what follows its caption in the report; if the figure
    can be `replicated`, the last paragraph is only there where it shows several draws. It is a
    docstring because rewording one makes no figure out of date.
    """

    section: ClassVar[type[Settings] | None] = None
    """Its section of the config. A figure without one shows a table of statements, and is made for
    a config with the section `claims`."""
    category: ClassVar[str] = "Figures"
    """Where the report lists it."""
    replicated: ClassVar[bool] = False
    """Whether it can be asked for several draws of the networks."""
    bounded: ClassVar[bool] = False
    """Whether it reads the bounds of its `proofs` itself, not by way of certificates."""

    @property
    def name(self) -> str:
        """That of its module, of its files and of its section."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def paragraphs(self) -> list[str]:
        """Those of its docstring; none if it lacks one."""
        return inspect.cleandoc(type(self).__doc__ or "").split("\n\n")

    @property
    def title(self) -> str:
        """What it shows, in a line."""
        return self.paragraphs[0]

    def caption(self, draws: bool = False) -> str:
        """Its caption, for one draw or for several, reStructuredText."""
        end = None if draws or not self.replicated else -1
        return "\n\n".join(self.paragraphs[1:end])

    def rules(self, settings: S, study: Asked) -> Iterator[str]:
        """What its section asks for and the study does not give: `key: rule` each."""
        yield from ()

    def milestones(self, settings: S, study: Asked) -> list[tuple[Run, int]]:
        """The runs that it shows, each with the epoch it shows, in its order."""
        return []

    def proofs(self, settings: S, study: Asked) -> Iterator[Proof]:
        """The global optima that it needs.

        Raises:
            UserError: there is no proof for one of its networks, and why.
        """
        yield from ()

    def reads(self, shown: tuple[Shown, ...]) -> Iterable[str]:
        """The files that it reads of the networks of one draw."""
        return ()

    @abstractmethod
    def render(self, request: Request[S], results: Results) -> Figure:
        """The picture.

        Raises:
            UserError: a file that it reads is missing, damaged, or about another run.
        """
