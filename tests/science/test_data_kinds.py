"""Data sets of every kind: where points lie, what their targets are, which rows are for tests."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from sparsedecay.science.data import AnyData, Drawn
from sparsedecay.science.data.teacher import Taught
from sparsedecay.science.data.toy import FORMULAS, SPLINE
from tests.study.made import OTHERS

DRAWN = {"points": 4000, "dimension": 3, "outputs": 2, "target_range": [2, 5], "seed": 1}
TOY = {"kind": "toy", "points": 101, "noise": 0, "test_points": 0, "seed": 0}


def made(**values):
    return TypeAdapter(AnyData).validate_python(values, strict=False)


def drawn(kind, **own) -> Drawn:
    return made(kind=kind, **(DRAWN | own))


def test_points_lie_where_their_kind_says():
    X = drawn("box", range=[-1, 3]).samples().X
    assert X.shape == (4000, 3)
    assert X.min() >= -1
    assert X.max() <= 3
    assert abs(X.mean() - 1) < 0.05
    np.testing.assert_allclose(X.var(0), 16 / 12, rtol=0.06)
    X = drawn("sphere", radius=2).samples().X
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 2)
    np.testing.assert_allclose(X.mean(0), 0, atol=0.1)
    np.testing.assert_allclose(np.cov(X.T), 4 / 3 * np.eye(3), atol=0.1)
    X = drawn("gaussian", deviation=0.5).samples().X
    np.testing.assert_allclose(np.cov(X.T), np.eye(3) / 4, atol=0.03)


@pytest.mark.parametrize(
    "own", [{"kind": "box", "range": [0, 1]}, {"kind": "gaussian", "deviation": 1}]
)
def test_targets_are_uniform_and_independent_of_the_inputs(own):
    X, y, test_X, test_y = drawn(**own).samples()
    assert y.shape == (4000, 2)
    assert y.min() >= 2
    assert y.max() <= 5
    assert np.abs(np.corrcoef(np.column_stack([X, y]).T) - np.eye(5)).max() < 0.05
    assert test_X.shape == (0, 3)
    assert test_y.shape == (0, 2)
    other = drawn(**own, seed=2).samples()
    assert not np.isin(other.X, X).any()


def test_toys_have_the_values_of_their_formula():
    X, y, *_ = made(**TOY, formula="spline").samples()
    np.testing.assert_allclose(X[:, 0], np.linspace(-1, 1, 101))
    at = dict(zip(X[:, 0].round(2), y[:, 0], strict=True))
    for knot, value in SPLINE:
        assert at[knot] == pytest.approx(value)
    assert (at[-1.0], at[1.0], at[-0.4]) == pytest.approx((0, 0.5, 0.5))
    X, y, *_ = made(**TOY, formula="steps").samples()
    np.testing.assert_allclose(np.unique(y), [-1, -1 / 3, 1 / 3, 1])
    assert (np.diff(y[:, 0]) >= 0).all()
    X, y, *_ = made(**TOY, formula="bump").samples()
    np.testing.assert_allclose(y[:, 0], np.exp(-4 * (X**2).sum(1)))
    X, y, *_ = made(**TOY, formula="spiral").samples()
    assert set(y[:, 0]) == {-1.0, 1.0}
    # opposite points lie on the two arms
    np.testing.assert_array_equal(FORMULAS["spiral"][1](-X), -y[:, 0])


def test_noise_is_for_training_only():
    toy = TOY | {"noise": 0.5, "test_points": 3000, "points": 3000, "formula": "bump"}
    X, y, test_X, test_y = made(**toy).samples()
    missed = y[:, 0] - np.exp(-4 * (X**2).sum(1))
    assert missed.std() == pytest.approx(0.5, rel=0.05)
    np.testing.assert_allclose(test_y[:, 0], np.exp(-4 * (test_X**2).sum(1)))
    assert not np.isin(test_X, X).any()


@pytest.mark.parametrize("inputs", ["box", "sphere", "gaussian"])
def test_a_teacher_is_a_network_whose_creases_pass_between_points(inputs):
    about = {"points": 500, "dimension": 4, "neurons": 5, "seed": 3, "test_points": 50}
    data = made(kind="teacher", inputs=inputs, outputs=2, noise=0.0, **about)
    assert isinstance(data, Taught)
    W, b, V = data.teacher
    assert (W.shape, b.shape, V.shape) == ((5, 4), (5,), (2, 5))
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), 1)
    X, y, test_X, test_y = data.samples()
    assert np.mean(y**2) == pytest.approx(1)
    np.testing.assert_allclose(y, np.maximum(X @ W.T - b, 0) @ V.T)
    np.testing.assert_allclose(test_y, np.maximum(test_X @ W.T - b, 0) @ V.T)
    sides = (X @ W.T - b > 0).mean(0)
    assert (sides > 0).all()
    assert (sides < 1).all()
    noisy = made(kind="teacher", inputs=inputs, outputs=2, noise=0.3, **about).samples()
    assert (noisy.y - y).std() == pytest.approx(0.3, rel=0.1)
    np.testing.assert_array_equal(noisy.test_y, test_y)


@pytest.mark.parametrize("section", [one["data"] for one in OTHERS if "data" in one])
def test_what_is_said_of_data_is_what_they_hold(section):
    data = made(**section)
    found = data.samples()
    assert found.X.shape == (data.points, data.d_in)
    assert found.y.shape == (data.points, data.d_out)
    assert found.test_X.shape == (data.tests, data.d_in)
    assert found.test_y.shape == (data.tests, data.d_out)
    assert set(data.column_values()) == set(type(data).columns)
    again = made(**section)
    for one, other in zip(found, again.samples(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.id == data.id
    assert data.about
    if data.name != "file":
        assert type(data).model_validate_json(data.canonical()) == data
