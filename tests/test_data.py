import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from sparsedecay import data
from sparsedecay.engines.state import initial
from sparsedecay.errors import DamagedFile
from sparsedecay.files.samples import load
from sparsedecay.science.data.grid import Grid

PAPER = Grid(levels=(0, 0.5, 1), dimension=4, target_range=(-1, 1), seed=0)


@pytest.fixture
def file(tmp_path):
    """The paper's data set."""
    data.main(["--data", PAPER.canonical(), "--out", str(tmp_path / "data.parquet")])
    return tmp_path / "data.parquet"


def test_the_grid_holds_each_point_once():
    grid = PAPER.samples().X
    assert grid.shape == (81, 4)
    assert len(np.unique(grid, axis=0)) == 81
    assert set(grid.ravel()) == {0.0, 0.5, 1.0}
    assert grid[1].tolist() == [0, 0, 0, 0.5]  # the last coordinate varies fastest


def test_targets_fill_their_range_and_depend_on_the_seed():
    many = PAPER.model_copy(update={"dimension": 8, "target_range": (2.0, 5.0)})
    y = many.samples().y[:, 0]
    assert y.shape == (6561,)
    assert y.min() >= 2
    assert y.max() <= 5
    assert abs(y.mean() - 3.5) < 0.05
    assert abs(y.var() - 9 / 12) < 0.03
    other = many.model_copy(update={"seed": 1}).samples().y[:, 0]
    assert abs(np.corrcoef(y, other)[0, 1]) < 0.05


def test_targets_never_change():
    """Results in archives rest on these numbers: a change here is a new data set."""
    first = [0.7824291912036281, 0.9322441813086455, 0.912904746239678]
    for seed in (0, 1):  # global random state has no influence
        np.random.seed(seed)
        np.testing.assert_array_equal(PAPER.samples().y[:3, 0], first)


def test_targets_and_weights_have_independent_streams(make_run):
    weights = initial(make_run(seed=0, K=500)).parameters["W1"].numpy().ravel()
    targets = PAPER.model_copy(update={"dimension": 6}).samples().y[:, 0]
    n = min(len(weights), len(targets))
    assert abs(np.corrcoef(weights[:n], targets[:n])[0, 1]) < 0.1
    one, two = (initial(make_run(seed=0, data_seed=s)).parameters["W1"] for s in (0, 1))
    assert one.equal(two)


def test_the_file_holds_the_table_its_units_and_the_mean_square(file):
    stored = pq.read_table(file)
    assert stored.column_names == ["x1", "x2", "x3", "x4", "y"]
    assert all(field.metadata[b"unit"] for field in stored.schema)
    about = stored.schema.metadata
    assert float(about[b"mean_square"]) == pytest.approx(np.mean(PAPER.samples().y ** 2))
    assert json.loads(about[b"settings"]) == json.loads(PAPER.canonical())
    X, y = load(file)[:2]
    np.testing.assert_array_equal(X, PAPER.samples().X)
    np.testing.assert_array_equal(y, PAPER.samples().y)


def test_a_damaged_file_is_named_with_the_remedy(file):
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DamagedFile, match=f"(?s){file}.*snakemake --force {file}"):
        load(file)
