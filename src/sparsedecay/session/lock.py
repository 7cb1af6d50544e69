"""One Snakemake at a time in a folder, and what one that was killed left behind.

Snakemake marks what it works on by files in `.snakemake/locks`. After a kill they stay, and nothing
in them tells whether their Snakemake still lives. So each one of ours holds a lock of the operating
system besides, which ends with the process, however it ends: whoever gets it may remove the marks.
"""

import contextlib
import json
import os
import shutil
import time
from pathlib import Path

from filelock import FileLock, Timeout

from sparsedecay.errors import UserError

LOCK, HOLDER, MARKS = "sparsedecay.lock", "sparsedecay.json", "locks"
PATIENCE = 10.0
"""Seconds to wait for a process that only looks at the folder, such as `snakemake --dag`."""


FOLDERS = ("results", "figures", ".snakemake", ".snakemake/metadata")


def obstacle(project: Path) -> str | None:
    """Why results cannot be written in a folder, in one line; None if they can."""
    for name in FOLDERS:
        folder = project / name
        there = folder if folder.exists() or folder.is_symlink() else project
        if not there.is_dir():
            return f"{there}: is no folder, but results belong there; move it away"
        if not os.access(there, os.W_OK | os.X_OK):
            return (
                f"{there.resolve()}: cannot be written; change its permissions, or work elsewhere "
                "with: snakemake --directory FOLDER"
            )
    return None


class FolderLock:
    """The right of this process to work in a folder, alone."""

    def __init__(self, project: Path) -> None:
        self.folder = project / ".snakemake"
        self.lock: FileLock | None = None
        self.possible = True
        """Whether the file system has locks."""

    def acquire(self, patience: float = 0.0) -> bool:
        """Lock the folder; returns whether it is this process's now.

        Raises:
            UserError: the lock belongs to another user.
        """
        if self.lock:
            return True
        lock = FileLock(self.folder / LOCK)
        try:
            self.folder.mkdir(exist_ok=True)
            lock.acquire(timeout=patience)
        except Timeout:
            return False
        except PermissionError as error:
            raise UserError(
                f"{error.filename}: belongs to someone else, so it cannot be told whether you are "
                "alone here; ask for the permission to write (of a group: umask 002), or work "
                "elsewhere with: snakemake --directory FOLDER"
            ) from None
        except (NotImplementedError, OSError):
            self.possible = False  # Snakemake itself tells if it cannot write there
            return False
        self.lock = lock
        note = {"process": os.getpid(), "host": os.uname().nodename, "since": time.strftime("%c")}
        with contextlib.suppress(OSError):
            (self.folder / HOLDER).write_text(json.dumps(note), encoding="utf-8")
        return True

    def release(self) -> None:
        """Give the folder back."""
        if self.lock:
            self.lock.release()
            self.lock = None

    def clear(self) -> bool:
        """Remove the marks of a Snakemake that is no more; returns whether there were any. Only for
        the process that holds the lock."""
        marks = self.folder / MARKS
        if not self.lock or not marks.is_dir() or not any(marks.iterdir()):
            return False
        with contextlib.suppress(OSError):
            shutil.rmtree(marks)
        return True

    def holder(self) -> str:
        """Who holds the lock, in a few words."""
        try:
            note = json.loads((self.folder / HOLDER).read_text(encoding="utf-8"))
            return (
                f"process {int(note['process'])} on {note['host']:.60}, since {note['since']:.60}"
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return "another process"
