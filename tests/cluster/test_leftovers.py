"""What a killed Snakemake left with a scheduler, with commands that only pretend to be one."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from sparsedecay.errors import UserError
from sparsedecay.session import leftovers, preflight
from tests.cluster.test_plugin import fake, write_program

STATE = "cat {folder}/state-$1 2> /dev/null || echo failed"
NAME = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"


@pytest.fixture
def scheduler(tmp_path, monkeypatch):
    """A folder in which `ask ID` tells what the file state-ID holds and `stop` cancels."""
    programs = {
        "ask": STATE.format(folder=tmp_path),
        "stop": f"for i; do echo failed > {tmp_path}/state-$i; done; echo $* >> {tmp_path}/stopped",
    }
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", fake(tmp_path / "bin", programs)["PATH"])
    return tmp_path


def queued(folder: Path, jobid: str, state: str, cancel: str | None = "stop") -> None:
    (folder / leftovers.QUEUED).mkdir(parents=True, exist_ok=True)
    (folder / leftovers.QUEUED / jobid).write_text(json.dumps({"status": "ask", "cancel": cancel}))
    (folder / f"state-{jobid}").write_text(state + "\n")


def test_what_still_runs_is_cancelled(scheduler):
    for jobid, state in {"1": "running", "2": "success", "3": "failed", "4": "running"}.items():
        queued(scheduler, jobid, state)
    (said,) = leftovers.stop(scheduler)
    assert said.endswith(": 1 4")
    assert (scheduler / "stopped").read_text() == "1 4\n"
    assert not (scheduler / leftovers.QUEUED).exists()
    assert list(leftovers.stop(scheduler)) == []


def test_nothing_left_nothing_said(scheduler):
    assert list(leftovers.stop(scheduler)) == []


@pytest.mark.parametrize("snakemakes", [1, 2])
def test_jobs_of_another_snakemake_that_runs_are_left_alone(scheduler, snakemakes):
    """Each of them writes such a file when it starts."""
    queued(scheduler, "1", "running")
    (scheduler / ".snakemake/locks").mkdir()
    for number in range(snakemakes):
        (scheduler / f".snakemake/locks/{number}.output.lock").touch()
    assert len(list(leftovers.stop(scheduler))) == (snakemakes == 1)
    assert (scheduler / "stopped").exists() == (snakemakes == 1)
    assert (scheduler / leftovers.QUEUED).exists() == (snakemakes == 2)


@pytest.mark.parametrize(
    ("cancel", "told"),
    [(None, "left jobs with the scheduler: 5"), ("true", "do not end, though cancelled: 5")],
    ids=["no command to cancel", "jobs that do not end"],
)
def test_jobs_that_cannot_be_stopped_are_told(scheduler, cancel, told):
    queued(scheduler, "5", "running", cancel)
    with pytest.raises(UserError, match=told):
        list(leftovers.stop(scheduler, wait_seconds=0.1))


def test_of_slurms_own_executor_only_our_jobs_of_this_folder(scheduler, monkeypatch):
    rows = [
        f"1|{NAME}|rule_train_wildcards_x|{scheduler}",
        f"2|{NAME}|rule_train|{scheduler}/elsewhere",
        f"3|interactive|(null)|{scheduler}",
        f"4|prefix_{NAME}|rule_measure|{scheduler}",
        f"5|snakemake|rule_train|{scheduler}",
    ]
    listed = " ".join(f"'{row}'" for row in rows)
    write_program(scheduler / "bin/squeue", f"printf '%s\\n' {listed}")
    monkeypatch.setattr(leftovers, "SLURM", ("ask", "stop"))
    for i in range(1, 6):
        (scheduler / f"state-{i}").write_text("running\n")
    (said,) = leftovers.stop(scheduler)
    assert said.endswith(": 1 4")


def job(rule: str, local: bool = False, **resources) -> SimpleNamespace:
    return SimpleNamespace(is_local=local, rules=[rule], threads=1, resources=resources)


def test_the_longest_job_of_each_rule_is_asked_about(scheduler):
    write_program(scheduler / "bin/sbatch", f"echo $* >> {scheduler}/asked")
    jobs = [job("train", runtime=9, mem_mb=600, slurm_partition="short"), job("all", local=True)]
    preflight.check([*jobs, job("train", runtime=5), job("measure")])
    assert (scheduler / "asked").read_text().splitlines() == [
        "--test-only --partition=short --time=9 --mem=600 --cpus-per-task=1 --wrap=true",
        "--test-only --cpus-per-task=1 --wrap=true",
    ]


def test_a_refusal_is_told(scheduler):
    write_program(scheduler / "bin/sbatch", "echo 'sbatch: error: invalid partition' >&2; exit 1")
    told = r"jobs of rule train: invalid partition\nAsked for: --time=5"
    with pytest.raises(UserError, match=told):
        preflight.check([job("train", runtime=5)])


def test_without_slurm_the_user_is_told(scheduler):
    with pytest.raises(UserError, match="sbatch is not installed here"):
        preflight.check([job("train", runtime=5)])
