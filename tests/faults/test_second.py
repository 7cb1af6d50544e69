"""A second Snakemake in the same folder is told so and leaves."""

import pytest

from tests.faults.kills import folder_of
from tests.processes import wait_for

pytestmark = pytest.mark.workflow


def started(project, warm, *arguments):
    """A Snakemake at work, started by Python itself; later ones start warm."""
    process = project.start("--cores", "1", *arguments)
    project.python = warm.python
    marks = project.folder / ".snakemake/locks"
    wait_for(lambda: list(marks.glob("*")), "marks of Snakemake")
    return process, marks


def test_a_second_snakemake_leaves(tmp_path, warm):
    project = folder_of(tmp_path / "project")
    first, _ = started(project, warm)
    # Snakemake's own marks do not keep other targets apart, and go when the second leaves
    for asked in ("figures/fig3.pdf", "figures/fig1.pdf", "figures/fig3.pdf"):
        second = project.snakemake("--cores", "1", asked)
        assert second.returncode == 1
        said = second.stdout + second.stderr
        assert f"Another Snakemake is at work in this folder: process {first.pid} on " in said
        assert "Traceback" not in said
    assert project.snakemake("--dry-run").returncode == 0, "looking is allowed"
    assert first.poll() is None


def test_marks_of_a_killed_one_are_removed_even_by_a_dry_run(tmp_path, warm):
    project = folder_of(tmp_path / "project")
    first, marks = started(project, warm, "figures/fig3.pdf")
    first.kill()
    first.communicate()
    assert any(marks.iterdir())
    done = project.snakemake("--dry-run", "figures/fig3.pdf")
    assert "was stopped here without notice" in done.stdout + done.stderr
    assert not list(marks.glob("*"))
