"""The network of Theorem 1."""

from typing import Annotated

from pydantic import Field

from sparsedecay.science.networks import Array, Network, Parameters, Relu
from sparsedecay.science.settings import Part


class Representer(Network):
    """Theorem 1: x^(l) = V^(l) relu(W^(l) x^(l-1) - b^(l)) + C^(l) x^(l-1) + c0^(l), l = 1 … L."""

    title = "representer"
    order = 1
    factorised = True
    columns = {"d": ("int64", "functional width")}

    class Keys(Part):
        d: Annotated[int, Field(ge=1, le=1_000_000)]
        """Functional width d_l between blocks of the representer network (the last has 1
        output)."""

    @property
    def about(self) -> str:
        return f"{super().about}, d = {self.d:,}"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(1, self.L + 1):
            d_in = self.d_in if layer == 1 else self.d
            d_out = self.d_out if layer == self.L else self.d
            shapes[f"W{layer}"] = (self.K, d_in)
            shapes[f"b{layer}"] = (self.K,)
            shapes[f"V{layer}"] = (d_out, self.K)
            shapes[f"C{layer}"] = (d_out, d_in)
            shapes[f"c0_{layer}"] = (d_out,)
        return shapes

    @property
    def neurons(self) -> list[tuple[str, str]]:
        return [(f"W{layer}", f"V{layer}") for layer in range(1, self.L + 1)]

    def layers(self, p: Parameters, X: Array, relu: Relu) -> list[Array]:
        hidden = []
        x = X  # (N, d_in), then (N, d)
        for i in range(1, self.L + 1):
            h = relu(x @ p[f"W{i}"].T - p[f"b{i}"])  # (N, K)
            x = h @ p[f"V{i}"].T + x @ p[f"C{i}"].T + p[f"c0_{i}"]  # (N, d) or (N, d_out)
            hidden.append(h)
        return [*hidden, x]
