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
        self.rows: dict[str, list[np.ndarray]] = {name: [] for name in ROWS}
        self.row_shapes = {
            "losses": (2,),  # mse, regularizer
            "sigma": (len(self.products) * LEADING,),
            "max_abs": (len(self.shapes),),
            "norms": (len(self.shapes),),
            "exceeding": (len(self.shapes), len(LADDER)),
        }

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
        row = {
            "losses": losses,
            "sigma": [x for W, V in self.products for x in leading(tensors[W], tensors[V])],
            "max_abs": max_abs,
            # torch keeps to one thread, so that the bits depend on no number of cores
            "norms": [float(torch.from_numpy(array).double().norm()) for array in arrays],
            "exceeding": exceeding,
        }
        self.append(trainer.epoch, {name: np.array(values) for name, values in row.items()})
        return True

    def append(self, epoch: int, row: Mapping[str, np.ndarray]) -> None:
        """Record what is known of an epoch: an array for each of `ROWS`."""
        self.epochs.append(epoch)
        for name, known in self.rows.items():
            known.append(row[name].astype(ROWS[name]))

    def array(self, name: str) -> np.ndarray:
        """All rows of one of `ROWS`, (records, …)."""
        shape = (len(self.epochs), *self.row_shapes[name])
        return np.array(self.rows[name], dtype=ROWS[name]).reshape(shape)

    @property
    def mse(self) -> float:
        """Mean squared error at the last record; NaN if there is none."""
        return float(self.rows["losses"][-1][0]) if self.epochs else math.nan

    def objective(self, mse: Any, regularizer: Any) -> Any:
        """What training lowers, of numbers or arrays."""
        return mse * self.terms + self.run.penalty * regularizer

    def tensors(self) -> dict[str, Tensor]:
        """All rows, for a checkpoint."""
        epochs = {"records.epochs": torch.tensor(self.epochs, dtype=torch.int64)}
        return epochs | {f"records.{n}": torch.from_numpy(self.array(n)) for n in ROWS}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """The rows that `tensors` gave."""
        self.epochs = tensors["records.epochs"].tolist()
        for name in ROWS:
            self.rows[name] = [*tensors[f"records.{name}"].numpy()]

    def write(self, loss: Path, magnitudes: Path, metadata: Mapping[str, str]) -> None:
        """Write both tables."""
        mse, regularizer = self.array("losses").T
        columns = [
            [self.run.id] * len(self.epochs),
            self.epochs,
            mse,
            regularizer,
            self.objective(mse, regularizer),
            lists(self.array("sigma")),
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
            self.array("max_abs").reshape(rows),
            self.array("norms").reshape(rows),
            lists(self.array("exceeding").reshape(rows, len(LADDER)).astype(np.int64)),
        ]
        ladder = {"ladder": json.dumps(LADDER)}
        write_table(magnitudes, pa.table(columns, schema=MAGNITUDES), {**metadata, **ladder})


ROWS = {
    "losses": np.float64,
    "sigma": np.float64,
    "max_abs": np.float64,
    "norms": np.float64,
    "exceeding": np.int32,
}
"""What `Records` has of each record, by type."""


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
