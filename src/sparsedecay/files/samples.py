"""A data set as a table."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from sparsedecay.files import paths
from sparsedecay.files.storage import misplaced, read_table, schema
from sparsedecay.science.data import Data, Samples


def table(found: Samples) -> pa.Table:
    """Columns x1 … x_d0 and y, or y1 … y_D where there are more, one row per point. Where there are
    test rows they come last, and the column `test` tells them."""
    d_in, d_out = found.X.shape[1], found.y.shape[1]
    outputs = ["y"] if d_out == 1 else [f"y{i + 1}" for i in range(d_out)]
    fields = [(f"x{i + 1}", pa.float64(), "input, dimensionless") for i in range(d_in)]
    fields += [(name, pa.float64(), "target, dimensionless") for name in outputs]
    X, y = np.vstack([found.X, found.test_X]), np.vstack([found.y, found.test_y])
    columns = [*X.T, *y.T]
    if len(found.test_X):
        fields.append(("test", pa.bool_(), "whether no training sees the row"))
        columns.append(np.arange(len(X)) >= len(found.X))
    return pa.table(list(map(np.ascontiguousarray, columns)), schema=schema(*fields))


def load(path: Path) -> Samples:
    """Inputs and targets, float64.

    Raises:
        DamagedFile: the file cannot be read, or is no data set.
    """
    stored = read_table(path)
    names = stored.column_names
    inputs = [name for name in names if name[0] == "x"]
    outputs = [name for name in names if name[0] == "y"]
    if not inputs or not outputs:
        raise misplaced(path, "a data set")
    X, y = (
        np.stack([stored[name].to_numpy() for name in part], axis=1) for part in (inputs, outputs)
    )
    test = stored["test"].to_numpy() if "test" in names else np.zeros(len(X), dtype=bool)
    return Samples(X[~test], y[~test], X[test], y[test])


def made(data: Data, results: Path = Path("results")) -> Samples:
    """A data set drawn anew; if it came from a file, as it lies in the results.

    Raises:
        UserError: it is missing or damaged there.
    """
    stored = results / Path(paths.data(data.id)).relative_to("results")
    if data.name == "file":
        return load(stored)
    return data.samples()
