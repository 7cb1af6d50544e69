"""After any kill, what is finished stays finished, and the same command goes on by itself."""

import os
import random

import pytest

from tests.faults.kills import Kills, folder_of, whole

pytestmark = pytest.mark.workflow
LONG = os.environ.get("FAULTS") == "long"
TARGETS = () if LONG else ("figures/fig3.pdf",)
SEED = int(os.environ.get("FAULTS_SEED", "0"))


@pytest.fixture(scope="module")
def right(warm, tmp_path_factory):
    """What an undisturbed Snakemake makes."""
    project = folder_of(tmp_path_factory.mktemp("faults") / "undisturbed")
    project.python = warm.python
    done = project.snakemake("--cores", "2", *TARGETS)
    assert done.returncode == 0, done.stderr
    return whole(project)


def test_kills_at_random_moments(right, tmp_path):
    project = folder_of(tmp_path / "killed")
    kills = Kills(project, right, random.Random(SEED), TARGETS)
    try:
        kills.again(110 if LONG else 3)
    finally:
        print(kills.told())
