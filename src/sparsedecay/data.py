"""Command `sparsedecay data`: one data set as a table.

sparsedecay data --data '{"levels": [0, 0.5, 1], "dimension": 4, …}' --out data.parquet
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter

from sparsedecay.files import fingerprint
from sparsedecay.files.provenance import metadata
from sparsedecay.files.storage import read_table, schema, write_table
from sparsedecay.files.timing import timed
from sparsedecay.science.data import AnyData, Data


def table(data: Data) -> pa.Table:
    """Columns x1 … x_d0 and y, one row per point."""
    inputs = data.inputs()
    names = [f"x{i + 1}" for i in range(data.d_in)]
    fields = [(name, pa.float64(), "input, dimensionless") for name in names]
    fields.append(("y", pa.float64(), "target, dimensionless"))
    columns = [inputs[:, i] for i in range(data.d_in)]
    return pa.table([*columns, data.targets()], schema=schema(*fields))


def load(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (N, d_0) and targets (N, 1), float64.

    Raises:
        DamagedFile: the file cannot be read, or is no data set.
    """
    stored = read_table(path, pa.schema([("y", pa.float64())]))
    inputs = [stored[name].to_numpy() for name in stored.column_names if name != "y"]
    return np.stack(inputs, axis=1), stored["y"].to_numpy()[:, None]


def main(arguments: list[str]) -> None:
    """Make one data set."""
    parser = argparse.ArgumentParser(prog="sparsedecay data", description="Make one data set.")
    parser.add_argument("--data", required=True, help="the section `data` of a config, as JSON")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to write")
    parser.add_argument("--benchmark", type=Path, help="JSON file that tells what it took")
    options = parser.parse_args(arguments)
    try:
        values = json.loads(options.data)
    except ValueError:
        values = None
    data: Data = TypeAdapter(AnyData).validate_python(values, strict=False)
    with timed(options.benchmark):
        made = table(data)
        mean_square = float(np.mean(made["y"].to_numpy() ** 2))
        about = metadata(data.canonical(), fingerprint.data(data), mean_square=repr(mean_square))
        write_table(options.out, made, about)
    print(f"{options.out}: {data.points} points, mean square of the targets {mean_square:.4f}")
