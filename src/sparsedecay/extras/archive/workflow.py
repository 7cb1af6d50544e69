"""Snakemake in an unpacked archive, on the code that lies there."""

import os
import subprocess
import sys
from pathlib import Path

from sparsedecay.errors import UserError

NOTHING = "Nothing to be done"


def of(folder: Path) -> dict[str, str]:
    """The environment in which Python takes modules from `src/` of a folder, but not from the
    folder itself, though it works there."""
    return {"PYTHONPATH": str(folder / "src"), "PYTHONSAFEPATH": "1"}


class Workflow:
    """The workflow of an unpacked archive."""

    def __init__(self, folder: Path, config: str, cores: str) -> None:
        self.folder, self.config, self.cores = folder, config, cores

    def idle(self, targets: list[str]) -> bool:
        """Whether Snakemake finds nothing to be done; if it does, it is told what."""
        done = self.call(*targets, "--dry-run")
        if NOTHING in done:
            return True
        print(done, file=sys.stderr)
        return False

    def make(self, targets: list[str], *more: str) -> None:
        """Make targets, with the display of a user's terminal.

        Raises:
            UserError: a job failed.
        """
        self.call(*targets, "--cores", self.cores, *more, shown=True)

    def call(self, *arguments: str, shown: bool = False) -> str:
        """Call Snakemake; returns what it said, unless it is shown.

        Raises:
            UserError: it failed.
        """
        # targets first: --configfile takes all that follows it
        command = [sys.executable, "-m", "snakemake", *arguments, "--configfile", self.config]
        inherited = {k: v for k, v in os.environ.items() if k != "SNAKEMAKE_PROFILE"}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**inherited, **of(self.folder)},
            stdout=None if shown else subprocess.PIPE,
            stderr=None if shown else subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            said = f":\n{done.stdout}" if done.stdout else ""
            raise UserError(f"Snakemake failed in the unpacked archive {self.folder}{said}")
        return done.stdout or ""
