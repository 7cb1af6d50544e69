"""Command `sparsedecay data`: one data set as a table.

sparsedecay data --data '{"levels": [0, 0.5, 1], "dimension": 4, …}' --out data.parquet
sparsedecay data --data '{"kind": "file", "inputs": ["x"], …}' --file mine.csv --out data.parquet
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter

from sparsedecay.errors import UserError
from sparsedecay.files import fingerprint, paths
from sparsedecay.files.provenance import metadata
from sparsedecay.files.storage import misplaced, read_table, schema, write_table
from sparsedecay.files.timing import timed
from sparsedecay.science.data import AnyData, Data, Samples


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


def main(arguments: list[str]) -> None:
    """Make one data set.

    Raises:
        UserError: the file that it comes from is missing, or another one by now.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay data", description="Make one data set.")
    parser.add_argument("--data", required=True, help="the section `data` of a config, as JSON")
    parser.add_argument("--file", default="", help="the table that it is read from, if any")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to write")
    parser.add_argument("--benchmark", type=Path, help="JSON file that tells what it took")
    options = parser.parse_args(arguments)
    try:
        values = json.loads(options.data)
    except ValueError:
        values = None
    with timed(options.benchmark):
        data: Data = TypeAdapter(AnyData).validate_python(values, strict=False)
        try:
            found = data.at(options.file).samples()
        except ValueError as error:
            raise UserError(f"data.{error}") from None
        mean_square = float(np.mean(found.y**2))
        about = metadata(data.canonical(), fingerprint.data(data), mean_square=repr(mean_square))
        write_table(options.out, table(found), about)
    tested = f" and {len(found.test_X):,} test rows" if len(found.test_X) else ""
    print(
        f"{options.out}: {data.points:,} points{tested}, mean square of the targets "
        f"{mean_square:.4f}"
    )
