import os
import shutil
import subprocess
import sys

import pytest
from filelock import FileLock

from tests.workflow.project import Project
from tests.workflow.warm import Warm


def of_all_processes(tmp_path_factory):
    """A folder of this session, the same for all its processes."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


def once(tmp_path_factory, name, make):
    """The project that is made in a folder once for all tests and all test processes."""
    shared = of_all_processes(tmp_path_factory)
    with FileLock(shared / f"{name}.lock"):
        if not (shared / f"{name}.done").exists():
            shutil.rmtree(shared / name, ignore_errors=True)
            (shared / name).mkdir()
            make(Project(shared / name))
            (shared / f"{name}.done").touch()
    return Project(shared / name)


def copied(source, target):
    """A copy of a project or a part of it, dates included."""
    subprocess.run(["cp", "-a", f"{source}/.", target], check=True)
    return Project(target)


@pytest.fixture(scope="session")
def warm(tmp_path_factory):
    """Starts when a test needs it first."""
    warm = Warm(tmp_path_factory.mktemp("warm"))
    yield warm
    warm.close()


@pytest.fixture(autouse=True)
def _programs_start_warm(warm, monkeypatch):
    monkeypatch.setattr(Project, "python", warm.python)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The smoke experiment, run once for all tests, by plain Python as a user does."""

    def make(project):
        project.clone()
        project.python = sys.executable
        (project.folder / "log").write_text(project.said("--cores", "2"))

    return once(tmp_path_factory, "smoke", make)


@pytest.fixture(scope="session")
def replicated(built, warm, tmp_path_factory):
    """The smoke experiment with all its draws and readings, run once for all tests."""

    def make(project):
        copied(built.folder, project.folder)
        project.python = warm.python
        project.said("--cores", "2", "replicate", "readings")

    return once(tmp_path_factory, "replicated", make)


@pytest.fixture(scope="session")
def archived(built, warm, tmp_path_factory):
    """The smoke experiment in a git checkout of the whole project, with its archive."""

    def make(project):
        project.checkout()
        project.python = warm.python
        for part in ("results", "figures", ".snakemake"):
            copied(built.folder / part, project.folder / part)
        project.said("archive")

    return once(tmp_path_factory, "archived", make)


@pytest.fixture(scope="session")
def archive(archived):
    (found,) = (archived.folder / "results/archive").glob("*.zip")
    return found


@pytest.fixture
def study(replicated, tmp_path):
    """A copy of the finished draws and readings, dates included, to edit and run again."""
    return copied(replicated.folder, tmp_path / "study")


@pytest.fixture
def project(built, tmp_path):
    """A copy of the finished smoke experiment, dates included, to edit and run again."""
    return copied(built.folder, tmp_path / "project")
