"""A run: everything that decides the numbers of one training, and its place in `results/`.

    run = Run.model_validate_json(text)
    run.id                       representer-eq2-lam0.001-seed0-4be1c93a0d
    chain(200_000, run.stride)   [50_000, 100_000, 150_000, 200_000]

How long a run goes on and what computes it (engine, machine, versions) are not part of it: results
made elsewhere are still the results of this run. Symbols are the paper's: N points in d_0
dimensions, L hidden layers, K ReLU neurons a layer, functional width d, regularization lam.
"""

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from sparsedecay.science import data, initializations, networks, optimizers, regularizers
from sparsedecay.science.data import AnyData
from sparsedecay.science.initializations import AnyInitialization
from sparsedecay.science.kinds import Columns, Kind
from sparsedecay.science.networks import NetworkName, Shape
from sparsedecay.science.optimizers import AnyOptimizer
from sparsedecay.science.regularizers import Objective, RegularizerName
from sparsedecay.science.settings import Part

Precision = Literal["float32", "float64"]


class Run(Part):
    """Everything that decides the numbers in the files of one training."""

    data: AnyData
    network: NetworkName
    shape: Shape
    regularizer: RegularizerName
    lam: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    objective: Objective
    initialization: AnyInitialization
    optimizer: AnyOptimizer
    precision: Precision
    # These two decide no weight, but which epochs the recorded tables hold.
    stride: Annotated[int, Field(ge=1)]
    record_every: Annotated[int, Field(ge=1)]

    @property
    def penalty(self) -> float:
        """Factor of the regularizer in the objective."""
        return regularizers.build(self).penalty(self.lam)

    @property
    def decoupled(self) -> float:
        """Strength of weight decay beside the gradient (AdamW); 0 where there is none."""
        return regularizers.build(self).decoupled(self.lam)

    def terms(self, samples: int) -> int:
        """What the sum of squared errors over so many samples is divided by to make the loss."""
        return samples if self.objective.loss == "mean" else 1

    @property
    def seeds(self) -> tuple[int, int]:
        """Seed of the data, seed of the initial weights."""
        return self.data.seed, self.initialization.seed

    @cached_property
    def text(self) -> str:
        """What `canonical` returns, put together from the texts of the sections."""
        fields = type(self).model_fields
        values = {
            name: value.text if isinstance(value, Part) else json.dumps(value)
            for name, value in self
            if fields[name].is_required() or value != fields[name].default
        }
        return "{" + ",".join(f'"{name}":{values[name]}' for name in sorted(values)) + "}"

    @cached_property
    def id(self) -> str:
        """Name of the run's folders: readable, and exact through the digest at its end."""
        weighted = regularizers.KINDS[self.regularizer].weighted
        lam = f"-lam{self.lam:g}" if weighted else ""
        return f"{self.network}-{self.regularizer}{lam}-seed{self.seeds[1]}-{self.digest()}"

    def literal(self) -> "Run":
        """The same run with neutral values of what has no effect on it, so that readings share it:
        the keys of networks and regularizers that are not its own."""
        shape = neutral(self.shape, networks.KINDS, self.network)
        objective = neutral(self.objective, regularizers.KINDS, self.regularizer)
        if (shape, objective) == (self.shape, self.objective):
            return self
        return self.model_copy(update={"shape": shape, "objective": objective})


def neutral(section: Any, kinds: dict[str, type[Any]], own: str) -> Any:
    """A section with neutral values for the keys of all kinds but its own."""
    values = {k: v for name, kind in kinds.items() if name != own for k, v in kind.neutral.items()}
    if all(getattr(section, key) == value for key, value in values.items()):
        return section
    return section.model_copy(update=values)


def predecessor(epoch: int, stride: int) -> int:
    """The milestone on the grid that training to `epoch` starts from; 0 is the initialisation."""
    return (epoch - 1) // stride * stride


def chain(epoch: int, stride: int) -> list[int]:
    """All milestones that lead to `epoch`, itself last."""
    return [*range(stride, epoch, stride), epoch]


def columns_of(*kinds: type[Kind]) -> Columns:
    """The columns of some kinds, each once."""
    return {name: column for kind in kinds for name, column in kind.columns.items()}


def sections() -> Iterator[tuple[str, Columns]]:
    """Where the columns that tell runs apart come from: a field of the run, or "" for itself."""
    yield (
        "",
        {
            "network": ("string", "kind of network"),
            "regularizer": ("string", "kind of regularizer"),
            "lam": ("float64", "regularization parameter"),
        },
    )
    sizes = {"L": ("int64", "hidden layers"), "K": ("int64", "ReLU neurons a layer")}
    yield "shape", sizes | dict(columns_of(*networks.KINDS.values()))
    loss = {"loss": ("string", "mean or sum over the data")}
    yield "objective", loss | dict(columns_of(*regularizers.KINDS.values()))
    yield "data", columns_of(*data.KINDS.values())
    yield "initialization", columns_of(*initializations.KINDS.values())
    yield "optimizer", columns_of(*optimizers.KINDS.values())
    yield (
        "",
        {
            "precision": ("string", "floating-point type"),
            "stride": ("int64", "epochs between milestones"),
            "record_every": ("int64", "epochs between records"),
        },
    )


COLUMNS: Columns = {name: column for _, columns in sections() for name, column in columns.items()}
"""Columns of tables that tell runs apart."""


def columns(run: Run) -> dict[str, Any]:
    """The values of `COLUMNS`; None where a run's kinds have no such value."""
    found: dict[str, Any] = {}
    for field, names in sections():
        section: Any = getattr(run, field) if field else run
        values = section.column_values() if isinstance(section, Kind) else {}
        for name in names:
            own = None if isinstance(section, Kind) else getattr(section, name, None)
            found[name] = values.get(name, own)
    return found
