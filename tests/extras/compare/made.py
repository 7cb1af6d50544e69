"""Results as the pipeline leaves them, made up instead of trained."""

from pathlib import Path

import pyarrow as pa

from sparsedecay.files import fingerprint
from sparsedecay.files.provenance import metadata
from sparsedecay.files.storage import write_table
from sparsedecay.files.tables import MATRICES, SUMMARY
from sparsedecay.science.measures import Measures
from sparsedecay.science.run import Run, columns

MEASURES = Measures(
    threshold=1e-3, rank_threshold=1e-3, relative_rank_threshold=1e-3, average_over=("W", "V")
)
SUMMED = {"mse_tail_median": 0.25, "average_sparsity": 0.5, "active_neurons": [6, 4]}
MATRIX = {"rows": 6, "columns": 6, "sparsity": 0.75, "rank": 3, "relative_rank": 2}
MATRIX |= {"stable_rank": 1.5}


def milestone(
    project: Path, run: Run, epoch: int = 40, lacking: tuple[str, ...] = (), **values: object
) -> Path:
    """Write the summary and matrices of a milestone; its folder. `values` are measures, those of
    W1 and A2 as rank=3, and `lacking` columns that the tables do not have."""
    folder = project / "results" / "measure" / run.id / str(epoch)
    about = metadata(MEASURES.canonical(), fingerprint.measuring(run))
    whose = {"run": run.id, "epoch": epoch}
    tables = [("summary", SUMMARY, [columns(run) | whose | SUMMED | values])]
    matrices = [MATRIX | whose | values | {"matrix": name} for name in ("W1", "A2")]
    tables += [("matrices", MATRICES, matrices)]
    assert set(values) <= {*SUMMARY.names, *MATRICES.names}
    for name, schema, rows in tables:
        table = pa.Table.from_pylist(rows, schema=schema)
        kept = table.drop_columns([column for column in lacking if column in schema.names])
        write_table(folder / f"{name}.parquet", kept, about)
    return folder


def figure(project: Path, name: str, content: bytes = b"picture") -> None:
    path = project / "figures" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def claims(project: Path, *rows: dict) -> None:
    table = pa.Table.from_pylist(rows)
    write_table(project / "results" / "claims" / "claims.parquet", table, {})
