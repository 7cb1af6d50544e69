"""Whatever ends a test or pytest itself, nothing of what it started goes on."""

import os
import signal
import subprocess
import sys

import pytest

from tests import processes
from tests.workflow.project import ROOT

pytestmark = pytest.mark.workflow
TEST = """
import subprocess, sys, time
import pytest
from tests.workflow.project import Project

SNAKEFILE = '''
rule all:
    output: "made"
    shell: "touch begun; {sys.executable} -c 'import time; time.sleep(3600)'"
'''

def test_one(tmp_path, warm, request):
    projects = [Project(tmp_path / name) for name in ("cold", "warm")]
    projects[1].python = warm.python
    for project in projects:
        project.folder.mkdir()
        (project.folder / "Snakefile").write_text(SNAKEFILE)
        project.start("--cores", "1")
    while not all((project.folder / "begun").exists() for project in projects):
        time.sleep(0.1)
    print("begun", flush=True)
    assert sys.stdin.read()

def test_two():
    '''The first has been tidied up after.'''
    from tests import processes
    assert processes.started() == []
"""


@pytest.mark.parametrize("how", ["fails", signal.SIGINT, signal.SIGKILL])
def test_nothing_goes_on(tmp_path, monkeypatch, how):
    (tmp_path / "test_it.py").write_text(TEST)
    plugins = ["-p", "tests.conftest", "-p", "tests.workflow.conftest"]
    # it is no worker of the pytest that runs this, or it would leave the watching to that one
    own = {name: text for name, text in os.environ.items() if "PYTEST_XDIST" not in name}
    environment = {**own, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    before = set(processes.started())
    pytest_itself = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-qs", *plugins, "--rootdir", tmp_path, "test_it.py"],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in pytest_itself.stdout:
        if line == "begun\n":
            break
    running = [process.cmdline() for process in processes.started()]
    assert sum("time.sleep(3600)" in " ".join(words) for words in running) >= 2
    if how == "fails":
        pytest_itself.stdin.close()
    else:
        pytest_itself.send_signal(how)
    rest = pytest_itself.stdout.read()  # until the watcher too has ended
    pytest_itself.wait()
    # what was forked from a warm process ends with it, a moment later
    processes.wait_for(lambda: set(processes.started()) <= before, "nothing goes on", seconds=60)
    if how == "fails":
        assert "1 failed, 1 passed" in rest
