import subprocess
from collections import Counter

import pytest

from tests import processes
from tests.workflow.conftest import built, replicated, study, warm

__all__ = ["built", "replicated", "study", "warm"]


@pytest.fixture
def mount():
    """How to mount a small file system on a folder, or to change its options."""
    places = []

    def mount(place, options):
        new = ["-t", "tmpfs", "-o", options, "tmpfs"]
        how = ["-o", f"remount,{options}"] if place in places else new
        if subprocess.run(["mount", *how, str(place)], capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount a small file system")
        places.append(place)

    yield mount
    processes.kill()  # what still writes there
    for place in {*places}:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def did():
    """What the tests of a file did, to be counted; told at their end."""
    counts = Counter()
    yield counts
    print("\n" + "\n".join(f"{count:9,} {what}" for what, count in counts.items()))
