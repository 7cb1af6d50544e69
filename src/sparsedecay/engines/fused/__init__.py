"""The engine on torch: gradients derived by hand, on buffers that are allocated once.

Passes through a network are a module named after it (`representer`, `dense`).
"""

from pathlib import Path

from sparsedecay.engines import Engine, lacking
from sparsedecay.science import optimizers, regularizers
from sparsedecay.science.run import Run


class Fused(Engine):
    """Trains networks whose passes are written down here, with regularizers that have a gradient
    of their own."""

    title = "fused"
    order = 2
    slowdown = 3

    def supports(self, run: Run) -> str | None:
        if not Path(__file__).with_name(f"{run.network}.py").exists():
            return f"it has no passes through {run.network}"
        return lacking(regularizers.KINDS[run.regularizer], "add_gradient") or lacking(
            optimizers.KINDS[run.optimizer.name], "update"
        )
