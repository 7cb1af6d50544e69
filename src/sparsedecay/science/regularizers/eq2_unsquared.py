"""Equation 2 without its squares."""

from typing import Any

from sparsedecay.science.networks import Array, Network, Parameters
from sparsedecay.science.regularizers import Regularizer
from sparsedecay.science.regularizers.path import lengths


class Eq2Unsquared(Regularizer):
    """The sum over skip connections of |C_ij|, over ReLU neurons k of ||v_k||_1 + ||w_k||_2: norms
    in place of the squared norms of equation 2. The gradient of ||w_k||_2 at 0 is taken as 0."""

    title = "eq. (2), no squares"

    def value(self, network: Network, p: Parameters) -> Any:
        skips = sum(abs(p[C]).sum() for C in network.skips)
        outgoing = sum(abs(p[V]).sum() for _, V in network.neurons)
        return skips + outgoing + sum(lengths(p[W]).sum() for W, _ in network.neurons)

    def add_gradient(
        self, network: Network, p: Parameters, lam: float, g: dict[str, Array]
    ) -> None:
        for name in [*network.skips, *(V for _, V in network.neurons)]:
            g[name].add_(p[name].sign(), alpha=lam)
        for W, _ in network.neurons:
            into = lengths(p[W])[:, None]
            g[W].add_((p[W] / into).masked_fill_(into == 0, 0), alpha=lam)
