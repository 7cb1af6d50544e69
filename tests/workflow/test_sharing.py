"""Data and milestones that several folders share: Snakemake's cache between workflows."""

import re

import pytest

from sparsedecay.files.provenance import file_digest
from tests.workflow.project import ROOT, Project, job
from tests.workflow.test_rerun import DATA, DENSE, EQ2

pytestmark = pytest.mark.workflow


@pytest.fixture
def store(tmp_path, monkeypatch):
    folder = tmp_path / "store"
    folder.mkdir()
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(folder))
    return folder


def trained(project):
    """The stretches that were really trained there: these leave a benchmark."""
    folder = project.folder / "results/benchmarks/train"
    return {str(file.relative_to(folder)) for file in folder.rglob("*.jsonl")}


FIGURE = "figures/fig3.pdf"
"""Shows two runs at their first milestone."""


def test_a_second_clone_trains_nothing(store, built, tmp_path):
    first, second = Project(tmp_path / "first").clone(), Project(tmp_path / "second").clone()
    first.said("--cores", "2", FIGURE, "--cache")
    assert len(trained(first)) == 2
    assert not list((first.folder / "results/checkpoints").glob("*")), "no second copies are left"
    second.said("--cores", "2", FIGURE, "--cache")
    assert trained(second) == set()
    links = {name for name in second.files() if (second.folder / name).is_symlink()}
    assert {job(name) for name in links} == DATA | {
        f"train {r} 1000" for r in (EQ2["0.001"], DENSE)
    }
    assert second.files().keys() == first.files().keys()
    for name in second.files():
        assert len({file_digest(p.folder / name) for p in (built, first, second)}) == 1, name
    for project in (first, second):
        assert project.jobs(FIGURE) == set()
        assert project.jobs(FIGURE, "--cache") == set()


def test_milestones_are_not_mistaken_for_each_other(store, built, tmp_path):
    """Two with the same predecessor differ in their epoch alone."""
    run = next(name.split("/")[2] for name in built.files() if EQ2["0.001"] in name)
    first, second = Project(tmp_path / "first").clone(), Project(tmp_path / "second").clone()
    second.edit("config/config.yaml", "epochs: 2000", "epochs: 1500")
    for project, epoch in ((first, 2000), (second, 1500)):
        state = f"results/train/{run}/{epoch}/state.safetensors"
        project.said("--cores", "2", state, "--cache")
    assert trained(first) == {f"{run}/1000.jsonl", f"{run}/2000.jsonl"}
    assert trained(second) == {f"{run}/1500.jsonl"}


def test_without_the_cache_nobody_hears_of_it(built):
    assert "cach" not in (built.folder / "log").read_text()


def test_a_cache_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(tmp_path / "nothing"))
    done = Project(tmp_path / "first").clone().snakemake("--cores", "2", "--cache")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "nothing" in done.stderr


def test_make_uses_the_cache_if_there_is_one(store, monkeypatch):
    # in an unpacked archive it is the config of its results
    said = r'snakemake --configfile "config/\w+\.yaml" --cache'
    assert re.search(said, Project(ROOT).make())
    monkeypatch.delenv("SNAKEMAKE_OUTPUT_CACHE")
    assert "--cache" not in Project(ROOT).make()
