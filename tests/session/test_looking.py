"""Calls of Snakemake that only look, also at a folder in which nothing can be written."""

import sys

import pytest

from sparsedecay.errors import UserError
from sparsedecay.session import Session
from sparsedecay.session.looking import Shown, only_looks


@pytest.mark.parametrize(
    ("words", "looks"),
    [
        ("-n", True),
        ("--dag mermaid-js", True),
        ("--configfile a.yaml --summary", True),
        ("--list-rules", True),
        ("--report", True),
        ("--report r.html --report-after-run", False),
        ("figures/fig1.pdf -c 2", False),
        ("--unlock", False),
        ("--list-untracked", False),
    ],
)
def test_by_its_arguments(monkeypatch, words, looks):
    monkeypatch.setattr(sys, "argv", ["snakemake", *words.split()])
    assert only_looks() == looks


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of results within others."""
    monkeypatch.setattr(sys, "argv", ["snakemake", "-n"])
    mine = tmp_path / "project/smoke"
    for name in ("results", "figures", ".snakemake/metadata", ".snakemake/locks"):
        (mine / name).mkdir(parents=True)
    (mine / "results/table").write_text("numbers")
    (mine / ".snakemake/metadata/record").write_text("{}")
    (tmp_path / "project/config.yaml").write_text("data:")
    (tmp_path / "other").mkdir()
    return mine


def test_paths_lead_to_the_same_files(folder):
    shown = Shown(folder)
    place = shown.place
    for name in ("results/table", ".snakemake/metadata/record", "../config.yaml", "../../other/x"):
        assert (place / name).resolve() == (folder / name).resolve()
    assert not (place / ".snakemake/locks").exists(), "Snakemake makes its own"
    (place / ".snakemake/locks").mkdir()
    assert not any((folder / ".snakemake/locks").iterdir())
    del shown
    assert not place.exists()
    assert (folder / "results/table").read_text() == "numbers", "only links were removed"


def test_where_the_lock_is_anothers_it_is_looked_at_from_elsewhere(folder, monkeypatch):
    """As where one of a group works with umask 022."""

    def acquire(self, timeout=None):
        raise PermissionError(13, "Permission denied", str(folder / "sparsedecay.lock"))

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    session = Session(folder, print)
    session.open(looks=True)
    assert session.shown.place != folder
    with pytest.raises(UserError, match="belongs to someone else"):
        Session(folder, print).open(looks=False)


def test_a_report_must_lie_elsewhere(folder, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["snakemake", "--report", "r.html"])
    with pytest.raises(UserError, match=r"cannot be written; .* --report /another/folder/r\.html"):
        Shown(folder)
    monkeypatch.setattr(sys, "argv", ["snakemake", "--report", "/elsewhere/r.html"])
    assert Shown(folder).place.is_dir()
