"""No process outlives the test that started it, whether that passes, fails or is interrupted.

What a test starts carries a mark in its environment, and so does all that starts from there, jobs
of a scheduler too. At the end of a test whatever still has the mark is killed; once pytest has
ended, in whatever way, a watcher does the same.

    python -m tests.processes MARK PID      the watcher
"""

import contextlib
import math
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

NAME = "STARTED_BY_TESTS"
"""Environment variable with the mark; that of pytest's workers begins with that of pytest."""
LONGEST = 600.0
"""Seconds that anything may take which is waited for: a busy machine is no fault."""
outlasting: set[int] = set()
"""Processes that end with pytest and not with a test."""


def wait_for(condition: Callable[[], object], what: str, seconds: float = LONGEST) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: it does not.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds:g} s still not: {what}")
        time.sleep(0.1)


def lives(pid: int) -> bool:
    """Whether a process goes on; one that has ended may still wait for its parent to notice."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_end(pid: int, seconds: float = LONGEST) -> None:
    """Wait until a process has ended; it need not be a child."""
    wait_for(lambda: not lives(pid), f"process {pid} has ended", seconds)


def mark() -> None:
    """From now on everything that this process starts is marked."""
    os.environ[NAME] = f"{os.environ.get(NAME, '')}/{uuid.uuid4()}"


def unmarked() -> dict[str, str]:
    """The environment of what outlasts a test."""
    return {name: value for name, value in os.environ.items() if name != NAME}


def start_outlasting(command: list[str], **options: Any) -> subprocess.Popen:
    """Start a process that may go on after a test and ends by itself; what it starts may not."""
    process = subprocess.Popen(command, env=unmarked(), start_new_session=True, **options)
    outlasting.add(process.pid)
    return process


def watch() -> None:
    """Start the watcher of this process."""
    start_outlasting(
        [sys.executable, "-m", "tests.processes", os.environ[NAME], str(os.getpid())],
        cwd=Path(__file__).parents[1],
    )


def marked(mark: str) -> list[psutil.Process]:
    """All processes with a mark, or with one that begins so."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(NAME, "").startswith(mark) and process.pid != os.getpid():
                found.append(process)
    return found


def started() -> list[psutil.Process]:
    """What runs of all that this process has started, by its mark or by descent."""
    descendants = psutil.Process().children(recursive=True)
    return [
        process
        for process in {*marked(os.environ[NAME]), *descendants}
        if process.pid not in outlasting
    ]


def kill(found: Callable[[], list[psutil.Process]] = started, settle: float = 0) -> None:
    """Kill until nothing is found any more.

    Args:
        settle: seconds after which to look once more: a process shows no environment, and so no
            mark, at the moment in which it becomes another program.

    Raises:
        TimeoutError: something cannot be killed.
    """
    deadline = time.monotonic() + LONGEST
    while processes := found() or (time.sleep(settle) or found() if settle else []):
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=5)
        if time.monotonic() > deadline:
            raise TimeoutError(f"cannot be killed: {processes}")


if __name__ == "__main__":
    wait_for_end(int(sys.argv[2]), seconds=math.inf)
    kill(lambda: marked(sys.argv[1]), settle=2)
