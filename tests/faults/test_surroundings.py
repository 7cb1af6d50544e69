"""Where and how it is run decides no bit: folder, time zone, locale, hash seed, network."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sparsedecay.files.provenance import file_digest
from tests.processes import wait_for
from tests.workflow.conftest import copied
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
TARGET = "figures/fig3.pdf"


def made(project, before=(), **env):
    """Make a figure from nothing; returns what is there then."""
    done = project.snakemake("--cores", "2", TARGET, before=before, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: file_digest(project.folder / name) for name in project.files()}


STARTS = {} if sys.prefix.isascii() else {"LC_ALL": "C.UTF-8"}
"""Python itself starts in an environment of such a name only where the locale is UTF-8."""
LESS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
"""What keeps even root to permissions."""


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
    there = made(project, **{**env, **STARTS}, HOME=str(tmp_path), LANG="C", COLUMNS="20")
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
            before = LESS
    said = refused(project, before=before)
    assert f"{room}: cannot be written; change its permissions" in said
    assert "rule" not in said, "it is told before anything begins"
    assert project.files() == {}


def test_neither_network_nor_utf_8_is_needed(right, project):
    cut = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*cut, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let a process be cut off from the network")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", **STARTS}
    there = made(project, cut, **ascii_only)
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


def test_a_disk_that_can_hold_no_more_files(right, project, mount):
    """There is room for bytes, and none for names."""
    results = project.folder / "results/train"
    results.mkdir(parents=True)
    mount(results, "nr_inodes=8")
    said = refused(project, TARGET)
    assert "it holds the 8 files that it can hold (inodes; `df -i` tells), though about" in said
    mount(results, "nr_inodes=1000")
    assert made(project).items() <= right.items()


@pytest.fixture
def closed(built, tmp_path):
    """Someone else's finished folder, in which nothing can be written."""
    project = copied(built.folder, tmp_path / "project")
    subprocess.run(["chmod", "-R", "a-w", project.folder], check=True)
    yield project
    subprocess.run(["chmod", "-R", "u+w", project.folder], check=True)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("--dry-run", "Nothing to be done"),
        ("--dag", "digraph snakemake_dag"),
        ("--rulegraph", "digraph snakemake_dag"),
        ("--summary", "figures/fig4.pdf"),
        ("--list-rules", "Train one run from its previous milestone to the next"),
        ("--report {elsewhere}/report.html", "Report created"),
    ],
)
def test_what_only_looks_looks(closed, tmp_path, asked, told):
    before = set(closed.folder.rglob("*"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    arguments = asked.format(elsewhere=elsewhere).split()
    done = closed.snakemake(*arguments, before=LESS if os.geteuid() == 0 else [])
    assert done.returncode == 0, done.stderr
    assert told in done.stdout + done.stderr
    assert set(closed.folder.rglob("*")) == before
    assert (elsewhere / "report.html").exists() == ("--report" in arguments)


def test_a_home_that_cannot_be_written(right, project):
    """As in a container whose user has none."""
    nowhere = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), "/proc/nowhere")
    assert made(project, **nowhere).items() <= right.items()


def test_a_broken_numpy_on_the_path_of_others(right, project, tmp_path):
    other = tmp_path / "modules/numpy"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('another numpy')")
    path = os.pathsep.join([str(project.folder / "src"), str(other.parent)])
    check = project.snakemake(
        "check", "config/config.yaml", module="sparsedecay", env={"PYTHONPATH": path}
    )
    assert check.returncode == 0, check.stderr
    assert made(project, PYTHONPATH=path).items() <= right.items()


def test_where_the_engine_is_not_built_it_is_told_before_training(project, warm):
    project.python = warm.python
    for library in (project.folder / "src/sparsedecay/engines/compiled").glob("*.so"):
        library.unlink()
    done = project.snakemake("--cores", "2", "figures/fig3.pdf", env={"CXX": "false"})
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stderr.splitlines() if line.startswith("Engine "))
    assert "Engine fused trains 2 runs, about 3 times slower (compiled: it is not built in " in line
    assert "`make setup` builds it there" in line
    assert done.stderr.index(line) < done.stderr.index("rule train")


def test_two_users_of_one_group(right, project, tmp_path):
    """The first is killed midway; with umask 002 the second goes on."""
    if os.geteuid():
        pytest.skip("only root can be two users")
    group, users = "3999", ("3001", "3002")
    subprocess.run(["chown", "-R", f"{users[0]}:{group}", project.folder], check=True)
    subprocess.run(["chmod", "-R", "g+rwX", project.folder], check=True)
    for folder in (project.folder, *project.folder.rglob("*/")):
        folder.chmod(folder.stat().st_mode | 0o2000)
    # the environment of Python may lie where no other user can read
    able = "--inh-caps=+dac_read_search --ambient-caps=+dac_read_search"

    def as_user(user):
        words = f"setpriv --reuid {user} --regid {group} --clear-groups {able} sh -c".split()
        return [*words, 'umask 002 && exec "$@"', "sh"]

    env = {"HOME": str(tmp_path), "USER": "", "LOGNAME": ""}  # nor have they names
    first = project.start("--cores", "1", TARGET, before=as_user(users[0]), env=env)
    trained = project.folder / "results/train"
    wait_for(lambda: first.poll() or [*trained.glob("*/*/state.safetensors")], "a first milestone")
    assert first.poll() is None, first.communicate()
    first.kill()
    first.communicate()
    there = made(project, as_user(users[1]), **env)
    assert there.items() <= right.items()
    owners = {str(path.stat().st_uid) for path in trained.rglob("state.safetensors")}
    owners |= {str(path.stat().st_uid) for path in (project.folder / "figures").iterdir()}
    assert owners >= {*users}
