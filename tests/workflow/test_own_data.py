"""A file of one's own through the whole workflow, and what an edit of it makes run again."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from tests.workflow.conftest import copied

pytestmark = pytest.mark.workflow
MINE = """
data: {kind: file, file: mine.csv, input_columns: [a, b], output_columns: [c, d],
  standardise: true, test_fraction: 0.25, seed: 0}
network: {K: 8, d: 3}
training: {epochs: 200, stride: 100}
figures:
  fig2: null
  fig3: {epoch: 200}
  fig4: {epoch: 200}
  radon: {lam: 1.0e-3, epochs: [0, 100, 200], panels: [{network: representer, regularizer: eq2}]}
claims: null
archive: {targets: [all], weights: true}
"""


@pytest.fixture(scope="module")
def mine(built, tmp_path_factory):
    """A project with a table of one's own beside its config."""
    project = copied(built.folder, tmp_path_factory.mktemp("mine"))
    config = project.folder / "config"
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"])
    table["c"], table["d"] = table["a"].abs(), table["a"] - table["b"]
    table.to_csv(config / "mine.csv", index=False)
    (config / "mine.yaml").write_text(MINE)
    configs = ["--configfile", str(project.config), str(config / "mine.yaml")]
    project.said("--cores", "2", *configs)
    return project, configs, config / "mine.csv"


def test_it_is_trained_measured_and_drawn(mine):
    project, *_ = mine
    (made,) = (project.folder / "results/data").glob("file-*/data.parquet")
    stored = pd.read_parquet(made)
    assert list(stored.columns) == ["x1", "x2", "y1", "y2", "test"]
    assert stored["test"].sum() == 10
    np.testing.assert_allclose(stored[~stored["test"]].drop(columns="test").mean(), 0, atol=1e-9)
    summary = pd.read_parquet(project.folder / "results/measure/summary.parquet")
    assert summary["outputs"].eq(2).all()
    assert summary["points"].eq(30).all()
    assert summary["test_mse"].notna().all()
    assert summary["file_sha256"].str.len().eq(64).all()
    assert json.loads((project.folder / "figures/radon.json").read_text())["figure"] == "radon"


def test_moved_or_touched_nothing_runs_and_another_byte_makes_other_runs(mine):
    project, configs, table = mine
    assert "Nothing to be done" in project.said("-n", *configs)
    os.utime(table)
    assert "Nothing to be done" in project.said("-n", *configs)
    # moved, with the config saying so
    moved = project.folder / "elsewhere.csv"
    table.rename(moved)
    config = project.folder / "config" / "mine.yaml"
    config.write_text(MINE.replace("mine.csv", "../elsewhere.csv"))
    try:
        assert "Nothing to be done" in project.said("-n", *configs)
        said = project.refused(
            "-n", "--configfile", *configs[1:], "--config", "data={file: no.csv}"
        )
        assert "data.file: " in said
        assert "no.csv cannot be read: No such file or directory" in said
        whole = moved.read_text()
        moved.write_text(whole.replace(whole.splitlines()[1][:6], "0.5000", 1))
        dry = project.said("-n", *configs)
        assert "rule data:" in dry
        assert "rule train:" in dry
        moved.write_text(whole)
        assert "Nothing to be done" in project.said("-n", *configs)
    finally:
        moved.rename(table)
        config.write_text(MINE)


def test_a_mistake_is_one_line_and_makes_nothing(mine):
    project, configs, table = mine
    whole = table.read_text()
    try:
        lines = whole.splitlines()
        table.write_text("\n".join([lines[0], "x,1,2,3", *lines[2:]]) + "\n")
        said = project.refused(*configs)
        assert "row 1: 'a' is 'x', no finite number" in said
        assert "Traceback" not in said
    finally:
        table.write_text(whole)


def test_diabetes_is_written_and_is_in_order(built, tmp_path):
    """The worked example at a small size: what weight decay does to real data."""
    project = copied(built.folder, tmp_path)
    project.said("--cores", "1", "diabetes")
    config = project.folder / "config"
    small = config / "small.yaml"
    small.write_text(
        "network: {K: 24, d: 4}\n"
        "training: {epochs: 3000, stride: 3000}\n"
        "optimizer: {learning_rate: 1.0e-2}\n"
        "figures: {fig2: null, fig3: null, fig4: null, radon: null,\n"
        "  generalisation: {lam: [1.0e-3, 1.0e-1], epoch: 3000}}\n"
    )
    paper = project.folder / "config" / "config.yaml"
    configs = ["--configfile", str(paper), str(config / "diabetes.yaml"), str(small)]
    project.said("--cores", "2", *configs)
    assert (project.folder / "figures/generalisation.pdf").stat().st_size > 1000
    summary = pd.read_parquet(project.folder / "results/measure/summary.parquet")
    last = summary[summary["regularizer"] == "weight_decay"].set_index("lam")
    free = summary[summary["regularizer"] == "none"].iloc[0]
    assert last.loc[0.1, "test_mse"] < free["test_mse"], "regularization helps on these data"
    assert last.loc[0.1, "average_sparsity"] < 0.5 * free["average_sparsity"]
    assert summary["points"].eq(332).all()
