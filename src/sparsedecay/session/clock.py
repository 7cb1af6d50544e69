"""Files that lie in the future, because the clock was set back or another machine's runs ahead.

Snakemake takes what is older than its inputs for wrong, and deletes it.
"""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

LEEWAY = 1.0
"""Seconds that file systems and clocks may differ by."""


def to_the_present(files: Iterable[str]) -> list[str]:
    """Date those of the files now that are dated later; returns which. Nothing runs anew because of
    it, as inputs are compared by their content."""
    now = time.time()
    moved = []
    for file in files:
        with contextlib.suppress(OSError):
            if Path(file).stat().st_mtime > now + LEEWAY:
                os.utime(file, (now, now))
                moved.append(file)
    return moved
