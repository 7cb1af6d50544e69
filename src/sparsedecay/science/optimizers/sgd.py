"""Stochastic gradient descent with momentum."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from sparsedecay.science.optimizers import Optimizer, Tensor


class Sgd(Optimizer):
    """Gradient descent with momentum (Polyak 1964): m = momentum * m + g, p = p - rate * m."""

    title = "SGD"
    columns = {
        "learning_rate": ("float64", "step size"),
        "momentum": ("float64", "decay of the sum of gradients"),
        "batches": ("int64", "minibatches in an epoch, count"),
    }
    moments = ("momentum",)

    kind: Literal["sgd"]
    """What kind of optimizer it is."""
    momentum: Annotated[float, Field(ge=0, lt=1)]
    """Decay of the sum of gradients, per step; 0 for plain gradient descent."""

    def update(self, p: Tensor, g: Tensor, moments: Mapping[str, Tensor], step: Tensor) -> None:
        if self.momentum:
            g = moments["momentum"].mul_(self.momentum).add_(g)
        p.sub_(g, alpha=self.learning_rate)

    def reference(self, groups: list[dict[str, Any]], decoupled: bool) -> Any:
        import torch

        class Decoupled(torch.optim.SGD):
            """Weight decay beside the gradient, as AdamW has it."""

            def step(self, closure: Any = None) -> Any:
                decays = [group["weight_decay"] for group in self.param_groups]
                for group, decay in zip(self.param_groups, decays, strict=True):
                    with torch.no_grad():
                        torch._foreach_mul_(group["params"], 1 - group["lr"] * decay)
                    group["weight_decay"] = 0.0
                found = super().step(closure)
                for group, decay in zip(self.param_groups, decays, strict=True):
                    group["weight_decay"] = decay
                return found

        optimizer = Decoupled if decoupled else torch.optim.SGD
        return optimizer(groups, lr=self.learning_rate, momentum=self.momentum)

    def remembered(self, step: float, moments: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"momentum_buffer": moments["momentum"]}

    def recalled(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"momentum": state["momentum_buffer"]}
