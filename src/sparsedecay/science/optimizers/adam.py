"""The paper's optimizer."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from sparsedecay.science.optimizers import Optimizer, Tensor

Decay = Annotated[float, Field(ge=0, lt=1)]


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015), by default on all data at once, so that an epoch is one step."""

    title = "Adam"
    order = 1
    columns = {
        "learning_rate": ("float64", "step size"),
        "beta1": ("float64", "decay of Adam's first moment"),
        "beta2": ("float64", "decay of Adam's second moment"),
        "eps": ("float64", "Adam's eps"),
        "batches": ("int64", "minibatches in an epoch, count"),
    }
    moments = ("first", "second")
    kernel = "Adam"

    kind: Literal["adam"] = "adam"
    """What kind of optimizer it is."""
    betas: Annotated[tuple[Decay, Decay], Field(strict=False)]
    """Decay of the two moment estimates, per step. PyTorch's default: 0.9 and 0.999."""
    eps: Annotated[float, Field(ge=1.2e-38, allow_inf_nan=False)]
    """Added to the denominator of the step. PyTorch's default: 1e-8. Smaller numbers than 1.2e-38
    are denormal in float32, and so 0 where these are flushed."""

    def update(self, p: Tensor, g: Tensor, moments: Mapping[str, Tensor], step: Tensor) -> None:
        import torch

        # What torch.optim.Adam(fused=True) calls; importing torch.optim would take 2 s.
        torch._fused_adam_(
            [p],
            [g],
            [moments["first"]],
            [moments["second"]],
            [],
            [step],
            lr=self.learning_rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=0.0,
            eps=self.eps,
            amsgrad=False,
            maximize=False,
        )

    def reference(self, groups: list[dict[str, Any]], decoupled: bool) -> Any:
        import torch

        optimizer = torch.optim.AdamW if decoupled else torch.optim.Adam
        return optimizer(groups, lr=self.learning_rate, betas=self.betas, eps=self.eps)

    def remembered(self, step: float, moments: Mapping[str, Tensor]) -> dict[str, Tensor]:
        import torch

        return {
            "step": torch.tensor(step),
            "exp_avg": moments["first"],
            "exp_avg_sq": moments["second"],
        }

    def recalled(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"first": state["exp_avg"], "second": state["exp_avg_sq"]}

    def column_values(self) -> dict[str, Any]:
        values = self.learning_rate, *self.betas, self.eps, self.batches
        return dict(zip(self.columns, values, strict=True))
