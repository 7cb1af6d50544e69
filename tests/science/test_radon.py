"""Neurons as points of the Radon domain, against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsedecay.science.networks.dense import Dense
from sparsedecay.science.networks.representer import Representer
from sparsedecay.science.radon import angles, atoms, leading, plane

X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def network(W, b, V):
    """A shallow network and its parameters."""
    W, V = np.array(W, dtype=float), np.array(V, dtype=float)
    shallow = Representer(W.shape[1], len(V), 1, len(W), 1)
    p = {name: np.zeros(shape) for name, shape in shallow.shapes.items()}
    return shallow, p | {"W1": W, "b1": np.array(b, dtype=float), "V1": V}


def test_a_neuron_is_its_direction_offset_mass_and_sign():
    found = atoms(*network([[3, 4]], [2.5], [[-2]]), X)
    np.testing.assert_allclose(found.directions, [[0.6, 0.8]])
    np.testing.assert_allclose(found.offsets, [0.5])
    np.testing.assert_allclose(found.mass, [10])
    assert found.sign.tolist() == [-1]
    assert found.neurons.tolist() == [1]


def test_neurons_of_one_crease_are_one_and_those_that_face_each_other_two():
    W = [[1, 0], [2, 0], [-1, 0], [0, 3]]
    found = atoms(*network(W, [0.5, 1.0, -0.5, 0.3], [[1, 2, 1, -0.1]]), X)
    np.testing.assert_allclose(found.mass, [5, 1, 0.3])
    assert found.neurons.tolist() == [2, 1, 1]
    np.testing.assert_allclose(found.directions, [[1, 0], [-1, 0], [0, 1]])
    np.testing.assert_allclose(found.offsets, [0.5, -0.5, 0.1])


def test_what_no_data_point_activates_and_what_is_negligible_is_left_out():
    found = atoms(
        *network([[1, 0], [1, 0], [0, 1], [0, 0]], [1.0, 0.2, 0, -1], [[9, 1, 1e-4, 9]]), X
    )
    np.testing.assert_allclose(found.offsets, [0.2])
    nothing = atoms(*network([[1, 0]], [5.0], [[1]]), X)
    assert len(nothing.mass) == 0
    assert plane([], 3)[1] == 1.0


def test_opposite_weights_of_one_crease_cancel():
    found = atoms(*network([[1, 0], [1, 0], [0, 1]], [0.5, 0.5, 0], [[2, -2, 1]]), X)
    np.testing.assert_allclose(found.mass, [1])


def test_the_sign_of_several_outputs_is_that_along_their_leading_axis():
    V = [[3, -2, 0.1], [3, -2, -0.1]]
    found = atoms(*network([[1, 0], [0, 1], [-1, 0]], [0.5, 0.5, -0.5], V), X)
    np.testing.assert_allclose(found.axis, [np.sqrt(0.5)] * 2)
    assert found.sign.tolist()[:2] == [1, -1]
    np.testing.assert_allclose(found.mass[:2], [3 * np.sqrt(2), 2 * np.sqrt(2)])


def test_dense_neurons_feed_the_next_layer_and_the_skip():
    dense = Dense(2, 1, 2, 2, 1, "leap")
    rng = np.random.default_rng(0)
    p = {name: rng.normal(size=shape) for name, shape in dense.shapes.items()}
    p |= {"W1": np.eye(2), "b1": np.zeros(2)}
    found = atoms(dense, p, X)
    into_next = np.vstack([p["A2"], p["C2"]])
    np.testing.assert_allclose(sorted(found.mass), sorted(np.linalg.norm(into_next, axis=0)))


@given(st.integers(0, 10**6))
def test_merging_keeps_the_sum_of_all_weights(seed):
    """Of neurons that are active somewhere."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(30, 2))[rng.integers(0, 6, 30)] * rng.uniform(0.5, 2, (30, 1))
    b = W @ [0.4, 0.6]
    V = rng.uniform(0.1, 1, (1, 30))
    found = atoms(*network(W, b, V), X)
    assert len(found.mass) <= 6
    assert found.neurons.sum() == 30
    np.testing.assert_allclose(found.weights.sum(), (V[0] * np.linalg.norm(W, axis=1)).sum())


def test_the_plane_is_that_of_the_mass():
    W = [[1, 1, 0], [1, -1, 0], [0, 0, 0.1]]
    points = np.vstack([np.eye(3), -np.eye(3)])
    found = atoms(*network(W, [0.1, 0.1, 0.01], [[1, 1, 1]]), points)
    axes, share = plane([found], 3)
    np.testing.assert_allclose(abs(axes[:, 2]), 0, atol=1e-9)
    assert share == pytest.approx(4 / 4.01)
    eye, whole = plane([found], 2)
    np.testing.assert_array_equal(eye, np.eye(2))
    assert whole == 1
    assert plane([found], 1)[0].tolist() == [[1]]
    np.testing.assert_allclose(angles(np.array([[0, 1], [-1, 0]]), np.eye(2)), [90, 180])
    assert leading(np.array([[0, -2.0], [0, 1]])).tolist() == [[0, 1]]
