"""The figure of errors and sizes against lam."""

from pathlib import Path

import numpy as np
import pytest

from sparsedecay.errors import UserError
from sparsedecay.files.tables import MATRICES, SUMMARY
from tests.figures.made import curves, milestone, put, rendered, study, texts

SECTION = {
    "lam": [1e-3, 1e-2, 1e-1],
    "epoch": 80,
    "layer": 2,
    "panels": [
        {"network": "representer", "regularizer": "eq2"},
        {"network": "representer", "regularizer": "none"},
    ],
}


def asked(**changes):
    return study(generalisation=SECTION | changes)


@pytest.fixture
def figure(tmp_path, monkeypatch):
    """The test error is lam, the error of training a tenth of it; the last run has diverged."""
    monkeypatch.chdir(tmp_path)
    one = asked()
    for run, epoch in one.milestones("generalisation"):
        diverged = 50 if run.lam == 0.1 else None
        milestone(run, epoch, diverged=diverged)
        if diverged is None:
            place = Path(f"results/measure/{run.id}/{epoch}/summary.parquet")
            row = {"run": run.id, "epoch": epoch, "active_neurons": [3, 4]}
            lam = run.lam or 5.0
            put(place, [row | {"test_mse": lam, "mse": lam / 10}], SUMMARY)
            matrix = {"run": run.id, "epoch": epoch, "matrix": "A2", "sparsity": 0.25}
            found = matrix | {"stable_rank": 1.5, "alive": run.lam != 1e-3}
            put(place.with_name("matrices.parquet"), [found], MATRICES)
    return rendered(one.request("generalisation"))


def test_networks_without_lam_are_trained_once():
    runs = [run for run, _ in asked().milestones("generalisation")]
    assert [(run.regularizer, run.lam) for run in runs] == [
        ("eq2", 1e-3), ("eq2", 1e-2), ("eq2", 1e-1), ("none", 0.0)
    ]  # fmt: skip


def test_both_errors_and_what_is_left_stand_against_lam(figure):
    drawn = [line.get_ydata() for line in curves(figure.axes[0])]
    for expected in ([1e-3, 1e-2], [1e-4, 1e-3]):
        (one,) = [ys for ys in drawn if len(ys) == 3 and np.allclose(ys[:2], expected)]
        assert np.isnan(one[-1]), "it has diverged"
    levels = [line.get_ydata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert sorted(levels) == [0.5, 5.0]
    nothing = float("nan")
    for ax, values in zip(figure.axes[1:], ([7, 7], [0.25] * 2, [nothing, 1.5]), strict=True):
        np.testing.assert_allclose(curves(ax)[0].get_ydata()[:2], values)  # A is dead in the first
        assert ax.get_xscale() == "log"
    words = texts(figure)
    assert {"mean squared error", "neurons in use", "training"} <= set(words)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"lam": [1e-2, 1e-3]}, r"figures\.generalisation\.lam: .* must increase"),
        ({"epoch": 90}, r"figures\.generalisation\.epoch: .* beyond training\.epochs \(80\)"),
        ({"layer": 3}, r"figures\.generalisation\.layer: .* have 2 ReLU layers"),
        ({"panels": 2 * SECTION["panels"][:1]}, r"figures\.generalisation\.panels: .* only once"),
    ],
)
def test_what_cannot_be_shown_is_refused(changes, told):
    with pytest.raises(UserError, match=told):
        asked(**changes)
