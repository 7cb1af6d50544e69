"""The reference engine: autograd and `torch.optim.Adam`, as a researcher would write it."""

import torch
from torch import Tensor

from sparsedecay.engines.batches import steps
from sparsedecay.engines.state import State
from sparsedecay.science import regularizers
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run


class AutogradEngine:
    """Trains any network that has a forward pass."""

    def __init__(self, run: Run, X: Tensor, y: Tensor, state: State) -> None:
        self.run, self.network, self.X, self.y = run, build(run), X, y
        self.epoch = state.epoch
        self.parameters = {
            name: tensor.clone().requires_grad_() for name, tensor in state.parameters.items()
        }
        adam = run.optimizer
        decayed = set(
            regularizers.decayed(run.regularizer, self.network, run.objective.decay_biases)
        )
        by_option = run.objective.weight_decay != "objective"
        groups = [
            {"params": [p], "weight_decay": run.lam if by_option and name in decayed else 0.0}
            for name, p in self.parameters.items()
        ]
        optimizer = torch.optim.AdamW if run.decoupled else torch.optim.Adam
        self.adam = optimizer(groups, lr=adam.learning_rate, betas=adam.betas, eps=adam.eps)
        self.in_objective = not (decayed and by_option)
        moments = {
            index: {
                "step": torch.tensor(float(state.epoch * adam.batches)),
                "exp_avg": state.first[name].clone(),
                "exp_avg_sq": state.second[name].clone(),
            }
            for index, name in enumerate(self.parameters)
        }
        self.adam.load_state_dict({**self.adam.state_dict(), "state": moments})

    def losses(self) -> tuple[Tensor, Tensor]:
        """Mean squared error and regularizer (without lam) of the present parameters."""
        outputs = self.network.forward(self.parameters, self.X, torch.relu)
        mse = torch.nn.functional.mse_loss(outputs, self.y)
        value = regularizers.of(self.run, self.network, self.parameters)
        return mse, torch.as_tensor(value, dtype=mse.dtype)

    def objective(self, X: Tensor, y: Tensor) -> Tensor:
        """What a step lowers; weight decay is left out where the optimizer sees to it."""
        outputs = self.network.forward(self.parameters, X, torch.relu)
        loss = torch.nn.functional.mse_loss(outputs, y, reduction=self.run.objective.loss)
        if not self.in_objective:
            return loss
        penalty = regularizers.of(self.run, self.network, self.parameters)
        objective: Tensor = loss + self.run.lam * penalty
        return objective

    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        for epoch in range(self.epoch, self.epoch + epochs):
            for X, y in steps(self.run, epoch, self.X, self.y):
                self.adam.zero_grad()
                self.objective(X, y).backward()
                self.adam.step()
        self.epoch += epochs

    def state(self) -> State:
        """The present state, detached but not copied."""
        parameters = {name: tensor.detach() for name, tensor in self.parameters.items()}
        moments = [self.adam.state[tensor] for tensor in self.parameters.values()]
        return State(
            self.epoch,
            parameters,
            {n: m["exp_avg"] for n, m in zip(parameters, moments, strict=False)},
            {n: m["exp_avg_sq"] for n, m in zip(parameters, moments, strict=False)},
        )
