"""Optimizers: the step from a gradient, and what they remember. A kind a module."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from sparsedecay.science.kinds import Kind, any_of, found
from sparsedecay.science.settings import Part, Positive

Tensor = Any  # torch.Tensor; this room does without torch until it trains


class Optimizer(Kind, Part):
    """What a kind of optimizer must say."""

    moments: ClassVar[tuple[str, ...]]
    """Names of what it remembers of each parameter; zeros at epoch 0."""
    kernel: ClassVar[str | None] = None
    """Name of its step in the compiled engine, if that has one."""

    learning_rate: Positive
    """Step size. The paper: 1e-3."""
    batches: Annotated[int, Field(ge=1, le=1_000_000)]
    """Minibatches in an epoch, one step each; the data are shuffled anew every epoch. 1 is full
    batch. The paper does not say."""

    @abstractmethod
    def update(self, p: Tensor, g: Tensor, moments: Mapping[str, Tensor], step: Tensor) -> None:
        """One step on a vector of all parameters, (size,), in place.

        Args:
            p: the parameters.
            g: their gradient.
            moments: by name.
            step: number of this step, from 1, a float tensor.
        """

    @abstractmethod
    def reference(self, groups: list[dict[str, Any]], decoupled: bool) -> Any:
        """The same as an optimizer of torch.optim, to test against.

        Args:
            groups: parameters with their `weight_decay`.
            decoupled: whether that acts beside the gradient.
        """

    @abstractmethod
    def remembered(self, step: float, moments: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What that optimizer's state of a parameter holds after some steps."""

    @abstractmethod
    def recalled(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The moments in that state, by name."""


KINDS = found(__name__, Optimizer)
if TYPE_CHECKING:
    AnyOptimizer = Optimizer
else:
    AnyOptimizer = any_of(KINDS)
