"""How many operations an epoch takes."""

import math

from sparsedecay.science.networks import build
from sparsedecay.science.run import Run


def flops(run: Run) -> int:
    """Operations of an epoch's matrix products, nothing left out: outputs, gradients by the
    weights, and by the inputs of a layer unless they are the data."""
    network = build(run)
    passes = {name: 2 if name in ("W1", "C1") else 3 for name in network.matrices}
    return sum(2 * run.data.points * n * math.prod(network.shapes[w]) for w, n in passes.items())
