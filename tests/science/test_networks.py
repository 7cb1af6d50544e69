"""Shapes, counts and forward passes against values worked out by hand and plain PyTorch modules."""

import numpy as np
import pytest
import torch
from torch import nn

from sparsedecay.science.networks import build
from sparsedecay.science.networks.dense import Dense
from sparsedecay.science.networks.representer import Representer


def random_parameters(network, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.empty(shape, dtype=torch.float64).uniform_(-1, 1, generator=generator)
        for name, shape in network.shapes.items()
    }


def linear(weight, bias):
    module = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
    module.weight.data, module.bias.data = weight, bias
    return module


def test_the_papers_representer_has_the_shapes_of_theorem_1():
    network = Representer(d_in=4, d_out=1, L=2, K=1296, d=16)
    assert network.shapes == {
        "W1": (1296, 4),
        "b1": (1296,),
        "V1": (16, 1296),
        "C1": (16, 4),
        "c0_1": (16,),
        "W2": (1296, 16),
        "b2": (1296,),
        "V2": (1, 1296),
        "C2": (1, 16),
        "c0_2": (1,),
    }
    assert network.size == 50_641
    assert network.matrices == ["W1", "V1", "C1", "W2", "V2", "C2"]
    assert network.factors(2) == ("W2", "V1")


def test_the_papers_dense_network_does_not_factorise_A():
    network = Dense(d_in=4, d_out=1, L=2, K=1296, d=16)
    assert network.shapes == {
        "W1": (1296, 4),
        "b1": (1296,),
        "A2": (1296, 1296),
        "C1": (1296, 4),
        "b2": (1296,),
        "V2": (1, 1296),
        "C2": (1, 1296),
        "c0": (1,),
    }
    assert network.size == 1296 * (4 + 1 + 1296 + 4 + 1 + 1 + 1) + 1
    assert network.factors(2) == ("A2",)


def test_one_block_by_hand():
    network = Representer(d_in=2, d_out=1, L=1, K=2, d=7)
    p = {
        "W1": np.array([[1.0, 2.0], [-1.0, 0.0]]),
        "b1": np.array([1.0, 0.5]),
        "V1": np.array([[3.0, 4.0]]),
        "C1": np.array([[10.0, 20.0]]),
        "c0_1": np.array([0.25]),
    }
    X = np.array([[1.0, 1.0], [-2.0, 0.0]])
    # relu(3 - 1) = 2, relu(-1 - 0.5) = 0: 3*2 + 30 + 0.25; then 0, 1.5: 4*1.5 - 20 + 0.25
    expected = [[36.25], [-13.75]]
    np.testing.assert_allclose(network.forward(p, X, lambda z: np.maximum(z, 0)), expected)


def test_the_dense_network_by_hand():
    network = Dense(d_in=1, d_out=1, L=2, K=1, d=1)
    values = {"W1": 2.0, "b1": 1.0, "A2": 3.0, "C1": -1.0, "b2": 2.0, "V2": 5.0, "C2": 7.0, "c0": 9}
    p = {name: np.full(shape, values[name]) for name, shape in network.shapes.items()}
    # x = 2: h1 = 4 - 1 = 3; h2 = 9 - 2 - 2 = 5; y = 25 + 21 + 9
    assert network.forward(p, np.array([[2.0]]), lambda z: np.maximum(z, 0)).item() == 55


@pytest.mark.parametrize("L", [1, 2, 4])
def test_the_representer_equals_plain_modules(L):
    network = Representer(d_in=3, d_out=2, L=L, K=5, d=4)
    p = random_parameters(network)
    x = X = torch.rand(7, 3, dtype=torch.float64)
    for i in range(1, L + 1):
        into, skip = linear(p[f"W{i}"], -p[f"b{i}"]), linear(p[f"C{i}"], p[f"c0_{i}"])
        out = linear(p[f"V{i}"], torch.zeros(len(p[f"V{i}"]), dtype=torch.float64))
        x = nn.Sequential(into, nn.ReLU(), out)(x) + skip(x)
    assert torch.allclose(network.forward(p, X, torch.relu), x, atol=1e-12)


@pytest.mark.parametrize("L", [1, 2, 4])
def test_the_dense_network_equals_plain_modules(L):
    network = Dense(d_in=3, d_out=2, L=L, K=5, d=4)
    p = random_parameters(network)
    X = torch.rand(7, 3, dtype=torch.float64)
    zeros = torch.zeros(5, dtype=torch.float64)
    before, h = X, torch.relu(linear(p["W1"], -p["b1"])(X))
    for i in range(2, L + 1):
        z = linear(p[f"A{i}"], -p[f"b{i}"])(h) + linear(p[f"C{i - 1}"], zeros)(before)
        before, h = h, torch.relu(z)
    y = linear(p[f"V{L}"], p["c0"])(h) + linear(p[f"C{L}"], torch.zeros(2).double())(before)
    assert torch.allclose(network.forward(p, X, torch.relu), y, atol=1e-12)


def test_shallow_networks_of_both_kinds_are_the_same():
    shapes = [
        sorted(kind(d_in=3, d_out=1, L=1, K=5, d=4).shapes.values())
        for kind in (Representer, Dense)
    ]
    assert shapes[0] == shapes[1]


def test_a_runs_network(make_run):
    assert isinstance(build(make_run(network="dense")), Dense)
    network = build(make_run(network="representer", L=3, K=6, d=2, dimension=3))
    assert (network.d_in, network.d_out, network.L, network.K, network.d) == (3, 1, 3, 6, 2)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(Representer, [["V1"], ["V2"], ["V3"]]), (Dense, [["A2", "C2"], ["A3", "C3"], ["V3"]])],
)
def test_outgoing_names_everything_that_reads_a_layer(kind, expected):
    network = kind(d_in=3, d_out=1, L=3, K=5, d=4)
    assert network.outgoing == expected
    # cut all weights out of a layer: its incoming weights can no longer matter
    X = np.random.default_rng(0).random((4, 3))
    for layer, (into, _) in enumerate(network.neurons):
        p = {name: tensor.numpy() for name, tensor in random_parameters(network).items()}
        for name in network.outgoing[layer]:
            p[name] = np.zeros_like(p[name])
        before = network.forward(p, X, lambda z: np.maximum(z, 0))
        p[into] = p[into] + 10
        np.testing.assert_array_equal(before, network.forward(p, X, lambda z: np.maximum(z, 0)))


def relu(z):
    return np.maximum(z, 0)


DENSE_SHAPES = {
    ("input", 2): {"A2": (5, 5), "C1": (5, 3), "V2": (2, 5), "C2": (2, 3)},
    ("input", 3): {
        "A2": (5, 5),
        "C1": (5, 3),
        "A3": (5, 5),
        "C2": (5, 3),
        "V3": (2, 5),
        "C3": (2, 3),
    },
    ("none", 2): {"A2": (5, 5), "V2": (2, 5)},
    ("none", 3): {"A2": (5, 5), "A3": (5, 5), "V3": (2, 5)},
    ("leap", 3): {
        "A2": (5, 5),
        "C1": (5, 3),
        "A3": (5, 5),
        "C2": (5, 5),
        "V3": (2, 5),
        "C3": (2, 5),
    },
}


@pytest.mark.parametrize(("skip", "L"), DENSE_SHAPES)
def test_the_dense_networks_shapes_follow_the_skips(skip, L):
    network = Dense(d_in=3, d_out=2, L=L, K=5, d=4, skip=skip)
    weights = {name: shape for name, shape in network.shapes.items() if len(shape) == 2}
    assert weights == {"W1": (5, 3), **DENSE_SHAPES[skip, L]}
    assert network.matrices == list(weights)
    biases = {name: shape for name, shape in network.shapes.items() if len(shape) == 1}
    assert biases == {**{f"b{i}": (5,) for i in range(1, L + 1)}, "c0": (2,)}
    assert network.skips == [name for name in DENSE_SHAPES[skip, L] if name[0] == "C"]


VALUES = {"W1": 2.0, "b1": 1.0, "A2": 3.0, "C1": -1.0, "b2": 2.0, "A3": -1.0, "b3": -8.0, "c0": 9.0}


@pytest.mark.parametrize(
    ("skip", "L", "more", "y"),
    [
        # x = 2: h1 = 4 - 1 = 3; h2 = 9 - 2 - 2 = 5; y = 5·5 + 7·2 + 9
        ("input", 2, {"V2": 5.0, "C2": 7.0}, 48),
        # without skips h2 = 9 - 2 = 7; y = 5·7 + 9
        ("none", 2, {"V2": 5.0}, 44),
        # h3 = -5 + 0.5·2 + 8 = 4; y = 5·4 + 7·2 + 9
        ("input", 3, {"C2": 0.5, "V3": 5.0, "C3": 7.0}, 43),
        # h3 = -7 + 8 = 1; y = 5 + 9
        ("none", 3, {"V3": 5.0}, 14),
        # h3 = -5 + 0.5·3 + 8 = 4.5; y = 5·4.5 + 7·5 + 9
        ("leap", 3, {"C2": 0.5, "V3": 5.0, "C3": 7.0}, 66.5),
    ],
)
def test_the_dense_network_by_hand_for_each_reading_of_skips(skip, L, more, y):
    network = Dense(d_in=1, d_out=1, L=L, K=1, d=1, skip=skip)
    p = {name: np.full(shape, (VALUES | more)[name]) for name, shape in network.shapes.items()}
    assert network.forward(p, np.array([[2.0]]), relu).item() == y


@pytest.mark.parametrize(
    ("skip", "outgoing"),
    [
        ("leap", [["A2", "C2"], ["A3", "C3"], ["V3"]]),
        ("input", [["A2"], ["A3"], ["V3"]]),
        ("none", [["A2"], ["A3"], ["V3"]]),
    ],
)
def test_skips_from_the_input_read_no_layer(skip, outgoing):
    network = Dense(d_in=3, d_out=1, L=3, K=5, d=4, skip=skip)
    assert network.outgoing == outgoing
    assert network.neurons == [("W1", "A2"), ("A2", "A3"), ("A3", "V3")]
    X = np.random.default_rng(0).random((4, 3))
    for layer, (into, _) in enumerate(network.neurons):
        p = {name: tensor.numpy() for name, tensor in random_parameters(network).items()}
        for name in network.outgoing[layer]:
            p[name] = np.zeros_like(p[name])
        before = network.forward(p, X, relu)
        np.testing.assert_array_equal(before, network.forward(p | {into: p[into] + 10}, X, relu))


@pytest.mark.parametrize("skip", ["leap", "input", "none"])
def test_a_runs_dense_network_has_its_skips(make_run, skip):
    assert build(make_run(network="dense", skips=skip)).skip == skip
    assert build(make_run(skips=skip)) == build(make_run()), "the representer network has its own"


def test_fan_in_by_hand():
    representer = Representer(d_in=4, d_out=1, L=2, K=30, d=7)
    assert representer.fan_in == {
        "W1": 4,
        "b1": 4,
        "V1": 30,
        "C1": 4,
        "c0_1": 30,
        "W2": 7,
        "b2": 7,
        "V2": 30,
        "C2": 7,
        "c0_2": 30,
    }
    # a bias takes the width of the matrix into its neurons, not of the skip
    dense = {"W1": 4, "b1": 4, "A2": 30, "b2": 30, "V2": 30, "c0": 30}
    for skip, skips in (("leap", {"C1": 4, "C2": 30}), ("input", {"C1": 4, "C2": 4}), ("none", {})):
        network = Dense(d_in=4, d_out=1, L=2, K=30, d=7, skip=skip)
        assert network.fan_in == dense | skips
        assert network.fan_in.keys() == network.shapes.keys()
