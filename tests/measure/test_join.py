"""`sparsedecay join`: tables of a sweep, a row group for each setting."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from sparsedecay.errors import UserError
from sparsedecay.files import paths
from sparsedecay.files.storage import write_table
from sparsedecay.files.tables import MATRICES, PARAMETERS, SUMMARY, SWEPT
from sparsedecay.measure import join
from sparsedecay.measure.request import Group, Join
from tests.small import small_run, written

LAMS, WIDTHS, SEEDS, EPOCHS = (0.1, 0.01, 0.001), (2, 3), range(4), (40, 80)
SETTINGS = [(lam, d) for lam in LAMS for d in WIDTHS]


def runs(lam, d):
    return [small_run(lam=lam, d=d, seed=seed, data_seed=seed + 10) for seed in SEEDS]


def put(folder: Path, run, epoch: int) -> None:
    """The two tables of a milestone, with numbers that tell which one it is."""
    number = 1000 * run.lam + run.shape.d + run.initialization.seed / 10 + epoch / 1e5
    key = {"run": run.id, "epoch": epoch}
    summary = key | dict.fromkeys(SUMMARY.names[2:])
    summary |= {"lam": run.lam, "d": run.shape.d, "network": run.network, "levels": [0.0, 1.0]}
    summary |= {"weight_seed": run.initialization.seed, "mse": number, "active_neurons": [1, 2]}
    # not as many matrices in each
    names = ["W1", "V1", "A2"][: 2 + run.initialization.seed % 2]
    matrices = [
        key | {"matrix": name, "sparsity": number, "rows": i} for i, name in enumerate(names)
    ]
    for table, rows, schema in (("summary", [summary], SUMMARY), ("matrices", matrices, MATRICES)):
        place = folder / Path(paths.measured(run.id, epoch, table)).relative_to("results")
        write_table(place, pa.Table.from_pylist(rows, schema=schema), {"settings": "x"})


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Measured tables of 6 settings, 4 draws and 2 epochs; the request for them."""
    monkeypatch.chdir(tmp_path)
    groups = []
    for setting in SETTINGS:
        for run in runs(*setting):
            for epoch in EPOCHS:
                put(tmp_path / "results", run, epoch)
        groups.append(Group(runs=[run.id for run in runs(*setting)], epochs=EPOCHS))
    return Join(groups=groups)


def made(request: Join, table: str, name: str | None = None) -> Path:
    out = Path(f"results/sweep/{name or table}.parquet")
    arguments = ["--request", written(Path("request.json"), request), "--table", table]
    more = ["--summary", "results/sweep/summary.parquet"] if table == "matrices" else []
    join.main([*arguments, *more, "--out", str(out)])
    return out


def test_a_row_for_each_milestone_and_a_row_group_for_each_setting(project):
    file = pq.ParquetFile(made(project, "summary"))
    assert file.num_row_groups == len(SETTINGS)
    for number, (lam, d) in enumerate(SETTINGS):
        rows = file.read_row_group(number).to_pylist()
        expected = [(run.id, epoch) for run in runs(lam, d) for epoch in EPOCHS]
        assert [(row["run"], row["epoch"]) for row in rows] == expected
        assert {(row["lam"], row["d"]) for row in rows} == {(lam, d)}
    whole = file.read()
    assert whole.schema.names == SUMMARY.names
    for field in SUMMARY:
        assert whole.schema.field(field.name).metadata == field.metadata


def test_matrices_have_the_values_of_their_runs(project):
    made(project, "summary")
    frame = pq.read_table(made(project, "matrices")).to_pandas()
    assert list(frame.columns) == [*MATRICES.names, *PARAMETERS]
    assert len(frame) == len(SETTINGS) * len(EPOCHS) * (2 + 3 + 2 + 3)
    number = 1000 * frame["lam"] + frame["d"] + frame["weight_seed"] / 10 + frame["epoch"] / 1e5
    np.testing.assert_allclose(frame["sparsity"], number)
    assert not frame.duplicated(["run", "epoch", "matrix"]).any()
    assert [list(x) for x in frame["levels"][:2]] == [[0.0, 1.0]] * 2


@pytest.mark.parametrize("table", ["summary", "matrices"])
def test_a_filter_reads_no_row_group_of_another_setting(project, table):
    made(project, "summary")
    path = made(project, table)
    for wanted, groups in (
        (ds.field("lam") == 0.01, 2),
        ((ds.field("lam") == 0.01) & (ds.field("d") == 3), 1),
        (ds.field("lam") > 1, 0),
        (ds.field("d") == 2, 3),
    ):
        (fragment,) = ds.dataset(path).get_fragments()
        assert len(fragment.split_by_row_group(wanted)) == groups
    read = pq.read_table(path, columns=["run", "d"], filters=[("lam", "==", 0.01), ("d", "==", 3)])
    assert read.schema.names == ["run", "d"]
    assert set(read["run"].to_pylist()) == {run.id for run in runs(0.01, 3)}


def test_a_filter_touches_only_the_bytes_it_needs(project):
    """Everything else in the file may be spoilt."""
    path = made(project, "summary")
    about = pq.ParquetFile(path).metadata
    number = SETTINGS.index((0.01, 3))
    content = bytearray(path.read_bytes())
    for i in (i for i in range(about.num_row_groups) if i != number):
        for j in range(about.num_columns):
            column = about.row_group(i).column(j)
            first = column.dictionary_page_offset or column.data_page_offset
            content[first : first + column.total_compressed_size] = b"\xff" * (
                column.total_compressed_size
            )
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"."):
        pq.read_table(path)
    read = pq.read_table(path, columns=["mse"], filters=[("lam", "==", 0.01), ("d", "==", 3)])
    assert read.num_rows == len(SEEDS) * len(EPOCHS)


def test_only_one_setting_is_in_memory_at_a_time(project, monkeypatch):
    """A setting is read when the one before it has been written."""
    seen = []
    real_read, real_write = join.of_setting, pq.ParquetWriter.write_table

    def read(group, table, results):
        seen.append(("read", project.groups.index(group)))
        return real_read(group, table, results)

    def write(self, table, **options):
        seen.append(("write", table.num_rows))
        return real_write(self, table, **options)

    monkeypatch.setattr(join, "of_setting", read)
    monkeypatch.setattr(pq.ParquetWriter, "write_table", write)
    made(project, "summary")
    rows = len(SEEDS) * len(EPOCHS)
    assert seen == [step for i in range(len(SETTINGS)) for step in (("read", i), ("write", rows))]


@pytest.mark.parametrize("table", ["summary", "matrices"])
def test_the_same_tables_give_the_same_bytes(project, table):
    made(project, "summary")
    assert made(project, table, "one").read_bytes() == made(project, table, "two").read_bytes()


DAMAGES = {
    "missing": (lambda path, other: path.unlink(), "no such file; make it with: snakemake"),
    "cut": (lambda path, other: path.write_bytes(path.read_bytes()[:50]), "is damaged"),
    "of another run": (lambda path, other: path.write_bytes(other.read_bytes()), "does not hold"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("table", ["summary", "matrices"])
def test_a_bad_table_is_named_and_nothing_is_left(project, table, damage):
    made(project, "summary")
    last, first = runs(*SETTINGS[-1])[-1], runs(*SETTINGS[0])[0]
    place, other = (Path(paths.measured(run.id, 80, table)) for run in (last, first))
    spoil, told = DAMAGES[damage]
    spoil(place, other)
    with pytest.raises(UserError, match=f"^{re.escape(str(place))}: {told}"):
        made(project, table, "new")
    assert [path.name for path in Path("results/sweep").iterdir()] == ["summary.parquet"]


def test_matrices_need_the_summary_of_the_same_sweep(project):
    with pytest.raises(UserError, match="--table, --summary: matrices take"):
        join.main(["--request", written(Path("request.json"), project), "--table", "matrices",
                   "--out", "out.parquet"])  # fmt: skip
    made(Join(groups=project.groups[::-1]), "summary")
    with pytest.raises(
        UserError, match=r"summary\.parquet: does not hold setting 1 of the request"
    ):
        made(project, "matrices")
    made(Join(groups=project.groups[:2]), "summary")
    with pytest.raises(UserError, match=r"summary\.parquet: is damaged or not what"):
        made(project, "matrices")


def test_the_columns_tell_their_units():
    for table, schema in SWEPT.items():
        assert len(set(schema.names)) == len(schema.names), table
        assert all(field.metadata[b"unit"] for field in schema)
    assert {"network", "regularizer", "lam", "d", "weight_seed", "learning_rate"} <= set(PARAMETERS)
    assert not {"mse", "run", "epoch"} & set(PARAMETERS)
