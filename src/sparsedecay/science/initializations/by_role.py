"""Initial ranges for each kind of parameter."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from sparsedecay.science.initializations import Initialization
from sparsedecay.science.networks import Network, role
from sparsedecay.science.settings import Interval


class ByRole(Initialization):
    """Parameters uniform on intervals of their own: weights into ReLU neurons, out of them, skip
    connections and biases."""

    title = "uniform by role"
    columns = {
        "initial_W": ("list of float64", "lowest and highest initial weight into ReLU neurons"),
        "initial_V": ("list of float64", "the same of weights out of them"),
        "initial_C": ("list of float64", "the same of skip connections"),
        "initial_biases": ("list of float64", "the same of biases"),
        "initial_scale": ("string", "none, or fan_in: over the root of the weights into a neuron"),
        "initial_scaled": ("string", "what fan_in scales"),
        "weight_seed": ("int64", "seed"),
    }

    kind: Literal["by_role"]
    """What kind of initialization it is."""
    W: Interval
    """Lowest and highest initial weight into ReLU neurons, a dense network's A among them."""
    V: Interval
    """Lowest and highest initial weight out of ReLU neurons."""
    C: Interval
    """Lowest and highest initial weight of a skip connection."""
    biases: Interval
    """Lowest and highest initial bias, b and c0. `[0, 0]` begins at 0, as any of these may."""
    scale: Literal["none", "fan_in"]
    """`fan_in` divides by the square root of the number of weights into the neuron."""
    scaled: Annotated[
        tuple[Literal["W", "V", "C", "biases"], ...],
        Field(min_length=1, max_length=4, strict=False),
    ] = ("W", "V", "C", "biases")
    """What `fan_in` divides."""

    @model_validator(mode="after")
    def check(self) -> "ByRole":
        for name in ("W", "V", "C", "biases"):
            low, high = getattr(self, name)
            if not (low < high or (low == high == 0)):
                raise ValueError(f"{name}: the first number must be smaller, or both 0")
        if len(set(self.scaled)) != len(self.scaled):
            raise ValueError("scaled: each may stand only once")
        return self

    def value(self, name: str, network: Network, random: np.ndarray) -> np.ndarray:
        kind = role(name).replace("b", "biases")
        low, high = getattr(self, kind)
        uniform: np.ndarray = low + (high - low) * random
        scaled = self.scale == "fan_in" and kind in self.scaled
        return uniform / network.fan_in[name] ** 0.5 if scaled else uniform

    def column_values(self) -> dict[str, Any]:
        intervals = map(list, (self.W, self.V, self.C, self.biases))
        values = *intervals, self.scale, " ".join(self.scaled), self.seed
        return dict(zip(self.columns, values, strict=True))
