"""`--cluster CMD`, and what becomes of a job on schedulers that are not here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from snakemake_executor_plugin_cluster import STATUS, ExecutorSettings, translated


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["--cluster", "sbatch -x", "a"], ["--cluster-submit", "sbatch -x", "--jobs", "100", "a"]),
        (["--cluster=qsub", "-j", "8"], ["--cluster-submit", "qsub", "-j", "8"]),
        (["--jobs=3", "--cluster", "q"], ["--jobs=3", "--cluster-submit", "q"]),
        (["-j4", "--cluster", "q"], ["-j4", "--cluster-submit", "q"]),
        (
            ["--workflow-profile", "p", "--cluster", "q"],
            ["--workflow-profile", "p", "--cluster-submit", "q"],
        ),
        (["--cores", "2", "x"], ["--cores", "2", "x"]),
        (["--cluster-status", "s"], ["--cluster-status", "s"]),
        (["--", "--cluster", "x"], ["--", "--cluster", "x"]),
    ],
)
def test_arguments_are_translated(typed, meant):
    assert [word for word in translated(typed) if word not in ("--executor", "cluster")] == meant
    assert ("--executor" in translated(typed)) == ("--cluster-submit" in meant)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--cluster"], "a command is missing"),
        (["--cluster="], "a command is missing"),
        (["--cluster-config", "x.yaml"], "--set-resources"),
        (["--cluster-sync", "qsub -sync y"], "--cluster"),
        (["--drmaa"], "--workflow-profile slurm"),
    ],
)
def test_what_cannot_be_translated_is_told(typed, told):
    with pytest.raises(SystemExit, match=told):
        translated(typed)


def test_snakemake_knows_the_options():
    said = subprocess.run(
        [sys.executable, "-m", "snakemake", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in ("submit", "status", "cancel", "cancel-nargs", "sidecar"):
        assert f"--cluster-{option} " in said


@pytest.mark.parametrize(
    ("submit", "cancel"),
    [
        ("sbatch --parsable", "scancel"),
        ("/opt/pbs/bin/qsub -V", "qdel"),
        ("bsub -n 1 <", "bkill"),
        ("my-submit", None),
    ],
)
def test_status_and_cancel_are_known_of_common_schedulers(submit, cancel):
    settings = ExecutorSettings(submit=submit)
    assert settings.cancel_cmd == cancel
    assert bool(settings.status_cmd) == bool(cancel)
    given = ExecutorSettings(submit=submit, status="ask", cancel="stop")
    assert (given.status_cmd, given.cancel_cmd) == ("ask", "stop")


def fake(folder: Path, programs: dict[str, str]) -> dict[str, str]:
    """An environment in which these programs do as their scripts say, and no other is found."""
    for name in ("sh", "grep", "head", "sed", "cut", "tr", "tail", "mktemp", "rm", "printf", "cat"):
        where = next(p for p in ("/bin", "/usr/bin") if Path(p, name).exists())
        (folder / name).symlink_to(Path(where, name))
    programs = {"sleep": ":", **programs}
    for name, script in programs.items():
        write_program(folder / name, script)
    return {**os.environ, "PATH": str(folder)}


def write_program(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


SLURM = 'echo "JobId=7 JobName=x JobState={} Reason=None"'
GONE = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"
PBS = "printf 'Job Id: 7.server\\n    job_state = {}\\n    Exit_status = {}\\n'"
QACCT = "printf 'failed       {}\\nexit_status  0\\n'"
SGE = "[ $1 = -j ] && echo job_number: 7"
STATES = [
    ("sbatch", "7", {"scontrol": SLURM.format("COMPLETED")}, "success"),
    ("sbatch", "7", {"scontrol": SLURM.format("RUNNING")}, "running"),
    ("sbatch", "7", {"scontrol": SLURM.format("PENDING")}, "running"),
    ("sbatch", "7", {"scontrol": SLURM.format("COMPLETING")}, "running"),
    ("sbatch", "7", {"scontrol": SLURM.format("TIMEOUT")}, "failed"),
    ("sbatch", "7", {"scontrol": SLURM.format("CANCELLED")}, "failed"),
    ("sbatch", "7", {"scontrol": SLURM.format("NODE_FAIL")}, "failed"),
    ("sbatch", "7", {"scontrol": GONE, "sacct": "echo COMPLETED"}, "success"),
    ("sbatch", "7", {"scontrol": GONE, "sacct": "echo 'CANCELLED by 0'"}, "failed"),
    ("sbatch", "7", {"scontrol": GONE, "sacct": "exit 1"}, "failed"),
    ("sbatch", "7", {"scontrol": "echo 'Unable to contact controller' >&2; exit 1"}, "running"),
    ("sbatch", "7;cluster", {"scontrol": '[ "$4" = 7 ] && ' + SLURM.format("RUNNING")}, "running"),
    ("qsub", "7.server", {"qstat": PBS.format("R", "")}, "running"),
    ("qsub", "7.server", {"qstat": PBS.format("Q", "")}, "running"),
    ("qsub", "7.server", {"qstat": PBS.format("F", "0")}, "success"),
    ("qsub", "7.server", {"qstat": PBS.format("F", "271")}, "failed"),
    ("qsub", "7.server", {"qstat": PBS.format("C", "0")}, "success"),
    ("qsub", "7.server", {"qstat": "echo 'qstat: Unknown Job Id' >&2; exit 1"}, "failed"),
    ("qsub", "7", {"qstat": SGE}, "running"),
    ("qsub", "7", {"qstat": "exit 1", "qacct": QACCT.format("0")}, "success"),
    ("qsub", "7", {"qstat": "exit 1", "qacct": QACCT.format("100 : x")}, "failed"),
    ("qsub", "7", {"qstat": "echo 'cannot reach server' >&2; exit 1"}, "running"),
    ("bsub", "Job <7> is submitted to queue <q>.", {"bjobs": "echo RUN"}, "running"),
    ("bsub", "7", {"bjobs": "echo PEND"}, "running"),
    ("bsub", "7", {"bjobs": "echo DONE"}, "success"),
    ("bsub", "7", {"bjobs": "echo EXIT"}, "failed"),
    ("bsub", "7", {"bjobs": "echo 'Job <7> is not found' >&2; exit 255"}, "failed"),
    ("bsub", "7", {"bjobs": "echo 'LSF is down' >&2; exit 255"}, "running"),
    ("bsub", "no number", {}, "failed"),
]


@pytest.mark.parametrize(("submit", "jobid", "programs", "status"), STATES)
def test_status(tmp_path, submit, jobid, programs, status):
    done = subprocess.run(
        ["/bin/sh", str(STATUS), submit, jobid],
        env=fake(tmp_path, programs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{status}\n", "")
