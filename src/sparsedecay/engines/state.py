"""The complete state of a training: what a milestone or a checkpoint stores."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from sparsedecay.science.networks import build
from sparsedecay.science.run import Run


@dataclass(frozen=True)
class State:
    """Parameters, and the optimizer's moments, by parameter name, after `epoch` epochs.

    Of a run that has diverged all of them are NaN: which became so first depends on the engine.
    """

    epoch: int
    parameters: dict[str, Tensor]
    moments: dict[str, dict[str, Tensor]]
    """By the optimizer's name for them, then by parameter."""
    diverged: int | None = field(default=None, kw_only=True)
    """The recorded epoch at which loss or weights were found not to be finite."""


def diverged(state: State, epoch: int) -> State:
    """What a milestone at `epoch` holds of a run whose present state is not finite."""

    def nan(part: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: torch.full_like(tensor, torch.nan) for name, tensor in part.items()}

    moments = {name: nan(part) for name, part in state.moments.items()}
    return State(epoch, nan(state.parameters), moments, diverged=state.epoch)


def dtype(run: Run) -> torch.dtype:
    return {"float32": torch.float32, "float64": torch.float64}[run.precision]


def initial(run: Run) -> State:
    """Epoch 0."""
    values = run.initialization.values(build(run))
    parameters = {name: torch.from_numpy(a).to(dtype(run)) for name, a in values.items()}
    zeros = {
        moment: {name: torch.zeros_like(tensor) for name, tensor in parameters.items()}
        for moment in run.optimizer.moments
    }
    return State(0, parameters, zeros)
