import os
import shutil
import subprocess

import pytest
from filelock import FileLock

from tests.workflow.project import Project


def of_all_processes(tmp_path_factory):
    """A folder of this session, the same for all its processes."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The smoke experiment, run once for all tests (and all test processes)."""
    shared = of_all_processes(tmp_path_factory)
    folder = shared / "smoke"
    with FileLock(shared / "smoke.lock"):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            project = Project(folder).clone()
            done = project.snakemake("--cores", "2")
            assert done.returncode == 0, done.stderr
            (folder / "log").write_text(done.stderr)
            (folder / "done").touch()
    return Project(folder)


@pytest.fixture(scope="session")
def replicated(built, tmp_path_factory):
    """The smoke experiment with all its draws and readings, run once for all tests."""
    shared = of_all_processes(tmp_path_factory)
    folder = shared / "replicated"
    with FileLock(shared / "replicated.lock"):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run(["cp", "-a", built.folder, folder], check=True)
            (folder / "done").unlink()
            done = Project(folder).snakemake("--cores", "2", "replicate", "readings")
            assert done.returncode == 0, done.stderr
            (folder / "done").touch()
    return Project(folder)


@pytest.fixture(scope="session")
def archived(built, tmp_path_factory):
    """The smoke experiment in a git checkout of the whole project, with its archive."""
    shared = of_all_processes(tmp_path_factory)
    folder = shared / "archived"
    with FileLock(shared / "archived.lock"):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            project = Project(folder).checkout()
            for part in ("results", "figures", ".snakemake"):
                subprocess.run(["cp", "-a", f"{built.folder / part}/.", folder / part], check=True)
            done = project.snakemake("archive")
            assert done.returncode == 0, done.stderr
            (folder / "done").touch()
    return Project(folder)


@pytest.fixture
def study(replicated, tmp_path):
    """A copy of the finished draws and readings, dates included, to edit and run again."""
    folder = tmp_path / "study"
    subprocess.run(["cp", "-a", replicated.folder, folder], check=True)
    return Project(folder)


@pytest.fixture
def project(built, tmp_path):
    """A copy of the finished smoke experiment, dates included, to edit and run again."""
    folder = tmp_path / "project"
    subprocess.run(["cp", "-a", built.folder, folder], check=True)
    return Project(folder)
