"""Networks with several ReLU layers: what is known of them, by hand."""

from itertools import product

import numpy as np
import pytest

from sparsedecay.errors import UserError
from sparsedecay.science.convex import deep
from sparsedecay.science.convex.bound import lower
from sparsedecay.science.convex.optimum import optimum
from sparsedecay.science.convex.separation import largest
from sparsedecay.science.networks import build
from sparsedecay.science.regularizers import Term
from tests.small import small_run

GRID = np.array(list(product([0, 0.5, 1], repeat=4)))


def random(run, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(-1, 1, shape) for name, shape in build(run).shapes.items()}


@pytest.mark.parametrize("lam", [0.01, 0.1])
def test_the_bound_from_smoothness_is_what_a_linear_target_gives(lam):
    """y = x_1 on the paper's grid: the smoothest fits are c x_1, with (1 - c)^2 / 6."""
    c = np.linspace(0, 1, 100_001)
    exact = ((1 - c) ** 2 / 6 + 2 * lam * np.sqrt(c)).min()
    found = deep.smoothness(GRID, GRID[:, 0], lam, 1 / 81, 2, tolerance=1e-4)
    assert exact - 2e-4 / 6 <= found <= exact * (1 + 1e-6)


def test_no_network_lies_below_the_bound_from_smoothness():
    run = small_run(lam=0.003)
    X, y = run.data.samples()[:2]
    bound = deep.smoothness(X, y[:, 0], 0.003, 1 / len(X), 2)
    assert 0 < bound < (y**2).mean()
    for seed in range(20):
        p = {name: 0.3 * array for name, array in random(run, seed).items()}
        terms = build(run), p
        from sparsedecay.science import regularizers

        error = build(run).forward(p, X, lambda t: np.maximum(t, 0)) - y
        value = regularizers.build(run).value(*terms)
        assert bound <= (error**2).mean() + 0.003 * value


def test_balance_by_hand():
    run = small_run(K=2, d=2)
    p = random(run)
    p["V1"], p["W1"] = np.array([[3.0, 0], [1, 2]]), np.array([[4.0, 0, 0], [0, 0, 1]])
    # out 4, 2 in the l1 norm; in 4, 1
    assert deep.balance(run, p)[0] == pytest.approx(1 / (16 + 4 + 16 + 1))
    decayed = run.model_copy(update={"regularizer": "weight_decay"})
    p["b1"] = np.array([3.0, 0.0])
    # out sqrt(10), 2 in the l2 norm; in, with biases, 5, 1
    expected = ((np.sqrt(10) - 5) ** 2 + 1) / (10 + 4 + 25 + 1)
    assert deep.balance(decayed, p)[0] == pytest.approx(expected)


def test_the_smallest_subgradient_by_hand():
    array = np.array([[0.5, 0.0, -0.0005]])
    g = np.array([[-0.2, 0.05, 0.3]])
    found = deep.subgradient(array, g, Term.ABSOLUTE, 0.1)
    np.testing.assert_allclose(found, [[-0.1, 0, 0.2]])
    found = deep.subgradient(array, g, Term.SQUARE, 0.1)
    np.testing.assert_allclose(found, g + 0.2 * array)
    V = np.array([[2.0, 0.0], [-1.0, 4.0]])
    found = deep.subgradient(V, np.full((2, 2), 1.0), Term.NEURON_L1_SQUARED, 0.1)
    np.testing.assert_allclose(found, [[1 + 0.6, 1 - 0.8], [1 - 0.6, 1 + 0.8]])


def test_a_shallow_optimum_is_stationary_and_balanced():
    """Both measures vanish where the optimum is known: with one block."""
    from sparsedecay.science.convex.problem import Posed

    run = small_run(L=1, K=12, dimension=2, levels=(0.0, 0.5, 1.0), lam=0.01)
    X, y = run.data.samples()[:2]
    found = optimum(Posed.of(run).problem(X, y), gap=1e-7)
    p = found.neurons.parameters(12, biases=False)
    assert deep.balance(run, p)[0] == pytest.approx(0, abs=1e-12)
    assert deep.stationarity(run, p, X, y)[0] < 2e-2, "but for points on kinks"
    assert deep.stationarity(run, random(run), X, y)[0] > 0.3


def test_the_last_block_is_a_shallow_network_on_what_comes_into_it():
    run = small_run(K=5, d=3)
    p, X, y = random(run), *run.data.samples()[:2]
    problem, neurons = deep.last_block(run, p, X, y)
    outputs = build(run).forward(p, X, lambda t: np.maximum(t, 0))
    np.testing.assert_allclose(neurons.outputs(problem.X), outputs[:, 0])
    assert problem.basis.shape == (3, 3)
    bound = lower(problem, problem.residual(neurons))
    assert 0 < bound.value < problem.objective(neurons)
    # with A of rank one and no skips into it, its inputs lie on a line
    p["V1"], p["C1"] = np.outer([1.0, 2, 3], np.ones(5)), np.zeros((3, 3))
    problem, neurons = deep.last_block(run, p, X, y)
    assert problem.basis.shape == (3, 1)
    line = lower(problem, problem.residual(neurons), 1e-7)
    assert line.found.complete
    # in all three dimensions the search finds the same maximum, but takes longer
    rows = [problem.X - point for point in problem.points]
    whole = largest(rows, problem.centred(problem.residual(neurons)), 1e-7)
    assert whole.value == pytest.approx(line.found.value, rel=1e-6)
    best = optimum(problem, neurons, gap=1e-6)
    assert best.gap <= 1e-6


def test_other_networks_are_refused():
    run = small_run(network="dense")
    with pytest.raises(UserError, match="blocks of Theorem 1"):
        deep.balance(run, random(run))
