"""The two networks as structure and forward pass, for torch tensors and numpy arrays alike.

    network = build(run)                     # or Representer(d_in=4, d_out=1, L=2, K=1296, d=16)
    network.shapes["W2"]                     (1296, 16)
    network.forward(parameters, X, relu)     (N, d_out)

Parameters are a dict of arrays. Names are the paper's symbols with the layer's number: W weights
into ReLU neurons, b their biases, V weights out of them, C skip connections, c0 output biases, and
A the weights between ReLU layers where they are not factorised as W V.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sparsedecay.science.run import Run, Skips

Array = Any  # torch.Tensor or numpy.ndarray
Parameters = Mapping[str, Array]


@dataclass(frozen=True)
class Network(ABC):
    """What both networks share: sizes, and how matrices lie between the layers."""

    d_in: int
    """Dimension d_0 of the inputs."""
    d_out: int
    """Dimension d_L of the outputs."""
    L: int
    """Hidden ReLU layers."""
    K: int
    """ReLU neurons in each."""
    d: int
    """Functional width between blocks (representer only)."""

    @property
    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter, in the order in which they are initialised and stored."""

    @property
    @abstractmethod
    def neurons(self) -> list[tuple[str, str]]:
        """For each ReLU layer the matrices into it (a row per neuron) and out of it (a column)."""

    @property
    def outgoing(self) -> list[list[str]]:
        """For each ReLU layer all matrices that its activations are multiplied by."""
        return [[out] for _, out in self.neurons]

    def forward(self, p: Parameters, X: Array, relu: Callable[[Array], Array]) -> Array:
        """Outputs (N, d_out) for inputs X (N, d_in)."""
        return self.layers(p, X, relu)[-1]

    @abstractmethod
    def layers(self, p: Parameters, X: Array, relu: Callable[[Array], Array]) -> list[Array]:
        """Activations (N, K) of each ReLU layer, then the outputs (N, d_out)."""

    @property
    def skips(self) -> list[str]:
        """Names of the skip connections."""
        return [name for name in self.shapes if name[0] == "C"]

    @property
    def matrices(self) -> list[str]:
        """Names of the trained weight matrices: all parameters but biases."""
        return [name for name in self.shapes if len(self.shapes[name]) == 2]

    @property
    def fan_in(self) -> dict[str, int]:
        """Weights into each neuron of a layer, by parameter; of a bias those beside it."""
        widths = {name: shape[-1] for name, shape in self.shapes.items() if len(shape) == 2}
        for layer, (into, _) in enumerate(self.neurons, start=1):
            widths[f"b{layer}"] = widths[into]
        return widths | {name: self.K for name in self.shapes if name[:2] == "c0"}

    @property
    def size(self) -> int:
        """Number of trained parameters."""
        return sum(rows * (rest[0] if rest else 1) for rows, *rest in self.shapes.values())

    def factors(self, layer: int) -> tuple[str, ...]:
        """Matrices whose product is A^(layer), the weights from ReLU layer - 1 into ReLU layer."""
        into, out = self.neurons[layer - 1][0], self.neurons[layer - 2][1]
        return (into,) if into == out else (into, out)


class Representer(Network):
    """Theorem 1: x^(l) = V^(l) relu(W^(l) x^(l-1) - b^(l)) + C^(l) x^(l-1) + c0^(l), l = 1 … L."""

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

    def layers(self, p: Parameters, X: Array, relu: Callable[[Array], Array]) -> list[Array]:
        hidden = []
        x = X  # (N, d_in), then (N, d)
        for i in range(1, self.L + 1):
            h = relu(x @ p[f"W{i}"].T - p[f"b{i}"])  # (N, K)
            x = h @ p[f"V{i}"].T + x @ p[f"C{i}"].T + p[f"c0_{i}"]  # (N, d) or (N, d_out)
            hidden.append(h)
        return [*hidden, x]


@dataclass(frozen=True)
class Dense(Network):
    """Footnote 1: a fully connected ReLU network with skip connections, A^(l) not factorised.

    h_0 = x, h_l = relu(A^(l) h_(l-1) + C^(l-1) h_s - b^(l)) (the first without skip, its matrix
    called W1), y = V^(L) h_L + C^(L) h_s + c0. The footnote does not say where the skips start:
    with `leap` each leaps over one ReLU layer, as the skips of Theorem 1 do, so s = l - 2; with
    `input` s = 0; with `none` there are none.
    """

    skip: Skips = "leap"

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

    @property
    def outgoing(self) -> list[list[str]]:
        skips = {self.source(i): f"C{i - 1}" for i in range(2, self.L + 2) if self.source(i)}
        return [
            [out, *([skips[layer]] if layer in skips else [])]
            for layer, (_, out) in enumerate(self.neurons, start=1)
        ]

    def layers(self, p: Parameters, X: Array, relu: Callable[[Array], Array]) -> list[Array]:
        h = [X, relu(X @ p["W1"].T - p["b1"])]  # (N, d_in), (N, K)
        for i in range(2, self.L + 2):
            z = h[-1] @ p[f"A{i}" if i <= self.L else f"V{self.L}"].T  # (N, K) or (N, d_out)
            source = self.source(i)
            if source is not None:
                z = z + h[source] @ p[f"C{i - 1}"].T
            h.append(relu(z - p[f"b{i}"]) if i <= self.L else z + p["c0"])
        return h[1:]


def build(run: Run) -> Network:
    """The network of a run: one output, since each data point has one target."""
    sizes = run.data.dimension, 1, run.shape.L, run.shape.K, run.shape.d
    return Dense(*sizes, run.shape.skips) if run.network == "dense" else Representer(*sizes)
