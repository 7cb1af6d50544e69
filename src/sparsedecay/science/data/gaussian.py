"""Normally distributed points."""

from typing import Any, Literal

import numpy as np

from sparsedecay.science.data import RANDOM, Drawn, normal, stream
from sparsedecay.science.settings import Positive


class Gaussian(Drawn):
    """Points with independent normal coordinates around 0, with random targets."""

    title = "Gaussian"
    order = 4
    columns = {**RANDOM, "deviation": ("float64", "standard deviation of a coordinate")}

    kind: Literal["gaussian"]
    """What kind of data set it is."""
    deviation: Positive
    """Standard deviation of each coordinate."""

    def inputs(self) -> np.ndarray:
        return self.deviation * normal(stream(self.seed, "inputs"), self.points, self.dimension)

    def own_values(self) -> dict[str, Any]:
        return super().own_values() | {"deviation": self.deviation}
