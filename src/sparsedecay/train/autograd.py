"""The reference engine: autograd and `torch.optim.Adam`, as a researcher would write it."""

import torch
from torch import Tensor

from sparsedecay import regularizers
from sparsedecay.networks import build
from sparsedecay.runs import Run
from sparsedecay.train.state import State


class AutogradEngine:
    """Trains any network that has a forward pass."""

    def __init__(self, run: Run, X: Tensor, y: Tensor, state: State) -> None:
        self.run, self.network, self.X, self.y = run, build(run), X, y
        self.epoch = state.epoch
        self.parameters = {
            name: tensor.clone().requires_grad_() for name, tensor in state.parameters.items()
        }
        adam = run.optimizer
        self.adam = torch.optim.Adam(
            self.parameters.values(), lr=adam.learning_rate, betas=adam.betas, eps=adam.eps
        )
        moments = {
            index: {
                "step": torch.tensor(float(state.epoch)),
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
        value = regularizers.value(self.run.regularizer, self.network, self.parameters)
        return mse, torch.as_tensor(value, dtype=mse.dtype)

    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        for _ in range(epochs):
            self.adam.zero_grad()
            mse, regularizer = self.losses()
            (mse + self.run.lam * regularizer).backward()
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
