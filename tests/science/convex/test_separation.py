"""The largest |z·relu(A u)|: against enumeration, sampling and values by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedecay.science.convex import separation
from sparsedecay.science.convex.separation import ascent, largest, rounding, spectral


def at(A, z, u):
    return abs(z @ np.maximum(A @ u, 0))


def by_angle(A, z):
    """The maximum in the plane: it lies on a kink, or where the gradient of a piece points."""
    kinks = np.arctan2(A[:, 1], A[:, 0])
    kinks = np.sort(np.concatenate([kinks + np.pi / 2, kinks - np.pi / 2]) % (2 * np.pi))
    middles = (kinks + np.append(kinks[1:], kinks[0] + 2 * np.pi)) / 2
    angles = list(kinks)
    for middle in middles:
        u = np.array([np.cos(middle), np.sin(middle)])
        g = (z * (A @ u > 0)) @ A
        angles += [np.arctan2(g[1], g[0]), np.arctan2(-g[1], -g[0])]
    return max(at(A, z, np.array([np.cos(t), np.sin(t)])) for t in angles)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12))
def test_in_the_plane_it_is_what_the_angles_give(seed, N):
    rng = np.random.default_rng(seed)
    A, z = rng.standard_normal((N, 2)), rng.standard_normal(N)
    found, exact = largest([A], z, 1e-9), by_angle(A, z)
    assert found.complete
    assert exact <= found.proved <= exact * (1 + 1e-8) + 1e-12
    assert found.value == pytest.approx(exact, rel=1e-8)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 5), st.booleans())
def test_nothing_exceeds_what_is_proved(seed, p, on_a_grid):
    rng = np.random.default_rng(seed)
    A = rng.integers(-2, 3, (20, p)).astype(float) if on_a_grid else rng.standard_normal((20, p))
    z = rng.standard_normal(20)
    found = largest([A], z, 1e-4)
    assert found.complete
    tried = [ascent([A], z).value[0], *(at(A, z, u) for u in A / np.linalg.norm(A, axis=1).max())]
    assert max(tried) <= found.proved <= found.value * (1 + 1e-4) + 1e-9
    assert found.value >= max(tried) * (1 - 1e-3)


def test_values_by_hand():
    # one row: |z| ||a||, in the direction of a
    assert largest([np.array([[3.0, 4.0]])], np.array([-2.0])).value == pytest.approx(10)
    # relu(u) + relu(-u) = |u| and its negative
    A = np.array([[1.0], [-1.0]])
    assert largest([A], np.array([1.0, 1.0])).value == pytest.approx(1)
    assert largest([A], np.array([1.0, -3.0])).value == pytest.approx(3)
    # relu of all corners of a cube, all with weight 1: u along a diagonal or an axis
    A = np.array(list(product([-1.0, 1.0], repeat=3)))
    exact = max(
        at(A, np.ones(8), np.array(u) / np.linalg.norm(u)) for u in A.tolist() + np.eye(3).tolist()
    )
    assert largest([A], np.ones(8), 1e-9).proved == pytest.approx(exact, rel=1e-8)


def test_nothing_is_largest_of_nothing():
    found = largest([np.ones((3, 2))], np.zeros(3))
    assert found.value == 0
    assert found.proved == 0
    assert largest([np.zeros((3, 2))], np.ones(3)).proved < 1e-10


def test_several_matrices_and_the_recorded_points():
    rng = np.random.default_rng(3)
    rows, z = [rng.standard_normal((15, 3)) for _ in range(4)], rng.standard_normal(15)
    each = [largest([A], z, 1e-9).value for A in rows]
    found = largest(rows, z, 1e-9, record=0.5 * max(each))
    assert found.value == pytest.approx(max(each))
    points = found.points
    assert len(points.value) > 0
    assert (np.diff(points.value) <= 0).all()
    for value, index, sign, u in zip(*points, strict=True):
        assert np.linalg.norm(u) == pytest.approx(1)
        assert sign * (z @ np.maximum(rows[index] @ u, 0)) == pytest.approx(value)
        assert value > 0.5 * max(each)


def test_a_search_that_is_stopped_still_bounds(monkeypatch):
    monkeypatch.setattr(separation, "STEPS", 10)
    rng = np.random.default_rng(4)
    A, z = rng.standard_normal((60, 5)), rng.standard_normal(60)
    whole, stopped = largest([A], z, 1e-6), largest([A], z, 1e-6, seconds=0.0)
    assert whole.complete
    assert not stopped.complete
    assert stopped.cones < whole.cones
    assert stopped.proved >= whole.proved
    assert stopped.proved <= max(spectral(A, z), spectral(A, -z)) * (1 + 1e-9)


def test_in_many_dimensions_the_bound_holds_without_a_search():
    rng = np.random.default_rng(5)
    A, z = rng.standard_normal((30, 12)), rng.standard_normal(30)
    found = largest([A], z)
    assert not found.complete
    assert found.value <= found.proved
    assert found.value >= max(at(A, z, a / np.linalg.norm(a)) for a in A) * 0.999


def test_the_spectral_bound_is_one():
    rng = np.random.default_rng(6)
    for _ in range(20):
        A, z = rng.standard_normal((9, 3)), rng.standard_normal(9)
        assert max(spectral(A, z), spectral(A, -z)) >= largest([A], z).value


def test_rounding_is_small_and_grows_with_the_data():
    A, z = np.ones((10, 3)), np.ones(10)
    assert 0 < rounding([A], z) < 1e-9
    assert rounding([10 * A], z) == pytest.approx(10 * rounding([A], z))
