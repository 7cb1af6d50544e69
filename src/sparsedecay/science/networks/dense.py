"""The fully connected network of footnote 1."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, cast

from sparsedecay.science.networks import Array, Network, Parameters, Relu
from sparsedecay.science.settings import Part

Skips = Literal["leap", "input", "none"]


@dataclass(frozen=True)
class Dense(Network):
    """Footnote 1: a fully connected ReLU network with skip connections, A^(l) not factorised.

    h_0 = x, h_l = relu(A^(l) h_(l-1) + C^(l-1) h_s - b^(l)) (the first without skip, its matrix
    called W1), y = V^(L) h_L + C^(L) h_s + c0. The footnote does not say where the skips start:
    with `leap` each leaps over one ReLU layer, as the skips of Theorem 1 do, so s = l - 2; with
    `input` s = 0; with `none` there are none.
    """

    title = "dense"
    order = 2
    columns = {"skips": ("string", "where the dense network's skips come from")}
    neutral = {"skips": "leap"}

    class Keys(Part):
        skips: Skips
        """Skip connections of the dense network, of which the paper says only that they exist:
        `leap` over one ReLU layer each, as in Theorem 1; from the `input` to every later layer; or
        `none`."""

    skip: Skips = "leap"

    @classmethod
    def with_shape(cls, d_in: int, d_out: int, shape: Any) -> "Dense":
        sizes = d_in, d_out, shape.L, shape.K, getattr(shape, "d", 1)
        return cls(*sizes, cast(Skips, shape.skips))

    def source(self, layer: int) -> int | None:
        """The layer s that the skip into a layer comes from; L + 1 is the output, 0 the input."""
        return {"leap": layer - 2, "input": 0, "none": None}[self.skip]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        K, L = self.K, self.L
        shapes: dict[str, tuple[int, ...]] = {"W1": (K, self.d_in), "b1": (K,)}
        for i in range(2, L + 2):
            name, rows = (f"A{i}", K) if i <= L else (f"V{L}", self.d_out)
            shapes[name] = (rows, K)
            source = self.source(i)
            if source is not None:
                shapes[f"C{i - 1}"] = (rows, K if source else self.d_in)
            shapes[f"b{i}" if i <= L else "c0"] = (rows,)
        return shapes

    @property
    def neurons(self) -> list[tuple[str, str]]:
        names = ["W1", *(f"A{i}" for i in range(2, self.L + 1)), f"V{self.L}"]
        return list(pairwise(names))

    def into(self, layer: int) -> list[str]:
        skip = f"C{layer - 1}"
        return [*super().into(layer), *([skip] if skip in self.shapes else [])]

    @property
    def outgoing(self) -> list[list[str]]:
        skips = {self.source(i): f"C{i - 1}" for i in range(2, self.L + 2) if self.source(i)}
        return [
            [out, *([skips[layer]] if layer in skips else [])]
            for layer, (_, out) in enumerate(self.neurons, start=1)
        ]

    def layers(self, p: Parameters, X: Array, relu: Relu) -> list[Array]:
        h = [X, relu(X @ p["W1"].T - p["b1"])]  # (N, d_in), (N, K)
        for i in range(2, self.L + 2):
            z = h[-1] @ p[f"A{i}" if i <= self.L else f"V{self.L}"].T  # (N, K) or (N, d_out)
            source = self.source(i)
            if source is not None:
                z = z + h[source] @ p[f"C{i - 1}"].T
            h.append(relu(z - p[f"b{i}"]) if i <= self.L else z + p["c0"])
        return h[1:]
