"""The figure of what equation 2 does to A over epochs."""

import numpy as np
import pytest

from sparsedecay.errors import UserError
from sparsedecay.files import paths
from sparsedecay.files.tables import TRAJECTORY
from tests.figures.made import curves, put, rendered, study, texts

COLUMNS = [
    {"network": "representer", "regularizer": "eq2", "range": [-1, 1]},
    {"network": "representer", "regularizer": "weight_decay", "range": [-0.5, 0.25]},
]
SECTION = {"lam": 0.25, "epoch": 80, "layer": 2, "columns": COLUMNS}


def asked(**changes):
    return study(collapse=SECTION | changes)


def test_its_runs_start_where_it_says():
    one = asked()
    first, second = (run for run, _ in one.milestones("collapse"))
    assert first == one.run("representer", "eq2", 0.25), "the config's own start"
    assert (second.regularizer, second.initialization.range) == ("weight_decay", (-0.5, 0.25))
    assert second.initialization.seed == first.initialization.seed
    assert {first.id, second.id} <= one.runs.keys()


@pytest.fixture
def figure(tmp_path, monkeypatch):
    """Of records at 0, 10, … 80: singular values 8, 4, 0 over 2^(epoch / 10), norms of the epoch,
    one more in the second run, and 80 - epoch neurons."""
    monkeypatch.chdir(tmp_path)
    one = asked()
    for number, (run, _) in enumerate(one.milestones("collapse")):
        for milestone in (40, 80):
            rows = []
            for epoch in range(0 if milestone == 40 else 40, milestone + 1, 10):
                values = {
                    ("singular_value_1", "A2"): 8.0 / 2 ** (epoch / 10),
                    ("singular_value_2", "A2"): 4.0 / 2 ** (epoch / 10),
                    ("singular_value_3", "A2"): 0.0,
                    ("frobenius_norm", "C2"): epoch + number,
                    ("frobenius_norm", "C1"): 1e6,
                    ("active_neurons", "h2"): 80 - epoch,
                    ("active_neurons", "h1"): 1e6,
                }
                for (measure, matrix), value in values.items():
                    place = {"run": run.id, "epoch": epoch, "measure": measure, "matrix": matrix}
                    rows.append(place | {"value": float(value)})
            put(paths.measured(run.id, milestone, "trajectory"), rows, TRAJECTORY)
    return rendered(one.request("collapse"))


def test_each_row_shows_its_quantity_by_epoch(figure):
    sigma, norm, neurons = figure.axes[:3]
    epochs = list(range(0, 81, 10))
    first, second, third = curves(sigma)
    assert list(first.get_xdata()) == epochs, "each once, though milestones share records"
    np.testing.assert_allclose(first.get_ydata(), [8 / 2**i for i in range(9)])
    np.testing.assert_allclose(second.get_ydata(), [4 / 2**i for i in range(9)])
    assert not third.get_ydata().any()
    assert [line.is_dashed() for line in (first, second, third)] == [False, True, True]
    assert [list(line.get_ydata()) for line in curves(norm)] == [epochs]
    assert [list(line.get_ydata()) for line in curves(neurons)] == [[80 - e for e in epochs]]
    assert list(curves(figure.axes[4])[0].get_ydata()) == [epoch + 1 for epoch in epochs]


def test_rows_share_their_scale_and_columns_have_titles(figure):
    assert len(figure.axes) == 6
    for row in range(3):
        one, other = figure.axes[row], figure.axes[3 + row]
        assert one.get_ylim() == other.get_ylim()
        assert one.get_xlim() == other.get_xlim() == (0, 80)
    words = texts(figure)
    assert {"eq. (2)", "weight decay", "from $[-1, 1]$", "from $[-0.5, 0.25]$"} <= set(words)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"layer": 3}, r"figures\.collapse\.layer: 3 is not allowed: networks here have 2 ReLU"),
        ({"epoch": 90}, r"figures\.collapse\.epoch: 90 is not allowed: training ends at epoch 80"),
        (
            {"columns": [COLUMNS[0], COLUMNS[1] | {"network": "dense"}]},
            r"figures\.collapse\.columns: .* is not allowed: of dense no singular",
        ),
        (
            {"columns": [COLUMNS[0] | {"range": [1, -1]}]},
            r"figures\.collapse\.columns\[0\].*the first number must be smaller",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(changes, told):
    with pytest.raises(UserError, match=told):
        asked(**changes)
