"""One-dimensional data whose minimum-norm interpolant is known: a trained network comes close to
it, and the certified optimum is it."""

import numpy as np
import pytest

from sparsedecay.engines import ENGINES
from sparsedecay.science.convex.optimum import optimum
from sparsedecay.science.convex.problem import Neurons, Posed
from sparsedecay.science.data.toy import SPLINE, Toy
from sparsedecay.science.initializations.uniform import Uniform
from sparsedecay.science.networks import build
from sparsedecay.science.radon import atoms
from tests.small import small_run, started

KNOTS, VALUES = np.array(SPLINE).T
SLOPES = np.concatenate([[0], np.diff(VALUES) / np.diff(KNOTS), [0]])
NORM = np.abs(np.diff(SLOPES)).sum()
"""The total variation of the derivative: 17.5. The bends alternate in sign, so the line from knot
to knot is the only interpolant that has so little of it (Parhi and Nowak 2020)."""
DATA = Toy(kind="toy", formula="spline", points=21, noise=0.0, test_points=0, seed=0)
X = np.linspace(-1, 1, 401)[:, None]


def run_with(lam, regularizer="eq2", K=60):
    run = small_run(L=1, K=K, lam=lam, regularizer=regularizer, decay_biases=False, stride=10**6)
    start = Uniform(range=(-1.0, 1.0), scale="none", seed=1)
    return run.model_copy(update={"data": DATA, "initialization": start})


def test_the_norm_by_hand():
    assert pytest.approx(2.5 + 6.25 + 6.25 + 2.5) == NORM


@pytest.mark.parametrize("regularizer", ["eq2", "weight_decay"])
def test_the_certified_optimum_is_the_interpolant(regularizer):
    """Both charge 2 ||v|| ||w|| a neuron, and the interpolant needs no skip connection."""
    lam = 1e-7
    problem = Posed.of(run_with(lam, regularizer)).problem(*DATA.samples()[:2])
    best = optimum(problem, gap=1e-4)
    np.testing.assert_allclose(
        best.neurons.outputs(X), np.interp(X[:, 0], KNOTS, VALUES), atol=1e-3
    )
    length = np.linalg.norm(best.neurons.W, axis=1) * np.abs(best.neurons.v)
    assert length.sum() == pytest.approx(NORM, rel=1e-3)
    assert best.bound.value <= 2 * lam * NORM * (1 + 1e-6)
    assert best.objective == pytest.approx(2 * lam * NORM, rel=1e-3)


def test_a_trained_network_comes_close_to_both():
    engine = next(n for n in ENGINES if ENGINES[n].missing() is None)
    lam = 1e-4
    run = run_with(lam)
    trainer = started(engine, run)
    trainer.advance(20_000)
    p = {name: tensor.detach().numpy().copy() for name, tensor in trainer.parameters.items()}
    f = build(run).forward(p, X, lambda z: np.maximum(z, 0))[:, 0]
    exact = np.interp(X[:, 0], KNOTS, VALUES)
    assert np.abs(f - exact).max() < 0.03
    found = atoms(build(run), p, DATA.samples().X)
    assert found.mass.sum() == pytest.approx(NORM, rel=0.04)
    places = found.offsets * found.directions[:, 0]
    heavy = found.mass > 0.05 * found.mass.sum()
    assert np.abs(places[heavy][:, None] - KNOTS).min(axis=1).max() < 0.02
    problem = Posed.of(run).problem(*DATA.samples()[:2])
    best = optimum(problem, gap=1e-3)
    reached = problem.objective(Neurons.of(p))
    assert best.bound.value <= reached
    assert reached < 1.02 * best.objective
    np.testing.assert_allclose(best.neurons.outputs(X), f, atol=0.01)


def test_three_points_have_the_optimum_that_was_derived():
    """x = -1, 0, 1 and y = 1, 0, 1: 4 lam - 18 lam^2 (lam at most 1/9)."""
    run = run_with(0.02, K=20)
    posed = Posed.of(run)
    inputs, targets = np.array([[-1.0], [0.0], [1.0]]), np.array([[1.0], [0.0], [1.0]])
    best = optimum(posed.problem(inputs, targets), gap=1e-6)
    assert best.objective == pytest.approx(4 * 0.02 - 18 * 0.02**2, rel=1e-5)
