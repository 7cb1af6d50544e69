"""A study: one config file as checked objects, and the runs, milestones and figures it asks for.

study = load_study([Path("config/config.yaml")])
study.figures.fig2.lam              (0.1, 0.001, 1e-05)
study.milestones("fig4")            [(Run, 50_000), …]
study.request("fig4")               what the figure is told
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError, create_model, model_validator

from sparsedecay.engines import Device, EngineName, chosen
from sparsedecay.errors import UserError
from sparsedecay.figures import declared, find
from sparsedecay.figures.declaration import Bound, Proof, Request, Shown
from sparsedecay.science import regularizers
from sparsedecay.science.data import AnyData
from sparsedecay.science.initializations import AnyInitialization
from sparsedecay.science.measures import Measures
from sparsedecay.science.networks import NetworkName, Shape, build, role
from sparsedecay.science.optimizers import AnyOptimizer
from sparsedecay.science.recorded import LADDER
from sparsedecay.science.regularizers import Objective, RegularizerName
from sparsedecay.science.run import Precision, Run, chain
from sparsedecay.science.settings import Epoch, Settings
from sparsedecay.study import parse
from sparsedecay.study.entries import Entry, overlaid, placed
from sparsedecay.study.explain import explain
from sparsedecay.study.schema import json_schema, words
from sparsedecay.study.sections import Archive, Claims, Sweep, Vary

MAX_MILESTONES = 100_000
"""Of all runs together: files that a workflow can still handle."""
MAX_RECORDS = 100_000
"""Of one stretch between milestones: rows that training holds in memory."""
MAX_PARAMETERS = 1_000_000_000
"""Of one network: 4 GB, and as much again for gradients and each of Adam's moments."""
MAX_ACTIVATIONS = 4_000_000_000
"""Of one network, points times neurons: 16 GB, and as much again for what is derived by them."""


class Training(Settings):
    """How long, and what is written down on the way."""

    epochs: Epoch
    """Length of the runs of figure 2, and the most that another figure may ask for."""
    stride: Epoch
    """Epochs between milestones: stored states that training continues from."""
    record_every: Epoch
    """Epochs between two records of the loss and of the weights' magnitudes."""
    precision: Precision
    """Floating-point type of parameters, data and arithmetic."""
    engine: EngineName
    """What computes the epochs: `compiled` (C++), `fused` (gradients by hand on torch, which also
    takes the place of `compiled` where that could not be built), `autograd` (the reference), or
    `batched` (many runs at once, for accelerators). Not part of a run: changing it makes no result
    out of date."""
    device: Device = "auto"
    """Where `batched` computes: `cpu`, `cuda` (NVIDIA, AMD), `mps` (Apple), or `auto`: an
    accelerator that is at hand where Snakemake starts, else `compiled` trains. Jobs of a cluster
    need it named. Makes no result out of date."""
    checkpoint_seconds: Annotated[
        float, Field(gt=0, allow_inf_nan=False, json_schema_extra={"unit": "seconds"})
    ]
    """Seconds between two checkpoints, which a killed job continues from."""


class Chosen(Settings):
    """What each figure shows. A figure that is left out is not made."""

    @model_validator(mode="after")
    def check(self) -> "Chosen":
        if not self.names:
            known = list(type(self).model_fields)
            raise ValueError(f"at least one figure is needed: {words(known)}")
        return self

    @property
    def names(self) -> list[str]:
        """Those that are made."""
        return [name for name in type(self).model_fields if getattr(self, name) is not None]

    def section(self, name: str) -> Settings | None:
        """That of a figure; None if it is left out, or has none."""
        return getattr(self, name) if name in type(self).model_fields else None


if TYPE_CHECKING:
    Figures = Chosen
else:  # with a key for each figure that has a section
    keys = {
        name: (figure.section | None, Field(default=None, description=figure.title))
        for name, figure in declared().items()
        if figure.section
    }
    Figures = create_model("Figures", __base__=Chosen, __doc__=Chosen.__doc__, **keys)


class Study(Settings):
    """One config file."""

    data: AnyData
    """The data set: the paper's, another one that is drawn, or a file of your own."""
    network: Shape
    """Size of the networks (Theorem 1), the same for all figures but figure 1."""
    objective: Objective
    """What is minimised."""
    initialization: AnyInitialization
    """The parameters at epoch 0."""
    optimizer: AnyOptimizer
    """The optimizer: Adam, by default on all data at once, so that an epoch is one step."""
    training: Training
    """How long training goes on, what it writes down, and how it computes."""
    measures: Measures
    """How sparsity and rank are counted."""
    figures: Figures
    """What each figure shows. A figure that is left out is not made."""
    claims: Claims | None = None
    """The paper's statements, tested over several seeds and for what the text leaves open. If it is
    left out, `snakemake replicate` and `snakemake readings` have nothing to make."""
    sweep: Sweep | None = None
    """Many variants of the runs, from several seeds, whose tables `snakemake sweep` joins. The
    paper has none; `config/sweep.yaml` is an example."""
    archive: Archive | None = None
    """The package for a repository, which `snakemake archive` makes (docs/archive.md). If it is
    left out, there is nothing to archive."""

    @model_validator(mode="after")
    def check(self) -> "Study":
        # each rule needs those before it; all figures are checked at once
        runs = self.runs.values()
        broken = [*training_rules(self, runs), *figure_rules(self), *claim_rules(self)]
        broken += archive_rules(self)
        broken = broken or [*engine_rules(self, runs), *size_rules(runs), *milestone_rules(self)]
        if broken:
            raise ValueError("\n".join(broken))
        return self

    def draw(self, vary: Vary, index: int) -> "Study":
        """The study with the seeds of its draw `index` (from 0), where these vary."""
        sections = dict(self)
        for name, section in (("targets", "data"), ("weights", "initialization")):
            if name in vary and index:
                values = sections[section]
                sections[section] = values.model_copy(update={"seed": values.seed + index})
        return Study.model_construct(**sections)

    def run(self, network: NetworkName, regularizer: RegularizerName, lam: float) -> Run:
        """The run of this study with the given network and regularizer."""
        return Run(
            data=self.data,
            network=network,
            shape=self.network,
            regularizer=regularizer,
            lam=lam if regularizers.KINDS[regularizer].weighted else 0.0,
            objective=self.objective,
            initialization=self.initialization,
            optimizer=self.optimizer,
            precision=self.training.precision,
            stride=self.training.stride,
            record_every=self.training.record_every,
        ).literal()

    def milestones(self, figure: str) -> list[tuple[Run, int]]:
        """The runs that a figure shows, each with the epoch it shows, in the figure's order."""
        settings = self.figures.section(figure)
        return find(figure).milestones(settings, self) if settings else []

    def proofs(self, figure: str) -> list[Proof]:
        """The global optima that a figure needs.

        Raises:
            UserError: there is no proof for one of its networks, and why.
        """
        settings = self.figures.section(figure)
        return [*find(figure).proofs(settings, self)] if settings else []

    def request(self, figure: str) -> Request[Any]:
        """What a figure is asked to show.

        Raises:
            UserError: as `proofs`, if the figure reads bounds.
        """
        milestones = self.milestones(figure)
        asked = (one.problem for one in self.proofs(figure)) if find(figure).bounded else ()
        return Request(
            figure=figure,
            settings=self.figures.section(figure),
            measures=self.measures if milestones else None,
            shown=tuple(shown(run, epoch) for run, epoch in milestones),
            bounds=tuple(Bound(problem=one.id, data=one.data.id, lam=one.lam) for one in asked),
        )

    @cached_property
    def shown(self) -> list[tuple[Run, int]]:
        """Every milestone that some figure shows, each once."""
        names = self.figures.names
        return list(dict.fromkeys(pair for name in names for pair in self.milestones(name)))

    @cached_property
    def runs(self) -> dict[str, Run]:
        """All runs, by id."""
        return {run.id: run for run, _ in self.shown}


def shown(run: Run, epoch: int) -> Shown:
    """A milestone, as figures are told of it."""
    return Shown(
        run=run.id,
        network=run.network,
        regularizer=run.regularizer,
        lam=run.lam,
        data=run.data.id,
        seeds=run.seeds,
        epochs=tuple(chain(epoch, run.stride)),
    )


def last_epochs(milestones: Iterable[tuple[Run, int]]) -> dict[str, int]:
    """The last milestone of each run, by id."""
    last: dict[str, int] = {}
    for run, epoch in milestones:
        last[run.id] = max(epoch, last.get(run.id, 0))
    return last


def training_rules(study: Study, runs: Iterable[Run]) -> Iterator[str]:
    """What is wrong between the sections training and measures, for some runs: `key: rule`."""
    training, threshold = study.training, study.measures.threshold
    if study.optimizer.batches > study.data.points:
        yield (
            f"optimizer.batches: {study.data.points:,} data points cannot be cut into so many "
            "minibatches; lower it"
        )
    kinds, roles = {run.network: run for run in runs}, study.measures.average_over
    for kind, run in kinds.items():
        if not any(role(name) in roles for name in build(run).matrices):
            yield f"measures.average_over: {kind} networks here have no {roles[0]}; add W or V"
    if training.record_every > training.stride:
        yield (
            f"training.record_every: it must not exceed training.stride ({training.stride:,}), "
            "so that each stretch between milestones has a record; lower it"
        )
    records = training.stride // training.record_every
    if records > MAX_RECORDS:
        yield (
            f"training.record_every: it makes {records:,} records between two milestones "
            f"(training.stride: {training.stride:,}); at most {MAX_RECORDS:,} are allowed; raise it"
        )
    if threshold not in LADDER:
        yield (
            "measures.threshold: training counts entries above magnitudes of one significant "
            "digit only; write such a number from 1e-8 to 9, as 1e-3 or 0.02"
        )


def figure_rules(study: Study) -> Iterator[str]:
    """What figures ask for that training or the networks do not give: `key: rule`."""
    for name in study.figures.names:
        for rule in find(name).rules(study.figures.section(name), study):
            yield f"figures.{name}.{rule}"


def claim_rules(study: Study) -> Iterator[str]:
    """What the statements need of the figures: `key: rule`."""
    if study.claims and not {"fig2", "fig3"} <= set(study.figures.names):
        yield (
            "claims: it tests the networks of figures.fig2 and figures.fig3; give both, or leave "
            "claims out"
        )


def archive_rules(study: Study) -> Iterator[str]:
    """Whether there is what an archive is to hold: `key: rule`."""
    for target in study.archive.targets if study.archive else ():
        section = {"replicate": "claims", "readings": "claims", "sweep": "sweep"}.get(target)
        if section and not getattr(study, section):
            yield f"archive.targets: {target} needs the section {section}; add it, or leave it out"


def size_rules(runs: Iterable[Run]) -> Iterator[str]:
    """Which networks are too large: `key: rule`."""
    networks = {run.network: build(run) for run in runs}
    for kind, network in networks.items():
        if network.size > MAX_PARAMETERS:
            yield (
                f"network.K: it makes a {kind} network of {network.size:,} parameters; at most "
                f"{MAX_PARAMETERS:,} are allowed; lower it, or network.L or network.d"
            )
    for kind, run in {run.network: run for run in runs}.items():
        points, neurons = run.data.points, run.shape.K * run.shape.L
        if points * neurons > MAX_ACTIVATIONS:
            yield (
                f"network.K: the {neurons:,} neurons of a {kind} network have "
                f"{points * neurons:,} activations on {points:,} points; training holds them all "
                f"at once, {MAX_ACTIVATIONS:,} at most; lower network.K, or take fewer points"
            )


def engine_rules(study: Study, runs: Iterable[Run]) -> Iterator[str]:
    """Which runs no engine can train: `key: rule`."""
    ways = {(run.network, run.regularizer): run for run in runs}
    for (network, regularizer), run in ways.items():
        engine, reasons = chosen(run, study.training.engine, study.training.device)
        if engine is None:
            told = "; ".join(reasons)
            yield f"training.engine: no engine can train {network} with {regularizer}: {told}"


def milestone_rules(study: Study) -> Iterator[str]:
    """Whether there are too many milestones: `key: rule`."""
    stride, longest = study.training.stride, last_epochs(study.shown)
    milestones = sum(-(-epoch // stride) for epoch in longest.values())
    if milestones > MAX_MILESTONES:
        yield (
            f"training.stride: it cuts the {len(longest)} runs of the figures into {milestones:,} "
            f"milestones; at most {MAX_MILESTONES:,} are allowed; raise it, or lower "
            "training.epochs"
        )
    elif study.sweep:
        on_the_way = {step for epoch in study.sweep.milestones for step in chain(epoch, stride)}
        swept = study.sweep.size * len(on_the_way)
        if swept + milestones > MAX_MILESTONES:
            yield (
                f"sweep: its {study.sweep.size:,} runs have {swept:,} milestones; at most "
                f"{MAX_MILESTONES:,} are allowed in a study; lower sweep.seeds, leave out some of "
                "its values, or raise training.stride"
            )


def load_study(files: Sequence[Path], overrides: Mapping[str, Any] | None = None) -> Study:
    """The study in the given files, later ones over earlier ones, then the overrides.

    Raises:
        UserError: a file is missing or unreadable, or a value is not allowed. The message has a
            line for each mistake, with file, line, key, value and what is allowed.
    """
    return checked(*read_config(files, overrides))


def checked(config: Entry, sources: list[str]) -> Study:
    """The study that a config holds.

    Raises:
        UserError: as `load_study`.
    """
    try:
        return Study.model_validate(config.plain())
    except ValidationError as error:
        raise UserError(explain(error, config, json_schema(Study), sources)) from None


def with_changes(config: Entry, changes: Entry, source: str, what: str) -> Study:
    """The study in a config with the changes of a file laid over it.

    Raises:
        UserError: a value is not allowed. The message names `what`, then has a line for each
            mistake, as that of `load_study`.
    """
    try:
        return checked(overlaid(config, changes), [source])
    except UserError as error:
        raise UserError(f"{what}:\n{error}") from None


def read_config(
    files: Sequence[Path], overrides: Mapping[str, Any] | None = None
) -> tuple[Entry, list[str]]:
    """What the files and the overrides say, one laid over the other, and where each lies.

    Raises:
        UserError: a file is missing or unreadable.
    """
    entries = [placed(parse.read(Path(file)), Path(file).parent) for file in files]
    if overrides:
        entries.append(parse.overrides(overrides))
    return reduce(overlaid, entries), [entry.place for entry in entries]
