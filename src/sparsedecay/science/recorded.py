"""What training records: the losses, and counts of matrix entries on a ladder of magnitudes.

For each matrix it is recorded how many entries lie above each rung. Which rung is the threshold of
sparsity is decided when it is measured, so that another threshold trains nothing again.
"""

import numpy as np
import pyarrow as pa

from sparsedecay.files.storage import schema

LADDER = tuple(float(f"{digit}e{power}") for power in range(-8, 1) for digit in range(1, 10))
"""1e-8, 2e-8, …, 9: all numbers of one significant digit in between."""

LOSS = schema(
    ("run", pa.string(), "run id"),
    ("epoch", pa.int64(), "epochs trained"),
    ("mse", pa.float64(), "mean over the data of (f(x) - y)^2"),
    ("regularizer", pa.float64(), "value of the regularizer, without lam"),
    ("objective", pa.float64(), "loss + lam * regularizer (lam / 2 as the option of an optimizer)"),
)
MAGNITUDES = schema(
    ("run", pa.string(), "run id"),
    ("epoch", pa.int64(), "epochs trained"),
    ("matrix", pa.string(), "name of the weight matrix"),
    ("rows", pa.int64(), "count"),
    ("columns", pa.int64(), "count"),
    ("max_abs", pa.float64(), "largest magnitude of an entry"),
    (
        "exceeding",
        pa.list_(pa.int64()),
        "entries above each magnitude of the file's `ladder`, count",
    ),
)


def edges(dtype: type[np.floating]) -> np.ndarray:
    """The ladder rounded down to `dtype`: an entry of that type lies above a rung exactly when it
    lies above the rung's edge."""
    rounded = np.array(LADDER).astype(dtype)
    above = rounded.astype(np.float64) > np.array(LADDER)
    return np.where(above, np.nextafter(rounded, dtype(0)), rounded)
