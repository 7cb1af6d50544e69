"""The regularizers: value and gradient, one definition each.

    value("eq2", network, parameters)            scalar, without the factor lam
    of(run, network, parameters)                 that of a run
    add_gradient("eq2", network, parameters, lam, gradients)

The gradient of |.| at 0 is taken as 0, as PyTorch does.
"""

from typing import Any

from sparsedecay.science.networks import Array, Network, Parameters
from sparsedecay.science.run import RegularizerKind, Run


def decayed(kind: RegularizerKind, network: Network, biases: bool = True) -> list[str]:
    """Names of the parameters that weight decay acts on; empty for other regularizers."""
    if kind != "weight_decay":
        return []
    return list(network.shapes) if biases else network.matrices


def value(kind: RegularizerKind, network: Network, p: Parameters, biases: bool = True) -> Any:
    """The regularizer of the parameters `p` (torch or numpy), a scalar without the factor lam.

    eq2 (equation 2): the sum over skip connections of |C_ij|, over ReLU neurons k of
    ||v_k||_1^2 + ||w_k||_2^2, with v_k the weights out of and w_k the weights into neuron k.
    weight_decay (Section 3): the sum of squares of all parameters, of biases only if told so.
    none: 0.
    """
    if kind == "eq2":
        skips = sum(abs(p[C]).sum() for C in network.skips)
        outgoing = sum((abs(p[V]).sum(0) ** 2).sum() for _, V in network.neurons)
        incoming = sum((p[W] ** 2).sum() for W, _ in network.neurons)
        return skips + outgoing + incoming
    return sum(((p[name] ** 2).sum() for name in decayed(kind, network, biases)), 0.0)


def of(run: Run, network: Network, p: Parameters) -> Any:
    """The regularizer of a run, as `value`."""
    return value(run.regularizer, network, p, run.objective.decay_biases)


def add_gradient(
    kind: RegularizerKind,
    network: Network,
    p: Parameters,
    lam: float,
    g: dict[str, Array],
    biases: bool = True,
) -> None:
    """Add lam times the regularizer's (sub)gradient to the torch gradients `g`, in place."""
    if kind == "eq2":
        for C in network.skips:
            g[C].add_(p[C].sign(), alpha=lam)
        for _, V in network.neurons:
            g[V].add_(p[V].sign().mul_(p[V].abs().sum(0)), alpha=2 * lam)
        for W, _ in network.neurons:
            g[W].add_(p[W], alpha=2 * lam)
    for name in decayed(kind, network, biases):
        g[name].add_(p[name], alpha=2 * lam)
