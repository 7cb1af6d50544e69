"""No regularizer."""

from typing import Any

from sparsedecay.science.networks import Array, Network, Parameters
from sparsedecay.science.regularizers import Regularizer, Terms


class NoRegularizer(Regularizer):
    """0: nothing but the loss is minimised."""

    title = "no regularizer"
    order = 3
    weighted = False
    terms = Terms()

    def value(self, network: Network, p: Parameters) -> Any:
        return 0.0

    def add_gradient(
        self, network: Network, p: Parameters, lam: float, g: dict[str, Array]
    ) -> None:
        """Adds nothing."""
