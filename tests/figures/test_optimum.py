"""The figure of shallow networks against the global optimum."""

import numpy as np
import pytest

from sparsedecay.errors import UserError
from sparsedecay.files import paths
from sparsedecay.files.tables import CERTIFICATES
from tests.figures.made import curves, put, rendered, study, texts

SECTION = {
    "K": [4, 8],
    "lam": [0.1, 0.01],
    "regularizers": ["eq2", "weight_decay"],
    "seeds": 3,
    "epoch": 80,
    "gap": 1e-3,
    "slack": 0.01,
}


def asked(**changes):
    return study(optimum=SECTION | changes)


def test_its_runs_are_shallow_and_of_several_draws():
    milestones = asked().milestones("optimum")
    assert len(milestones) == 2 * 2 * 2 * 3
    runs = [run for run, _ in milestones]
    assert {run.shape.L for run in runs} == {1}
    assert {(run.shape.K, run.lam, run.regularizer) for run in runs} == {
        (K, lam, kind) for K in (4, 8) for lam in (0.1, 0.01) for kind in ("eq2", "weight_decay")
    }
    data, weights = asked().data.seed, asked().initialization.seed
    assert {run.seeds for run in runs} == {(data + i, weights + i) for i in range(3)}
    assert len({run.id for run in runs}) == len(runs)


@pytest.fixture
def figure(tmp_path, monkeypatch):
    """The gap is K times lam and the draw, there are K + draw cells, 5 and 2 neurons suffice."""
    monkeypatch.chdir(tmp_path)
    one = asked()
    for run, epoch in one.milestones("optimum"):
        draw = run.seeds[1] - one.initialization.seed
        row = {
            "run": run.id, "epoch": epoch, "K": run.shape.K, "bound": 2.0, "points": 9,
            "objective": 2.0 * (1 + run.shape.K * run.lam * (draw + 1)),
            "cells": run.shape.K + draw, "optimum_neurons": 5, "sparsest_neurons": 2,
        }  # fmt: skip
        put(paths.certificate(run.id, epoch), [row], CERTIFICATES)
    return rendered(one.request("optimum"))


def test_each_column_shows_its_lam(figure):
    gaps = [figure.axes[0], figure.axes[2]]
    for ax, lam in zip(gaps, (0.1, 0.01), strict=True):
        dots, median, *_ = curves(ax)
        assert sorted(dots.get_xdata()) == [4, 4, 4, 8, 8, 8]
        expected = sorted(K * lam * draw for K in (4, 8) for draw in (1, 2, 3))
        np.testing.assert_allclose(sorted(dots.get_ydata()), expected)
        assert list(median.get_xdata()) == [4, 8]
        np.testing.assert_allclose(median.get_ydata(), [8 * lam, 16 * lam])
        assert ax.get_yscale() == "log"


def test_neurons_lie_beside_those_that_suffice(figure):
    neurons = figure.axes[1]
    heights = [list(np.unique(line.get_ydata())) for line in neurons.get_lines()]
    for expected in ([4, 5, 6, 8, 9, 10], [5, 9], [5], [2], [9]):
        assert expected in heights
    words = texts(figure)
    assert {"eq. (2)", "weight decay", "the optimum", "$N=9$", "$\\lambda=10^{-1}$"} <= set(words)
    assert "the sparsest found within 1 %" in words


@pytest.mark.parametrize("regularizer", ["l1", "none", "eq2_exchanged"])
def test_what_has_no_certificate_is_refused(regularizer):
    told = rf"figures\.optimum\.regularizers: .* of {regularizer} the global optimum cannot be"
    with pytest.raises(UserError, match=told):
        asked(regularizers=["eq2", regularizer])
