"""The reference engine: autograd and torch.optim, as a researcher would write it."""

from sparsedecay.engines import Engine, lacking
from sparsedecay.science import networks, optimizers, regularizers
from sparsedecay.science.run import Run


class Autograd(Engine):
    """Trains any network that has a forward pass, with any regularizer that has a value."""

    title = "autograd"
    order = 3
    slowdown = 10

    def supports(self, run: Run) -> str | None:
        return (
            lacking(networks.KINDS[run.network], "layers")
            or lacking(regularizers.KINDS[run.regularizer], "value")
            or lacking(optimizers.KINDS[run.optimizer.name], "reference", "remembered", "recalled")
        )
