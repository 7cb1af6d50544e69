"""Command `sparsedecay data`: one data set as a table.

sparsedecay data --data '{"levels": [0, 0.5, 1], "dimension": 4, …}' --out data.parquet
sparsedecay data --data '{"kind": "file", "inputs": ["x"], …}' --file mine.csv --out data.parquet
"""

import argparse
import json
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from sparsedecay.errors import UserError
from sparsedecay.files import fingerprint
from sparsedecay.files.provenance import metadata
from sparsedecay.files.samples import table
from sparsedecay.files.storage import write_table
from sparsedecay.files.timing import timed
from sparsedecay.science.data import AnyData, Data, Samples
from sparsedecay.words import count


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
            found, mean_square = write(data.at(options.file), options.out)
        except ValueError as error:
            raise UserError(f"data.{error}") from None
    tested = f" and {count(len(found.test_X), 'test row')}" if len(found.test_X) else ""
    print(
        f"{options.out}: {count(data.points, 'point')}{tested}, mean square of the targets "
        f"{mean_square:.4f}"
    )


def write(data: Data, out: Path) -> tuple[Samples, float]:
    """Write a data set as a table; returns its samples and the mean square of its targets.

    Raises:
        ValueError: it cannot be read; the message begins with the key that it is about.
    """
    found = data.samples()
    mean_square = float(np.mean(found.y**2))
    about = metadata(data.canonical(), fingerprint.data(data), mean_square=repr(mean_square))
    write_table(out, table(found), about)
    return found, mean_square
