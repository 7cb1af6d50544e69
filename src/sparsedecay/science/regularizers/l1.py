"""The sum of magnitudes of all weights."""

from typing import Any

from sparsedecay.science.networks import Array, Network, Parameters
from sparsedecay.science.regularizers import Regularizer, Term, Terms


class L1(Regularizer):
    """The sum of |theta| over all weights, skip connections included; biases do not count.
    (Tibshirani 1996)"""

    title = "$\\ell_1$ norm"
    terms = Terms(W=Term.ABSOLUTE, V=Term.ABSOLUTE, C=Term.ABSOLUTE)

    def value(self, network: Network, p: Parameters) -> Any:
        return sum(abs(p[name]).sum() for name in network.matrices)

    def add_gradient(
        self, network: Network, p: Parameters, lam: float, g: dict[str, Array]
    ) -> None:
        for name in network.matrices:
            g[name].add_(p[name].sign(), alpha=lam)
