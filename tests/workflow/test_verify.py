"""`sparsedecay verify` and `sparsedecay fetch` on the archive of the smoke experiment."""

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sparsedecay.extras.archive import retrain
from sparsedecay.files import paths
from sparsedecay.files.provenance import file_digest
from tests.extras.archive.made import contents, listed, of_kind, zipped
from tests.workflow.project import Project
from tests.workflow.test_rerun import DENSE, EQ2

pytestmark = pytest.mark.workflow


def repack(archive, target, change):
    """The archive with other files, and a manifest to match."""
    files = contents(archive)
    change(files)
    return zipped(target, listed(files))


def test_verified_and_drawn_again(archived, archive):
    done = archived.sparsedecay("verify", archive)
    assert (done.returncode, done.stderr) == (0, "")
    done = archived.sparsedecay("verify", archive, "--rerender", "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Snakemake finds nothing to be done" in done.stdout
    assert "16 of 16 files of 4 figures: the same bytes" in done.stdout


def test_a_figure_that_does_not_come_from_the_tables(archived, archive, tmp_path):
    """The manifest was made to match, so that only drawing it again can tell."""

    def forge(files):
        files["figures/fig3.png"] = files["figures/fig1.png"]

    forged = repack(archive, tmp_path / "forged.zip", forge)
    assert archived.sparsedecay("verify", forged).returncode == 0
    done = archived.sparsedecay("verify", forged, "--rerender", "--cores", "2")
    assert done.returncode == 1
    assert "15 of 16 files of 4 figures: the same bytes" in done.stdout
    assert "differ:\n  figures/fig3.png\nthough machine and versions are those" in done.stdout


def test_results_that_are_not_finished(archived, archive, tmp_path):
    def lose(files):
        del files["figures/fig1.pdf"]

    lost = repack(archive, tmp_path / "lost.zip", lose)
    done = archived.sparsedecay("verify", lost, "--rerender")
    assert done.returncode == 1
    assert "Snakemake would do the jobs above" in done.stdout
    assert "figures/fig1.pdf" in done.stderr


def run_of(archive, name):
    """The id of a run in the archive."""
    return next(Path(file).parts[2] for file in of_kind(archive, "tables") if f"/{name}-" in file)


def test_trained_again_bit_for_bit(archived, archive):
    run = run_of(archive, EQ2["0.1"])
    done = archived.sparsedecay("verify", archive, "--retrain", run, "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{run}: 8 tables at 2 milestones are the same bit for bit" in done.stdout


def test_a_table_that_does_not_come_from_training(archived, archive, tmp_path):
    run = run_of(archive, DENSE)
    name = paths.measured(run, 1000, "summary")

    def forge(files):
        file = tmp_path / "table.parquet"
        file.write_bytes(files[name])
        table = pq.read_table(file)
        column = table.schema.names.index("mse")
        pq.write_table(table.set_column(column, table.schema.field(column), [[1e-9]]), file)
        files[name] = file.read_bytes()

    forged = repack(archive, tmp_path / "forged.zip", forge)
    done = archived.sparsedecay("verify", forged, "--retrain", run, "--cores", "2")
    assert done.returncode == 1
    assert f"1 of 4 tables differ, the first {name}" in done.stdout
    assert "so this is an error" in done.stdout


def test_trained_again_elsewhere(archived, archive, tmp_path, monkeypatch):
    """Where the compiled engine cannot be built, another one trains: the bits differ, and the
    numbers are held against other draws."""

    def touch(files):
        files["src/sparsedecay/engines/compiled/dense.h"] += b"// of another version\n"

    other = repack(archive, tmp_path / "other.zip", touch)
    run = run_of(archive, EQ2["0.001"])
    monkeypatch.setenv("CXX", "false")
    monkeypatch.setenv("CC", "false")
    arguments = ("verify", other, "--retrain", run, "--cores", "2")
    assert "its code is not that of this copy" in archived.sparsedecay(*arguments).stderr
    done = archived.sparsedecay(*arguments, "--trust")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "engine compiled, here fused" in done.stdout
    assert f"measures lie within the spread of {retrain.DRAWS} draws" in done.stdout


def test_a_run_that_is_not_there(archived, archive):
    done = archived.sparsedecay("verify", archive, "--retrain", "representer-eq3")
    assert done.returncode == 2
    assert "the config has no such run; the nearest is representer-" in done.stderr
    shallow = next(
        line
        for line in archived.sparsedecay("check", "config/smoke.yaml", "--runs").stdout.split()
        if line.startswith("representer-weight_decay") and "seed1" in line
    )
    done = archived.sparsedecay("verify", archive, "--retrain", shallow)
    assert done.returncode == 1
    assert "the archive does not hold its tables" in done.stdout


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
    assert file_digest(folder / "figures/fig2.pdf") == file_digest(
        archived.folder / "figures/fig2.pdf"
    )
    assert clone.jobs() == set()


def test_fetching_in_the_wrong_place(archived, archive, tmp_path):
    assert "no such file" in archived.sparsedecay("fetch", "nothing.zip").stderr
    assert "ARCHIVE=FILE.zip" in archived.sparsedecay("fetch", "").stderr
    elsewhere = subprocess.run(
        [sys.executable, "-m", "sparsedecay", "fetch", archive],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "holds no Snakefile; go to the project's folder" in elsewhere.stderr
    assert list(tmp_path.iterdir()) == []
