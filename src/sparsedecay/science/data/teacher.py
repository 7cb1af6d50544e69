"""Targets of a network of few neurons, which a trained one may find again."""

from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sparsedecay.science import data
from sparsedecay.science.data import (
    DIMENSION,
    SHARED,
    Data,
    Dimension,
    Noise,
    Outputs,
    Points,
    Samples,
    TestPoints,
    on_sphere,
    stream,
)
from sparsedecay.science.settings import Seed

INPUTS = {"box": data.in_box, "sphere": data.on_sphere, "gaussian": data.normal}


class Taught(Data):
    """Targets of a teacher: a sum of few ReLU neurons, with noise or without."""

    title = "teacher"
    order = 6
    columns = {
        **SHARED,
        **DIMENSION,
        "teacher_inputs": ("string", "where inputs are drawn from"),
        "teacher_neurons": ("int64", "K*, neurons of the teacher"),
        "noise": ("float64", "standard deviation of what is added to targets"),
    }

    kind: Literal["teacher"]
    """What kind of data set it is."""
    seed: Seed
    """Seed of the teacher, of inputs and of noise. It is independent of the seed of the weights."""
    inputs: Literal["box", "sphere", "gaussian"]
    """Inputs are drawn from the `box` [-1, 1]^d, the `sphere` of radius 1, or standard normal."""
    points: Points
    """N, the number of data points."""
    dimension: Dimension
    """Dimension d_0 of the inputs."""
    outputs: Outputs = 1
    """D, the number of targets of each point."""
    neurons: Annotated[int, Field(ge=1, le=10_000)]
    """K*, the ReLU neurons of the teacher. Each has a direction of length 1 and a hyperplane that
    passes between two points, and all together give targets of mean square 1."""
    noise: Noise
    """Standard deviation of the normal noise that is added to the targets of training."""
    test_points: TestPoints
    """Points drawn as the others, with targets without noise, that only measure the error."""

    @property
    def d_in(self) -> int:
        return self.dimension

    @property
    def d_out(self) -> int:
        return self.outputs

    @property
    def tests(self) -> int:
        return self.test_points

    def cloud(self, name: str, points: int) -> np.ndarray:
        """So many inputs, (points, d_0)."""
        return INPUTS[self.inputs](stream(self.seed, name), points, self.dimension)

    @cached_property
    def teacher(self) -> data.Teacher:
        X, rng = self.cloud("inputs", self.points), stream(self.seed, "teacher")
        W = on_sphere(rng, self.neurons, self.dimension)
        ends = rng.integers(0, self.points, (2, self.neurons))
        b = (W * (X[ends[0]] + X[ends[1]]) / 2).sum(1)
        V = on_sphere(rng, self.neurons, self.outputs).T
        size = np.sqrt(np.mean((np.maximum(X @ W.T - b, 0) @ V.T) ** 2))
        return data.Teacher(W, b, V / size if size else V)

    def samples(self) -> Samples:
        W, b, V = self.teacher
        X, test_X = self.cloud("inputs", self.points), self.cloud("test inputs", self.test_points)
        y, test_y = (np.maximum(inputs @ W.T - b, 0) @ V.T for inputs in (X, test_X))
        noise = stream(self.seed, "noise").standard_normal(y.shape)
        return Samples(X, y + self.noise * noise, test_X, test_y)

    @property
    def about(self) -> str:
        tested = f", {self.test_points:,} test points" if self.test_points else ""
        return (
            f"{self.points:,} points in {self.dimension} dimensions, {data.targets(self.outputs)} "
            f"of a teacher with {self.neurons:,} neurons, noise {self.noise:g}{tested}"
        )

    @property
    def slug(self) -> str:
        return f"teacher{self.neurons}-{self.dimension}d-seed{self.seed}"

    def own_values(self) -> dict[str, Any]:
        return {
            "dimension": self.dimension,
            "teacher_inputs": self.inputs,
            "teacher_neurons": self.neurons,
            "noise": self.noise,
        }
