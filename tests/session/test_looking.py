"""Calls of Snakemake that only look, also at a folder in which nothing can be written."""

import sys

import pytest

from sparsedecay.errors import UserError
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


def test_a_report_must_lie_elsewhere(folder, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["snakemake", "--report", "r.html"])
    with pytest.raises(UserError, match=r"cannot be written; .* --report /another/folder/r\.html"):
        Shown(folder)
    monkeypatch.setattr(sys, "argv", ["snakemake", "--report", "/elsewhere/r.html"])
    assert Shown(folder).place.is_dir()
