"""Minibatches: which samples each step of an epoch is made with."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from sparsedecay.science.data import stream
from sparsedecay.science.run import Run


def steps(run: Run, epoch: int, X: Tensor, y: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs and targets of each step of an epoch (from 0)."""
    if run.optimizer.batches == 1:
        yield X, y
        return
    for batch in batches(run, epoch):
        yield X[batch], y[batch]


def batches(run: Run, epoch: int) -> list[np.ndarray]:
    """Indices of the samples of each step of an epoch (from 0), as equal in number as can be: a
    shuffle that belongs to this epoch, so that a training can go on from any of them."""
    order = stream(run.initialization.seed, f"batches {epoch}").permutation(run.data.points)
    return np.array_split(order, run.optimizer.batches)


def sizes(run: Run) -> set[int]:
    """How many samples a step may be made with."""
    fewest, left = divmod(run.data.points, run.optimizer.batches)
    return {fewest, fewest + 1} if left else {fewest}
