"""Training by autograd and an optimizer of torch.optim."""

import torch
from torch import Tensor

from sparsedecay.engines.batches import steps
from sparsedecay.engines.state import State
from sparsedecay.science import networks, regularizers
from sparsedecay.science.run import Run


class Trainer:
    """The plain loop: zero_grad, backward, step."""

    def __init__(self, run: Run, X: Tensor, y: Tensor, state: State) -> None:
        self.run, self.network, self.X, self.y = run, networks.build(run), X, y
        self.regularizer = regularizers.build(run)
        self.epoch = state.epoch
        self.parameters = {
            name: tensor.clone().requires_grad_() for name, tensor in state.parameters.items()
        }
        decayed = self.regularizer.decayed(self.network)
        self.in_objective = not decayed
        groups = [
            {"params": [p], "weight_decay": run.lam if name in decayed else 0.0}
            for name, p in self.parameters.items()
        ]
        self.optimizer = run.optimizer.reference(groups, bool(run.decoupled))
        done = float(state.epoch * run.optimizer.batches)
        remembered = {
            index: run.optimizer.remembered(
                done, {moment: part[name].clone() for moment, part in state.moments.items()}
            )
            for index, name in enumerate(self.parameters)
        }
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": remembered})

    def losses(self) -> tuple[Tensor, Tensor]:
        """Mean squared error and regularizer (without lam) of the present parameters."""
        outputs = self.network.forward(self.parameters, self.X, torch.relu)
        mse = torch.nn.functional.mse_loss(outputs, self.y)
        value = self.regularizer.value(self.network, self.parameters)
        return mse, torch.as_tensor(value, dtype=mse.dtype)

    def objective(self, X: Tensor, y: Tensor) -> Tensor:
        """What a step lowers; weight decay is left out where the optimizer sees to it."""
        outputs = self.network.forward(self.parameters, X, torch.relu)
        loss = torch.nn.functional.mse_loss(outputs, y, reduction=self.run.objective.loss)
        if not self.in_objective:
            return loss
        penalty = self.regularizer.value(self.network, self.parameters)
        objective: Tensor = loss + self.run.lam * penalty
        return objective

    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        for epoch in range(self.epoch, self.epoch + epochs):
            for X, y in steps(self.run, epoch, self.X, self.y):
                self.optimizer.zero_grad()
                self.objective(X, y).backward()
                self.optimizer.step()
        self.epoch += epochs

    def state(self) -> State:
        """The present state, detached but not copied."""
        parameters = {name: tensor.detach() for name, tensor in self.parameters.items()}
        recalled = {
            name: self.run.optimizer.recalled(self.optimizer.state[tensor])
            for name, tensor in self.parameters.items()
        }
        moments = {
            moment: {name: recalled[name][moment] for name in parameters}
            for moment in self.run.optimizer.moments
        }
        return State(self.epoch, parameters, moments)
