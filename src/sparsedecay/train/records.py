"""What is written down while training: the loss and the weights' magnitudes."""

import json
import math
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from sparsedecay.engines.state import State
from sparsedecay.files.storage import write_table
from sparsedecay.science.networks import build
from sparsedecay.science.recorded import LADDER, LOSS, MAGNITUDES, edges
from sparsedecay.science.run import Run


class Engine(Protocol):
    """What the loop needs of an engine."""

    epoch: int

    @property
    def parameters(self) -> Mapping[str, Tensor]: ...

    def losses(self) -> tuple[Tensor, Tensor]: ...

    def advance(self, epochs: int) -> None: ...

    def state(self) -> State: ...


class Counter:
    """Counts entries above the rungs of the ladder, for several matrices of given sizes at once.

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
        """The largest magnitude, and how many lie above each rung, by matrix: (matrices,) and
        (matrices, rungs), from the entries of all matrices one after the other."""
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


class Records:
    """Rows for the epochs recorded so far in one stretch between milestones: epoch 0, the multiples
    of `record_every`, and the milestone itself."""

    def __init__(self, run: Run) -> None:
        self.run, self.network = run, build(run)
        self.terms = run.data.points / run.terms(run.data.points)  # loss / mse
        matrices = self.network.matrices
        self.counter = Counter(
            np.dtype(run.precision), [prod(self.network.shapes[m]) for m in matrices]
        )
        self.epochs: list[int] = []
        self.losses = np.empty((0, 2))  # (records, [mse, regularizer])
        self.max_abs = np.empty((0, len(matrices)))
        self.exceeding = np.empty((0, len(matrices), len(LADDER)), dtype=np.int64)

    @torch.no_grad()
    def add(self, engine: Engine) -> bool:
        """Record the present epoch, if its loss and all parameters are finite; returns whether they
        are."""
        losses = [float(loss) for loss in engine.losses()]
        parameters = {name: tensor.numpy(force=True) for name, tensor in engine.parameters.items()}
        finite = all(np.isfinite(array).all() for array in parameters.values())
        if not (finite and math.isfinite(self.objective(*losses))):
            return False
        entries = [parameters[name].ravel() for name in self.network.matrices]
        max_abs, exceeding = self.counter.count(np.abs(np.concatenate(entries)))
        self.epochs.append(engine.epoch)
        self.losses = np.append(self.losses, [losses], axis=0)
        self.max_abs = np.append(self.max_abs, max_abs[None], axis=0)
        self.exceeding = np.append(self.exceeding, exceeding[None], axis=0)
        return True

    @property
    def mse(self) -> float:
        """Mean squared error at the last record; NaN if there is none."""
        return float(self.losses[-1, 0]) if self.epochs else math.nan

    def objective(self, mse: Any, regularizer: Any) -> Any:
        """What training lowers, of numbers or arrays."""
        return mse * self.terms + self.run.penalty * regularizer

    def tensors(self) -> dict[str, Tensor]:
        """All rows, for a checkpoint."""
        return {
            "records.epochs": torch.tensor(self.epochs, dtype=torch.int64),
            "records.losses": torch.from_numpy(self.losses),
            "records.max_abs": torch.from_numpy(self.max_abs),
            "records.exceeding": torch.from_numpy(self.exceeding),
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """The rows that `tensors` gave."""
        self.epochs = tensors["records.epochs"].tolist()
        self.losses = tensors["records.losses"].numpy()
        self.max_abs = tensors["records.max_abs"].numpy()
        self.exceeding = tensors["records.exceeding"].numpy()

    def write(self, loss: Path, magnitudes: Path, metadata: Mapping[str, str]) -> None:
        """Write both tables."""
        mse, regularizer = self.losses.T
        columns = [
            [self.run.id] * len(self.epochs),
            self.epochs,
            mse,
            regularizer,
            self.objective(mse, regularizer),
        ]
        write_table(loss, pa.table(columns, schema=LOSS), metadata)

        names, shapes = self.network.matrices, self.network.shapes
        rows = len(self.epochs) * len(names)
        exceeding = self.exceeding.reshape(rows, len(LADDER))
        columns = [
            [self.run.id] * rows,
            np.repeat(self.epochs, len(names)),
            names * len(self.epochs),
            [shapes[name][0] for name in names] * len(self.epochs),
            [shapes[name][1] for name in names] * len(self.epochs),
            self.max_abs.reshape(rows),
            pa.ListArray.from_arrays(
                np.arange(rows + 1, dtype=np.int32) * exceeding.shape[1], exceeding.reshape(-1)
            ),
        ]
        ladder = {"ladder": json.dumps(LADDER)}
        write_table(magnitudes, pa.table(columns, schema=MAGNITUDES), {**metadata, **ladder})
