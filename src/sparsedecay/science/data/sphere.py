"""Points of a sphere."""

from typing import Any, Literal

import numpy as np

from sparsedecay.science.data import RANDOM, Drawn, on_sphere, stream
from sparsedecay.science.settings import Positive


class Sphere(Drawn):
    """Points drawn uniformly from a sphere around 0, with random targets."""

    title = "sphere"
    order = 3
    columns = {**RANDOM, "radius": ("float64", "of the sphere")}

    kind: Literal["sphere"]
    """What kind of data set it is."""
    radius: Positive
    """Distance of all points from 0."""

    def inputs(self) -> np.ndarray:
        unit = on_sphere(stream(self.seed, "inputs"), self.points, self.dimension)
        return self.radius * unit

    def own_values(self) -> dict[str, Any]:
        return super().own_values() | {"radius": self.radius}
