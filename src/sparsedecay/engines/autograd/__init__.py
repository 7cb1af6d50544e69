"""The reference engine: autograd and torch.optim, as a researcher would write it."""

from typing import TYPE_CHECKING

from sparsedecay.engines import Engine, Trainer, lacking
from sparsedecay.science import networks, optimizers, regularizers
from sparsedecay.science.run import Run

if TYPE_CHECKING:
    from torch import Tensor

    from sparsedecay.engines.state import State


class Autograd(Engine):
    """Trains any network that has a forward pass, with any regularizer that has a value."""

    title = "autograd"
    order = 3
    slower = "about ten times slower"

    def supports(self, run: Run) -> str | None:
        return (
            lacking(networks.KINDS[run.network], "layers")
            or lacking(regularizers.KINDS[run.regularizer], "value")
            or lacking(optimizers.KINDS[run.optimizer.name], "reference", "remembered", "recalled")
        )

    def start(self, run: Run, X: "Tensor", y: "Tensor", state: "State") -> Trainer:
        from sparsedecay.engines.autograd.trainer import AutogradTrainer

        return AutogradTrainer(run, X, y, state)
