"""Training with gradients derived by hand, on buffers that are allocated once.

All parameters lie in one flat vector, so that the optimizer is one call; every matrix product
writes into its place in the gradient. Notation of the backward pass: G is the derivative of the
loss by a layer's output, one row per data point.
"""

import importlib
from typing import Protocol

import torch
from torch import Tensor

from sparsedecay.engines.batches import steps
from sparsedecay.engines.state import State
from sparsedecay.science import networks, regularizers
from sparsedecay.science.run import Run


class Passes(Protocol):
    """What a network's module in this folder has: the class `Passes`, made of the network,
    parameters and gradients by name, and samples; it has buffers for that many."""

    X: Tensor
    """The samples at hand, (N, d_0)."""

    def forward(self) -> Tensor:
        """Outputs (N, d_out)."""
        ...

    def backward(self, G: Tensor) -> None:
        """Write the gradients, from the derivative by the outputs, (N, d_out)."""
        ...


class Trainer:
    """A run under way."""

    def __init__(self, run: Run, X: Tensor, y: Tensor, state: State) -> None:
        self.run, self.network, self.X, self.y = run, networks.build(run), X, y
        self.regularizer = regularizers.build(run)
        self.epoch = state.epoch
        self.vector, self.parameters = flat(state.parameters)
        pairs = {name: flat(part) for name, part in state.moments.items()}
        self.moments = {name: vector for name, (vector, _) in pairs.items()}
        self.moments_by_name = {name: views for name, (_, views) in pairs.items()}
        self.gradient, self.g = flat(state.parameters)
        self.step = torch.tensor(float(state.epoch * run.optimizer.batches))
        decayed = self.regularizer.decayed(self.network)
        self.decayed = [self.parameters[name] for name in decayed]
        self.penalty, self.shrink = run.penalty, run.optimizer.learning_rate * run.decoupled
        self.module = importlib.import_module(f"sparsedecay.engines.fused.{run.network}")
        self.by_size: dict[int, Passes] = {}

    def _passes(self, X: Tensor) -> Passes:
        """Passes of these samples, in the buffers for so many of them."""
        if len(X) not in self.by_size:
            make = self.module.Passes
            self.by_size[len(X)] = make(self.network, self.parameters, self.g, X)
        self.by_size[len(X)].X = X
        return self.by_size[len(X)]

    def losses(self) -> tuple[Tensor, Tensor]:
        """Mean squared error and regularizer (without lam) of the present parameters."""
        mse = torch.nn.functional.mse_loss(self._passes(self.X).forward(), self.y)
        value = self.regularizer.value(self.network, self.parameters)
        return mse, torch.as_tensor(value, dtype=mse.dtype)

    def objective_gradient(self, X: Tensor, y: Tensor) -> dict[str, Tensor]:
        """Gradient of the objective by parameter name; overwritten by the next call."""
        passes = self._passes(X)
        residual = passes.forward().sub_(y)
        passes.backward(residual.mul_(2 / self.run.terms(residual.numel())))
        if not self.shrink:
            self.regularizer.add_gradient(self.network, self.parameters, self.penalty, self.g)
        return self.g

    @torch.no_grad()
    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        for epoch in range(self.epoch, self.epoch + epochs):
            for X, y in steps(self.run, epoch, self.X, self.y):
                self.objective_gradient(X, y)
                if self.shrink:
                    torch._foreach_mul_(self.decayed, 1 - self.shrink)
                self.step += 1
                self.run.optimizer.update(self.vector, self.gradient, self.moments, self.step)
        self.epoch += epochs

    def state(self) -> State:
        """The present state, not copied."""
        return State(self.epoch, self.parameters, self.moments_by_name)


def flat(tensors: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """A copy of all tensors in one vector, and views of it by name."""
    vector = torch.cat([tensor.reshape(-1) for tensor in tensors.values()])
    parts = vector.split([tensor.numel() for tensor in tensors.values()])
    shaped = zip(tensors.items(), parts, strict=True)
    return vector, {name: part.view(tensor.shape) for (name, tensor), part in shaped}


def through_relu(dH: Tensor, H: Tensor, gradient_b: Tensor) -> None:
    """Turn the derivative by relu(z) into that by z, in place; its sum is that by -b."""
    torch.ops.aten.threshold_backward.grad_input(dH, H, 0, grad_input=dH)
    torch.sum(dH, 0, out=gradient_b).neg_()
