"""The workflow on a real Slurm: the same bits as on this machine, whatever becomes of its jobs."""

import re
import shutil
import subprocess

import psutil
import pytest

from snakemake_executor_plugin_cluster import STATUS
from tests.cluster.long import HOOK, Long
from tests.cluster.slurm import run
from tests.processes import LONGEST, wait_for, wait_for_end
from tests.workflow.conftest import copied, once
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow

PROFILE = ["--workflow-profile", "slurm"]
LITERAL = ["--cluster", "sbatch --parsable -c {threads}"]
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


def finish(process: subprocess.Popen) -> str:
    """Wait until Snakemake has ended well; what it said."""
    try:
        output, errors = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        pytest.fail(f"no end after {LONGEST:g} s\n{output}{errors}")
    assert process.returncode == 0, output + errors
    return errors


def submissions(output: str) -> int:
    return len(re.findall(SUBMITTED, output))


WAYS = {"profile": (PROFILE, 6), "literal": (LITERAL, 10), "grouped": (GROUPED, 7)}
"""Arguments, and how many submissions they make of 10 jobs."""


@pytest.mark.parametrize(("how", "count"), WAYS.values(), ids=WAYS)
def test_a_cluster_gives_the_bits_of_a_local_run(slurm, small, warm, tmp_path, how, count):
    project = smaller(Project(tmp_path))
    project.python = warm.python
    shutil.copy(HOOK, tmp_path / "src")
    said = finish(project.start(*how, "--", *FILES))
    assert project.files().keys() == small.files().keys()
    for name in small.files():
        one, two = project.folder / name, small.folder / name
        assert one.read_bytes() == two.read_bytes(), name
    assert submissions(said) == count, said
    slurm.wait_for_jobs(tmp_path)
    said = project.snakemake(*FILES).stderr
    assert "Nothing to be done" in said, "a local run finds all of it done"


def disturb(process: psutil.Process, how: str) -> None:
    """Bring a training that is held to its end."""
    job = process.environ()["SLURM_JOB_ID"]
    match how:
        case "cancelled":
            run("scancel", job)
        case "killed":
            process.kill()
        case "out of time":
            wait_for(lambda: is_soon_out_of_time(job), "a time limit that has not passed")


def is_soon_out_of_time(job: str) -> bool:
    """Try to end a job's time in some seconds; a busy Slurm looks at it when that is over."""
    command = ["scontrol", "update", f"jobid={job}", "endtime=now+5"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_jobs_that_are_cancelled_killed_or_out_of_time_go_on(slurm, undisturbed, long):
    how = [*PROFILE, "--group-components", "train-{epoch}=1"]
    ends = {0: "cancelled", 1: "killed", 2: "out of time"}
    long.hold(*ends)
    process = long.project.start(*long.asked(how, *ends))

    def all_disturbed() -> bool:
        for number in [number for number in ends if long.held(number)]:
            disturb(long.held(number), ends.pop(number))
        return not ends

    wait_for(all_disturbed, "three trainings with a checkpoint")
    said = finish(process)
    slurm.wait_for_jobs(long.folder)
    for state in ("CANCELLED", "FAILED", "TIMEOUT"):
        assert len(slurm.jobs(long.folder, state)) == 1, state
    for number in range(3):
        assert "goes on from its checkpoint at epoch" in long.log(number)
        assert long.bits(number) == undisturbed.bits(number)
    assert submissions(said) == 6
    first = {slurm.asked(job) for job in slurm.jobs(long.folder, "CANCELLED", "FAILED")}
    second = {slurm.asked(job) for job in slurm.jobs(long.folder, "COMPLETED")}
    assert first == {("00:07:00", "600M")}, "what was measured"
    assert second == {("00:14:00", "1200M")}, "the second attempt asks for twice as much"
    assert not [path for path in (long.folder / "results/checkpoints").rglob("*") if path.is_file()]


def test_a_node_whose_daemon_is_away_for_a_while(slurm, undisturbed, long):
    long.hold(0)
    process = long.project.start(*long.asked(PROFILE, 0))
    training = long.wait_until_held(0)
    slurm.stop("slurmd")
    try:
        training.resume()
        wait_for_end(training.pid)
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
    said = finish(long.project.start(*long.asked(how, 0)))
    assert "Error submitting jobscript" in said
    assert long.bits(0) == undisturbed.bits(0)


REFUSED = {
    "profile": ([*PROFILE, "--default-resources", "slurm_partition=nowhere"], "invalid partition"),
    "literal": (["--cluster", "sbatch --parsable -p nowhere"], "invalid partition"),
    "no such command": (["--cluster", "no-such-scheduler"], "not found"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_refused_submission_is_told(slurm, long, warm, how):
    long.project.python = warm.python
    arguments, told = REFUSED[how]
    done = long.project.snakemake(*long.asked(arguments, 0))
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert slurm.left(long.folder) == []
    assert not long.trained(0).exists()


@pytest.mark.parametrize("how", [PROFILE, LITERAL], ids=["profile", "literal"])
def test_snakemake_killed_and_started_again(slurm, undisturbed, long, how):
    numbers = range(3)  # on two processors two of them run and the third waits
    long.hold(*numbers)
    process = long.project.start(*long.asked(how, *numbers))
    wait_for(lambda: any(map(long.held, numbers)), "a checkpoint")
    process.kill()
    process.communicate()
    before = slurm.left(long.folder)
    assert before, "its jobs are still in the queue"

    long.let_go(*numbers)
    said = finish(long.project.start(*long.asked(how, *numbers)))
    assert not long.trained_twice_at_once
    assert "An earlier Snakemake was stopped here without notice" in said
    assert "Cancelling what an earlier Snakemake left" in said
    for number in numbers:
        assert long.bits(number) == undisturbed.bits(number)
    assert set(before) & set(slurm.jobs(long.folder, "CANCELLED", "FAILED"))
    slurm.wait_for_jobs(long.folder)
    assert not list((long.folder / ".snakemake/queued").glob("*"))
