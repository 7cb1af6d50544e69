"""Training by PathProx."""

from typing import cast

import torch
from torch import Tensor

from sparsedecay.engines.batches import steps
from sparsedecay.engines.state import State
from sparsedecay.science import networks, regularizers
from sparsedecay.science.optimizers.pathprox import PathProx
from sparsedecay.science.run import Run


class Trainer:
    """A gradient step on the loss, then the proximal step."""

    def __init__(self, run: Run, X: Tensor, y: Tensor, state: State) -> None:
        self.run, self.network, self.X, self.y = run, networks.build(run), X, y
        self.regularizer = regularizers.build(run)
        self.optimizer = cast(PathProx, run.optimizer)
        self.epoch = state.epoch
        begun = state.moments["unit"] if state.epoch else None
        self.unit = {
            name: tensor.clone()
            for name, tensor in (
                begun or self.optimizer.scaled(state.parameters, self.regularizer)
            ).items()
        }

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The present parameters by name, in balance."""
        return self.optimizer.balanced(self.unit, self.regularizer)

    def losses(self) -> tuple[Tensor, Tensor]:
        """Mean squared error and regularizer (without lam) of the present parameters."""
        p = self.parameters
        mse = torch.nn.functional.mse_loss(self.network.forward(p, self.X, torch.relu), self.y)
        return mse, torch.as_tensor(self.regularizer.value(self.network, p), dtype=mse.dtype)

    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        reduction, rate = self.run.objective.loss, self.optimizer.learning_rate
        tensors = list(self.unit.values())
        for epoch in range(self.epoch, self.epoch + epochs):
            for X, y in steps(self.run, epoch, self.X, self.y):
                for tensor in tensors:
                    tensor.requires_grad_()
                outputs = self.network.forward(self.unit, X, torch.relu)
                loss = torch.nn.functional.mse_loss(outputs, y, reduction=reduction)
                gradients = torch.autograd.grad(loss, tensors)
                for tensor, gradient in zip(tensors, gradients, strict=True):
                    tensor.requires_grad_(False).sub_(gradient, alpha=rate)
                self.optimizer.prox(self.unit, self.regularizer, self.run.penalty)
        self.epoch += epochs

    def state(self) -> State:
        """The present state."""
        return State(self.epoch, self.parameters, {"unit": self.unit})
