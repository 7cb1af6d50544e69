"""The files that describe the package agree with each other."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from shlex import quote

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = [
    Requirement(line)
    for line in (ROOT / "requirements.lock").read_text().splitlines()
    if not line.startswith("#")
]
ENVIRONMENT = YAML(typ="safe").load((ROOT / "environment.yml").read_text())


def run(*command: str, cwd=ROOT, **env: str) -> subprocess.CompletedProcess:
    """A command that is through, with more variables in its environment."""
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )


def test_the_lock_pins_each_package_once_and_exactly():
    names = [canonicalize_name(pin.name) for pin in LOCK]
    assert len(names) == len(set(names))
    for pin in LOCK:
        assert [spec.operator for spec in pin.specifier] == ["=="], pin


def direct_dependencies():
    # all but the extra `bench`: a peer to compare with, that nothing needs
    extras = PROJECT["project"]["optional-dependencies"]
    lines = [*PROJECT["project"]["dependencies"], *extras["build"], *extras["test"]]
    return [*lines, *PROJECT["build-system"]["requires"]]


@pytest.mark.parametrize("line", direct_dependencies())
def test_each_dependency_is_pinned_within_its_range(line):
    asked = Requirement(line)
    pins = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in LOCK}
    assert asked.specifier.contains(pins[canonicalize_name(asked.name)])


def test_the_installed_versions_are_the_locks():
    from importlib.metadata import version

    for pin in LOCK:
        installed = Version(version(pin.name)).public  # torch 2.13.0+cpu is torch 2.13.0
        assert pin.specifier.contains(installed), f"{pin.name} {installed}"


def test_conda_users_get_the_locks_versions():
    specs = [MatchSpec(spec) for spec in ENVIRONMENT["dependencies"] if isinstance(spec, str)]
    names = {spec.name.normalized for spec in specs}
    assert {"python", "pip", "make", "git"} <= names
    # conda brings only tools; a library among them could shadow the lock's version
    assert not names & {canonicalize_name(pin.name) for pin in LOCK}
    (pip,) = [part["pip"] for part in ENVIRONMENT["dependencies"] if isinstance(part, dict)]
    assert "--requirement requirements.lock" in pip
    assert "--editable ." in pip
    assert ENVIRONMENT["name"] == PROJECT["project"]["name"]


def test_pip_takes_what_conda_hands_it(tmp_path):
    """conda writes the section `pip` into a requirements file, which allows fewer options than
    pip's command line does. Nothing is fetched: the environment has all of it."""
    (section,) = [part["pip"] for part in ENVIRONMENT["dependencies"] if isinstance(part, dict)]
    file = tmp_path / "requirements.txt"
    local = [
        line.replace("requirements.lock", quote(str(ROOT / "requirements.lock")))
        for line in section
    ]
    file.write_text("\n".join(local) + "\n")
    install = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "-r", str(file)]
    # pip's way to say --no-build-isolation, so that the build needs no network
    done = run(*install, PIP_NO_BUILD_ISOLATION="0")
    assert done.returncode == 0, done.stderr


def test_python_is_the_same_everywhere():
    required = SpecifierSet(PROJECT["project"]["requires-python"])
    (spec,) = [s for s in ENVIRONMENT["dependencies"] if str(s).startswith("python ")]
    conda = SpecifierSet(spec.removeprefix("python "))
    for version in ("3.10", "3.11", "3.12", "3.13"):
        assert required.contains(version) == conda.contains(version)
    assert "(3, 11)" in (ROOT / "Makefile").read_text()
    assert PROJECT["tool"]["ruff"]["target-version"] == "py311"
    assert PROJECT["tool"]["mypy"]["python_version"] == "3.11"


@pytest.mark.parametrize("compiler", ["false", "no-such-compiler"])
def test_installation_succeeds_without_a_compiler(tmp_path, compiler):
    for part in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / part, tmp_path / part)
    ignore = shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignore)
    done = run(sys.executable, "setup.py", "build", cwd=tmp_path, CC=compiler, CXX=compiler)
    assert done.returncode == 0, done.stderr
    built = {path.relative_to(tmp_path / "build").name for path in tmp_path.glob("build/**/*.*")}
    assert {"loop.py", "dense.h"} <= built, "what is installed holds the sources too"
    assert not [name for name in built if name.endswith((".so", ".o"))]


CITATION = YAML(typ="safe").load((ROOT / "CITATION.cff").read_text())
ZENODO = json.loads((ROOT / ".zenodo.json").read_text())
CODEMETA = json.loads((ROOT / "codemeta.json").read_text())


def test_what_repositories_are_told_agrees_with_the_project():
    project = PROJECT["project"]
    for said in (CITATION, ZENODO, CODEMETA):
        assert str(said["version"]) == project["version"]
        assert said["keywords"] == project["keywords"]
    assert project["license"] == CITATION["license"] == ZENODO["license"]
    assert CODEMETA["license"] == f"https://spdx.org/licenses/{project['license']}"
    assert project["description"] == ZENODO["description"] == CODEMETA["description"]
    assert CITATION["title"] == ZENODO["title"]
    assert project["name"] == CODEMETA["name"]
    assert CODEMETA["softwareRequirements"] == project["dependencies"]
    assert CODEMETA["runtimePlatform"] == f"Python {project['requires-python']}"
    names = [author["name"] for author in project["authors"]]
    for authors in (CITATION["authors"], ZENODO["creators"], CODEMETA["author"]):
        assert [author["name"] for author in authors] == names
    released = str(CITATION["date-released"])
    assert released == ZENODO["publication_date"] == CODEMETA["datePublished"]


def test_the_paper_is_cited_the_same_everywhere():
    (cited,) = CITATION["references"]
    (paper,) = CODEMETA["referencePublication"]
    (line,) = ZENODO["references"]
    assert cited["title"] == paper["name"]
    assert str(cited["year"]) == paper["datePublished"]
    assert cited["url"] == paper["url"]
    places = [(one["affiliation"], one["website"]) for one in cited["authors"]]
    assert places == [(o["affiliation"]["name"], o["affiliation"]["url"]) for o in paper["author"]]
    people = [(one["family-names"], one["given-names"]) for one in cited["authors"]]
    assert people == [(one["familyName"], one["givenName"]) for one in paper["author"]]
    authors = "; ".join(", ".join(names) for names in people)
    assert line == f"{authors} ({cited['year']}). {cited['title']}."
    assert all(family in PROJECT["project"]["description"] for family, _ in people)


@pytest.fixture
def clone(tmp_path):
    """A folder with the Makefile and an environment that was made in it."""
    folder = tmp_path / "a clone"
    (folder / ".venv/bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    (folder / ".venv/bin/python").symlink_to(sys.executable)
    for name in ("requirements.lock", "pyproject.toml", "setup.py"):
        (folder / name).touch()
    (folder / ".venv/ready").write_text(f"{folder.resolve()}\n")
    return folder


def made_anew(folder):
    """Whether make would set an environment up from nothing, and says so."""
    done = run("make", "--dry-run", "setup", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert ("it is made anew" in done.stdout) == ("venv --clear" in done.stdout)
    return "venv --clear" in done.stdout


def test_an_environment_is_kept_where_it_was_made(clone):
    assert not made_anew(clone)
    (clone / ".venv/ready").write_text("")  # as earlier versions left it
    assert not made_anew(clone)


def test_an_environment_that_was_moved_is_made_anew(clone):
    moved = clone.rename(clone.with_name("moved"))
    assert made_anew(moved)
    assert not (moved / ".venv/ready").exists()


def test_an_environment_without_its_python_is_made_anew(clone):
    (clone / ".venv/bin/python").unlink()
    (clone / ".venv/bin/python").symlink_to("/nowhere/python3")
    assert made_anew(clone)


def test_what_is_set_for_other_environments_does_not_reach_ours(clone):
    others = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV")
    env = dict.fromkeys((*others, "PIP_USER"), "1")
    done = run("make", "--eval", "show: ; @env", "show", cwd=clone, **env)
    there = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert there["PIP_USER"] == "0"
    assert not there.keys() & {*others}


def test_the_container_has_what_it_takes():
    text = (ROOT / "Containerfile").read_text()
    (python,) = re.findall(r"^FROM python:([\d.]+)-slim", text, re.MULTILINE)
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(python)
    assert {"g++", "git", "make"} <= set(text.split())
    assert "make -C /sparsedecay setup" in text


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split())
    # under `make test` a make within would say which folder it enters
    shown = run("env", "--unset=MAKEFLAGS", "--unset=MAKELEVEL", "make", "help")
    assert targets == {line.split()[1] for line in shown.stdout.splitlines()}


def test_no_committed_file_names_a_folder_of_one_machine():
    listed = run("git", "ls-files")
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path.suffix not in {".png"}:
            text = path.read_text()
            assert str(ROOT.parent) + "/" not in text, name
            assert str(Path.home()) + "/" not in text, name
