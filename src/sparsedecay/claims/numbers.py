"""The numbers of one draw that statements are tested on."""

import math
from collections.abc import Callable

import numpy as np

from sparsedecay.claims.measured import Draw, Measured, NotTrained

REGULARIZED = ("eq2", "weight_decay")
EQ2, DECAY = (("representer", kind) for kind in REGULARIZED)
DENSE = "dense", "weight_decay"


Lam = Callable[[Draw], float]
"""Chooses one of figure 2's regularization parameters."""


def strong(draw: Draw) -> float:
    """The largest, with which networks do not fit the data."""
    return sorted(draw.asked.lams)[-1]


def middle(draw: Draw) -> float:
    """The one below."""
    return weak(draw)[-1]


def weakest(draw: Draw) -> float:
    """The smallest."""
    return weak(draw)[0]


def weak(draw: Draw) -> list[float]:
    """All but the largest.

    Raises:
        NotTrained: there is only one.
    """
    if len(draw.asked.lams) < 2:
        raise NotTrained
    return sorted(draw.asked.lams)[:-1]


def pair(draw: Draw, lam: float) -> list[Measured]:
    """The networks with equation 2 and with weight decay."""
    return [draw.at("representer", kind, lam) for kind in REGULARIZED]


def errors(lam: Lam) -> Callable[[Draw], list[float]]:
    """Relative errors of both."""
    return lambda draw: [one.error for one in pair(draw, lam(draw))]


def without(draw: Draw) -> Measured:
    return draw.at("representer", "none", 0)


def remaining_sparsity(draw: Draw) -> float:
    networks = [one for lam in draw.asked.lams for one in pair(draw, lam)]
    return max(ratio(one.sparsity, one.initial_sparsity) for one in networks)


def against_weight_decay(lam: Lam) -> Callable[[Draw], float]:
    def sparsities(draw: Draw) -> float:
        eq2, decay = pair(draw, lam(draw))
        return ratio(eq2.sparsity, decay.sparsity)

    return sparsities


def ratio(a: float, b: float) -> float:
    """a / b; two zeros are equal."""
    return a / b if b else (1.0 if a == 0 else math.inf)


def largest_entry(lam: Lam) -> Callable[[Draw], float]:
    """Of the trained matrices, with either regularizer: the median."""
    return lambda draw: float(
        np.median(np.concatenate([one.largest_entries for one in pair(draw, lam(draw))]))
    )


def largest_entry_between(lam: Lam) -> Callable[[Draw], float]:
    """Of A, with either regularizer: the geometric mean."""

    def largest(draw: Draw) -> float:
        found = [draw.between("representer", kind, lam(draw))["max_abs"] for kind in REGULARIZED]
        return math.sqrt(math.prod(found))

    return largest


def of_between(network: tuple[str, str], column: str) -> Callable[[Draw], float]:
    """A column of the table `matrices`, for A of a network of figures 3 and 4."""
    return lambda draw: float(draw.between(*network)[column])


def quotient(a: tuple[str, str], b: tuple[str, str], column: str) -> Callable[[Draw], float]:
    """The same of one network over that of another."""
    return lambda draw: ratio(of_between(a, column)(draw), of_between(b, column)(draw))


def repetitions(draw: Draw) -> float:
    A = draw.between(*DECAY)
    return ratio(A["linear_nodes"], A["patterns"])


def rank_dense_decay(draw: Draw) -> float:
    """The count that comes closer to 750."""
    A = draw.between(*DENSE)
    return float(min(A["rank"], A["default_rank"], key=lambda rank: abs(rank - 750)))


def full_rank_dense(draw: Draw) -> float:
    A = draw.between("dense", "none")
    return float(A["default_rank"] / min(A["rows"], A["columns"]))


def densest_regularized(draw: Draw) -> float:
    return max(of_between(panel, "sparsity")(draw) for panel in (EQ2, DECAY))


def farthest_from_data(draw: Draw) -> float:
    """Over the widths, how many times more neurons than data points, or fewer."""
    factors = [float(one.neurons[0] / one.summary["points"]) for one in draw.group("shallow")]
    return max(max(factor, ratio(1, factor)) for factor in factors)


def against_width_bound(draw: Draw) -> float:
    trained = draw.at("representer", "eq2", draw.asked.lam)
    about = trained.summary
    outputs = [about["d"]] * (about["L"] - 1) + [1]
    counts = zip(trained.neurons, outputs, strict=True)
    return max(float(count / (about["points"] * d)) for count, d in counts)
