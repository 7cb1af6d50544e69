"""Weight decay, in the objective or beside it."""

from typing import Any, Literal

from sparsedecay.science.networks import Array, Network, Parameters
from sparsedecay.science.regularizers import Regularizer, Term, Terms
from sparsedecay.science.settings import Part


class WeightDecay(Regularizer):
    """Section 3: the sum of squares of all parameters, of biases only if told so."""

    title = "weight decay"
    order = 2
    columns = {
        "weight_decay": ("string", "where weight decay acts"),
        "decay_biases": ("bool", "whether weight decay acts on biases"),
    }
    neutral = {"weight_decay": "objective", "decay_biases": True}

    class Keys(Part):
        weight_decay: Literal["objective", "adam", "decoupled"]
        """Where weight decay acts: lam times the sum of squares in the `objective`; `adam`, lam as
        the option weight_decay of torch.optim.Adam, half as strong; or `decoupled`, as that of
        AdamW."""
        decay_biases: bool
        """Whether weight decay acts on biases too. The paper: "squared l2-norm on all
        parameters"."""

    def __init__(self, objective: Any = None) -> None:
        self.place = objective.weight_decay if objective else self.neutral["weight_decay"]
        self.biases = objective.decay_biases if objective else self.neutral["decay_biases"]

    def squared(self, network: Network) -> list[str]:
        """Names of the parameters whose squares are summed."""
        return list(network.shapes) if self.biases else network.matrices

    def value(self, network: Network, p: Parameters) -> Any:
        return sum(((p[name] ** 2).sum() for name in self.squared(network)), 0.0)

    def add_gradient(
        self, network: Network, p: Parameters, lam: float, g: dict[str, Array]
    ) -> None:
        for name in self.squared(network):
            g[name].add_(p[name], alpha=2 * lam)

    @property
    def terms(self) -> Terms:
        term = Term.SHRINK if self.place == "decoupled" else Term.SQUARE
        return Terms(W=term, V=term, C=term, biases=term if self.biases else Term.NONE)

    def decayed(self, network: Network) -> list[str]:
        return [] if self.place == "objective" else self.squared(network)

    def penalty(self, lam: float) -> float:
        """lam, or half of it where lam is the option weight_decay of an optimizer, whose gradient
        is lam times the parameter."""
        return lam if self.place == "objective" else lam / 2

    def decoupled(self, lam: float) -> float:
        return lam if self.place == "decoupled" else 0.0
