"""Where and how it is run decides no bit: folder, time zone, locale, hash seed, network."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from sparsedecay.files.provenance import file_digest
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
TARGET = "figures/fig3.pdf"


def made(project, before=(), **env):
    """Make a figure from nothing; returns what is there then."""
    done = project.snakemake("--cores", "2", TARGET, before=before, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: file_digest(project.folder / name) for name in project.files()}


def refused(project, target="figures/fig1.pdf", before=()):
    """What is said where a figure cannot be made."""
    done = project.snakemake("--cores", "1", target, before=before)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    return said


@pytest.fixture(scope="module")
def right(built):
    return {name: file_digest(built.folder / name) for name in built.files()}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project").clone()


@pytest.fixture
def elsewhere():
    """A folder on another file system."""
    folder = Path("/dev/shm") / f"sparsedecay-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_odd_folder_and_surroundings(right, tmp_path, elsewhere):
    """Spaces, accents, quotes, a dollar and a leading dash; results on another file system."""
    project = Project(tmp_path / '-ünï "code" isn\'t $HOME; a copy').clone()
    (project.folder / "results").mkdir()
    (project.folder / "results/train").symlink_to(elsewhere)
    env = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}
    there = made(project, **env, HOME=str(tmp_path), LANG="C", COLUMNS="20")
    assert TARGET in there
    assert there.items() <= right.items()


def test_the_clock_may_be_set_back(right, project, warm):
    """Half of the work lies in the future: inputs are newer than what is made of them."""
    project.python = warm.python
    there = made(project)
    tomorrow = time.time() + 86400
    for name in there:
        if "/data/" in name or "/train/" in name:
            os.utime(project.folder / name, (tomorrow, tomorrow))
    for room in ("results/measure", "results/requests", "figures"):
        shutil.rmtree(project.folder / room)
    before = project.files()
    assert made(project) == there
    assert there.items() <= right.items()
    after = project.files()
    assert all(after[name] <= stamp for name, stamp in before.items())
    assert max(after.values()) < tomorrow * 1e9 - 80_000e9, "those that were needed lie in the past"
    assert "Nothing to be done" in project.snakemake(TARGET).stderr


@pytest.mark.parametrize("how", ["permission", "read-only"])
@pytest.mark.parametrize("room", ["results", "figures"])
def test_a_folder_that_cannot_be_written(project, mount, how, room):
    place, before = project.folder / room, []
    place.mkdir()
    if how == "read-only":
        mount(place, "ro")
    else:
        place.chmod(0o500)
        if os.geteuid() == 0:  # what keeps even root to it
            before = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    said = refused(project, before=before)
    assert f"{room}: cannot be written; change its permissions" in said
    assert "rule" not in said, "it is told before anything begins"
    assert project.files() == {}


def test_neither_network_nor_utf_8_is_needed(right, project):
    cut = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*cut, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let a process be cut off from the network")
    there = made(project, cut, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert there.items() <= right.items()


@pytest.mark.parametrize("room", ["figures", "results", ".snakemake"])
def test_a_file_where_a_folder_should_be(project, warm, room):
    project.python = warm.python
    (project.folder / room).write_text("mine")
    said = refused(project)
    assert f"{room}: is no folder, but results belong there; move it away" in said
    assert (project.folder / room).read_text() == "mine"


def test_a_small_disk(right, project, mount):
    """A file system of 8 kB fills up; on a larger one the same command goes on."""
    results = project.folder / "results/train"
    results.mkdir(parents=True)
    mount(results, "size=8k")
    said = refused(project, TARGET)
    assert "there is no room on the disk" in said
    assert "MB are needed" in said
    mount(results, "size=100m")
    assert made(project).items() <= right.items()
