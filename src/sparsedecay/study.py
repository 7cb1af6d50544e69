"""A study: one config file as checked objects, and the runs, milestones and figures it asks for.

study = load_study([Path("config/config.yaml")])
study.figures.fig2.lam              (0.1, 0.001, 1e-05)
study.milestones("fig4")            [(Run, 50_000), …]
study.request("fig4")               what the figure is told
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sparsedecay import paths
from sparsedecay.errors import UserError
from sparsedecay.recorded import LADDER
from sparsedecay.runs import (
    Adam,
    Data,
    Initialization,
    NetworkKind,
    Precision,
    RegularizerKind,
    Run,
    Settings,
    Shape,
    chain,
)
from sparsedecay.settings import (
    Epoch,
    Figure1,
    Figure2,
    Measures,
    Request,
    Shown,
    TrainedMatrices,
)


class Training(Settings):
    """How long, and what is written down on the way."""

    epochs: Epoch
    """Length of the runs of figure 2, and the longest that any figure may ask for. Epochs."""
    stride: Epoch
    """Epochs between milestones: stored states that training continues from."""
    record_every: Epoch
    """Epochs between two records of the loss and of the weights' magnitudes."""
    precision: Precision
    """Floating-point type of parameters, data and arithmetic."""
    engine: Literal["fused", "autograd"]
    """What computes the epochs: `fused` (gradients by hand, fast) or `autograd` (the reference).
    Not part of a run: changing it makes no result out of date."""
    checkpoint_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Seconds between two checkpoints, which a killed job continues from."""


class Figures(Settings):
    """What each figure shows. A figure that is left out is not made."""

    fig1: Figure1 | None = None
    """The architecture."""
    fig2: Figure2 | None = None
    """Sparsity against the epoch."""
    fig3: TrainedMatrices | None = None
    """The matrices as pictures."""
    fig4: TrainedMatrices | None = None
    """Their singular values; the factors of each representer network."""

    @model_validator(mode="after")
    def check(self) -> "Figures":
        if not self.names:
            raise ValueError("at least one figure is needed: fig1, fig2, fig3 or fig4")
        return self

    @property
    def names(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]


class Study(Settings):
    """One config file."""

    data: Data
    """The data set."""
    network: Shape
    """Size of the networks."""
    initialization: Initialization
    """Where training starts."""
    optimizer: Adam
    """How the parameters move."""
    training: Training
    """How long training goes on."""
    measures: Measures
    """What is measured."""
    figures: Figures
    """What is shown."""

    @model_validator(mode="after")
    def check(self) -> "Study":
        longest = -(-self.training.epochs // self.training.stride)
        if longest > 10_000:
            raise ValueError(
                f"training.stride: {self.training.stride} cuts {self.training.epochs} epochs into "
                f"{longest} milestones; at most 10,000 are allowed"
            )
        if self.training.record_every > self.training.stride:
            raise ValueError(
                f"training.record_every: {self.training.record_every} must not exceed "
                f"training.stride ({self.training.stride})"
            )
        if self.measures.threshold not in LADDER:
            raise ValueError(
                f"measures.threshold: {self.measures.threshold:g} must have one significant digit "
                "and lie between 1e-8 and 9, because training counts entries above those magnitudes"
            )
        for name in ("fig3", "fig4"):
            figure = getattr(self.figures, name)
            if figure is None:
                continue
            if figure.epoch > self.training.epochs:
                raise ValueError(
                    f"figures.{name}.epoch: {figure.epoch} lies beyond training.epochs "
                    f"({self.training.epochs}): lower it or train longer"
                )
            if figure.layer > self.network.L:
                raise ValueError(
                    f"figures.{name}.layer: {figure.layer} is not between two ReLU layers of a "
                    f"network with network.L = {self.network.L}: lower it, raise L, or leave "
                    f"figures.{name} out"
                )
        return self

    def run(self, network: NetworkKind, regularizer: RegularizerKind, lam: float) -> Run:
        """The run of this study with the given network and regularizer."""
        return Run(
            data=self.data,
            network=network,
            shape=self.network,
            regularizer=regularizer,
            lam=0.0 if regularizer == "none" else lam,
            initialization=self.initialization,
            optimizer=self.optimizer,
            precision=self.training.precision,
            stride=self.training.stride,
            record_every=self.training.record_every,
        )

    def milestones(self, figure: str) -> list[tuple[Run, int]]:
        """The runs that a figure shows, each with the epoch it shows, in the figure's order."""
        settings = getattr(self.figures, figure)
        if isinstance(settings, Figure2):
            return [
                (self.run(settings.network, regularizer, lam), self.training.epochs)
                for lam in settings.lam
                for regularizer in settings.regularizers
            ]
        if isinstance(settings, TrainedMatrices):
            return [
                (self.run(panel.network, panel.regularizer, settings.lam), settings.epoch)
                for panel in settings.panels
            ]
        return []

    def request(self, figure: str) -> Request:
        """What a figure is asked to show."""
        return Request(
            figure=figure,
            settings=getattr(self.figures, figure),
            measures=self.measures,
            shown=[
                Shown(
                    run=run.id,
                    network=run.network,
                    regularizer=run.regularizer,
                    lam=run.lam,
                    epochs=chain(epoch, run.stride),
                )
                for run, epoch in self.milestones(figure)
            ],
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

    @cached_property
    def data_sets(self) -> dict[str, Data]:
        """All data sets, by id."""
        return {run.data.id: run.data for run in self.runs.values()}


def files_read(request: Request) -> list[str]:
    """The files that a figure reads."""
    tables = {
        "fig1": (),
        "fig2": ("summary",),
        "fig3": ("matrices", "summary"),
        "fig4": ("matrices", "spectra"),
    }[request.figure]
    files = [
        paths.measured(shown.run, shown.epochs[-1], table)
        for shown in request.shown
        for table in tables
    ]
    if request.figure == "fig2":
        files += [
            paths.measured(shown.run, epoch, "trajectory")
            for shown in request.shown
            for epoch in shown.epochs
        ]
    else:
        files += [paths.state(shown.run, shown.epochs[-1]) for shown in request.shown]
    return list(dict.fromkeys(files))


def load_study(files: Sequence[Path], overrides: Mapping[str, Any] | None = None) -> Study:
    """The study in the given files, later ones over earlier ones, then the overrides.

    Raises:
        UserError: a file is missing or unreadable, or a value is not allowed. The message names
            each file, key and value, and what is allowed.
    """
    document: dict[str, Any] = {}
    for file in files:
        merge(document, read_yaml(Path(file)))
    merge(document, overrides or {})
    where = ", ".join(str(file) for file in files)
    try:
        return Study.model_validate(document)
    except ValidationError as error:
        lines = [f"{where}: {explain(e, document)}" for e in error.errors(include_url=False)]
        raise UserError("\n".join(lines)) from None


def read_yaml(file: Path) -> dict[str, Any]:
    """A YAML 1.2 document whose top level has keys; duplicate keys are refused."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read: {error}") from None
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise UserError(f"{file}: is not readable YAML: {yaml_problem(error)}") from None
    if not isinstance(document, dict):
        raise UserError(f"{file}: needs keys at its top level: {', '.join(Study.model_fields)}")
    return document


def yaml_problem(error: YAMLError) -> str:
    """The reader's complaint in one line, with line and column."""
    problem = str(getattr(error, "problem", None) or str(error).splitlines()[0])
    mark = getattr(error, "problem_mark", None)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return problem.split(" with value")[0] + place


def merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    """Lay `over` on `base`, section by section; lists and numbers are replaced."""
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value


def explain(error: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """One line for one mistake: key, value, what is allowed; for a misspelt key the right one."""
    location = [part for part in error["loc"] if part != "function-after"]
    key = ".".join(str(part) for part in location) or "config"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        names = allowed_keys(location[:-1])
        near = difflib.get_close_matches(str(location[-1]), names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"allowed: {', '.join(names)}"
        return f"{key}: unknown key; {hint}"
    if error["type"] == "missing":
        return f"{key}: missing; it has no default (see config/README.md)"
    if error["type"] == "value_error":
        return message if key == "config" else f"{key}.{message}"
    return f"{key}: {shorten(error['input'])} is not allowed: {message}"


def allowed_keys(location: Iterable[Any]) -> list[str]:
    """The keys of the section at a location of the config."""
    model: Any = Study
    for part in location:
        if isinstance(part, int):
            continue
        model = section(model.model_fields[part].annotation)
    return list(model.model_fields)


def section(annotation: Any) -> type[BaseModel]:
    """The settings class inside an annotation such as `Figure1 | None` or `tuple[Panel, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in annotation.__args__:
        if inner is not type(None) and inner is not Ellipsis:
            return section(inner)
    raise TypeError(f"no section in {annotation}")


def shorten(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
