"""The numbers of one draw that statements are tested on."""

import math
from collections.abc import Callable

import numpy as np

from sparsedecay.claims.measured import Draw

REGULARIZED = ("eq2", "weight_decay")
EQ2, DECAY = (("representer", kind) for kind in REGULARIZED)
DENSE = "dense", "weight_decay"


def errors(draw: Draw, lams: list[float]) -> list[float]:
    """Relative errors of the regularized networks with the given lams."""
    return [draw.at("representer", kind, lam).error for lam in lams for kind in REGULARIZED]


def worst_interpolation(draw: Draw) -> float:
    return max(*errors(draw, draw.weak), draw.at("representer", "none", 0).error)


def best_of_strong(draw: Draw) -> float:
    return min(errors(draw, [draw.strong]))


def remaining_sparsity(draw: Draw) -> float:
    networks = [draw.at("representer", k, lam) for lam in draw.asked.lams for k in REGULARIZED]
    return max(ratio(one.sparsity, one.initial_sparsity) for one in networks)


def against_weight_decay(draw: Draw) -> float:
    pairs = [[draw.at("representer", kind, lam) for kind in REGULARIZED] for lam in draw.weak]
    return max(ratio(eq2.sparsity, decay.sparsity) for eq2, decay in pairs)


def ratio(a: float, b: float) -> float:
    """a / b; two zeros are equal."""
    return a / b if b else (1.0 if a == 0 else math.inf)


def sparsity_without(draw: Draw) -> float:
    return draw.at("representer", "none", 0).sparsity


def largest_entry(draw: Draw, lam: float) -> float:
    """Of the trained matrices, with either regularizer: the median."""
    networks = [draw.at("representer", kind, lam) for kind in REGULARIZED]
    return float(np.median(np.concatenate([one.largest_entries for one in networks])))


def largest_entry_between(draw: Draw, lam: float) -> float:
    """Of A, with either regularizer: the geometric mean."""
    found = [draw.between("representer", kind, lam)["max_abs"] for kind in REGULARIZED]
    return math.sqrt(math.prod(found))


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
    return max(of_between(panel, "sparsity")(draw) for panel in (EQ2, DECAY, DENSE))


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
