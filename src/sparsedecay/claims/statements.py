"""The paper's statements: where each stands, the numbers that test it, and their thresholds.

A statement has one or more parts. The number of a part is measured on each draw (seed); the part
holds if an interval for the number's median lies within `low` … `high`. Thresholds turn words such
as "almost" into numbers; `why` says how.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sparsedecay.claims import numbers
from sparsedecay.claims.measured import Draw

BELOW_ONE = math.nextafter(1, 0)


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
    reported: str
    """The paper's value, in a few words."""
    epoch: str
    """Group of networks (`claims.networks`) of whose epoch the text speaks."""
    parts: tuple[Part, ...]
    counted: bool = True
    """Whether it is a statement on experiments, which a tally counts."""


def entry(what: str, measure: Callable[[Draw], float]) -> Part:
    return Part(
        f"largest {what}",
        measure,
        "the paper's numbers; it justifies the threshold 10⁻³ by them",
        low=0.1,
        high=0.2,
    )


def fits(networks: str, measure: Callable[[Draw], float]) -> Part:
    return Part(
        f"largest MSE / mean square of targets, {networks}",
        measure,
        "less than a twentieth of the targets' mean square is left",
        high=0.05,
    )


def sparser(lam: str, which: numbers.Lam) -> Part:
    return Part(
        f"sparsity with eq. 2 / with weight decay, {lam} lam",
        numbers.against_weight_decay(which),
        "less than 1 for each lam whose networks fit the data",
        high=BELOW_ONE,
    )


def alive(*networks: tuple[str, str]) -> Part:
    names = {"eq2": "eq. 2", "weight_decay": "weight decay"}
    return Part(
        f"whether A is alive (1) or not (0), {' and '.join(names[kind] for _, kind in networks)}",
        lambda draw: min(numbers.of_between(one, "alive")(draw) for one in networks),
        "ranks say nothing of a matrix that vanishes: an entry must exceed ten thresholds of "
        "sparsity, and a neuron of its layer matter to the fit",
        low=1,
    )


CLAIMS = (
    Claim(
        id="interpolation",
        statement="all networks interpolate but those with the largest lam",
        quote="the mean squared value of the output values of the data set is 0.313, so all "
        "trained networks except those trained with λ = 10⁻¹ have essentially interpolated",
        place="Section 3, figure 2",
        reported="MSE far below 0.313",
        epoch="fig2",
        parts=(
            fits("middle lam", lambda draw: max(numbers.errors(numbers.middle)(draw))),
            fits("smallest lam", lambda draw: max(numbers.errors(numbers.weakest)(draw))),
            fits("no regularizer", lambda draw: numbers.without(draw).error),
            Part(
                "smallest MSE / mean square of targets, largest lam",
                lambda draw: min(numbers.errors(numbers.strong)(draw)),
                "at least a tenth is left: clearly no interpolation",
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
        reported="decreasing",
        epoch="fig2",
        parts=(
            Part(
                "largest sparsity / initial sparsity, all lam",
                numbers.remaining_sparsity,
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
        reported="sparser",
        epoch="fig2",
        parts=(
            sparser("middle", numbers.middle),
            sparser("smallest", numbers.weakest),
        ),
    ),
    Claim(
        id="dense-without",
        statement="without a regularizer the matrices stay dense",
        quote="training with no regularization results in non-sparse weight matrices",
        place="Section 3, figure 2",
        reported="non-sparse",
        epoch="fig2",
        parts=(
            Part(
                "average sparsity without regularizer",
                lambda draw: numbers.without(draw).sparsity,
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
        reported="0.1 to 0.2",
        epoch="fig2",
        parts=(
            entry("entry of A, middle lam", numbers.largest_entry_between(numbers.middle)),
            entry("entry of A, smallest lam", numbers.largest_entry_between(numbers.weakest)),
            entry("entry of trained matrices, middle lam", numbers.largest_entry(numbers.middle)),
            entry(
                "entry of trained matrices, smallest lam", numbers.largest_entry(numbers.weakest)
            ),
        ),
    ),
    Claim(
        id="eq2-rank-one",
        statement="equation 2: A is almost of rank 1",
        quote="the matrix learned from the regularization in (2) being almost rank 1",
        place="Section 3, figure 4",
        reported="almost 1",
        epoch="fig3",
        parts=(
            Part(
                "stable rank of A with eq. 2",
                numbers.of_between(numbers.EQ2, "stable_rank"),
                "of the sum of squares a tenth of the first singular value's lies in the others",
                high=1.1,
            ),
            alive(numbers.EQ2),
        ),
    ),
    Claim(
        id="eq2-one-pattern",
        statement="equation 2 learns one pattern once, weight decay repeats it",
        quote="the learned matrix A⁽²⁾ = W⁽²⁾V⁽¹⁾ is almost rank 1 since only one pattern is "
        "being learned",
        place="Section 3, figure 4(b)",
        reported="one",
        epoch="fig3",
        parts=(
            Part(
                "linear nodes in use with eq. 2",
                numbers.of_between(numbers.EQ2, "linear_nodes"),
                "one; in use are those whose own term is above a tenth of the largest",
                high=1,
            ),
            alive(numbers.EQ2),
        ),
    ),
    Claim(
        id="wd-low-rank",
        statement="weight decay: A is of very low rank, one pattern learned several times",
        quote="the learned matrix A⁽²⁾ = W⁽²⁾V⁽¹⁾ is low rank since the same pattern is learned "
        "multiple times",
        place="Section 3, figure 4(c)",
        reported="very low",
        epoch="fig3",
        parts=(
            Part(
                "rank of A with weight decay (default tolerance)",
                numbers.of_between(numbers.DECAY, "default_rank"),
                "a quarter of d = 16, which the architecture allows",
                high=4,
            ),
            Part(
                "linear nodes in use / patterns among them, with weight decay",
                numbers.repetitions,
                "at least two nodes for one pattern; two patterns are the same above a cosine of "
                "0.9",
                low=2,
            ),
            alive(numbers.DECAY),
        ),
    ),
    Claim(
        id="dense-wd-rank",
        statement="dense network with weight decay: rank about 750",
        quote="the weight matrix in the case of the fully-connected feedforward ReLU network "
        "with trained with weight decay is about rank 750",
        place="Section 3, figure 4",
        reported="about 750",
        epoch="fig3",
        parts=(
            Part(
                "rank of A, dense network with weight decay",
                numbers.rank_dense_decay,
                "750 give or take a fifth. The paper does not say how it counts, so of singular "
                "values above 10⁻³ and above PyTorch's default tolerance the count that is closer",
                low=600,
                high=900,
            ),
        ),
    ),
    Claim(
        id="dense-none-rank",
        statement="dense network without regularizer: full rank",
        quote="trained without regularization is full-rank",
        place="Section 3, figure 4",
        reported="full, 1296",
        epoch="fig3",
        parts=(
            Part(
                "rank / full rank of A, dense network without regularizer",
                numbers.full_rank_dense,
                "all singular values but one in a hundred, since one may by chance be small",
                low=0.99,
            ),
        ),
    ),
    Claim(
        id="rank-order",
        statement="rank of A: equation 2 below weight decay, that below the dense network's",
        quote="We found that the problem (2) resulted in networks with sparse and low-rank weight "
        "matrices. … weight decay … to a lesser extent",
        place="Section 4; figure 4",
        reported="in this order",
        epoch="fig3",
        parts=(
            Part(
                "rank of A, eq. 2 / weight decay (default tolerance)",
                numbers.quotient(numbers.EQ2, numbers.DECAY, "default_rank"),
                "less than 1",
                high=BELOW_ONE,
            ),
            Part(
                "rank of A, weight decay / dense with weight decay (default tolerance)",
                numbers.quotient(numbers.DECAY, numbers.DENSE, "default_rank"),
                "less than 1",
                high=BELOW_ONE,
            ),
            alive(numbers.EQ2, numbers.DECAY),
        ),
    ),
    Claim(
        id="fairly-sparse",
        statement="regularized matrices between ReLU layers are fairly sparse, the other is not",
        quote="results in fairly sparse weight matrices. Meanwhile, training a standard "
        "fully-connected feedforward ReLU network without weight decay results in non-sparse",
        place="Section 3, figure 3",
        reported="fairly sparse; non-sparse",
        epoch="fig3",
        parts=(
            Part(
                "largest sparsity of A, eq. 2 and weight decay",
                numbers.densest_regularized,
                "at most half of the entries are nonzero",
                high=0.5,
            ),
            Part(
                "sparsity of A, dense network with weight decay",
                numbers.of_between(numbers.DENSE, "sparsity"),
                "at most half of the entries are nonzero",
                high=0.5,
            ),
            Part(
                "sparsity of A, dense network without regularizer",
                numbers.of_between(("dense", "none"), "sparsity"),
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
        reported="81",
        epoch="shallow",
        parts=(
            Part(
                "neurons / data points or its inverse, at the width where that is largest",
                numbers.farthest_from_data,
                "roughly equal: within a factor of 2. Neurons with parallel weights count once",
                high=2,
            ),
        ),
    ),
    Claim(
        id="width-bound",
        statement="no block needs more than N d neurons",
        quote="K^(ℓ) ≤ N d_ℓ",
        place="Theorem 1",
        reported="at most 1",
        epoch="fig2",
        parts=(
            Part(
                "largest neurons / N d over the blocks, eq. 2",
                numbers.against_width_bound,
                "the theorem's bound. It says that some minimiser keeps to it, so a network above "
                "it contradicts no theorem, but shows that training does not find that minimiser",
                high=1,
            ),
        ),
        counted=False,
    ),
)
