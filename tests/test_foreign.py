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
    assert foreign.ignore() == [str(other)]
    assert sys.path == [str(SOURCE), "", "/elsewhere"]
    assert os.environ["PYTHONPATH"] == str(SOURCE), "as children shall have it"
    assert foreign.ignore() == []


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


def test_programs_in_a_folder_of_any_name(tmp_path):
    """As pip writes them where the name of the folder has a space."""
    programs = tmp_path / 'a $HOME "b" ü'
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    start = f"#!/bin/sh\n'''exec' \"{programs}/python\" \"$0\" \"$@\"\n' '''\n"
    program, other = programs / "program", programs / "other"
    program.write_text(f"{start}import sys; print(sys.argv)\n")
    other.write_text(f"#!{sys.executable}\n")
    program.chmod(0o755)
    assert subprocess.run([program, "x"], capture_output=True, check=False).returncode
    for _ in range(2):  # the second time changes nothing
        foreign.mend(programs)
        done = subprocess.run([program, "x"], capture_output=True, text=True, check=True)
        assert done.stdout == f"{[str(program), 'x']}\n"
    assert other.read_text() == f"#!{sys.executable}\n"
