"""What this machine, or the part of it that this process may use, has: memory and cores.

A container or a batch job has less than the machine: its control group says how much
(https://docs.kernel.org/admin-guide/cgroup-v2.html, and version 1 of the same).
"""

import math
import os
import platform
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import psutil

ROOT = Path("/")


def memory_mb(root: Path = ROOT) -> int:
    """Memory in MB of 10^6 bytes, without swap."""
    limits = [int(text) for text in said("memory", root) if text.isdigit()]
    total: int = psutil.virtual_memory().total
    return min([total, *limits]) // 10**6


def cores(root: Path = ROOT) -> int:
    """Cores that may be busy all the time, at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quotas = []
    for text in said("cpu", root):
        quota, _, period = text.partition(" ")
        if quota.isdigit() and period.isdigit():
            quotas.append(int(quota) / int(period))
    return max(1, math.floor(min([allowed or 1, *quotas])))


def processor(root: Path = ROOT) -> str:
    """What the processor calls itself."""
    try:
        told = (root / "proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
    about = {key.strip(): value.strip() for key, value in found.items()}
    if "model name" not in about:
        return platform.processor() or platform.machine()
    family = f"family {about.get('cpu family')}, model {about.get('model')}"
    return f"{about['model name']} ({family})"


FILES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "memory": (("memory.max",), ("memory.limit_in_bytes",)),
    "cpu": (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")),
}
"""Where a limit stands, by what is limited: in version 2, and in version 1."""


def said(what: str, root: Path) -> Iterator[str]:
    """What the control group of this process, and each above it, says of a limit."""
    try:
        groups = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    mounted = root / "sys/fs/cgroup"
    for group in groups:
        number, controllers, name = group.split(":", 2)
        if number == "0":
            base, files = mounted, FILES[what][0]
        elif what in controllers.split(","):
            base, files = mounted / what, FILES[what][1]
        else:
            continue
        place = PurePosixPath(name.strip("/"))
        for folder in (place, *place.parents):
            try:
                yield " ".join((base / folder / file).read_text().strip() for file in files)
            except (OSError, ValueError):
                continue
