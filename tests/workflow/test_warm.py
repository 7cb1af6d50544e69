"""A program that starts warm does as one that Python starts."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import wait_for
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
STAGE = """
import os, signal, sys
def main(arguments):
    print(sys.stdin.read(), os.getcwd(), os.environ["SAID"], __file__, sys.argv[1:], flush=True)
    {}
"""
ENDS = {
    "well": ("pass", 0),
    "status": ("sys.exit(7)", 7),
    "words": ("sys.exit('words')", 1),
    "a user's mistake": ("from sparsedecay.errors import UserError; raise UserError('words')", 2),
    "an error": ("1 / 0", 1),
    "no exit": ("os._exit(9)", 9),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
}


@pytest.fixture
def stage(tmp_path):
    """How to call a stage that a test writes."""
    project = Project(tmp_path).clone()

    def call(python, code):
        (project.folder / "src/sparsedecay/measure/join.py").write_text(STAGE.format(code))
        project.python = python
        options = {"module": "sparsedecay", "env": {"SAID": "here"}, "stdin": subprocess.PIPE}
        return project.start("join", "--word", "two words", **options)

    return call


@pytest.mark.parametrize("how", ENDS)
def test_it_says_and_returns_the_same(stage, warm, how):
    code, status = ENDS[how]
    said = []
    for python in (sys.executable, warm.python):
        process = stage(python, code)
        output, errors = process.communicate("asked")
        said.append((output, errors.splitlines()[-1:]))  # above it the frames of who called
        assert process.returncode == status
    assert said[0] == said[1]


SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: -signal.SIGTERM, signal.SIGKILL: -signal.SIGKILL}


@pytest.mark.parametrize("number", SIGNALS)
def test_signals_end_it(stage, warm, number):
    for python in (sys.executable, warm.python):
        process = stage(python, "print(os.getpid(), flush=True); signal.pause()")
        process.stdin.close()
        process.stdout.readline()
        stopped = Path(f"/proc/{int(process.stdout.readline())}")
        process.send_signal(number)
        assert process.wait(timeout=60) == SIGNALS[number]
        wait_for(lambda stopped=stopped: not stopped.exists(), "the end of what it had started")
