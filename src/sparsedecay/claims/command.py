"""Command `sparsedecay claims`: test the paper's statements on measured tables.

    sparsedecay claims --request results/requests/statements/claims.json \\
        --out results/claims/claims.parquet

The request holds what `Plan.statements("claims").canonical()` returns.
"""

import argparse
from pathlib import Path

import pyarrow as pa

from sparsedecay.claims.networks import Statements, read_kept
from sparsedecay.claims.rows import rows
from sparsedecay.files import fingerprint
from sparsedecay.files.provenance import metadata
from sparsedecay.files.results import Results
from sparsedecay.files.storage import read_request, write_table
from sparsedecay.files.tables import STATEMENTS


def main(arguments: list[str]) -> None:
    """Test all statements and write their table."""
    parser = argparse.ArgumentParser(prog="sparsedecay claims", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--request", required=True, type=Path, help="readings, draws and networks, JSON file")
    add("--kept", type=Path, help="JSON list of the readings to test (default: all)")
    add("--out", required=True, type=Path, help="Parquet file to write")
    add("--results", type=Path, default=Path("results"), help="folder of the results")
    options = parser.parse_args(arguments)
    asked = read_request(options.request, Statements)
    if options.kept:
        asked = asked.only(read_kept(options.kept))
    found = list(rows(asked, Results(options.results)))
    note = metadata(asked.canonical(), fingerprint.code("claims.rows"))
    write_table(options.out, pa.Table.from_pylist(found, schema=STATEMENTS), note)
    for row in found:
        if row["stated"] and row["part"] == 1:
            print(f"{row['reading']}, {row['claim']}: {row['claim_verdict']}")
