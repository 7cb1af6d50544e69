"""`sparsedecay verify` and `sparsedecay fetch` on the archive of the smoke experiment."""

import io
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sparsedecay.errors import UserError
from sparsedecay.extras.archive import fetch
from sparsedecay.extras.archive.verify import DRAWS
from sparsedecay.files import paths
from tests.extras.archive.made import contents, of_kind, remade
from tests.extras.archive.test_content import packed
from tests.workflow.project import Project
from tests.workflow.test_rerun import DENSE, EQ2

pytestmark = pytest.mark.workflow


def verify(project, archive, *flags, code=0):
    """What is told of an archive; `code` is the exit status."""
    done = project.sparsedecay("verify", archive, *flags, "--cores", "2")
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_verified_and_drawn_again(archived, archive):
    done = archived.sparsedecay("verify", archive)
    assert (done.returncode, done.stderr) == (0, "")
    said = verify(archived, archive, "--rerender")
    assert "Snakemake finds nothing to be done" in said
    assert "16 of 16 files of 4 figures: the same bytes" in said


def test_a_figure_that_does_not_come_from_the_tables(archived, archive, tmp_path):
    """The manifest was made to match, so that only drawing it again can tell."""
    changes = {"figures/fig3.png": contents(archive)["figures/fig1.png"]}
    forged = remade(tmp_path / "forged.zip", archive, changes)
    verify(archived, forged)
    said = verify(archived, forged, "--rerender", code=1)
    assert "15 of 16 files of 4 figures: the same bytes" in said
    assert "differ:\n  figures/fig3.png\nthough machine and versions are those" in said


def test_figures_packed_by_another_zlib(archived, archive, tmp_path):
    """The same pixels in other bytes are the same picture."""
    picture = "figures/fig3.png"
    other = remade(tmp_path / "other.zip", archive, {picture: packed(contents(archive)[picture])})
    said = verify(archived, other, "--rerender")
    assert "15 of 16 files of 4 figures: the same bytes" in said
    assert f"1 more: the same pictures, packed into other bytes, as {picture}" in said


def test_results_that_are_not_finished(archived, archive, tmp_path):
    lost = remade(tmp_path / "lost.zip", archive, {"figures/fig1.pdf": None})
    said = verify(archived, lost, "--rerender", code=1)
    assert "Snakemake would do the jobs above" in said
    assert "figures/fig1.pdf" in said


def run_of(archive, name):
    """The id of a run in the archive."""
    return next(Path(file).parts[2] for file in of_kind(archive, "tables") if f"/{name}-" in file)


def test_trained_again_bit_for_bit(archived, archive):
    run = run_of(archive, EQ2["0.1"])
    said = verify(archived, archive, "--retrain", run)
    assert f"{run}: 8 tables at 2 milestones are the same bit for bit" in said


def test_a_table_that_does_not_come_from_training(archived, archive, tmp_path):
    run = run_of(archive, DENSE)
    name = paths.measured(run, 1000, "summary")
    table = pq.read_table(io.BytesIO(contents(archive)[name]))
    column = table.schema.names.index("mse")
    changed = io.BytesIO()
    pq.write_table(table.set_column(column, table.schema.field(column), [[1e-9]]), changed)
    forged = remade(tmp_path / "forged.zip", archive, {name: changed.getvalue()})
    said = verify(archived, forged, "--retrain", run, code=1)
    assert f"1 of 4 tables differ, the first {name}" in said
    assert "so this is an error" in said


@pytest.mark.parametrize(("apart", "code"), [(1e-13, 0), (1e-6, 1)])
def test_measured_by_another_kernel(archived, archive, tmp_path, apart, code):
    """Its sums are rounded otherwise, on weights that are the same bit for bit."""
    run = run_of(archive, EQ2["0.1"])
    name = paths.measured(run, 2000, "spectra")
    summary = paths.measured(run, 2000, "summary")
    tables = {
        place: pq.read_table(io.BytesIO(contents(archive)[place])) for place in (name, summary)
    }
    sigma = tables[name]["singular_value"].to_numpy()
    column = tables[name].schema.names.index("singular_value")
    field = tables[name].schema.field(column)
    tables[name] = tables[name].set_column(column, field, [sigma * (1 + apart)])
    about = {**tables[summary].schema.metadata, b"kernels": b"openblas 0.3 Nehalem"}
    tables[summary] = tables[summary].replace_schema_metadata(about)
    written = {}
    for place, table in tables.items():
        pq.write_table(table, file := io.BytesIO())
        written[place] = file.getvalue()
    other = remade(tmp_path / "other.zip", archive, written)
    said = verify(archived, other, "--retrain", run, code=code)
    assert f"1 of 8 tables differ, the first {name}" in said
    assert "linear algebra openblas 0.3 Nehalem, here openblas " in said
    assert "The weights are the same bit for bit" in said
    assert ("which is an error" if code else "which is rounding (1e-09 is allowed)") in said


def test_trained_again_elsewhere(archived, archive, tmp_path, monkeypatch):
    """Where the compiled engine cannot be built, another one trains: the bits differ, and the
    numbers are held against other draws."""
    name = "src/sparsedecay/engines/compiled/dense.h"
    changes = {name: contents(archive)[name] + b"// of another version\n"}
    other = remade(tmp_path / "other.zip", archive, changes)
    run = run_of(archive, EQ2["0.001"])
    monkeypatch.setenv("CXX", "false")
    monkeypatch.setenv("CC", "false")
    said = verify(archived, other, "--retrain", run, code=2)
    assert "its code is not that of this copy" in said
    said = verify(archived, other, "--retrain", run, "--trust")
    assert "engine compiled, here fused" in said
    assert f"measures lie within the spread of {DRAWS} draws" in said


def test_a_run_that_is_not_there(archived, archive):
    said = verify(archived, archive, "--retrain", "representer-eq3", code=2)
    assert "the config has no such run; the nearest is representer-" in said
    shallow = next(
        line
        for line in archived.sparsedecay("check", "config/smoke.yaml", "--runs").stdout.split()
        if line.startswith("representer-weight_decay") and "seed1" in line
    )
    said = verify(archived, archive, "--retrain", shallow, code=1)
    assert "the archive does not hold its tables" in said


def test_results_are_fetched_and_nothing_runs(archived, archive, tmp_path):
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", archived.folder, folder], check=True)
    clone = Project(folder)
    done = clone.sparsedecay("fetch", archive)
    assert done.returncode == 0, done.stderr
    assert "here already: 0 the same" in done.stdout
    assert clone.jobs() == set()
    # again, and over results of one's own
    (folder / "figures/fig1.pdf").write_text("mine")
    (folder / "figures/fig2.pdf").unlink()
    done = clone.sparsedecay("fetch", archive)
    assert "left as they are, though the archive has others: 1, as figures/fig1.pdf" in done.stdout
    assert (folder / "figures/fig1.pdf").read_text() == "mine"
    fig2 = "figures/fig2.pdf"
    assert (folder / fig2).read_bytes() == (archived.folder / fig2).read_bytes()
    assert clone.jobs() == set()


def test_fetching_in_the_wrong_place(archived, archive, tmp_path, monkeypatch):
    assert "no such file" in archived.sparsedecay("fetch", "nothing.zip").stderr
    assert "ARCHIVE=FILE.zip" in archived.sparsedecay("fetch", "").stderr
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="holds no Snakefile; go to the project's folder"):
        fetch.main([str(archive)])
    assert list(tmp_path.iterdir()) == []
