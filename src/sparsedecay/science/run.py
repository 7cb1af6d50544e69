"""A run: everything that decides the numbers of one training, and its place in `results/`.

    run = Run.model_validate_json(text)
    run.id                       representer-eq2-lam0.001-seed0-4be1c93a0d
    chain(200_000, run.stride)   [50_000, 100_000, 150_000, 200_000]

How long a run goes on and what computes it (engine, machine, versions) are not part of it: results
made elsewhere are still the results of this run. Symbols are the paper's: N points in d_0
dimensions, L hidden layers, K ReLU neurons a layer, functional width d, regularization lam.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

NetworkKind = Literal["representer", "dense"]
RegularizerKind = Literal["eq2", "weight_decay", "none"]
Skips = Literal["leap", "input", "none"]
Precision = Literal["float32", "float64"]

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Settings(BaseModel):
    """Values of one section; unknown keys and silent conversions are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    def canonical(self) -> str:
        """One line of JSON with sorted keys: equal settings give equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    def digest(self) -> str:
        """Ten hexadecimal digits that stand for all values, each under its name."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:10]


class Part(Settings):
    """Values that runs are made of. What follows from them is computed once, as a study has
    thousands of runs that share them and asks each for its name again and again."""

    @cached_property
    def text(self) -> str:
        """What `canonical` returns."""
        return super().canonical()

    def canonical(self) -> str:
        return self.text

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some other values, without what was computed of the old ones."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


def interval(low_high: tuple[float, float]) -> tuple[float, float]:
    if not low_high[0] < low_high[1]:
        raise ValueError("the first number must be smaller than the second")
    return low_high


class Data(Part):
    """The data set: every point of a regular grid, one random target each (Section 3)."""

    levels: Annotated[tuple[Finite, ...], Field(min_length=2, max_length=1000, strict=False)]
    """Coordinates the grid takes along each dimension, all different. The paper: {0, 0.5, 1}."""
    dimension: Annotated[int, Field(ge=1, le=64)]
    """Dimension d_0 of the inputs. The grid has N = (number of levels)^dimension points."""
    target_range: Annotated[tuple[Finite, Finite], Field(strict=False)]
    """Lowest and highest target: one number per point, uniform on this interval."""
    seed: Seed
    """Seed of the targets. It is independent of the seed of the weights."""

    @model_validator(mode="after")
    def check(self) -> "Data":
        interval(self.target_range)
        if len(set(self.levels)) != len(self.levels):
            raise ValueError("levels: each level may stand only once")
        if self.points > 1_000_000:
            raise ValueError(
                f"levels, dimension: a grid of {len(self.levels)}^{self.dimension} points is "
                "larger than the 1,000,000 that full-batch training can take"
            )
        return self

    @property
    def points(self) -> int:
        """N, the number of data points."""
        return int(len(self.levels) ** self.dimension)

    @cached_property
    def id(self) -> str:
        """Name of the data set's folder."""
        return f"{len(self.levels)}levels-{self.dimension}d-seed{self.seed}-{self.digest()}"


class Shape(Part):
    """Size of the networks (Theorem 1; Section 3)."""

    L: Annotated[int, Field(ge=1, le=64)]
    """Number of hidden ReLU layers."""
    K: Annotated[int, Field(ge=1, le=1_000_000)]
    """ReLU neurons in each hidden layer. Theorem 1 needs at most N·d_l; the paper: 81·16 = 1296."""
    d: Annotated[int, Field(ge=1, le=1_000_000)]
    """Functional width d_l between blocks of the representer network (the last has 1 output)."""
    skips: Skips
    """Skip connections of the dense network, of which the paper says only that they exist: `leap`
    over one ReLU layer each, as in Theorem 1; from the `input` to every later layer; or `none`."""


class Initialization(Part):
    """Where training starts."""

    range: Annotated[tuple[Finite, Finite], Field(strict=False)]
    """Lowest and highest initial value: all parameters, biases too, uniform on this interval."""
    scale: Literal["none", "fan_in"]
    """`fan_in` divides the range by the square root of the number of weights into the neuron, as
    PyTorch does by default; `none` takes it as it stands, as the paper says."""
    seed: Seed
    """Seed of the initial parameters. It is independent of the seed of the targets."""

    @model_validator(mode="after")
    def check(self) -> "Initialization":
        interval(self.range)
        return self


class Objective(Part):
    """What is minimised: the loss plus lam times the regularizer."""

    loss: Literal["mean", "sum"]
    """Over the data: `mean` is the MSE that Section 3 names, `sum` stands in equation 2."""
    weight_decay: Literal["objective", "adam", "decoupled"]
    """Where weight decay acts: lam times the sum of squares in the `objective`; `adam`, lam as the
    option weight_decay of torch.optim.Adam, half as strong; or `decoupled`, as that of AdamW."""
    decay_biases: bool
    """Whether weight decay acts on biases too. The paper: "squared l2-norm on all parameters"."""


LITERAL = Objective(loss="mean", weight_decay="objective", decay_biases=True)
"""What the paper's Section 3 says."""


class Adam(Part):
    """The optimizer: Adam."""

    learning_rate: Positive
    """Step size. The paper: 1e-3."""
    betas: Annotated[
        tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]],
        Field(strict=False),
    ]
    """Decay of the two moment estimates, per step. PyTorch's default: 0.9 and 0.999."""
    eps: Positive
    """Added to the denominator of the step. PyTorch's default: 1e-8."""
    batches: Annotated[int, Field(ge=1, le=1_000_000)]
    """Minibatches in an epoch, one step each; the data are shuffled anew every epoch. 1 is full
    batch. The paper does not say."""


class Run(Part):
    """Everything that decides the numbers in the files of one training."""

    data: Data
    network: NetworkKind
    shape: Shape
    regularizer: RegularizerKind
    lam: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    objective: Objective
    initialization: Initialization
    optimizer: Adam
    precision: Precision
    # These two decide no weight, but which epochs the recorded tables hold.
    stride: Annotated[int, Field(ge=1)]
    record_every: Annotated[int, Field(ge=1)]

    @property
    def penalty(self) -> float:
        """Factor of the regularizer in the objective: lam, or half of it where lam is the option
        weight_decay of an optimizer, whose gradient is lam times the parameter."""
        option = self.regularizer == "weight_decay" and self.objective.weight_decay != "objective"
        return self.lam / 2 if option else self.lam

    @property
    def decoupled(self) -> float:
        """Strength of weight decay beside the gradient (AdamW): lam, or 0 where there is none."""
        beside = self.regularizer == "weight_decay" and self.objective.weight_decay == "decoupled"
        return self.lam if beside else 0.0

    def terms(self, samples: int) -> int:
        """What the sum of squared errors over so many samples is divided by to make the loss."""
        return samples if self.objective.loss == "mean" else 1

    @cached_property
    def text(self) -> str:
        """What `canonical` returns, put together from the texts of the sections."""
        values = {
            name: value.text if isinstance(value, Part) else json.dumps(value)
            for name, value in self
        }
        return "{" + ",".join(f'"{name}":{values[name]}' for name in sorted(values)) + "}"

    @cached_property
    def id(self) -> str:
        """Name of the run's folders: readable, and exact through the digest at its end."""
        lam = "" if self.regularizer == "none" else f"-lam{self.lam:g}"
        seed = self.initialization.seed
        return f"{self.network}-{self.regularizer}{lam}-seed{seed}-{self.digest()}"

    def literal(self) -> "Run":
        """The same run with the literal reading of what has no effect on it, so that readings
        share it: skips of the representer network, weight decay of other regularizers."""
        shape, objective = self.shape, self.objective
        if self.network == "representer":
            shape = shape.model_copy(update={"skips": "leap"})
        if self.regularizer != "weight_decay":
            objective = LITERAL.model_copy(update={"loss": objective.loss})
        if (shape, objective) == (self.shape, self.objective):
            return self
        return self.model_copy(update={"shape": shape, "objective": objective})


def predecessor(epoch: int, stride: int) -> int:
    """The milestone on the grid that training to `epoch` starts from; 0 is the initialisation."""
    return (epoch - 1) // stride * stride


def chain(epoch: int, stride: int) -> list[int]:
    """All milestones that lead to `epoch`, itself last."""
    return [*range(stride, epoch, stride), epoch]


def columns(run: Run) -> dict[str, Any]:
    """What tells runs apart, as columns of tables."""
    return {
        "network": run.network,
        "regularizer": run.regularizer,
        "lam": run.lam,
        "L": run.shape.L,
        "K": run.shape.K,
        "d": run.shape.d,
        "skips": run.shape.skips,
        "loss": run.objective.loss,
        "weight_decay": run.objective.weight_decay,
        "decay_biases": run.objective.decay_biases,
        "levels": list(run.data.levels),
        "dimension": run.data.dimension,
        "points": run.data.points,
        "target_low": run.data.target_range[0],
        "target_high": run.data.target_range[1],
        "target_seed": run.data.seed,
        "initial_low": run.initialization.range[0],
        "initial_high": run.initialization.range[1],
        "initial_scale": run.initialization.scale,
        "weight_seed": run.initialization.seed,
        "learning_rate": run.optimizer.learning_rate,
        "beta1": run.optimizer.betas[0],
        "beta2": run.optimizer.betas[1],
        "eps": run.optimizer.eps,
        "batches": run.optimizer.batches,
        "precision": run.precision,
        "stride": run.stride,
        "record_every": run.record_every,
    }
