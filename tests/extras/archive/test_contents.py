"""Which files are the source, and which commit they are."""

import os

import pytest

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.contents import source
from sparsedecay.extras.archive.manifest import LABEL, SUMS
from sparsedecay.extras.archive.opening import opened
from tests.extras.archive.made import SAID, small
from tests.workflow.project import Project


def git(folder, *arguments):
    return Project(folder).git(*arguments)


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "a project, mine"
    folder.mkdir()
    git(folder, "init")
    (folder / ".gitignore").write_text("results/*\n")
    (folder / "Snakefile").write_text("rule all:\n")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "results").mkdir()
    (folder / "results/state").write_text("made")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    return folder


def test_a_checkout(checkout):
    found = source(checkout)
    assert found.files == (".gitignore", "Snakefile", "run")
    assert found.commit == git(checkout, "rev-parse", "HEAD")
    assert found.changed == ()
    assert found.programs == {"run"}


def test_changes_are_named(checkout):
    first = source(checkout).digest
    assert source(checkout).digest == first
    git(checkout, "commit", "--allow-empty", "-m", "second")
    before = source(checkout).digest
    assert before != first
    (checkout / "Snakefile").write_text("rule all: # new\n")
    (checkout / "ünïcode new.yaml").write_text("a: 1\n")
    (checkout / "run").unlink()
    found = source(checkout)
    assert found.files == (".gitignore", "Snakefile", "ünïcode new.yaml")
    assert found.changed == ("Snakefile", "run", "ünïcode new.yaml")
    assert found.digest != before


def test_what_no_archive_can_hold(checkout):
    (checkout / "link").symlink_to("/etc/hostname")
    with pytest.raises(UserError, match="'link': is a link"):
        source(checkout)
    (checkout / "link").unlink()
    with open(os.fsencode(checkout) + b"/caf\xe9.txt", "w"):
        pass
    with pytest.raises(UserError, match=r"caf.*: has a name .* not in UTF-8") as caught:
        source(checkout)
    assert str(caught.value).isprintable()


def test_git_that_fails_is_quoted(checkout, monkeypatch):
    (checkout / ".git/HEAD").write_text("nonsense")
    with pytest.raises(UserError, match="git cannot say what belongs to it: fatal: not a git"):
        source(checkout)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"git cannot say .*: it is not installed"):
        source(checkout)


def test_before_the_first_commit(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "Snakefile").write_text("")
    found = source(tmp_path)
    assert (found.commit, found.files, found.changed) == (None, ("Snakefile",), ("Snakefile",))


def test_git_of_another_project_is_not_asked(checkout, monkeypatch):
    within = checkout / "inner"
    within.mkdir()
    with pytest.raises(UserError, match="neither a git checkout nor an unpacked archive"):
        source(within)
    monkeypatch.setenv("GIT_DIR", str(checkout / ".git"))
    with pytest.raises(UserError, match="neither a git checkout"):
        source(within)


@pytest.fixture
def unpacked(tmp_path):
    (tmp_path / "text").touch()
    with opened(small(tmp_path / "a.zip", **{"results/README.md": tmp_path / "text"})) as archive:
        archive.unpack(tmp_path / "folder")
    return tmp_path / "folder"


def test_an_unpacked_archive(unpacked):
    found = source(unpacked)
    assert found.files == ("Snakefile", "config/config.yaml", "results/README.md")
    assert (found.commit, found.changed) == (SAID.commit, ())
    (unpacked / "Snakefile").write_text("other")
    (unpacked / "config/config.yaml").unlink()
    found = source(unpacked)
    assert found.files == ("Snakefile", "results/README.md")
    assert found.changed == ("Snakefile", "config/config.yaml")


@pytest.mark.parametrize("name", [LABEL, SUMS])
def test_an_unpacked_archive_that_is_damaged(unpacked, name):
    (unpacked / name).write_text("{")
    with pytest.raises(UserError, match=name):
        source(unpacked)
