"""The data set: a regular grid with one random target per point (Section 3 of the paper).

sparsedecay data --data '{"levels": [0, 0.5, 1], "dimension": 4, …}' --out data.parquet
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa

from sparsedecay.files.provenance import metadata
from sparsedecay.files.storage import read_table, write_table
from sparsedecay.files.timing import timed
from sparsedecay.science.run import Data


def grid(levels: tuple[float, ...], dimension: int) -> np.ndarray:
    """All points of levels^dimension, (N, d_0) float64; the last coordinate varies fastest."""
    return np.array(list(itertools.product(levels, repeat=dimension)), dtype=np.float64)


def stream(seed: int, name: str) -> np.random.Generator:
    """Random numbers that belong to one purpose: other names give independent streams."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *name.encode()])))


def targets(data: Data) -> np.ndarray:
    """One target per point, (N,) float64, uniform on the target range."""
    low, high = data.target_range
    return low + (high - low) * stream(data.seed, "targets").random(data.points)


def table(data: Data) -> pa.Table:
    """Columns x1 … x_d0 and y, one row per point."""
    inputs = grid(data.levels, data.dimension)
    columns = {f"x{i + 1}": inputs[:, i] for i in range(data.dimension)}
    fields = [pa.field(n, pa.float64(), metadata={"unit": "input, dimensionless"}) for n in columns]
    fields.append(pa.field("y", pa.float64(), metadata={"unit": "target, dimensionless"}))
    return pa.table([*columns.values(), targets(data)], schema=pa.schema(fields))


def load(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (N, d_0) and targets (N, 1), float64."""
    stored = read_table(path, pa.schema([("y", pa.float64())]))
    columns = [stored[name].to_numpy() for name in stored.column_names]
    return np.stack(columns[:-1], axis=1), columns[-1][:, None]


def main(arguments: list[str]) -> None:
    """Command `sparsedecay data`."""
    parser = argparse.ArgumentParser(prog="sparsedecay data", description="Make one data set.")
    parser.add_argument("--data", required=True, help="the section `data` of a config, as JSON")
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to write")
    parser.add_argument("--benchmark", type=Path, help="JSON file that tells what it took")
    options = parser.parse_args(arguments)
    data = Data.model_validate_json(options.data)
    with timed(options.benchmark):
        made = table(data)
        mean_square = float(np.mean(made["y"].to_numpy() ** 2))
        about = metadata(data.canonical(), "sparsedecay.data", mean_square=repr(mean_square))
        write_table(options.out, made, about)
    print(f"{options.out}: {data.points} points, mean square of the targets {mean_square:.4f}")
