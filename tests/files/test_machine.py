"""Memory and cores of the machine, or of the container around this process."""

import os

import psutil
import pytest

from sparsedecay.files.machine import cores, memory_mb

TOTAL = psutil.virtual_memory().total // 10**6
ALLOWED = len(os.sched_getaffinity(0))
SMALL = 300_000_000


def machine(root, groups, **files):
    """A file system with the control groups of this process, and what these say."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        file = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_without_control_groups(tmp_path):
    assert memory_mb(tmp_path) == TOTAL
    assert cores(tmp_path) == ALLOWED


def test_the_least_of_all_groups_above_counts(tmp_path):
    root = machine(
        tmp_path,
        "0::/batch/job\n",
        batch__job__memory_dot_max="max\n",
        batch__memory_dot_max=f"{SMALL}\n",
        memory_dot_max=f"{2 * SMALL}\n",
        batch__job__cpu_dot_max="max 100000\n",
        batch__cpu_dot_max="150000 100000\n",
    )
    assert memory_mb(root) == 300
    assert cores(root) == 1, "one and a half cores are one that is always there"


def test_version_1(tmp_path):
    root = machine(
        tmp_path,
        "9:name=systemd:/\n4:memory:/job\n1:cpuacct,cpu:/job\n0::/\n",
        memory__job__memory_dot_limit_in_bytes=f"{SMALL}\n",
        memory__memory_dot_limit_in_bytes="9223372036854771712\n",
        cpu__job__cpu_dot_cfs_quota_us="-1\n",
        cpu__job__cpu_dot_cfs_period_us="100000\n",
        cpu__cpu_dot_cfs_quota_us="50000\n",
        cpu__cpu_dot_cfs_period_us="100000\n",
    )
    assert memory_mb(root) == 300
    assert cores(root) == 1, "at least one"


@pytest.mark.parametrize("text", ["", "lots", "-1"])
def test_what_is_no_limit(tmp_path, text):
    root = machine(tmp_path, "0::/\n", memory_dot_max=text, cpu_dot_max=text)
    assert memory_mb(root) == TOTAL
    assert cores(root) == ALLOWED
