import os
import signal
import sys

import pytest

from tests import processes
from tests.small import small_run, started

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells have it for the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
processes.mark()
if "PYTEST_XDIST_WORKER" not in os.environ:
    processes.watch()


def pytest_collection_modifyitems(items):
    """Begin with those that wait for Slurm most of their time: one process gets them, and takes no
    processor from the others."""
    items.sort(key=lambda item: "cluster/test_cluster.py" not in item.nodeid)


@pytest.fixture
def make_run():
    return small_run


@pytest.fixture
def make_engine():
    return started


@pytest.fixture(autouse=True)
def _no_process_stays():
    yield
    processes.kill()


@pytest.fixture(autouse=True)
def _processor_as_it_was():
    """Training flushes denormals in its process; other tests shall not notice."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
