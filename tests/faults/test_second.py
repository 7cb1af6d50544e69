"""A second Snakemake in the same folder is told so and leaves."""

import subprocess
import time

import pytest

from tests.faults.kills import folder_of

pytestmark = pytest.mark.workflow


def test_a_second_snakemake_leaves_and_the_first_goes_on(tmp_path):
    project = folder_of(tmp_path / "project")
    target = "figures/fig3.pdf"
    first = project.start("--cores", "2", target)
    marks = project.folder / ".snakemake/locks"
    until = time.monotonic() + 60
    while not (marks.is_dir() and any(marks.iterdir())):
        assert time.monotonic() < until
        time.sleep(0.1)
    # Snakemake's own marks do not keep other targets apart, and go when the second leaves
    for asked in (target, "figures/fig1.pdf", target):
        second = project.snakemake("--cores", "1", asked)
        assert second.returncode == 1
        said = second.stdout + second.stderr
        assert f"Another Snakemake is at work in this folder: process {first.pid} on " in said
        assert "Traceback" not in said
    assert project.snakemake("--dry-run", target).returncode == 0, "looking is allowed"
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 0, errors
    assert project.snakemake("--cores", "1", "figures/fig1.pdf").returncode == 0


def test_marks_of_a_killed_one_are_removed_even_by_a_dry_run(tmp_path):
    project = folder_of(tmp_path / "project")
    first = project.start("--cores", "1", "figures/fig3.pdf")
    marks = project.folder / ".snakemake/locks"
    until = time.monotonic() + 60
    while not (marks.is_dir() and any(marks.iterdir())):
        assert time.monotonic() < until
        time.sleep(0.1)
    first.kill()
    first.communicate()
    assert any(marks.iterdir())
    done = project.snakemake("--dry-run", "figures/fig3.pdf")
    assert "was stopped here without notice" in done.stdout + done.stderr
    assert not marks.exists() or not any(marks.iterdir())
    subprocess.run(["pkill", "-9", "-f", str(project.folder)], check=False)
