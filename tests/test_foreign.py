"""What others put on PYTHONPATH is ignored by our programs, and only by these."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sparsedecay
from sparsedecay import foreign

SOURCE = Path(sparsedecay.__file__).parents[1]


@pytest.fixture
def other(tmp_path):
    """A folder with a numpy that cannot be used."""
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy/__init__.py").write_text("raise ImportError('a broken one')")
    return tmp_path


def test_only_a_copy_of_this_package_stays(other, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(other), str(SOURCE), ""]))
    monkeypatch.setattr(sys, "path", [str(other), str(SOURCE), "", "/elsewhere"])
    assert foreign.ignore(False) == []
    assert foreign.ignore() == [str(other)]
    assert sys.path == [str(SOURCE), "", "/elsewhere"]
    assert os.environ["PYTHONPATH"] == str(SOURCE), "as children shall have it"
    assert foreign.ignore() == []


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (["python", "/venv/bin/snakemake", "-n"], True),
        (["python", "-m", "sparsedecay", "check"], True),
        (["python", "/venv/bin/jupyter-lab"], False),
        (["python", "analysis.py", "snakemake"], False),
        (["python"], False),
    ],
)
def test_which_programs_are_ours(monkeypatch, words, ours):
    monkeypatch.setattr(sys, "orig_argv", words)
    assert foreign.started() == ours


def test_the_line_that_python_runs_when_it_starts(other, tmp_path):
    """As in an environment that `make setup` has made: `site` reads the file from its folder."""
    (tmp_path / foreign.FILE).write_text(foreign.LINE)
    program = f"import site; site.addsitedir({str(tmp_path)!r}); import numpy; print('numpy')"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(other), str(SOURCE)])}

    def run(*words):
        command = [sys.executable, *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sparsedecay", "mine.py"):
        (programs / name).write_text(program)
    assert run(str(programs / "sparsedecay")).stdout == "numpy\n"
    assert "a broken one" in run(str(programs / "mine.py")).stderr
