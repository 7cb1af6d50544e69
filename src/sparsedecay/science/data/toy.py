"""Functions of one or two variables that can be drawn."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from sparsedecay.science.data import (
    DIMENSION,
    SHARED,
    Data,
    Noise,
    Points,
    Samples,
    TestPoints,
    in_box,
    stream,
)
from sparsedecay.science.settings import Seed

SPLINE = ((-0.6, 0.0), (-0.2, 1.0), (0.2, -0.5), (0.6, 0.5))
"""Knots of the spline and its values there; beyond them it is constant."""
TURNS = 1.5
"""Of each arm of the spiral."""


def steps(X: np.ndarray) -> np.ndarray:
    """Four steps from -1 to 1."""
    found: np.ndarray = np.clip(np.floor(2 * X[:, 0] + 2), 0, 3) * 2 / 3 - 1
    return found


def spline(X: np.ndarray) -> np.ndarray:
    """Linear between the knots of `SPLINE`."""
    knots, values = np.array(SPLINE).T
    found: np.ndarray = np.interp(X[:, 0], knots, values)
    return found


def bump(X: np.ndarray) -> np.ndarray:
    """exp(-4 |x|^2)."""
    found: np.ndarray = np.exp(-4 * (X**2).sum(1))
    return found


def arm(X: np.ndarray) -> np.ndarray:
    """1 on one arm of a spiral, -1 on the other: which one is nearer by the angle."""
    angle = np.arctan2(X[:, 1], X[:, 0]) - 2 * np.pi * TURNS * np.hypot(X[:, 0], X[:, 1])
    return np.where(np.cos(angle) >= 0, 1.0, -1.0)


FORMULAS: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "steps": (1, steps),
    "spline": (1, spline),
    "bump": (2, bump),
    "spiral": (2, arm),
}
"""Of each its number of variables, and the function (N, d_0) -> (N,)."""


class Toy(Data):
    """A function of one or two variables that can be drawn: its values, with noise or without."""

    title = "toy"
    order = 5
    columns = {
        **SHARED,
        **DIMENSION,
        "formula": ("string", "name of the function"),
        "noise": ("float64", "standard deviation of what is added to targets"),
    }

    kind: Literal["toy"]
    """What kind of data set it is."""
    seed: Seed
    """Seed of what is drawn: noise, test rows, and inputs in two dimensions. It is independent of
    the seed of the weights."""
    formula: Literal["steps", "spline", "bump", "spiral"]
    """Of one variable `steps` (four, from -1 to 1) or a linear `spline` of four knots; of two a
    round `bump` or the two arms of a `spiral`."""
    points: Points
    """N, the number of data points: of one variable equally spaced on [-1, 1]; of two drawn from
    [-1, 1]^2, or along the arms of the spiral."""
    noise: Noise
    """Standard deviation of the normal noise that is added to the targets of training."""
    test_points: TestPoints
    """Points of the same domain, with targets without noise, that only measure the error."""

    @property
    def d_in(self) -> int:
        return FORMULAS[self.formula][0]

    @property
    def tests(self) -> int:
        return self.test_points

    def inputs(self, name: str, points: int) -> np.ndarray:
        """So many inputs, (points, d_0)."""
        rng = stream(self.seed, name)
        if self.formula != "spiral":
            return in_box(rng, points, self.d_in)
        radius, turned = np.sqrt(rng.random(points)), np.pi * rng.integers(0, 2, points)
        angle = 2 * np.pi * TURNS * radius + turned
        found: np.ndarray = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return found

    def samples(self) -> Samples:
        X = self.inputs("inputs", self.points)
        if self.d_in == 1:
            X = np.linspace(-1, 1, self.points)[:, None]
        test_X = self.inputs("test inputs", self.test_points)
        value = FORMULAS[self.formula][1]
        noise = self.noise * stream(self.seed, "noise").standard_normal(self.points)
        return Samples(X, (value(X) + noise)[:, None], test_X, value(test_X)[:, None])

    @property
    def about(self) -> str:
        tested = f", {self.test_points:,} test points" if self.test_points else ""
        return f"{self.points:,} points of the toy `{self.formula}`, noise {self.noise:g}{tested}"

    @property
    def slug(self) -> str:
        return f"{self.formula}-seed{self.seed}"

    def own_values(self) -> dict[str, Any]:
        return {"dimension": self.d_in, "formula": self.formula, "noise": self.noise}
