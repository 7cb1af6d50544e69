"""What is told of planning is what Snakemake did."""

import sys

import pytest

from sparsedecay.errors import UserError
from sparsedecay.extras.bench import command, planning


@pytest.mark.workflow
def test_a_small_study_is_planned(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(planning, "SWEEPS", {100: planning.SWEEPS[100]})
    command.main(["--planning", str(tmp_path / "planning.png")])
    head, row, _ = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["runs", "jobs", "plan"]
    told = row.split()
    # 100 data sets, trainings and measures; a request, two tables and the target itself
    assert told[:2] == ["100", "304"]
    assert 0.5 < float(told[2]) < 100
    assert 50 < float(told[6].replace(",", "")) < 250, "not the memory of these tests"
    assert (tmp_path / "planning.png").stat().st_size > 10_000


@pytest.mark.parametrize("runs", planning.SWEEPS)
def test_the_sweeps_have_as_many_runs_as_they_say(runs, tmp_path):
    config = tmp_path / "sweep.yaml"
    config.write_text(planning.HEAD.format(seeds=100) + planning.SWEEPS[runs])
    plan = planning.load_plan([planning.ROOT / "config" / "config.yaml", config])
    assert len({run.id for run, _ in plan.grid.milestones}) == runs


def test_memory_is_that_of_the_command_alone(tmp_path):
    """Not of the process that measures, which holds more."""
    held = bytearray(300_000_000)
    memory = tmp_path / "memory"
    done = planning.subprocess.run(
        [sys.executable, "-c", planning.WAIT, str(memory), sys.executable, "-c", "pass"]
    )
    assert done.returncode == 0
    assert int(memory.read_text()) / 1e3 < 100
    assert len(held)


def test_a_failure_is_told(tmp_path):
    with pytest.raises(UserError, match=r"(?s)^snakemake --nonsense: failed:\n.*nonsense"):
        planning.timed(["--nonsense"], tmp_path)


def test_elsewhere_there_is_nothing_to_plan(tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "ROOT", tmp_path)
    with pytest.raises(UserError, match="holds no Snakefile; run this in a clone"):
        command.main(["--planning", str(tmp_path / "planning.png")])
