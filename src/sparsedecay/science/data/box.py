"""Points of a box."""

from typing import Any, Literal

import numpy as np
from pydantic import model_validator

from sparsedecay.science.data import RANDOM, Drawn, in_box, stream
from sparsedecay.science.settings import Interval


class Box(Drawn):
    """Points drawn uniformly from a box, with random targets."""

    title = "box"
    order = 2
    columns = {
        **RANDOM,
        "input_low": ("float64", "lowest coordinate"),
        "input_high": ("float64", "highest coordinate"),
    }

    kind: Literal["box"]
    """What kind of data set it is."""
    range: Interval
    """Lowest and highest coordinate, the same in each dimension."""

    @model_validator(mode="after")
    def check_range(self) -> "Box":
        if not self.range[0] < self.range[1]:
            raise ValueError("range: the first number must be smaller than the second")
        return self

    def inputs(self) -> np.ndarray:
        low, high = self.range
        unit = in_box(stream(self.seed, "inputs"), self.points, self.dimension)
        return low + (high - low) * (unit + 1) / 2

    def own_values(self) -> dict[str, Any]:
        low, high = self.range
        return super().own_values() | {"input_low": low, "input_high": high}
