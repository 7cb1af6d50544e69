"""Jobs that a Snakemake left with a scheduler when it was killed: stopped before others take their
place, so that none runs twice at the same time. Training goes on from the checkpoint it then makes.
"""

import json
import re
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from urllib.parse import unquote

from snakemake_executor_plugin_cluster import QUEUED, STATUS
from sparsedecay.errors import UserError

WAIT_SECONDS = 600.0
AT_ONCE = 50
"""Jobs that one call of the cancelling command names."""
SLURM = (f"sh {quote(str(STATUS))} sbatch", "scancel")
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def found(folder: Path) -> Iterator[tuple[str, tuple[str | None, str | None]]]:
    """Ids of jobs that may be left of a Snakemake in this folder, each with the commands that ask
    for its status and cancel it."""
    for file in sorted((folder / QUEUED).glob("*")):
        commands = json.loads(file.read_text())
        yield unquote(file.name), (commands["status"], commands["cancel"])
    if not shutil.which("squeue"):
        return
    # the executor `slurm` leaves no note, but names and comments its jobs
    asked = ["squeue", "--me", "--noheader", "--format", "%i|%j|%k|%Z"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False)
    for line in listed.stdout.splitlines():
        jobid, name, comment, place = (line.split("|", 3) + [""] * 3)[:4]
        ours = re.search(f"{UUID}$", name) and comment.startswith("rule_")
        if ours and Path(place).resolve() == folder.resolve():
            yield jobid, SLURM


def stop(folder: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[str]:
    """Cancel the jobs that a Snakemake in this folder left, and wait for their end; yields what
    there is to tell. Where another Snakemake holds locks too, as two may that make different files,
    nothing is cancelled: the jobs may be its own.

    Raises:
        UserError: they cannot be cancelled, or do not end.
    """
    if len(list((folder / ".snakemake/locks").glob("*.output.lock"))) > 1:
        return
    jobs = dict(found(folder))
    alive = [jobid for jobid, (status, _) in jobs.items() if status and lives(status, jobid)]
    by_command: dict[str | None, list[str]] = defaultdict(list)
    for jobid in alive:
        by_command[jobs[jobid][1]].append(jobid)
    if by_command.pop(None, None):
        raise UserError(
            f"An earlier Snakemake left jobs with the scheduler: {' '.join(alive)}. Cancel them, "
            "or wait for their end, and start again."
        )
    if alive:
        yield (
            "Cancelling what an earlier Snakemake left with the scheduler; its training is kept: "
            + " ".join(alive)
        )
    for command, jobids in by_command.items():
        for first in range(0, len(jobids), AT_ONCE):
            some = " ".join(map(quote, jobids[first : first + AT_ONCE]))
            subprocess.run(f"{command} {some}", shell=True, check=False, capture_output=True)
    deadline = time.monotonic() + wait_seconds
    while alive := [jobid for jobid in alive if lives(str(jobs[jobid][0]), jobid)]:
        if time.monotonic() > deadline:
            raise UserError(f"These jobs do not end, though cancelled: {' '.join(alive)}.")
        time.sleep(1)
    shutil.rmtree(folder / QUEUED, ignore_errors=True)


def lives(status: str, jobid: str) -> bool:
    """Whether a job waits, runs, or is about to end."""
    done = subprocess.run(
        f"{status} {quote(jobid)}", shell=True, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() == "running"
