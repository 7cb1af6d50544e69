"""What is written down while training: the loss and the weights' magnitudes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from sparsedecay.networks import build
from sparsedecay.recorded import LADDER, LOSS, MAGNITUDES, edges
from sparsedecay.runs import Run
from sparsedecay.storage import write_table
from sparsedecay.train.state import State


class Engine(Protocol):
    """What the loop needs of an engine."""

    epoch: int

    def losses(self) -> tuple[Tensor, Tensor]: ...

    def advance(self, epochs: int) -> None: ...

    def state(self) -> State: ...


class Records:
    """Rows for the epochs recorded so far in one stretch between milestones: epoch 0, the multiples
    of `record_every`, and the milestone itself."""

    def __init__(self, run: Run) -> None:
        self.run, self.network = run, build(run)
        self.edges = torch.from_numpy(edges(np.dtype(run.precision).type))
        matrices = len(self.network.matrices)
        self.epochs: list[int] = []
        self.losses = np.empty((0, 2))  # (records, [mse, regularizer])
        self.max_abs = np.empty((0, matrices))
        self.exceeding = np.empty((0, matrices, len(LADDER)), dtype=np.int64)

    @torch.no_grad()
    def add(self, engine: Engine) -> float:
        """Record the present epoch; returns its mean squared error."""
        losses = [float(loss) for loss in engine.losses()]
        parameters = engine.state().parameters
        magnitudes = [parameters[name].abs() for name in self.network.matrices]
        self.epochs.append(engine.epoch)
        self.losses = np.append(self.losses, [losses], axis=0)
        self.max_abs = np.append(self.max_abs, [[float(m.max()) for m in magnitudes]], axis=0)
        counts = np.stack([self.count(magnitude) for magnitude in magnitudes])
        self.exceeding = np.append(self.exceeding, counts[None], axis=0)
        return losses[0]

    def count(self, magnitude: Tensor) -> np.ndarray:
        """How many entries lie above each rung of the ladder."""
        rung = torch.bucketize(magnitude.flatten(), self.edges, out_int32=True)
        histogram = torch.bincount(rung, minlength=len(LADDER) + 1).numpy()
        return magnitude.numel() - np.cumsum(histogram)[:-1]

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
            pa.array([self.run.id] * len(self.epochs)),
            self.epochs,
            mse,
            regularizer,
            mse + self.run.lam * regularizer,
        ]
        write_table(loss, pa.table(columns, schema=LOSS), metadata)

        names, shapes = self.network.matrices, self.network.shapes
        rows = len(self.epochs) * len(names)
        exceeding = self.exceeding.reshape(rows, len(LADDER))
        columns = [
            pa.array([self.run.id] * rows),
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
