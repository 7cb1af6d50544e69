"""Time and memory of a job, under the names that Snakemake's own benchmarks have.

Snakemake measures no rule whose results may come from a cache between folders, so the commands of
those rules write down themselves what they took.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparsedecay.files.storage import write_file

RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of `ru_maxrss`."""


@contextmanager
def timed(file: Path | None) -> Iterator[None]:
    """Write one line of JSON when the work within has been done: `s`, seconds; `cpu_time`, seconds
    of this process in all; `max_rss`, its memory at most, in MB of 2^20 bytes."""
    began = time.monotonic()
    yield
    if file:
        used = resource.getrusage(resource.RUSAGE_SELF)
        took = {
            "s": round(time.monotonic() - began, 4),
            "cpu_time": round(used.ru_utime + used.ru_stime, 2),
            "max_rss": used.ru_maxrss * RSS_UNIT / 2**20,
        }
        write_file(file, json.dumps(took) + "\n")
