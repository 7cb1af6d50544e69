import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock

from tests.cluster import slurm as scheduler
from tests.cluster.slurm import Slurm
from tests.workflow.conftest import of_all_processes, warm

__all__ = ["warm"]


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """A real Slurm, one for all test processes; it stops when they have ended."""
    shared = of_all_processes(tmp_path_factory)
    with FileLock(shared / "slurm.lock"):
        note = shared / "slurm"
        if not note.exists():
            reason = scheduler.missing()
            if reason and os.environ.get("CI"):
                pytest.fail(f"no Slurm, under CI: {reason}")
            if reason:
                pytest.skip(reason)
            # a short path: that of a socket may have only 108 characters
            base = Path(tempfile.mkdtemp(prefix="slurm-"))
            base.chmod(0o755)
            found = Slurm(base)
            tests = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
            watch = [sys.executable, scheduler.__file__, str(base), str(tests)]
            subprocess.Popen(watch, start_new_session=True)
            found.up()
            note.write_text(str(base))
        return Slurm(Path(note.read_text()))
