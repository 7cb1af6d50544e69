"""Command `sparsedecay join`: one table from those of many milestones.

    sparsedecay join --out results/measure/summary.parquet TABLE …
    sparsedecay join --request results/requests/sweep.json --table summary \\
        --out results/sweep/summary.parquet
    sparsedecay join --request results/requests/sweep.json --table matrices \\
        --summary results/sweep/summary.parquet --out results/sweep/matrices.parquet

Tables of a sweep are named by its request. Each of its settings becomes a row group, so that a
reader who asks for one lam touches nothing else.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparsedecay.errors import UserError
from sparsedecay.files import fingerprint, paths
from sparsedecay.files.provenance import metadata, sha256
from sparsedecay.files.storage import (
    guarded,
    misplaced,
    open_table,
    read_request,
    read_table,
    write_groups,
    write_table,
)
from sparsedecay.files.tables import MATRICES, PARAMETERS, SUMMARY, SWEPT
from sparsedecay.measure.request import Group, Join

MEASURED = {"summary": SUMMARY, "matrices": MATRICES}


def summaries(asked: Join, results: Path) -> Iterator[pa.Table]:
    """The summaries, setting by setting: a row for each draw and epoch.

    Raises:
        UserError: a file is missing, damaged, or about another run or epoch.
    """
    for group in asked.groups:
        yield pa.concat_tables(of_setting(group, "summary", results))


def matrices(asked: Join, results: Path, summary: Path) -> Iterator[pa.Table]:
    """The matrices, setting by setting, each with the values of its run out of the summaries.

    Raises:
        UserError: as `summaries`, also for the file of the summaries.
    """
    joined = open_table(summary)
    for number, group in enumerate(asked.groups):
        with guarded(summary):
            about = joined.read_row_group(number)
        if about["run"].to_pylist() != [run for run, _ in milestones(group)]:
            raise misplaced(summary, f"setting {number + 1} of the request")
        tables = of_setting(group, "matrices", results)
        # one table for each row of the summary
        rows = np.repeat(np.arange(len(tables)), [table.num_rows for table in tables])
        found = pa.concat_tables(tables)
        for name in PARAMETERS:
            found = found.append_column(about.schema.field(name), about[name].take(rows))
        yield found


def milestones(group: Group) -> list[tuple[str, int]]:
    """Run and epoch of each table of a setting, in the order of their rows."""
    return [(run, epoch) for run in group.runs for epoch in group.epochs]


def of_setting(group: Group, table: str, results: Path) -> list[pa.Table]:
    """The tables of a setting, one for each draw and epoch."""
    return [of_milestone(results, run, epoch, table) for run, epoch in milestones(group)]


def of_milestone(results: Path, run: str, epoch: int, table: str) -> pa.Table:
    """A measured table with the columns that belong into it."""
    path = results / Path(paths.measured(run, epoch, table)).relative_to("results")
    expected = MEASURED[table]
    found = read_table(path, expected).select(expected.names).replace_schema_metadata(None)
    if (pc.unique(found["run"]).to_pylist(), pc.unique(found["epoch"]).to_pylist()) != (
        [run],
        [epoch],
    ):
        raise misplaced(path, f"epoch {epoch} of {run}")
    return found


def main(arguments: list[str]) -> None:
    """Join tables.

    Raises:
        UserError: a file is missing or damaged.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay join", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("tables", nargs="*", type=Path, help="Parquet files of one schema, in the order of rows")
    add("--request", type=Path, help="or the settings of a sweep and their runs, JSON file")
    add("--table", choices=SWEPT, help="which table of the sweep")
    add("--summary", type=Path, help="of the same sweep; `matrices` needs it")
    add("--out", required=True, type=Path, help="Parquet file to write")
    add("--results", type=Path, default=Path("results"), help="folder of the results")
    options = parser.parse_args(arguments)
    code = fingerprint.code("measure.join")
    if bool(options.tables) == bool(options.request):
        raise UserError("sparsedecay join: name either tables or the --request of a sweep")
    if options.tables:
        tables = [read_table(path).replace_schema_metadata(None) for path in options.tables]
        write_table(options.out, pa.concat_tables(tables), metadata("", code))
        print(f"{options.out}: {len(tables)} tables")
        return
    asked = read_request(options.request, Join)
    if options.table == "summary":
        groups = summaries(asked, options.results)
    elif options.table and options.summary:
        groups = matrices(asked, options.results, options.summary)
    else:
        raise UserError("--table, --summary: matrices take the values of their runs from a summary")
    note = metadata("", code, request=sha256(asked.canonical()))
    write_groups(options.out, groups, SWEPT[options.table], note)
    print(f"{options.out}: {len(asked.groups):,} settings")
