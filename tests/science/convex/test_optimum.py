"""Optima that are known exactly, and what must hold of any."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedecay.science.convex.bound import lower, refuted
from sparsedecay.science.convex.finite import merged
from sparsedecay.science.convex.optimum import optimum
from sparsedecay.science.convex.problem import Form, Neurons, Problem
from sparsedecay.science.convex.sparsest import basic, fewer

EQ2 = Form(2.0, biases=False, squares=False)
DECAY = Form(2.0, biases=True, squares=True)
WEIGHTS_ONLY = Form(2.0, biases=False, squares=True)
LINE = np.array([[-1.0], [0.0], [1.0]])


def grid(*levels, dimension=4):
    return np.array(list(product(levels, repeat=dimension)), dtype=float)


def problem(X, y, lam, form):
    return Problem(X, np.asarray(y, float), lam, 1 / len(X), form)


def solved(X, y, lam, form, gap=1e-7):
    """Objective and bound of the optimum; the gap is proved."""
    found = optimum(problem(X, y, lam, form), gap=gap)
    assert found.gap <= gap
    assert found.bound.value <= found.objective * (1 + 1e-12)
    return found


PAPER = grid(0, 0.5, 1)
CENTRED = grid(-0.5, 0, 0.5, dimension=2)


@pytest.mark.parametrize(
    ("X", "y", "lam", "form", "exact", "neurons"),
    [
        # linear targets: (1 - c)^2 / 6 + lam c
        (PAPER, PAPER[:, 0], 0.1, EQ2, 0.1 - 1.5 * 0.1**2, 0),
        (PAPER, abs(PAPER[:, 0] - 0.5), 0.02, EQ2, 4 * 0.02 - 72 * 0.02**2, 2),
        (LINE, [1, 0, 1], 0.05, EQ2, 4 * 0.05 - 18 * 0.05**2, 2),
        # the same neurons, charged with their biases: |x| from two neurons through 0, and c0
        (LINE, [1, 0, 1], 0.05, DECAY, 0.2 - 6 * 0.05**2 - 12 * 0.05**2 / 1.15, 2),
        # ridge regression: no neuron pays
        (CENTRED, CENTRED[:, 0], 0.1, DECAY, 0.1 / 1.6, 0),
    ],
)
def test_known_optima(X, y, lam, form, exact, neurons):
    found = solved(X, y, lam, form)
    assert found.objective == pytest.approx(exact, rel=1e-6)
    assert len(found.neurons.v) == neurons


@pytest.mark.parametrize(("y", "lam"), [(0.5, 0.1), (4.0, 0.05)])
def test_one_data_point(y, lam):
    x = np.array([[0.6, -0.3]])
    rho = np.sqrt(1 + (x**2).sum())
    ridge = lam * y**2 / (lam + rho**2)
    exact = ridge if y <= rho + lam / rho else 2 * lam * y / rho - lam**2 / rho**2 - lam
    assert solved(x, [y], lam, DECAY).objective == pytest.approx(exact, rel=1e-6)
    # a constant costs nothing
    assert solved(x, [y], lam, EQ2).objective == pytest.approx(0, abs=1e-9)


def test_a_large_lam_leaves_the_mean():
    rng = np.random.default_rng(0)
    y = rng.uniform(-1, 1, 9)
    found = solved(CENTRED, y, 10.0, EQ2)
    assert found.objective == pytest.approx(y.var(), rel=1e-9)
    assert len(found.neurons.v) == 0
    assert found.neurons.c0 == pytest.approx(y.mean())
    assert not np.abs(found.neurons.C).max() > 1e-6


def test_a_constant_is_optimal_from_the_lam_that_the_dual_tells():
    y = np.array([1.0, 0.0, 1.0])
    z = 2 / 3 * (y - y.mean())
    reached = lower(problem(LINE, y, 1.0, EQ2), z, 1e-9).found.value
    threshold = max(reached / 2, abs(LINE[:, 0] @ z))
    assert threshold == pytest.approx(1 / 9)
    assert len(solved(LINE, y, threshold * 1.01, EQ2).neurons.v) == 0
    assert len(solved(LINE, y, threshold * 0.99, EQ2).neurons.v) > 0


def test_a_small_lam_gives_the_interpolant_of_least_variation():
    """In one dimension: the least total variation of f' over interpolants, plus |c| / 2, by knots
    at the data (a spline); here 1 + 1 + … by hand."""
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), [0.0, 0.0, 1.0, 0.0]
    # slopes 0, 1, -1: |1 - 0| + |-1 - 1| = 3, and no skip is needed
    lam = 1e-6
    assert solved(X, y, lam, EQ2, 1e-5).objective / (2 * lam) == pytest.approx(3, rel=1e-3)


def test_duplicated_points_with_different_targets():
    X = np.array([[0.0], [0.0], [1.0]])
    found = solved(X, [0.0, 2.0, 1.0], 0.01, EQ2)
    assert found.objective == pytest.approx(2 / 3, rel=1e-9)  # the mean at 0 is 1, as at 1


def lasso(X, y, lam, steps=200_000):
    """Another solver: coordinate descent over the neurons of one dimension, whose knots lie at the
    data, and the skip connection."""
    x = X[:, 0]
    knots = [np.maximum(s * (x - k), 0) for k in x for s in (1, -1)]
    atoms = np.array([atom for atom in knots if atom.any()] + [x / 1.0]).T
    charge = np.append(np.full(atoms.shape[1] - 1, 2 * lam), lam)
    atoms, y = atoms - atoms.mean(0), y - y.mean()  # c0 is free
    a, square, N = np.zeros(atoms.shape[1]), (atoms**2).sum(0), len(x)
    r = y.copy()
    for _ in range(steps):
        largest = 0.0
        for k in range(len(a)):
            rho = atoms[:, k] @ r + square[k] * a[k]
            new = np.sign(rho) * max(abs(rho) - N * charge[k] / 2, 0) / square[k]
            if new != a[k]:
                r -= (new - a[k]) * atoms[:, k]
                largest, a[k] = max(largest, abs(new - a[k])), new
        if largest < 1e-13:
            break
    return (r @ r) / N + charge @ abs(a)


def test_two_independent_solvers_agree():
    rng = np.random.default_rng(2)
    X, y = np.sort(rng.uniform(-1, 1, (8, 1)), axis=0), rng.uniform(-1, 1, 8)
    for lam in (0.03, 0.003):
        assert solved(X, y, lam, EQ2).objective == pytest.approx(lasso(X, y, lam), rel=1e-6)


@st.composite
def networks(draw):
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    N, d, K = draw(st.integers(1, 12)), draw(st.integers(1, 3)), draw(st.integers(1, 6))
    X, y = rng.integers(-2, 3, (N, d)).astype(float), rng.standard_normal(N)
    neurons = Neurons(
        rng.standard_normal((K, d)), rng.standard_normal(K), rng.standard_normal(K),
        rng.standard_normal(d), rng.standard_normal(),
    )  # fmt: skip
    form = draw(st.sampled_from([EQ2, DECAY, WEIGHTS_ONLY]))
    return problem(X, y, draw(st.sampled_from([1.0, 0.1, 0.001])), form), neurons


@settings(max_examples=60, deadline=None)
@given(networks())
def test_no_network_lies_below_the_bound_of_its_residual(case):
    one, neurons = case
    bound = lower(one, one.residual(neurons))
    assert bound.value <= one.objective(neurons)
    assert bound.value <= (one.kappa * one.y @ one.y) * (1 + 1e-12)  # the network that is 0


@settings(max_examples=15, deadline=None)
@given(networks())
def test_the_optimum_lies_between(case):
    one, neurons = case
    found = optimum(one, neurons, gap=1e-5)
    assert found.gap <= 1e-5 or found.objective < 1e-7
    assert found.objective <= one.objective(neurons) * (1 + 1e-9) + 1e-9
    # from nothing the same is found
    again = optimum(one, gap=1e-5)
    assert again.objective == pytest.approx(found.objective, rel=3e-5, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(networks())
def test_merged_and_basic_neurons_fit_as_before_and_cost_no_more(case):
    one, neurons = case
    for change in (merged, basic):
        found = change(one, neurons)
        assert found.outputs(one.X) == pytest.approx(neurons.outputs(one.X), abs=1e-6)
        assert one.objective(found) <= one.objective(neurons) * (1 + 2e-6)
    assert len(found.v) <= len(one.X)


def test_as_parameters_it_is_the_same_network_in_balance():
    rng = np.random.default_rng(7)
    neurons = Neurons(
        rng.standard_normal((3, 2)), rng.standard_normal(3), np.array([1.0, -2.0, 0.0]),
        rng.standard_normal(2), 0.5,
    )  # fmt: skip
    X = rng.standard_normal((5, 2))
    for biases in (False, True):
        p = neurons.parameters(6, biases)
        assert Neurons.of(p).outputs(X) == pytest.approx(neurons.outputs(X))
        into = np.column_stack([p["W1"], p["b1"]]) if biases else p["W1"]
        assert np.linalg.norm(into, axis=1) == pytest.approx(np.abs(p["V1"][0]))
    with pytest.raises(ValueError, match="3 neurons"):
        neurons.parameters(2, biases=False)


def test_the_sparsest_network_keeps_the_limit():
    rng = np.random.default_rng(8)
    one = problem(CENTRED, rng.uniform(-1, 1, 9), 1e-3, EQ2)
    best = optimum(one, gap=1e-6)
    assert len(best.neurons.v) <= 9
    counts = []
    for slack in (0.0, 0.5, 2.0):
        limit = best.objective * (1 + slack)
        few = fewer(one, best.neurons, limit)
        assert one.objective(few) <= limit
        counts.append(len(few.v))
    assert len(best.neurons.v) == counts[0] > counts[1] > counts[2] > 0


@pytest.mark.parametrize("lam", [0.1, 1e-3, 1e-6])
@pytest.mark.parametrize("form", [EQ2, DECAY, WEIGHTS_ONLY])
def test_a_proof_is_accepted_and_a_wrong_one_refuted(form, lam):
    """Whatever the size of its numbers."""
    rng = np.random.default_rng(9)
    one = problem(CENTRED, rng.uniform(-1, 1, 9), lam, form)
    bound = optimum(one, gap=1e-4).bound
    assert refuted(one, bound.z, bound.value) is None
    assert "proves" in refuted(one, bound.z, bound.value * (1 + 1e-5))
    for place in range(9):
        z = bound.z.copy()
        z[place] += 0.1 * np.abs(z).max()
        assert refuted(one, z, bound.value), place
    assert "finite numbers" in refuted(one, bound.z[:-1], bound.value)
    assert "finite numbers" in refuted(one, bound.z * np.nan, bound.value)
