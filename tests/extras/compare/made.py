"""Results as the pipeline leaves them, made up instead of trained."""

from pathlib import Path

import pyarrow as pa

from sparsedecay.files.provenance import metadata
from sparsedecay.files.storage import write_table
from sparsedecay.files.tables import MATRICES, SUMMARY
from sparsedecay.science.run import Run, columns
from sparsedecay.study.sections import Measures

MEASURES = Measures(
    threshold=1e-3, rank_threshold=1e-3, relative_rank_threshold=1e-3, average_over=("W", "V")
)


def milestone(
    project: Path,
    run: Run,
    epoch: int = 40,
    lacking: tuple[str, ...] = (),
    threshold: float = 1e-3,
    **values: float,
) -> Path:
    """Write the summary and matrices of a milestone; its folder. `values` are measures, those of
    A2 as rank=3, and `lacking` columns that the tables do not have."""
    folder = project / "results" / "measure" / run.id / str(epoch)
    row = dict.fromkeys(SUMMARY.names) | columns(run)
    row |= {"run": run.id, "epoch": epoch, "mse_tail_median": 0.25, "average_sparsity": 0.5}
    row |= {"active_neurons": [6, 4]}
    matrix = {"run": run.id, "epoch": epoch, "rows": 6, "columns": 6, "sparsity": 0.75}
    matrix |= {"rank": 3, "relative_rank": 2, "stable_rank": 1.5}
    for name, value in values.items():
        assert name in row or name in matrix
        (matrix if name in matrix and name not in row else row)[name] = value
    note = metadata(
        MEASURES.model_copy(update={"threshold": threshold}).canonical(), "sparsedecay.measure"
    )
    matrices = [{**matrix, "matrix": name} for name in ("W1", "A2")]
    for name, rows, schema in (("summary", [row], SUMMARY), ("matrices", matrices, MATRICES)):
        table = pa.Table.from_pylist(rows, schema=schema)
        write_table(
            folder / f"{name}.parquet",
            table.drop_columns([n for n in lacking if n in schema.names]),
            note,
        )
    return folder


def figure(project: Path, name: str, content: bytes = b"picture") -> None:
    path = project / "figures" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def claims(project: Path, rows: list[dict]) -> None:
    write_table(project / "results" / "claims" / "claims.parquet", pa.Table.from_pylist(rows), {})
