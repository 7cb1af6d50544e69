"""The paper's data set: a regular grid with one random target per point (Section 3)."""

import itertools
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from sparsedecay.science.data import (
    MOST_POINTS,
    RANDOM,
    Data,
    Outputs,
    Samples,
    targets,
    uniform,
    untested,
)
from sparsedecay.science.settings import Finite, Interval, increasing


class Grid(Data):
    """The data set: every point of a regular grid, with random targets (Section 3)."""

    title = "grid"
    order = 1
    columns = {"levels": ("list of float64", "coordinates of the grid"), **RANDOM}

    kind: Literal["grid"] = "grid"
    """What kind of data set it is."""
    levels: Annotated[tuple[Finite, ...], Field(min_length=2, max_length=1000, strict=False)]
    """Coordinates the grid takes along each dimension, all different. The paper: {0, 0.5, 1}."""
    dimension: Annotated[int, Field(ge=1, le=64)]
    """Dimension d_0 of the inputs. The grid has N = (number of levels)^dimension points."""
    target_range: Interval
    """Lowest and highest target: one number per point, uniform on this interval."""
    outputs: Outputs = 1
    """D, the number of targets of each point. The paper: 1."""

    @model_validator(mode="after")
    def check(self) -> "Grid":
        increasing(self.target_range)
        if len(set(self.levels)) != len(self.levels):
            raise ValueError("levels: each level may stand only once")
        if self.points > MOST_POINTS:
            raise ValueError(
                f"levels, dimension: a grid of {len(self.levels)}^{self.dimension} points is "
                "larger than the 1,000,000 that full-batch training can take"
            )
        return self

    @property
    def points(self) -> int:
        return int(len(self.levels) ** self.dimension)

    @property
    def d_in(self) -> int:
        return self.dimension

    @property
    def d_out(self) -> int:
        return self.outputs

    def samples(self) -> Samples:
        """All points of levels^dimension, the last coordinate varying fastest; targets uniform on
        their range."""
        X = np.array(list(itertools.product(self.levels, repeat=self.dimension)), dtype=np.float64)
        return untested(X, uniform(self.seed, self.target_range, self.points, self.outputs))

    @property
    def about(self) -> str:
        low, high = self.target_range
        return (
            f"{self.points:,} points in {self.dimension} dimensions ({len(self.levels)} levels), "
            f"{targets(self.outputs)} from {low:g} to {high:g}, seed {self.seed}"
        )

    @property
    def slug(self) -> str:
        return f"{len(self.levels)}levels-{self.dimension}d-seed{self.seed}"

    def own_values(self) -> dict[str, Any]:
        low, high = self.target_range
        own = {"levels": list(self.levels), "dimension": self.dimension}
        return own | {"target_low": low, "target_high": high}
