"""A study in a folder of its own, on the package as a wheel holds it."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from sparsedecay.files import fingerprint
from sparsedecay.files.provenance import file_digest
from sparsedecay.study.plan import load_plan
from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.workflow
SMOKE = ("--configfile", "config/smoke.yaml")
BUILD = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "Snakefile", "MANIFEST.in")
CODES = """
from pathlib import Path
from sparsedecay.files import fingerprint
from sparsedecay.study.plan import load_plan
for run in load_plan([Path("config/smoke.yaml")]).runs.values():
    print(run.id, fingerprint.training(run), fingerprint.measuring(run))
"""


def called(*command, cwd, **env):
    """What a command says, once it has succeeded."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sources(folder):
    """What a wheel is built from, in a folder of its own."""
    for name in BUILD:
        shutil.copyfile(ROOT / name, folder / name)
    ignore = shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info", "mine*", "diabetes.csv")
    for name in ("src", "workflow", "config", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The package as it is installed, without the compiled engine."""
    folder = sources(tmp_path_factory.mktemp("sources"))
    place = tmp_path_factory.mktemp("installed")
    called(sys.executable, "setup.py", "build_py", "--build-lib", place, cwd=folder)
    return place


class Installed(Project):
    """A study on a package that lies elsewhere."""

    python = sys.executable

    def __init__(self, folder, package):
        super().__init__(folder)
        self.package = package

    def start(self, *arguments, env=(), **options):
        env = {"PYTHONPATH": str(self.package), **dict(env)}
        return super().start(*arguments, env=env, **options)


@pytest.fixture
def study(package, tmp_path, monkeypatch):
    monkeypatch.setattr(Installed, "python", sys.executable)
    found = Installed(tmp_path / "study", shutil.copytree(package, tmp_path / "site"))
    env = {"PYTHONPATH": str(found.package)}
    command = (sys.executable, "-m", "sparsedecay", "init", "study")
    assert "cd study" in called(*command, cwd=tmp_path, **env)
    return found


def test_the_package_carries_the_workflow_once(package):
    carried = package / "sparsedecay/workflow_files"
    names = {str(path.relative_to(carried)) for path in carried.rglob("*") if path.is_file()}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        parts = ("Snakefile", "workflow/", "profiles/", "config/")
        assert names == {name for name in listed.stdout.splitlines() if name.startswith(parts)}
    for name in names:
        assert file_digest(carried / name) == file_digest(ROOT / name)
    assert not (ROOT / "src/sparsedecay/workflow_files").exists()


def test_the_code_of_an_installed_package_is_that_of_the_clone(study):
    """So that neither a change to a wheel nor an upgrade makes anything out of date by itself."""
    told = called(sys.executable, "-c", CODES, cwd=study.folder, PYTHONPATH=str(study.package))
    runs = load_plan([ROOT / "config/smoke.yaml"]).runs.values()
    assert told.splitlines() == [
        f"{run.id} {fingerprint.training(run)} {fingerprint.measuring(run)}" for run in runs
    ]


def test_an_upgrade_makes_only_that_out_of_date_whose_numbers_it_changes(study):
    figure = ("figures/fig3.pdf", *SMOKE)
    study.said(*figure)
    assert (study.folder / "figures/fig3.pdf").exists()
    assert "Nothing to be done" in study.said(*figure)
    code = study.package / "sparsedecay"

    def upgrade(file, old, new):
        text = (code / file).read_text()
        assert old in text
        (code / file).write_text(text.replace(old, new, 1))

    def wanted():
        said = study.said("-n", *figure)
        return {name for name in ("train", "measure", "figure") if f"rule {name}:" in said}, said

    upgrade("train/loop.py", '"""', '"""New words: ')
    upgrade("session/lock.py", '"""', '"""New words: ')
    assert wanted()[0] == set()
    upgrade("figures/fig3.py", "\nclass ", "\nLIMIT = 1\n\n\nclass ")
    stale, said = wanted()
    assert stale == {"figure"}
    assert "Params have changed since last execution" in said
    upgrade("science/optimizers/adam.py", "\nclass ", "\nLIMIT = 1\n\n\nclass ")
    assert wanted()[0] == {"train", "measure", "figure"}


def test_all_figures_are_asked_for_by_default(study):
    """And from the paper's config, which no file is named for."""
    said = study.said("-n")
    assert "rule everything:" in said
    for number in (1, 2, 3, 4):
        assert f"figures/fig{number}.pdf" in said
    assert re.search(r"^train +30$", said, re.MULTILINE)


def test_what_needs_a_clone_says_so(study):
    def refused(*arguments):
        done = study.sparsedecay(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "pack it in a clone, with this config" in study.refused("-n", "archive", *SMOKE)
    assert "call this in a clone" in refused("site", "pages")
    moved = study.package / "sparsedecay/workflow_files"
    moved.rename(moved.with_name("gone"))
    assert "install sparsedecay again" in refused("init", "another")


@pytest.mark.heavy
def test_a_wheel_in_an_environment_of_its_own_makes_figures(tmp_path):
    """The other packages are those of this environment, seen from there."""
    env = {"PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
    (tmp_path / "sources").mkdir()
    pip = (sys.executable, "-m", "pip")
    flags = ("--quiet", "--no-deps", "--disable-pip-version-check")
    called(
        *(*pip, "wheel", *flags, "--no-build-isolation", "--wheel-dir", tmp_path, "."),
        cwd=sources(tmp_path / "sources"),
        **env,
    )
    (wheel,) = tmp_path.glob("sparsedecay-*.whl")
    called(sys.executable, "-m", "venv", "env", cwd=tmp_path)
    python = tmp_path / "env/bin/python"
    called(python, "-m", "pip", "install", *flags, "--no-index", wheel, cwd=tmp_path, **env)
    place = "import sysconfig; print(sysconfig.get_path('purelib'))"
    there = Path(called(python, "-c", place, cwd=tmp_path).strip())
    (there / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    called(tmp_path / "env/bin/sparsedecay", "init", "study", cwd=tmp_path, **env)
    command = (python, "-m", "snakemake", "figures/fig4.pdf", *SMOKE)
    called(*command, cwd=tmp_path / "study", **env)
    assert (tmp_path / "study/figures/fig4.pdf").stat().st_size > 1000
    used = "from sparsedecay.engines import compiled; print(compiled.__file__)"
    assert str(there) in called(python, "-c", used, cwd=tmp_path, **env)
    logs = [path.read_text() for path in (tmp_path / "study/results/logs/train").rglob("*.log")]
    assert logs
    assert not [log for log in logs if "fused" in log], "the compiled engine was in the wheel"
