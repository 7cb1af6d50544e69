"""The engine on torch: gradients derived by hand, on buffers that are allocated once.

Passes through a network are a module named after it (`representer`, `dense`).
"""

from pathlib import Path

from sparsedecay.engines import Engine, unwritten
from sparsedecay.science.run import Run


class Fused(Engine):
    """Trains networks whose passes are written down here, with regularizers that have a gradient
    of their own."""

    title = "fused"
    order = 2
    slowdown = 3

    def supports(self, run: Run) -> str | None:
        return unwritten(run, Path(__file__).parent)
