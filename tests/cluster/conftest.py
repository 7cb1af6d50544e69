import os
import sys
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock

from tests import processes
from tests.cluster import slurm as scheduler
from tests.cluster.slurm import Slurm
from tests.workflow.conftest import of_all_processes, warm
from tests.workflow.project import ROOT

__all__ = ["warm"]


@pytest.fixture(scope="session")
def one_slurm(tmp_path_factory):
    """A real Slurm, one for all test processes; it stops when they have ended."""
    if reason := scheduler.missing():
        if os.environ.get("CI"):
            pytest.fail(f"no Slurm, under CI: {reason}")
        pytest.skip(reason)
    note = of_all_processes(tmp_path_factory) / "slurm"
    with FileLock("/tmp/slurm-of-tests.lock"):  # of all tests on this machine, which has one place
        if not note.exists():
            processes.wait_for(lambda: not scheduler.others_run(), "no other Slurm of tests", 3600)
            # a short path: that of a socket may have only 108 characters
            base = Path(tempfile.mkdtemp(prefix="slurm-"))
            base.chmod(0o755)
            tests = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
            watch = [sys.executable, "-m", scheduler.__name__, str(base), str(tests)]
            processes.start_outlasting(watch, cwd=ROOT)
            Slurm(base).up()
            note.write_text(str(base))
    return Slurm(Path(note.read_text()))


@pytest.fixture
def slurm(one_slurm, tmp_path):
    yield one_slurm
    processes.kill()  # before its jobs, or Snakemake would submit others
    one_slurm.cancel(tmp_path)
