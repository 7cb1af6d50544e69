"""The engine on torch: gradients derived by hand, on buffers that are allocated once.

Passes through a network are a module named after it (`representer`, `dense`).
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sparsedecay.engines import Engine, Trainer, lacking
from sparsedecay.science import optimizers, regularizers
from sparsedecay.science.run import Run

if TYPE_CHECKING:
    from torch import Tensor

    from sparsedecay.engines.state import State


class Fused(Engine):
    """Trains networks whose passes are written down here, with regularizers that have a gradient
    of their own."""

    title = "fused"
    order = 2
    slower = "about three times slower"

    def supports(self, run: Run) -> str | None:
        if not Path(__file__).with_name(f"{run.network}.py").exists():
            return f"it has no passes through {run.network}"
        return lacking(regularizers.KINDS[run.regularizer], "add_gradient") or lacking(
            optimizers.KINDS[run.optimizer.name], "update"
        )

    def start(self, run: Run, X: "Tensor", y: "Tensor", state: "State") -> Trainer:
        from sparsedecay.engines.fused.trainer import FusedTrainer

        return FusedTrainer(run, X, y, state)
