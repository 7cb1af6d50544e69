"""The paper's equation 2."""

from typing import Any

from sparsedecay.science.networks import Array, Network, Parameters
from sparsedecay.science.regularizers import Regularizer, Term, Terms


class Eq2(Regularizer):
    """Equation 2: the sum over skip connections of |C_ij|, over ReLU neurons k of
    ||v_k||_1^2 + ||w_k||_2^2, with v_k the weights out of and w_k the weights into neuron k."""

    title = "eq. (2)"
    order = 1
    terms = Terms(W=Term.SQUARE, V=Term.NEURON_L1_SQUARED, C=Term.ABSOLUTE)

    def value(self, network: Network, p: Parameters) -> Any:
        skips = sum(abs(p[C]).sum() for C in network.skips)
        outgoing = sum((abs(p[V]).sum(0) ** 2).sum() for _, V in network.neurons)
        incoming = sum((p[W] ** 2).sum() for W, _ in network.neurons)
        return skips + outgoing + incoming

    def add_gradient(
        self, network: Network, p: Parameters, lam: float, g: dict[str, Array]
    ) -> None:
        for C in network.skips:
            g[C].add_(p[C].sign(), alpha=lam)
        for _, V in network.neurons:
            g[V].add_(p[V].sign().mul_(p[V].abs().sum(0)), alpha=2 * lam)
        for W, _ in network.neurons:
            g[W].add_(p[W], alpha=2 * lam)
