"""Regularizers: value and gradient, one definition each. A kind a module.

    regularizer = build(run)
    regularizer.value(network, parameters)                   scalar, without the factor lam
    regularizer.add_gradient(network, parameters, lam, gradients)

The gradient of |.| at 0 is taken as 0, as PyTorch does.
"""

from abc import ABC, abstractmethod
from enum import IntFlag
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from sparsedecay.science.kinds import Keyed, found, with_keys
from sparsedecay.science.networks import Array, Network, Parameters
from sparsedecay.science.settings import Part

if TYPE_CHECKING:
    from sparsedecay.science.run import Run


class Term(IntFlag):
    """Terms of a regularizer, by what they add to the gradient of a parameter's entries. The
    compiled engine has these; numbers as there (products.h)."""

    NONE = 0
    ABSOLUTE = 1
    """|p|"""
    SQUARE = 2
    """p^2"""
    NEURON_L1_SQUARED = 4
    """(sum of |p| over the weights into, or out of, one neuron)^2"""
    SHRINK = 8
    """None: the entry is made smaller before the step (Loshchilov and Hutter 2019)."""
    PATH = 16
    """||v_k||_1 ||w_k||_2, over the weights out of and into one neuron"""


class Terms(NamedTuple):
    """The terms of each kind of parameter."""

    W: Term = Term.NONE
    V: Term = Term.NONE
    C: Term = Term.NONE
    biases: Term = Term.NONE


class Regularizer(Keyed, ABC):
    """What all regularizers have. `add_gradient`, which the engine `fused` needs, and `terms`,
    which `compiled` needs, may be left out; `autograd` differentiates `value`."""

    weighted: ClassVar[bool] = True
    """Whether lam has an effect."""

    def __init__(self, objective: Any = None) -> None:
        """Args:
        objective: the section of a config that holds its keys, if it has any.
        """

    @abstractmethod
    def value(self, network: Network, p: Parameters) -> Any:
        """The regularizer of the parameters `p` (torch or numpy), without the factor lam."""

    if TYPE_CHECKING:

        def add_gradient(
            self, network: Network, p: Parameters, lam: float, g: dict[str, Array]
        ) -> None:
            """Add lam times the (sub)gradient to the torch gradients `g`, in place."""

        @property
        def terms(self) -> Terms:
            """What the compiled engine adds to gradients."""

    def decayed(self, network: Network) -> list[str]:
        """Names of the parameters that an optimizer's option weight_decay acts on instead; none
        unless the objective says so."""
        return []

    def penalty(self, lam: float) -> float:
        """Factor of `value` in the objective."""
        return lam

    def decoupled(self, lam: float) -> float:
        """Strength of weight decay beside the gradient (AdamW); 0 where there is none."""
        return 0.0


class Loss(Part):
    """What is minimised: the loss plus lam times the regularizer."""

    loss: Literal["mean", "sum"]
    """Over the data: `mean` is the MSE that Section 3 names, `sum` stands in equation 2."""


KINDS = found(__name__, Regularizer)
if TYPE_CHECKING:
    RegularizerName = str

    class Objective(Loss):
        weight_decay: str
        decay_biases: bool

else:
    RegularizerName = Literal[tuple(KINDS)]
    Objective = with_keys("Objective", Loss, KINDS.values())


def build(run: "Run") -> Regularizer:
    """The regularizer of a run."""
    return KINDS[run.regularizer](run.objective)
