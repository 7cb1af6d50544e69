"""Being alone in a folder, and on a cluster: what a Snakemake does before it begins.

session = session_in(Path(), logger.info)
session.open(looks=False)              alone here, and what a killed one left is cleared away
session.start(dag, slurm=True)         before the first job
"""

import getpass
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from sparsedecay.errors import UserError
from sparsedecay.session import leftovers, preflight
from sparsedecay.session.clock import to_the_present
from sparsedecay.session.lock import PATIENCE, FolderLock, obstacle
from sparsedecay.session.looking import Shown


def with_a_name() -> None:
    """Give a name to a user who has none, as in a container with `--user`: Snakemake shows it."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = f"uid{os.getuid()}"


class Session:
    """One call of Snakemake in a folder."""

    def __init__(self, folder: Path, tell: Callable[[str], object]) -> None:
        self.folder, self.tell, self.lock = folder, tell, FolderLock(folder)
        self.shown: Shown | None = None
        """Where to look at a folder in which nothing can be written."""
        self.opened = False

    def open(self, looks: bool) -> None:
        """Lock the folder, unless another Snakemake is at work there, and clear away the marks of
        one that was killed.

        Args:
            looks: whether nothing will be made, as in a dry run: then nothing stays locked, and
                where nothing can be written there is a place to look from, `shown`.

        Raises:
            UserError: results cannot be written there.
        """
        if self.opened:
            return
        self.opened = True
        with_a_name()
        try:
            alone = self.enter()
        except UserError:
            if not looks:
                raise
            self.shown = Shown(self.folder)
            return
        if alone:
            if self.lock.clear():
                self.tell(
                    "An earlier Snakemake was stopped here without notice. What it finished is "
                    "kept, and what it had begun goes on from its last checkpoint."
                )
        elif self.lock.possible and not looks:
            self.tell(f"Another Snakemake is at work in this folder: {self.lock.holder()}.")
        if looks:
            self.lock.release()

    def enter(self) -> bool:
        """Lock the folder, if results can be written there; returns whether it is locked.

        Raises:
            UserError: they cannot, or the lock belongs to another user.
        """
        if reason := obstacle(self.folder):
            raise UserError(reason)
        return self.lock.acquire()

    def alone(self) -> None:
        """Wait a moment for another Snakemake that only looks at the folder.

        Raises:
            UserError: another Snakemake is at work here.
        """
        if not self.lock.acquire(PATIENCE) and self.lock.possible:
            raise UserError(
                f"Another Snakemake is at work in this folder: {self.lock.holder()}. Wait for it, "
                "or work elsewhere, also with another config: snakemake --directory FOLDER"
            )

    def start(self, dag: Any, slurm: bool) -> None:
        """Be alone; stop what a killed Snakemake left with a scheduler; leave no input in the
        future; ask Slurm whether it takes the jobs.

        Raises:
            UserError: another Snakemake is at work here, or the scheduler refuses.
        """
        self.alone()
        for news in leftovers.stop(self.folder):
            self.tell(news)
        jobs = list(dag.needrun_jobs())
        inputs = {str(file) for job in jobs for file in job.input}
        if moved := to_the_present(sorted(inputs)):
            more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
            self.tell(
                f"{moved[0]}{more}: lay in the future, as if the clock had been set back; now "
                "dated today."
            )
        if slurm:
            preflight.check({dag.get_job_group(job) or job for job in jobs})


@cache
def session_in(folder: Path, tell: Callable[[str], object]) -> Session:
    """The session of this process in a folder: one, however many modules of a workflow ask."""
    return Session(folder, tell)
