"""What is written down while training: the loss and the weights' magnitudes."""

import json
import math
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from sparsedecay.engines import Trainer
from sparsedecay.files.storage import write_table
from sparsedecay.files.tables import LOSS, MAGNITUDES
from sparsedecay.science.networks import build
from sparsedecay.science.recorded import LADDER, Counter
from sparsedecay.science.run import Run


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

    def next(self, epoch: int, end: int) -> int:
        """The epoch of the next record of a stretch that ends at `end`."""
        every = self.run.record_every
        return min((epoch // every + 1) * every, end)

    @torch.no_grad()
    def add(self, trainer: Trainer) -> bool:
        """Record the present epoch, if its loss and all parameters are finite; returns whether they
        are."""
        losses = [float(loss) for loss in trainer.losses()]
        parameters = {name: tensor.numpy(force=True) for name, tensor in trainer.parameters.items()}
        finite = all(np.isfinite(array).all() for array in parameters.values())
        if not (finite and math.isfinite(self.objective(*losses))):
            return False
        entries = [parameters[name].ravel() for name in self.network.matrices]
        max_abs, exceeding = self.counter.count(np.abs(np.concatenate(entries)))
        self.epochs.append(trainer.epoch)
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
