"""What a batch of runs records, worked out on their device and brought from there in one go.

The same numbers as `Records.add` has of a single run: counts are equal, norms, losses and singular
values to rounding.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sparsedecay.engines.batched.trainer import Batch
from sparsedecay.science.recorded import LADDER, LEADING, edges
from sparsedecay.train.records import Records

CHUNK = 2**24
"""Entries that are looked up among the rungs at a time."""
BLOCK = 128
"""Rows of the blocks that a triangular factor is made from; accelerators have a batched routine for
matrices with few rows."""


@torch.no_grad()
def add(batch: Batch, records: Sequence[Records], live: np.ndarray) -> np.ndarray:
    """Record the present epoch of those runs of a batch that are `live` and whose loss and
    parameters are finite; returns which these are, (B,)."""
    first = records[0]
    p = batch.parameters
    losses = torch.stack(batch.losses(), 1)  # (B, 2), in the order given
    whole = batch.vector.isfinite().all(1).cpu().numpy()[batch.order]
    told = losses.cpu().double().numpy()
    objective = np.array(
        [one.objective(*row) for one, row in zip(records, told, strict=True)], dtype=np.float64
    )
    finite: np.ndarray = live & whole & np.isfinite(objective)
    if not finite.any():
        return finite
    arrays = [p[name].flatten(1) for name in first.network.matrices]
    arrays += contributions(batch)
    sigma = [leading(double(p[W]), double(p[V])) for W, V in first.products]
    gathered = {
        "sigma": torch.cat(sigma, 1) if sigma else losses.new_empty(len(losses), 0),
        "max_abs": torch.stack([array.abs().amax(1) for array in arrays], 1),
        "norms": torch.stack([double(array).norm(dim=1) for array in arrays], 1),
        "exceeding": torch.stack([exceeding(array) for array in arrays], 1),
    }
    found = {name: tensor.cpu().numpy()[batch.order] for name, tensor in gathered.items()}
    found["losses"] = told
    for index in np.flatnonzero(finite).tolist():
        row = {name: array[index] for name, array in found.items()}
        records[index].append(batch.epoch, row)
    return finite


def double(tensor: Tensor) -> Tensor:
    """In float64; on the processor where a device has no such numbers (`mps`)."""
    return tensor.cpu().double() if tensor.device.type == "mps" else tensor.double()


def contributions(batch: Batch) -> list[Tensor]:
    """As `science.recorded.contributions`, (B, K) for each ReLU layer."""
    found = []
    for h, outgoing in zip(batch.hidden, batch.network.outgoing, strict=True):
        by_matrix = [batch.parameters[name].abs().amax(1) for name in outgoing]
        found.append(h.amax(1) * torch.stack(by_matrix).amax(0))
    return found


def exceeding(array: Tensor) -> Tensor:
    """How many magnitudes lie above each rung of the ladder, (B, n) -> (B, rungs)."""
    precision = np.float64 if array.dtype == torch.float64 else np.float32
    bounds = torch.from_numpy(edges(precision)).to(array.device)
    rungs, size = len(LADDER) + 1, array.shape[1]
    counts = []
    for rows in array.split(max(1, CHUNK // size)):
        rung = torch.bucketize(rows.abs(), bounds, out_int32=True)
        rung += rungs * torch.arange(len(rows), device=array.device, dtype=torch.int32)[:, None]
        counts.append(torch.bincount(rung.flatten(), minlength=rungs * len(rows)).view(-1, rungs))
    return size - torch.cat(counts).cumsum(1)[:, :-1]


def leading(W: Tensor, V: Tensor) -> Tensor:
    """The `LEADING` largest singular values of the products of W (B, m, d) and V (B, d, n), as
    (B, LEADING); those that they do not have are 0."""
    left, right = triangular(W), triangular(V.mT)
    # of a run that has diverged they mean nothing, but must not end the others
    product = (left @ right.mT).nan_to_num(0, 0, 0)
    sigma: Tensor = torch.linalg.svdvals(product)
    return torch.nn.functional.pad(sigma, (0, LEADING))[:, :LEADING]


def triangular(A: Tensor) -> Tensor:
    """The factor R of A = Q R, of each (m, d): first of blocks of rows, then of those below each
    other (Demmel, Grigori, Hoemmen and Langou 2012)."""
    rows, d = A.shape[1:]
    R: Tensor
    block = max(BLOCK, 2 * d)
    while rows > block:
        padded = torch.nn.functional.pad(A, (0, 0, 0, -rows % block))
        blocks = padded.reshape(-1, block, d)
        A = torch.linalg.qr(blocks, mode="r").R.reshape(len(A), -1, d)
        rows = A.shape[1]
    R = torch.linalg.qr(A, mode="r").R
    return R
