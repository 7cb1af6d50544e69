"""Equation 2 with skip connections charged as all else is."""

from typing import Any

from sparsedecay.science.networks import Array, Network, Parameters
from sparsedecay.science.regularizers import Regularizer, Term, Terms


class Eq2SkipsSquared(Regularizer):
    """Equation 2 with C_ij^2 in place of |C_ij|. With |C_ij| making V^(l-1) smaller by a factor and
    C^(l) larger by it pays, since the one is charged quadratically and the other linearly."""

    title = "eq. (2), skips squared"
    terms = Terms(W=Term.SQUARE, V=Term.NEURON_L1_SQUARED, C=Term.SQUARE)

    def value(self, network: Network, p: Parameters) -> Any:
        outgoing = sum((abs(p[V]).sum(0) ** 2).sum() for _, V in network.neurons)
        squared = [*network.skips, *(W for W, _ in network.neurons)]
        return outgoing + sum((p[name] ** 2).sum() for name in squared)

    def add_gradient(
        self, network: Network, p: Parameters, lam: float, g: dict[str, Array]
    ) -> None:
        for _, V in network.neurons:
            g[V].add_(p[V].sign().mul_(p[V].abs().sum(0)), alpha=2 * lam)
        for name in [*network.skips, *(W for W, _ in network.neurons)]:
            g[name].add_(p[name], alpha=2 * lam)
