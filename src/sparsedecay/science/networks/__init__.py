"""Networks as structure and forward pass, for torch tensors and numpy arrays alike.

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
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from sparsedecay.science.kinds import Keyed, found, with_keys
from sparsedecay.science.settings import Part

if TYPE_CHECKING:
    from sparsedecay.science.run import Run

Array = Any  # torch.Tensor or numpy.ndarray
Parameters = Mapping[str, Array]
Relu = Callable[[Array], Array]


class Sizes(Part):
    """Size of the networks (Theorem 1; Section 3)."""

    L: Annotated[int, Field(ge=1, le=64)]
    """Number of hidden ReLU layers."""
    K: Annotated[int, Field(ge=1, le=1_000_000)]
    """ReLU neurons in each hidden layer. Theorem 1 needs at most N·d_l; the paper: 81·16 = 1296."""


@dataclass(frozen=True)
class Network(Keyed, ABC):
    """What all networks share: sizes, and how matrices lie between the layers."""

    factorised: ClassVar[bool] = False
    """Whether A^(l), between two ReLU layers, is a product W^(l) V^(l-1)."""

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

    @classmethod
    def with_shape(cls, d_in: int, d_out: int, shape: Any) -> Self:
        """The network that a section `network` of a config asks for."""
        return cls(d_in, d_out, shape.L, shape.K, shape.d)

    @property
    def about(self) -> str:
        """Its sizes in a few words."""
        return f"L = {self.L}, K = {self.K:,}"

    @property
    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter, in the order in which they are initialised and stored."""

    @property
    @abstractmethod
    def neurons(self) -> list[tuple[str, str]]:
        """For each ReLU layer the matrices into it (a row per neuron) and out of it (a column)."""

    def into(self, layer: int) -> list[str]:
        """All matrices into a ReLU layer (from 1), a row per neuron each."""
        return [self.neurons[layer - 1][0]]

    @property
    def outgoing(self) -> list[list[str]]:
        """For each ReLU layer all matrices that its activations are multiplied by."""
        return [[out] for _, out in self.neurons]

    def forward(self, p: Parameters, X: Array, relu: Relu) -> Array:
        """Outputs (N, d_out) for inputs X (N, d_in)."""
        return self.layers(p, X, relu)[-1]

    @abstractmethod
    def layers(self, p: Parameters, X: Array, relu: Relu) -> list[Array]:
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

    @property
    def between(self) -> dict[str, tuple[str, ...]]:
        """For each A^(l) between ReLU layers, by name, the factors that it is made of."""
        return {f"A{layer}": self.factors(layer) for layer in range(2, self.L + 1)}


def role(name: str) -> str:
    """What a parameter is: W, V, C, or b for any bias. A dense network's A counts as W, since it
    holds weights into ReLU neurons."""
    if name[0] == "b" or name[:2] == "c0":
        return "b"
    return name[0].replace("A", "W")


KINDS = found(__name__, Network)
if TYPE_CHECKING:
    NetworkName = str

    class Shape(Sizes):
        d: int
        skips: str

else:
    NetworkName = Literal[tuple(KINDS)]
    Shape = with_keys("Shape", Sizes, KINDS.values())


def build(run: "Run") -> Network:
    """The network of a run: as wide at its ends as the data are."""
    return KINDS[run.network].with_shape(run.data.d_in, run.data.d_out, run.shape)
