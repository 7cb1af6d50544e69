"""The paper's initialization."""

from typing import Any, Literal

import numpy as np
from pydantic import model_validator

from sparsedecay.science.initializations import Initialization
from sparsedecay.science.networks import Network
from sparsedecay.science.settings import Interval, increasing


class Uniform(Initialization):
    """All parameters uniform on one interval (Section 3)."""

    title = "uniform"
    order = 1
    columns = {
        "initial_low": ("float64", "lowest initial value"),
        "initial_high": ("float64", "highest initial value"),
        "initial_scale": ("string", "none, or fan_in: over the root of the weights into a neuron"),
        "weight_seed": ("int64", "seed"),
    }

    kind: Literal["uniform"] = "uniform"
    """What kind of initialization it is."""
    range: Interval
    """Lowest and highest initial value: all parameters, biases too, uniform on this interval."""
    scale: Literal["none", "fan_in"]
    """`fan_in` divides the range by the square root of the number of weights into the neuron, as
    PyTorch does by default; `none` takes it as it stands, as the paper says."""

    @model_validator(mode="after")
    def check(self) -> "Uniform":
        increasing(self.range)
        return self

    def value(self, name: str, network: Network, random: np.ndarray) -> np.ndarray:
        low, high = self.range
        uniform = low + (high - low) * random
        return uniform / network.fan_in[name] ** 0.5 if self.scale == "fan_in" else uniform

    def column_values(self) -> dict[str, Any]:
        values = *self.range, self.scale, self.seed
        return dict(zip(self.columns, values, strict=True))
