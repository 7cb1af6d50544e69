"""Where and how it is run decides no bit: folder, time zone, locale, hash seed, network."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sparsedecay.files.provenance import file_digest
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
TARGET = "figures/fig3.pdf"


def made(project, *before, **env):
    """Make a figure from nothing; returns what is there then."""
    done = subprocess.run(
        [*before, sys.executable, "-m", "snakemake", "--cores", "2", TARGET],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(project.folder / "src"), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: file_digest(project.folder / name) for name in project.files()}


@pytest.fixture(scope="module")
def right(built):
    return {name: file_digest(built.folder / name) for name in built.files()}


def test_odd_folder_and_surroundings(right, tmp_path):
    """Spaces, accents, quotes, a dollar and a leading dash; results on another file system."""
    folder = tmp_path / '-ünï "code" isn\'t $HOME; a copy'
    folder.mkdir()
    project = Project(folder).clone()
    elsewhere = Path("/dev/shm") / f"sparsedecay-{os.getpid()}"
    elsewhere.mkdir()
    (folder / "results").mkdir()
    (folder / "results/train").symlink_to(elsewhere)
    try:
        env = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}
        there = made(project, **env, HOME=str(tmp_path), LANG="C", COLUMNS="20")
        assert TARGET in there
        assert there.items() <= right.items()
    finally:
        shutil.rmtree(elsewhere)


def test_the_clock_may_be_set_back(right, tmp_path):
    """Half of the work lies in the future: inputs are newer than what is made of them."""
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder).clone()
    there = made(project)
    tomorrow = time.time() + 86400
    for name in there:
        if "/data/" in name or "/train/" in name:
            os.utime(folder / name, (tomorrow, tomorrow))
    for room in ("measure", "requests"):
        shutil.rmtree(folder / "results" / room)
    shutil.rmtree(folder / "figures")
    before = project.files()
    assert made(project) == there
    assert there.items() <= right.items()
    after = project.files()
    assert all(after[name] <= stamp for name, stamp in before.items())
    assert max(after.values()) < tomorrow * 1e9 - 80_000e9, "those that were needed lie in the past"
    done = project.snakemake(TARGET)
    assert "Nothing to be done" in done.stderr


@pytest.mark.parametrize("how", ["permission", "read-only"])
@pytest.mark.parametrize("room", ["results", "figures"])
def test_a_folder_that_cannot_be_written(tmp_path, how, room):
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder).clone()
    place = folder / room
    place.mkdir()
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "figures/fig1.pdf"]
    if how == "permission":
        place.chmod(0o500)
        # what keeps even root to it
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
        undo = ["chmod", "700", str(place)]
    else:
        mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(place)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount a read-only file system")
        undo = ["umount", str(place)]
    try:
        done = subprocess.run(
            command if os.geteuid() == 0 else command[-6:],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder / "src")},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        subprocess.run(undo, check=True)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert f"{room}: cannot be written; change its permissions" in said
    assert "Traceback" not in said
    assert "rule" not in said, "it is told before anything begins"
    assert project.files() == {}


def test_neither_network_nor_utf_8_is_needed(right, tmp_path):
    cut = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*cut, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let a process be cut off from the network")
    folder = tmp_path / "project"
    folder.mkdir()
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    there = made(Project(folder).clone(), *cut, **plain)
    assert there.items() <= right.items()


@pytest.mark.parametrize("room", ["figures", "results", ".snakemake"])
def test_a_file_where_a_folder_should_be(tmp_path, room):
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder).clone()
    (folder / room).write_text("mine")
    done = project.snakemake("--cores", "1", "figures/fig1.pdf")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert f"{room}: is no folder, but results belong there; move it away" in said
    assert (folder / room).read_text() == "mine"


def test_a_small_disk(built, tmp_path):
    """A file system of 8 kB fills up; on a larger one the same command goes on."""
    place = tmp_path / "project"
    place.mkdir()
    project = Project(place).clone()
    results = place / "results/train"
    results.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(results)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small file system")
    try:
        done = project.snakemake("--cores", "1", TARGET)
        assert done.returncode == 1
        said = done.stdout + done.stderr
        assert "there is no room on the disk" in said
        assert "MB are needed" in said
        assert "Traceback" not in said
        grow = ["mount", "-o", "remount,size=100m", str(results)]
        subprocess.run(grow, check=True)
        done = project.snakemake("--cores", "2", TARGET)
        assert done.returncode == 0, done.stderr
        for name in project.files():
            assert file_digest(place / name) == file_digest(built.folder / name), name
    finally:
        subprocess.run(["umount", str(results)], check=True)
