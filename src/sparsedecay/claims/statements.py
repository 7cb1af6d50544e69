"""The paper's statements: where each stands, the numbers that test it, and their thresholds.

A statement has one or more parts. The number of a part is measured on each draw (seed); the part
holds if an interval for the number's median lies within `low` … `high`. Thresholds turn words such
as "almost" into numbers; `why` says how.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sparsedecay.claims.measured import Draw

REGULARIZED = ("eq2", "weight_decay")


@dataclass(frozen=True)
class Part:
    """One number of a statement, and where it must lie."""

    quantity: str
    """What the number is, in a few words."""
    measure: Callable[[Draw], float]
    """The number of one draw; raises `NotTrained` where a network is missing."""
    why: str
    """Why the limits lie where they do."""
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class Claim:
    """One statement of the paper."""

    id: str
    statement: str
    """In a few words."""
    quote: str
    """In the paper's words."""
    place: str
    """Section or theorem."""
    epoch: str
    """Group of networks (`claims.networks`) of whose epoch the text speaks."""
    parts: tuple[Part, ...]


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


def typical_largest_entry(draw: Draw) -> float:
    networks = [draw.at("representer", k, lam) for lam in draw.weak for k in REGULARIZED]
    return float(np.median(np.concatenate([one.largest_entries for one in networks])))


def stable_rank_eq2(draw: Draw) -> float:
    return float(draw.between("representer", "eq2")["stable_rank"])


def rank_weight_decay(draw: Draw) -> float:
    return float(draw.between("representer", "weight_decay")["rank"])


def repetitions(draw: Draw) -> float:
    A = draw.between("representer", "weight_decay")
    return ratio(A["linear_nodes"], A["relative_rank"])


def rank_dense_decay(draw: Draw) -> float:
    return float(draw.between("dense", "weight_decay")["rank"])


def full_rank_dense(draw: Draw) -> float:
    A = draw.between("dense", "none")
    return float(A["rank"] / min(A["rows"], A["columns"]))


def densest_regularized(draw: Draw) -> float:
    panels = [("representer", "eq2"), ("representer", "weight_decay"), ("dense", "weight_decay")]
    return max(float(draw.between(*panel)["sparsity"]) for panel in panels)


def sparsity_fourth(draw: Draw) -> float:
    return float(draw.between("dense", "none")["sparsity"])


def neurons_per_point(draw: Draw, which: str) -> list[float]:
    """Neurons of each shallow network, `active_neurons` or `distinct_neurons`, over the points."""
    return [one.summary[which][0] / one.summary["points"] for one in draw.group("shallow")]


def farthest_from_data(which: str) -> Callable[[Draw], float]:
    def farthest(draw: Draw) -> float:
        return max(neurons_per_point(draw, which), key=lambda n: abs(math.log(max(n, 1e-9))))

    return farthest


def spread_over_widths(which: str) -> Callable[[Draw], float]:
    def spread(draw: Draw) -> float:
        found = neurons_per_point(draw, which)
        return ratio(max(found), min(found))

    return spread


def shallow_parts(which: str) -> tuple[Part, ...]:
    return (
        Part(
            f"{which} neurons / data points, at the width where it is farthest from 1",
            farthest_from_data(f"{which}_neurons"),
            "roughly equal: within a factor of 2",
            low=0.5,
            high=2,
        ),
        Part(
            f"most / fewest {which} neurons over all widths",
            spread_over_widths(f"{which}_neurons"),
            "regardless of the width: within a factor of 1.5",
            high=1.5,
        ),
    )


def against_width_bound(draw: Draw) -> float:
    trained = draw.at("representer", "eq2", draw.asked.lam).summary
    outputs = [trained["d"]] * (trained["L"] - 1) + [1]
    counts = zip(trained["distinct_neurons"], outputs, strict=True)
    return max(float(count / (trained["points"] * d)) for count, d in counts)


CLAIMS = (
    Claim(
        id="interpolation",
        statement="all networks interpolate but those with the largest lam",
        quote="all trained networks except those trained with λ = 10⁻¹ have essentially "
        "interpolated the data set",
        place="Section 3",
        epoch="fig2",
        parts=(
            Part(
                "largest MSE / mean square of targets, smaller lam and none",
                worst_interpolation,
                "less than 1 % of the targets' mean square is left",
                high=0.01,
            ),
            Part(
                "smallest MSE / mean square of targets, largest lam",
                best_of_strong,
                "at least 10 % is left: clearly no interpolation",
                low=0.1,
            ),
        ),
    ),
    Claim(
        id="sparser-over-time",
        statement="matrices become sparser during training with either regularizer",
        quote="training with the regularization as in (2) as well as training with weight decay "
        "results in the sparsity weight matrices decreasing during training",
        place="Section 3, figure 2",
        epoch="fig2",
        parts=(
            Part(
                "largest sparsity / initial sparsity, all lam",
                remaining_sparsity,
                "a tenth less is more than what comes and goes without a regularizer",
                high=0.9,
            ),
        ),
    ),
    Claim(
        id="eq2-sparser",
        statement="equation 2 ends sparser than weight decay",
        quote="training with the regularization as in (2) results in sparser weight matrices",
        place="Section 3, figure 2",
        epoch="fig2",
        parts=(
            Part(
                "largest sparsity with eq. 2 / with weight decay, smaller lam",
                against_weight_decay,
                "less than 1 for each lam whose networks fit the data",
                high=math.nextafter(1, 0),
            ),
        ),
    ),
    Claim(
        id="dense-without",
        statement="without a regularizer the matrices stay dense",
        quote="training with no regularization results in non-sparse weight matrices",
        place="Section 3, figure 2",
        epoch="fig2",
        parts=(
            Part(
                "average sparsity without regularizer",
                sparsity_without,
                "nine of ten entries are nonzero",
                low=0.9,
            ),
        ),
    ),
    Claim(
        id="max-entry",
        statement="the largest entry of a matrix is typically 0.1 to 0.2",
        quote="the maximum value in any matrix was typically between 0.1 and 0.2",
        place="Section 3",
        epoch="fig2",
        parts=(
            Part(
                "median of the matrices' largest entries, smaller lam",
                typical_largest_entry,
                "the paper's numbers; it justifies the threshold 10⁻³ by them",
                low=0.1,
                high=0.2,
            ),
        ),
    ),
    Claim(
        id="eq2-rank-one",
        statement="equation 2: A is almost of rank 1",
        quote="the matrix learned from the regularization in (2) being almost rank 1",
        place="Section 3, figure 4",
        epoch="fig3",
        parts=(
            Part(
                "stable rank of A with eq. 2",
                stable_rank_eq2,
                "of the sum of squares a tenth of the first singular value's lies in the others",
                high=1.1,
            ),
        ),
    ),
    Claim(
        id="wd-low-rank",
        statement="weight decay: A is of very low rank, one pattern learned several times",
        quote="the learned weight matrices are very low rank … since the same pattern is learned "
        "multiple times",
        place="Section 3, figure 4",
        epoch="fig3",
        parts=(
            Part(
                "rank of A with weight decay",
                rank_weight_decay,
                "a quarter of d = 16, which the architecture allows",
                high=4,
            ),
            Part(
                "linear nodes in use / relative rank of A",
                repetitions,
                "at least two nodes for one pattern",
                low=2,
            ),
        ),
    ),
    Claim(
        id="dense-wd-rank",
        statement="dense network with weight decay: rank about 750",
        quote="the weight matrix in the case of the fully-connected feedforward ReLU network "
        "with trained with weight decay is about rank 750",
        place="Section 3, figure 4",
        epoch="fig3",
        parts=(
            Part(
                "rank of A, dense network with weight decay",
                rank_dense_decay,
                "750 give or take a tenth",
                low=675,
                high=825,
            ),
        ),
    ),
    Claim(
        id="dense-none-rank",
        statement="dense network without regularizer: full rank",
        quote="trained without regularization is full-rank",
        place="Section 3, figure 4",
        epoch="fig3",
        parts=(
            Part(
                "rank / full rank of A, dense network without regularizer",
                full_rank_dense,
                "all singular values but one in a hundred, since one may by chance be small",
                low=0.99,
            ),
        ),
    ),
    Claim(
        id="fairly-sparse",
        statement="regularized matrices between ReLU layers are fairly sparse, the other is not",
        quote="results in fairly sparse weight matrices. Meanwhile, training a standard "
        "fully-connected feedforward ReLU network without weight decay results in non-sparse",
        place="Section 3, figure 3",
        epoch="fig3",
        parts=(
            Part(
                "largest sparsity of A, the three regularized networks",
                densest_regularized,
                "at most half of the entries are nonzero",
                high=0.5,
            ),
            Part(
                "sparsity of A, dense network without regularizer",
                sparsity_fourth,
                "nine of ten entries are nonzero",
                low=0.9,
            ),
        ),
    ),
    Claim(
        id="shallow-neurons",
        statement="a shallow network keeps about as many neurons as data, whatever its width",
        quote="the number of neurons is roughly equal to the number of training data, regardless "
        "of the overparameterization level",
        place="Section 1",
        epoch="shallow",
        parts=shallow_parts("active"),
    ),
    Claim(
        id="shallow-distinct",
        statement="the same, neurons that compute the same feature counted once",
        quote="the number of neurons is roughly equal to the number of training data, regardless "
        "of the overparameterization level",
        place="Section 1",
        epoch="shallow",
        parts=shallow_parts("distinct"),
    ),
    Claim(
        id="width-bound",
        statement="no block needs more than N d neurons",
        quote="K^(ℓ) ≤ N d_ℓ",
        place="Theorem 1",
        epoch="fig2",
        parts=(
            Part(
                "largest distinct neurons / N d over the blocks, eq. 2",
                against_width_bound,
                "the theorem's bound. It says that some minimiser keeps to it, so a network above "
                "it contradicts no theorem, but shows that training does not find that minimiser",
                high=1,
            ),
        ),
    ),
)
