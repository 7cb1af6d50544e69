"""The engine of one optimizer: a proximal step needs the network, not a vector of parameters."""

from sparsedecay.engines import Engine
from sparsedecay.science import networks, regularizers
from sparsedecay.science.optimizers.pathprox import PathProx
from sparsedecay.science.run import Run


class Proximal(Engine):
    """Trains networks made of blocks by PathProx; the gradient of the loss is that of autograd."""

    title = "PathProx"
    order = 4
    slowdown = 10

    def supports(self, run: Run) -> str | None:
        if not isinstance(run.optimizer, PathProx):
            return f"it has no step of {run.optimizer.name}"
        return run.optimizer.lacks(networks.build(run), regularizers.build(run))
