"""Equation 2 with the roles of v and w exchanged."""

from typing import Any

from sparsedecay.science.networks import Array, Network, Parameters
from sparsedecay.science.regularizers import Regularizer, Term, Terms


class Eq2Exchanged(Regularizer):
    """Equation 2 as its text says: "(v_k, w_k) are the weights into and out of the kth ReLU
    neuron", so ||v_k||_1^2 of the weights into and ||w_k||_2^2 of the weights out of neuron k, and
    |C_ij| of the skip connections."""

    title = "eq. (2), exchanged"
    terms = Terms(W=Term.NEURON_L1_SQUARED, V=Term.SQUARE, C=Term.ABSOLUTE)

    def value(self, network: Network, p: Parameters) -> Any:
        skips = sum(abs(p[C]).sum() for C in network.skips)
        incoming = sum((abs(p[W]).sum(1) ** 2).sum() for W, _ in network.neurons)
        outgoing = sum((p[V] ** 2).sum() for _, V in network.neurons)
        return skips + incoming + outgoing

    def add_gradient(
        self, network: Network, p: Parameters, lam: float, g: dict[str, Array]
    ) -> None:
        for C in network.skips:
            g[C].add_(p[C].sign(), alpha=lam)
        for W, _ in network.neurons:
            g[W].add_(p[W].sign().mul_(p[W].abs().sum(1)[:, None]), alpha=2 * lam)
        for _, V in network.neurons:
            g[V].add_(p[V], alpha=2 * lam)
