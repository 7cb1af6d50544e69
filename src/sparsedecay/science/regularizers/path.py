"""What equation 2 comes to at balance."""

from typing import Any

import numpy as np

from sparsedecay.science.networks import Array, Network, Parameters
from sparsedecay.science.regularizers import Regularizer, Term, Terms


def lengths(W: Array) -> Array:
    """l2 norms of the rows, (K, n) -> (K,); their gradient at 0 is taken as 0."""
    return np.sqrt((W**2).sum(1)) if isinstance(W, np.ndarray) else W.norm(dim=1)


class Path(Regularizer):
    """The sum over ReLU neurons k of ||v_k||_1 ||w_k||_2 plus that over skip connections of
    |C_ij|. Scaling w_k by t > 0 and v_k by 1 / t leaves the network as it is; the least value of
    ||v_k||_1^2 + ||w_k||_2^2 over t is twice this, so equation 2 with its factors in balance is
    2 sum_k ||v_k||_1 ||w_k||_2 + ||C||_1. (Neyshabur, Tomioka and Srebro 2015)"""

    title = "path norm"
    terms = Terms(W=Term.PATH, V=Term.PATH, C=Term.ABSOLUTE)

    def value(self, network: Network, p: Parameters) -> Any:
        skips = sum(abs(p[C]).sum() for C in network.skips)
        return skips + sum((abs(p[V]).sum(0) * lengths(p[W])).sum() for W, V in network.neurons)

    def add_gradient(
        self, network: Network, p: Parameters, lam: float, g: dict[str, Array]
    ) -> None:
        for C in network.skips:
            g[C].add_(p[C].sign(), alpha=lam)
        for W, V in network.neurons:
            into, out = lengths(p[W]), p[V].abs().sum(0)
            g[V].add_(p[V].sign().mul_(into), alpha=lam)
            ratio = (out / into).masked_fill_(into == 0, 0)
            g[W].add_(p[W] * ratio[:, None], alpha=lam)
