"""What training records: losses, magnitudes on a ladder, norms and leading singular values.

For each matrix it is recorded how many entries lie above each rung of the ladder, for each ReLU
layer how many neurons matter to the fit by more than that. Which rung is the threshold is decided
when it is measured, so that another threshold trains nothing again.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from sparsedecay.science.networks import Network

LADDER = tuple(float(f"{digit}e{power}") for power in range(-8, 1) for digit in range(1, 10))
"""1e-8, 2e-8, …, 9: all numbers of one significant digit in between."""


def edges(dtype: type[np.floating]) -> np.ndarray:
    """The ladder rounded down to `dtype`: an entry of that type lies above a rung exactly when it
    lies above the rung's edge."""
    rounded = np.array(LADDER).astype(dtype)
    above = rounded.astype(np.float64) > np.array(LADDER)
    return np.where(above, np.nextafter(rounded, dtype(0)), rounded)


LEADING = 3
"""Singular values that are recorded of each A^(l) = W^(l) V^(l-1)."""


class Counter:
    """Counts entries above the rungs of the ladder, for several arrays of given sizes at once.

    To look each entry up among the edges would take longer than an epoch. So entries are counted by
    their first bits, and looked up only where these are shared by numbers on both sides of an edge.
    """

    BITS = 14

    def __init__(self, dtype: np.dtype, sizes: list[int]) -> None:
        self.edges, self.sizes = edges(dtype.type), sizes
        self.integer, self.shift = np.dtype(f"i{dtype.itemsize}"), 8 * dtype.itemsize - self.BITS
        least = np.arange(2 ** (self.BITS - 1), dtype=self.integer) << self.shift
        self.rung = np.searchsorted(self.edges, least.view(dtype))  # of the least with these bits
        self.in_doubt = np.append(np.diff(self.rung) > 0, False)
        self.matrix = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)

    def count(self, magnitudes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The largest magnitude, and how many lie above each rung, by array: (arrays,) and
        (arrays, rungs), from the entries of all arrays one after the other."""
        matrices, bins, rungs = len(self.sizes), len(self.rung), len(LADDER) + 1
        first_bits = magnitudes.view(self.integer) >> self.shift
        binned = np.bincount(self.matrix * bins + first_bits, minlength=matrices * bins)
        binned = binned.reshape(matrices, bins)
        matrix, sure = np.nonzero(binned * ~self.in_doubt)
        by_rung = np.bincount(
            matrix * rungs + self.rung[sure], binned[matrix, sure], matrices * rungs
        ).astype(np.int64)
        doubtful = np.flatnonzero(self.in_doubt[first_bits])
        rung = np.searchsorted(self.edges, magnitudes[doubtful])
        by_rung += np.bincount(self.matrix[doubtful] * rungs + rung, minlength=matrices * rungs)
        at_most = np.cumsum(by_rung.reshape(matrices, rungs), axis=1)[:, :-1]
        starts = np.cumsum([0, *self.sizes[:-1]])
        return np.maximum.reduceat(magnitudes, starts), np.array(self.sizes)[:, None] - at_most


def contributions(
    network: Network, p: Mapping[str, np.ndarray], hidden: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """For each ReLU layer how much its neurons matter to the fit, (K,): the largest activation over
    the data times the largest magnitude of an outgoing weight.

    Args:
        hidden: activations of each layer, (N, K); what comes after the layers is left alone.
    """
    found = []
    for h, outgoing in zip(hidden, network.outgoing, strict=False):
        largest = np.max([np.abs(p[name]).max(axis=0) for name in outgoing], axis=0)  # (K,)
        found.append(h.max(axis=0) * largest)
    return found
