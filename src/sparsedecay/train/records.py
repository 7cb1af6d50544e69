"""What is written down while training: losses, magnitudes, norms, leading singular values."""

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
from sparsedecay.science.recorded import LADDER, LEADING, Counter, contributions
from sparsedecay.science.run import Run


class Records:
    """Rows for the epochs recorded so far in one stretch between milestones: epoch 0, the multiples
    of `record_every`, and the milestone itself."""

    def __init__(self, run: Run, X: Tensor) -> None:
        """Args:
        X: inputs, (N, d_0).
        """
        self.run, self.network, self.X = run, build(run), X
        samples = run.data.points * run.data.d_out
        self.terms = samples / run.terms(samples)  # loss / mse
        matrices, K = self.network.matrices, self.network.K
        self.shapes = {name: self.network.shapes[name] for name in matrices}
        self.shapes |= {f"h{layer}": (K, 1) for layer in range(1, self.network.L + 1)}
        self.counter = Counter(np.dtype(run.precision), [*map(prod, self.shapes.values())])
        self.products = [pair for pair in self.network.between.values() if len(pair) == 2]
        self.epochs: list[int] = []
        self.losses = np.empty((0, 2))  # (records, [mse, regularizer])
        self.sigma = np.empty((0, len(self.products) * LEADING))
        self.max_abs = np.empty((0, len(self.shapes)))
        self.norms = np.empty((0, len(self.shapes)))
        self.exceeding = np.empty((0, len(self.shapes), len(LADDER)), dtype=np.int64)

    def next(self, epoch: int, end: int) -> int:
        """The epoch of the next record of a stretch that ends at `end`."""
        every = self.run.record_every
        return min((epoch // every + 1) * every, end)

    @torch.no_grad()
    def add(self, trainer: Trainer) -> bool:
        """Record the present epoch, if its loss and all parameters are finite; returns whether they
        are."""
        losses = [float(loss) for loss in trainer.losses()]
        tensors = trainer.parameters
        parameters = {name: tensor.numpy(force=True) for name, tensor in tensors.items()}
        finite = all(np.isfinite(array).all() for array in parameters.values())
        if not (finite and math.isfinite(self.objective(*losses))):
            return False
        hidden = [h.numpy(force=True) for h in self.network.layers(tensors, self.X, torch.relu)]
        arrays = [parameters[name] for name in self.network.matrices]
        arrays += contributions(self.network, parameters, hidden)
        max_abs, exceeding = self.counter.count(
            np.abs(np.concatenate([array.ravel() for array in arrays]))
        )
        self.epochs.append(trainer.epoch)
        rows = {
            "losses": losses,
            "sigma": [x for W, V in self.products for x in leading(tensors[W], tensors[V])],
            "max_abs": max_abs,
            # torch keeps to one thread, so that the bits depend on no number of cores
            "norms": [float(torch.from_numpy(array).double().norm()) for array in arrays],
            "exceeding": exceeding,
        }
        for name, row in rows.items():
            setattr(self, name, np.append(getattr(self, name), np.array(row)[None], axis=0))
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
        epochs = {"records.epochs": torch.tensor(self.epochs, dtype=torch.int64)}
        return epochs | {f"records.{n}": torch.from_numpy(getattr(self, n)) for n in ROWS}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """The rows that `tensors` gave."""
        self.epochs = tensors["records.epochs"].tolist()
        for name in ROWS:
            setattr(self, name, tensors[f"records.{name}"].numpy())

    def write(self, loss: Path, magnitudes: Path, metadata: Mapping[str, str]) -> None:
        """Write both tables."""
        mse, regularizer = self.losses.T
        columns = [
            [self.run.id] * len(self.epochs),
            self.epochs,
            mse,
            regularizer,
            self.objective(mse, regularizer),
            lists(self.sigma),
        ]
        write_table(loss, pa.table(columns, schema=LOSS), metadata)

        names, shapes = list(self.shapes), list(self.shapes.values())
        rows = len(self.epochs) * len(names)
        columns = [
            [self.run.id] * rows,
            np.repeat(self.epochs, len(names)),
            names * len(self.epochs),
            [shape[0] for shape in shapes] * len(self.epochs),
            [shape[1] for shape in shapes] * len(self.epochs),
            self.max_abs.reshape(rows),
            self.norms.reshape(rows),
            lists(self.exceeding.reshape(rows, len(LADDER))),
        ]
        ladder = {"ladder": json.dumps(LADDER)}
        write_table(magnitudes, pa.table(columns, schema=MAGNITUDES), {**metadata, **ladder})


ROWS = ("losses", "sigma", "max_abs", "norms", "exceeding")
"""Arrays of `Records`, a row for each record."""


def leading(W: Tensor, V: Tensor) -> list[float]:
    """The `LEADING` largest singular values of the product of W (m, d) and V (d, n); those that it
    does not have are 0."""
    left, right = (torch.linalg.qr(A.double(), mode="r").R for A in (W, V.T))
    sigma = torch.linalg.svdvals(left @ right.T).tolist()
    return [*sigma, *[0.0] * LEADING][:LEADING]


def lists(rows: np.ndarray) -> pa.ListArray:
    """A column of lists, one for each row."""
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(offsets, rows.reshape(-1))
