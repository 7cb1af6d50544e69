"""The workflow on a real Slurm: the same bits as on this machine, whatever becomes of its jobs."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from snakemake_executor_plugin_cluster import STATUS
from tests.cluster.long import Long
from tests.cluster.slurm import run, wait_for
from tests.workflow.conftest import copied, once
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow

PROFILE = ["--workflow-profile", "slurm", "--latency-wait", "10"]
PROFILE += ["--slurm-init-seconds-before-status-checks", "5"]
LITERAL = ["--cluster", "sbatch --parsable -c {threads}", "--seconds-between-status-checks", "1"]
GROUPED = [*LITERAL, "--groups", "train=train-{epoch}", "measure=measure"]
GROUPED += ["--group-components", "train-{epoch}=4", "measure=10", "--cores", "2"]
FILES = ["figures/fig2.pdf", "figures/fig3.pdf", "results/measure/summary.parquet"]
SUBMITTED = r"has been submitted with SLURM jobid (\d+)|with external jobid '(\d+)'"


@pytest.fixture(scope="session")
def small(warm, tmp_path_factory):
    """Some files of a smaller experiment, made on this machine without a scheduler."""

    def make(project):
        project.python = warm.python
        smaller(project)
        done = project.snakemake("--cores", "2", *FILES)
        assert done.returncode == 0, done.stderr

    return once(tmp_path_factory, "small", make)


def smaller(project: Project) -> Project:
    """The smoke experiment with one run of each network."""
    project.clone().edit("config/config.yaml", "[1.0e-1, 1.0e-3]", "[1.0e-3]")
    project.edit("config/config.yaml", "regularizers: [eq2, none]", "regularizers: [eq2]")
    return project


@pytest.fixture(scope="session")
def ready(warm, tmp_path_factory):
    """A project in which only the training of the long runs is left."""

    def make(project):
        project.python = warm.python
        Long(project).make()

    return once(tmp_path_factory, "ready", make)


@pytest.fixture(scope="session")
def undisturbed(ready, warm, tmp_path_factory):
    """The long runs, trained on this machine without a scheduler."""

    def make(project):
        project.python = warm.python
        long = Long(copied(ready.folder, project.folder))
        done = project.snakemake(*long.asked(["--cores", "2"], 0, 1, 2))
        assert done.returncode == 0, done.stderr

    return Long(once(tmp_path_factory, "long", make))


@pytest.fixture
def long(ready, tmp_path):
    return Long(copied(ready.folder, tmp_path / "long"))


def finish(process: subprocess.Popen, seconds: float = 300) -> tuple[str, str]:
    """Wait until Snakemake has ended well; what it said."""
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        pytest.fail(f"no end after {seconds:g} s\n{output}{errors}")
    assert process.returncode == 0, output + errors
    return output, errors


def submissions(output: str) -> int:
    return len(re.findall(SUBMITTED, output))


def left(slurm, folder) -> list[str]:
    return slurm.jobs(folder, "PENDING", "RUNNING", "COMPLETING")


WAYS = {"profile": (PROFILE, 6), "literal": (LITERAL, 10), "grouped": (GROUPED, 7)}
"""Arguments, and how many submissions they make of 10 jobs."""


@pytest.mark.parametrize(("how", "count"), WAYS.values(), ids=WAYS)
def test_a_cluster_gives_the_bits_of_a_local_run(slurm, small, tmp_path, how, count):
    project = smaller(Project(tmp_path))
    _, errors = finish(project.start(*how, "--", *FILES))
    assert project.files().keys() == small.files().keys()
    for name in small.files():
        one, two = project.folder / name, small.folder / name
        assert one.read_bytes() == two.read_bytes(), name
    assert submissions(errors) == count, errors
    assert left(slurm, project.folder) == []
    said = Project(tmp_path).snakemake(*FILES).stderr
    assert "Nothing to be done" in said, "a local run finds all of it done"


def disturb(pid: int, how: str) -> None:
    """Bring a training to its end before it has finished."""
    (job,) = re.findall(r"\0SLURM_JOB_ID=(\d+)", Path(f"/proc/{pid}/environ").read_text())
    match how:
        case "cancelled":
            run("scancel", job)
        case "killed":
            os.kill(pid, signal.SIGKILL)
        case "out of time":
            os.kill(pid, signal.SIGSTOP)  # or it would be done before Slurm looks at its limit
            run("scontrol", "update", f"jobid={job}", "endtime=now")


def test_jobs_that_are_cancelled_killed_or_out_of_time_go_on(slurm, undisturbed, long):
    process = long.project.start(
        *long.asked([*PROFILE, "--group-components", "train-{epoch}=1"], 0, 1, 2)
    )
    ends = {0: "cancelled", 1: "killed", 2: "out of time"}

    def all_disturbed() -> bool:
        """Disturb each training as soon as it has a checkpoint."""
        for number in [i for i in ends if long.checkpoint(i).exists() and long.processes(i)]:
            disturb(long.processes(number)[0], ends.pop(number))
        return not ends

    wait_for(all_disturbed, "three trainings with a checkpoint")
    _, errors = finish(process)
    for state in ("CANCELLED", "FAILED", "TIMEOUT"):
        assert len(slurm.jobs(long.folder, state)) == 1, state
    for number in range(3):
        assert "goes on from its checkpoint at epoch" in long.log(number)
        assert long.bits(number) == undisturbed.bits(number)
    assert submissions(errors) == 6
    first = {slurm.asked(job) for job in slurm.jobs(long.folder, "CANCELLED", "FAILED")}
    second = {slurm.asked(job) for job in slurm.jobs(long.folder, "COMPLETED")}
    assert first == {("00:21:00", "600M")}, "what was measured"
    assert second == {("00:42:00", "1200M")}, "the second attempt asks for twice as much"
    assert left(slurm, long.folder) == []
    assert not [path for path in (long.folder / "results/checkpoints").rglob("*") if path.is_file()]


def test_a_node_whose_daemon_is_away_for_a_while(slurm, undisturbed, long):
    process = long.project.start(*long.asked(PROFILE, 0))
    wait_for(long.checkpoint(0).exists, "a checkpoint")
    slurm.stop("slurmd")
    try:
        wait_for(lambda: not long.processes(0) or process.poll() is not None, "the job's end")
    finally:
        slurm.start_slurmd()
    finish(process)
    assert long.bits(0) == undisturbed.bits(0)


FLAKY = """\
#!/bin/sh
mkdir "$(dirname "$0")/refused" 2> /dev/null && { echo "busy" >&2; exit 1; }
exec sbatch --parsable "$@"
"""


def test_a_submission_that_fails_once_is_repeated(slurm, undisturbed, long):
    submit = long.folder / "submit"
    submit.write_text(FLAKY)
    how = ["--cluster", f"sh {submit}", "--cluster-status", f"sh {STATUS} sbatch", "--retries", "1"]
    how += ["--seconds-between-status-checks", "1"]
    _, errors = finish(long.project.start(*long.asked(how, 0)))
    assert "Error submitting jobscript" in errors
    assert long.bits(0) == undisturbed.bits(0)


REFUSED = {
    "profile": ([*PROFILE, "--default-resources", "slurm_partition=nowhere"], "invalid partition"),
    "literal": (["--cluster", "sbatch --parsable -p nowhere"], "invalid partition"),
    "no such command": (["--cluster", "no-such-scheduler"], "not found"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_refused_submission_is_told(slurm, long, how):
    arguments, told = REFUSED[how]
    done = long.project.snakemake(*long.asked(arguments, 0))
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert left(slurm, long.folder) == []
    assert not long.trained(0).exists()


@pytest.mark.parametrize("how", [PROFILE, LITERAL], ids=["profile", "literal"])
def test_snakemake_killed_and_started_again(slurm, undisturbed, long, how):
    asked = long.asked(how, 0, 1, 2)  # two of them run, the third waits
    process = long.project.start(*asked)
    wait_for(lambda: any(long.checkpoint(i).exists() for i in range(3)), "a checkpoint")
    process.kill()
    process.communicate()
    before = left(slurm, long.folder)
    assert before, "its jobs are still in the queue"

    process = long.project.start(*asked)
    most = 0
    while process.poll() is None:
        most = max(most, *(len(long.processes(i)) for i in range(3)))
        assert most <= 1, "the same run is trained twice at the same time"
    _, errors = finish(process)
    assert most == 1
    assert "An earlier Snakemake was stopped here without notice" in errors
    assert "Cancelling what an earlier Snakemake left" in errors
    for number in range(3):
        assert long.bits(number) == undisturbed.bits(number)
    assert set(before) & set(slurm.jobs(long.folder, "CANCELLED", "FAILED"))
    assert left(slurm, long.folder) == []
    assert not (long.folder / ".snakemake/queued").exists() or not any(
        (long.folder / ".snakemake/queued").iterdir()
    )
