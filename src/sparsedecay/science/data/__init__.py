"""Data sets: inputs and targets, drawn or read. A kind a module.

    data.samples()      Samples: X (N, d_0), y (N, D), and test rows of the same widths

All arrays are float64. Symbols are the paper's: N points, d_0 inputs, D = d_L outputs.
"""

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from sparsedecay.science.kinds import Kind, any_of, found
from sparsedecay.science.settings import Interval, Part, Seed

MOST_POINTS = 1_000_000
"""That full-batch training can take."""


def stream(seed: int, name: str) -> np.random.Generator:
    """Random numbers that belong to one purpose: other names give independent streams."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *name.encode()])))


class Samples(NamedTuple):
    """What networks are trained with, and tested on."""

    X: np.ndarray
    """Inputs, (N, d_0)."""
    y: np.ndarray
    """Targets, (N, D)."""
    test_X: np.ndarray  # noqa: N815
    """Inputs that no training sees, (T, d_0); T may be 0."""
    test_y: np.ndarray
    """Their targets, (T, D)."""


def untested(X: np.ndarray, y: np.ndarray) -> Samples:
    """Samples without test rows."""
    return Samples(X, y, X[:0], y[:0])


class Teacher(NamedTuple):
    """The neurons that made the targets: y = sum of V_k relu(W_k x - b_k)."""

    W: np.ndarray
    """Directions, (K*, d_0), of length 1."""
    b: np.ndarray
    """Offsets, (K*,)."""
    V: np.ndarray
    """Weights out of them, (D, K*)."""


class Data(Kind, Part):
    """What a kind of data set must say."""

    unvaried: ClassVar[tuple[str, ...]] = ()
    """Keys that a sweep cannot vary."""

    seed: Seed
    """Seed of the targets. It is independent of the seed of the weights."""

    if TYPE_CHECKING:  # a field of some kinds, computed by others

        @property
        def points(self) -> int:
            """N, the number of data points."""

    @property
    @abstractmethod
    def d_in(self) -> int:
        """Dimension d_0 of the inputs."""

    @property
    def d_out(self) -> int:
        """Dimension D = d_L of the targets."""
        return 1

    @property
    def tests(self) -> int:
        """Number of test rows."""
        return 0

    @abstractmethod
    def samples(self) -> Samples:
        """All inputs and targets.

        Raises:
            ValueError: they cannot be read; the message begins with the key that it is about.
        """

    def at(self, file: str) -> "Data":
        """The same, read from another place; what is drawn has none."""
        return self

    @property
    def teacher(self) -> Teacher | None:
        """The neurons that made the targets, where there are any."""
        return None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What people should know of the data, a line each."""
        return ()

    @property
    @abstractmethod
    def about(self) -> str:
        """The data set in a few words."""

    @property
    @abstractmethod
    def slug(self) -> str:
        """What its folder's name begins with."""

    @cached_property
    def id(self) -> str:
        """Name of the data set's folder."""
        return f"{self.slug}-{self.digest()}"

    def column_values(self) -> dict[str, Any]:
        shared = {"data": self.name, "points": self.points, "target_seed": self.seed}
        return shared | {"outputs": self.d_out, "test_points": self.tests} | self.own_values()

    def own_values(self) -> dict[str, Any]:
        """The values of its other columns, by name."""
        return {}


SHARED = {
    "data": ("string", "kind of data set"),
    "points": ("int64", "N, data points"),
    "outputs": ("int64", "D, outputs"),
    "test_points": ("int64", "test rows"),
    "target_seed": ("int64", "seed"),
}
"""Columns of tables that every kind has."""
DIMENSION = {"dimension": ("int64", "d_0")}

Points = Annotated[int, Field(ge=1, le=MOST_POINTS)]
Dimension = Annotated[int, Field(ge=1, le=1000)]
Outputs = Annotated[int, Field(ge=1, le=1000)]
Noise = Annotated[float, Field(ge=0, allow_inf_nan=False)]
TestPoints = Annotated[int, Field(ge=0, le=MOST_POINTS)]


class Drawn(Data):
    """Points drawn at random, with random targets: what kinds share that differ in where."""

    seed: Seed
    """Seed of inputs and targets. It is independent of the seed of the weights."""
    points: Points
    """N, the number of data points."""
    dimension: Dimension
    """Dimension d_0 of the inputs."""
    outputs: Outputs = 1
    """D, the number of targets of each point."""
    target_range: Interval
    """Lowest and highest target, uniform on this interval."""

    @model_validator(mode="after")
    def check(self) -> "Drawn":
        if not self.target_range[0] < self.target_range[1]:
            raise ValueError("target_range: the first number must be smaller than the second")
        return self

    @property
    def d_in(self) -> int:
        return self.dimension

    @property
    def d_out(self) -> int:
        return self.outputs

    @abstractmethod
    def inputs(self) -> np.ndarray:
        """All inputs, (N, d_0) float64."""

    def samples(self) -> Samples:
        y = uniform(self.seed, self.target_range, self.points, self.outputs)
        return untested(self.inputs(), y)

    @property
    def about(self) -> str:
        low, high = self.target_range
        return (
            f"{self.points:,} points from a {self.title} in {self.dimension} dimensions, "
            f"{targets(self.outputs)} from {low:g} to {high:g}, seed {self.seed}"
        )

    @property
    def slug(self) -> str:
        return f"{self.name}-{self.dimension}d-seed{self.seed}"

    def own_values(self) -> dict[str, Any]:
        low, high = self.target_range
        return {"dimension": self.dimension, "target_low": low, "target_high": high}


RANDOM = {
    **SHARED,
    **DIMENSION,
    "target_low": ("float64", "lowest target"),
    "target_high": ("float64", "highest target"),
}
"""Columns of kinds with random targets."""


def uniform(seed: int, low_high: Interval, points: int, outputs: int) -> np.ndarray:
    """Random targets, (N, D)."""
    low, high = low_high
    found: np.ndarray = low + (high - low) * stream(seed, "targets").random((points, outputs))
    return found


def targets(outputs: int) -> str:
    """The number of targets in words, where there is more than one to a point."""
    return "targets" if outputs == 1 else f"{outputs:,} targets each"


def in_box(rng: np.random.Generator, points: int, dimension: int) -> np.ndarray:
    """Uniform on [-1, 1]^d."""
    return 2 * rng.random((points, dimension)) - 1


def on_sphere(rng: np.random.Generator, points: int, dimension: int) -> np.ndarray:
    """Uniform on the sphere of radius 1."""
    X = normal(rng, points, dimension)
    found: np.ndarray = X / np.linalg.norm(X, axis=1, keepdims=True)
    return found


def normal(rng: np.random.Generator, points: int, dimension: int) -> np.ndarray:
    """Independent standard normal coordinates."""
    return rng.standard_normal((points, dimension))


KINDS = found(__name__, Data)
if TYPE_CHECKING:
    AnyData = Data
else:
    AnyData = any_of(KINDS)
