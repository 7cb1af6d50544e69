"""Command `sparsedecay merge`: one table from those of many milestones."""

import argparse
from pathlib import Path

import pyarrow as pa

from sparsedecay.files.provenance import metadata
from sparsedecay.files.storage import read_table, write_table

STAGE = "sparsedecay.measure.merge"


def main(arguments: list[str]) -> None:
    """Join tables of one schema, row after row, in the given order."""
    parser = argparse.ArgumentParser(prog="sparsedecay merge", description=__doc__)
    parser.add_argument("--out", required=True, type=Path, help="Parquet file to write")
    parser.add_argument("tables", nargs="+", type=Path, help="Parquet files of one schema")
    options = parser.parse_args(arguments)
    tables = [read_table(path).replace_schema_metadata(None) for path in options.tables]
    write_table(options.out, pa.concat_tables(tables), metadata("", STAGE))
    print(f"{options.out}: {len(tables)} tables")
