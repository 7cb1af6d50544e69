"""What is measured of matrices and networks: sparsity, spectrum, rank, neurons.

Everything is computed in float64 from stored weights, whatever the precision of the training.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from sparsedecay.science.data import Teacher
from sparsedecay.science.networks import Network, role
from sparsedecay.science.recorded import contributions
from sparsedecay.science.settings import Positive, Settings

PARALLEL = 0.99
"""Cosine above which two neurons count as one."""
SAME = 0.9
"""Cosine above which two linear nodes have learned the same pattern."""
IN_USE = 0.1
"""A linear node is in use if its own term is larger than this fraction of the largest."""
ALIVE = 10
"""A matrix between ReLU layers is alive if an entry is larger than so many thresholds."""
SPIKE = 0.05
"""A milestone lies on a spike of the loss if its error exceeds that of the records before it by
more than this fraction of the targets' mean square."""
TAIL = 20
"""Records whose median stands for the loss at the end, where one epoch may sit on a spike."""


class Measures(Settings):
    """Definitions of what is measured; changing one trains nothing again."""

    threshold: Positive
    """An entry counts as nonzero above this magnitude. One significant digit, because
    training counts entries above such magnitudes only. The paper: 1e-3."""
    rank_threshold: Positive
    """Numerical rank: number of singular values above this value."""
    relative_rank_threshold: Annotated[float, Field(gt=0, lt=1)]
    """Relative rank: number of singular values above this fraction of the largest."""
    average_over: Annotated[
        tuple[Literal["W", "V", "C"], ...], Field(min_length=1, max_length=3, strict=False)
    ]
    """Weight matrices that the average sparsity of figure 2 runs over, each counted once."""

    @model_validator(mode="after")
    def check(self) -> "Measures":
        if len(set(self.average_over)) != len(self.average_over):
            raise ValueError("average_over: each kind of matrix may stand only once")
        return self


def sparsity(matrix: np.ndarray, threshold: float) -> float:
    """Fraction of entries with |a| > threshold: 1 is dense (Section 3)."""
    return float(np.mean(np.abs(matrix) > threshold))


def singular_values(*factors: np.ndarray) -> np.ndarray:
    """Singular values of a matrix, or of the product of two, in decreasing order.

    Of a product W (m, d) times V (d, n) there are min(d, m, n): the others are exactly 0, and the
    small ones would drown in rounding if the product were formed.
    """
    if len(factors) == 1:
        return np.linalg.svd(factors[0], compute_uv=False)
    W, V = factors
    # numpy's types do not know that mode "r" gives an array
    left: np.ndarray = np.linalg.qr(W, mode="r")  # type: ignore[assignment]
    right: np.ndarray = np.linalg.qr(V.T, mode="r")  # type: ignore[assignment]
    return np.linalg.svd(left @ right.T, compute_uv=False)


def rank(sigma: np.ndarray, threshold: float) -> int:
    """Number of singular values above the threshold."""
    return int(np.sum(sigma > threshold))


def relative_rank(sigma: np.ndarray, fraction: float) -> int:
    """Number of singular values above a fraction of the largest; 0 for the zero matrix."""
    return int(np.sum(sigma > fraction * sigma[0])) if sigma[0] > 0 else 0


def default_rank(sigma: np.ndarray, rows: int, columns: int) -> int:
    """Number of singular values above the default tolerance of torch.linalg.matrix_rank for a
    float32 matrix, sigma_1 * max(rows, columns) * 1.19e-7."""
    return relative_rank(sigma, max(rows, columns) * float(np.finfo(np.float32).eps))


def stable_rank(sigma: np.ndarray) -> float:
    """||A||_F^2 / ||A||_2^2, at most the rank; 0 for the zero matrix.
    (Rudelson & Vershynin 2007)"""
    return float(np.sum(sigma**2) / sigma[0] ** 2) if sigma[0] > 0 else 0.0


def linear_nodes(W: np.ndarray, V: np.ndarray) -> tuple[int, int]:
    """Linear nodes in use, and how many different patterns they have learned.

    Inner dimension j of the product W (m, d) times V (d, n) is a linear node, and the matrix
    w_j v_j^T of norm ||w_j|| ||v_j|| its pattern (Section 3, figure 4c). In use are those above
    `IN_USE` of the largest; of these, patterns are counted greedily, the largest first, and
    parallel ones, with a cosine above `SAME` or below its negative, once.
    """
    gram = (W.T @ W) * (V @ V.T)  # (d, d), inner products of the patterns
    norms = np.sqrt(np.diag(gram))
    used = [j for j in np.argsort(-norms, kind="stable") if norms[j] > IN_USE * norms.max()]
    patterns: list[int] = []
    for j in used:
        if all(abs(gram[i, j]) <= SAME * norms[i] * norms[j] for i in patterns):
            patterns.append(j)
    return len(used), len(patterns)


def active_neurons(
    network: Network, p: Mapping[str, np.ndarray], X: np.ndarray, threshold: float
) -> list[np.ndarray]:
    """For each ReLU layer the neurons that matter to the fit by more than the threshold, as
    indices."""
    found = contributions(network, p, network.layers(p, X, relu))
    return [np.flatnonzero(layer > threshold) for layer in found]


def distinct_neurons(
    network: Network, p: Mapping[str, np.ndarray], active: Sequence[np.ndarray]
) -> list[int]:
    """For each ReLU layer the active neurons that compute different features: those whose weights
    and bias are parallel could be merged into one without changing the network, nor what weight
    decay costs. Counted greedily, the longest first; parallel is a cosine above `PARALLEL`."""
    counts = []
    for layer, neurons in enumerate(active, start=1):
        into, *skips = network.into(layer)
        parts = [p[into], p[f"b{layer}"][:, None], *(p[skip] for skip in skips)]
        features = np.hstack(parts)[neurons]
        lengths = np.linalg.norm(features, axis=1)
        features = (features / lengths[:, None])[np.argsort(-lengths, kind="stable")]
        count = 0
        while len(features):
            features = features[features @ features[0] <= PARALLEL]
            count += 1
        counts.append(count)
    return counts


def recovered(teacher: Teacher, p: Mapping[str, np.ndarray], active: np.ndarray) -> int:
    """Neurons of a teacher whose hyperplane some active neuron of the first ReLU layer has too: a
    cosine above `PARALLEL` or below its negative between (w, b) of the one and of the other. Either
    sign counts, as relu(z) and relu(-z) differ by a linear function."""
    both = [(teacher.W, teacher.b), (p["W1"][active], p["b1"][active])]
    theirs, ours = (np.column_stack(pair) for pair in both)
    theirs, ours = (f / np.linalg.norm(f, axis=1, keepdims=True) for f in (theirs, ours))
    return int((np.abs(theirs @ ours.T) > PARALLEL).any(axis=1).sum())


def relu(z: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(z, 0))


def average_sparsity(by_matrix: Mapping[str, float], kinds: Sequence[str]) -> float:
    """Mean over the weight matrices of the given roles, each counted once whatever its size."""
    chosen = [s for name, s in by_matrix.items() if role(name) in kinds]
    return float(np.mean(chosen))
