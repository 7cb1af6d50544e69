import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedecay.science import networks, regularizers
from sparsedecay.science.networks.dense import Dense
from sparsedecay.science.networks.representer import Representer
from sparsedecay.science.regularizers.weight_decay import WeightDecay
from tests.small import small_run

KINDS = list(regularizers.KINDS)


def value(kind, network, p):
    return regularizers.KINDS[kind]().value(network, p)


def decay(biases, place="objective"):
    """Weight decay as the objective of a config asks for it."""
    return WeightDecay(small_run(weight_decay=place, decay_biases=biases).objective)


def test_eq2_by_hand():
    network = Representer(d_in=2, d_out=2, L=1, K=2, d=1)
    p = {
        "W1": np.array([[1.0, 2.0], [3.0, 0.0]]),  # rows w_k: squares 5 and 9
        "b1": np.array([100.0, 100.0]),  # biases do not count
        "V1": np.array([[1.0, -2.0], [-3.0, 0.0]]),  # columns v_k: l1 norms 4 and 2, squares 16, 4
        "C1": np.array([[1.0, -1.0], [0.5, 0.0]]),  # l1 norm 2.5
        "c0_1": np.array([100.0, 100.0]),
    }
    assert value("eq2", network, p) == 5 + 9 + 16 + 4 + 2.5
    assert value("weight_decay", network, p) == 14 + 20000 + 14 + 2.25 + 20000
    assert value("none", network, p) == 0
    assert value("l1", network, p) == 6 + 6 + 2.5
    # columns of V: l1 norms 4 and 2; rows of W: lengths of sqrt 5 and 3
    assert value("path", network, p) == 4 * 5**0.5 + 2 * 3 + 2.5
    # rows of W: l1 norms 3 and 3; V: squares 5 and 9
    assert value("eq2_exchanged", network, p) == 9 + 9 + 5 + 9 + 2.5
    assert value("eq2_unsquared", network, p) == 4 + 2 + 5**0.5 + 3 + 2.5
    assert value("eq2_skips_squared", network, p) == 16 + 4 + 5 + 9 + 2.25


def test_eq2_of_the_dense_network_counts_A_into_and_out_of_neurons():
    network = Dense(d_in=1, d_out=1, L=2, K=2, d=1)
    p = {name: np.zeros(shape) for name, shape in network.shapes.items()}
    p["A2"] = np.array([[1.0, -2.0], [3.0, 4.0]])
    # out of layer 1: columns, (1 + 3)^2 + (2 + 4)^2; into layer 2: rows, 1 + 4 + 9 + 16
    assert value("eq2", network, p) == 16 + 36 + 30


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    cls=st.sampled_from(list(networks.KINDS.values())),
    L=st.integers(1, 4),
    K=st.integers(1, 5),
    d=st.integers(1, 4),
    d_in=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_the_gradient_is_autograds(kind, cls, L, K, d, d_in, seed):
    """In float64, also where weights are exactly zero: there the subgradient of |.| is 0."""
    network = cls(d_in=d_in, d_out=1, L=L, K=K, d=d)
    generator = torch.Generator().manual_seed(seed)
    p = {}
    for name, shape in network.shapes.items():
        p[name] = torch.randn(shape, dtype=torch.float64, generator=generator)
        p[name][torch.rand(shape, generator=generator) < 0.3] = 0
        p[name].requires_grad_()
    lam = 0.37
    objective = lam * torch.as_tensor(value(kind, network, p), dtype=torch.float64)
    if objective.requires_grad:
        objective.backward()
    g = {name: torch.ones_like(tensor.detach()) for name, tensor in p.items()}
    with torch.no_grad():
        regularizers.KINDS[kind]().add_gradient(network, p, lam, g)
    for name, tensor in p.items():
        expected = 1 + (tensor.grad if tensor.grad is not None else torch.zeros_like(tensor))
        torch.testing.assert_close(g[name], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_torch_and_numpy_agree(kind):
    network = Representer(d_in=2, d_out=1, L=2, K=3, d=2)
    p = {name: torch.randn(shape, dtype=torch.float64) for name, shape in network.shapes.items()}
    n = {name: tensor.numpy() for name, tensor in p.items()}
    assert float(value(kind, network, p)) == pytest.approx(
        float(value(kind, network, n)), rel=1e-12
    )


@pytest.mark.parametrize(
    "network",
    [
        Representer(d_in=2, d_out=1, L=2, K=3, d=2),
        Dense(d_in=2, d_out=1, L=3, K=3, d=2),
        Dense(d_in=2, d_out=1, L=3, K=3, d=2, skip="input"),
        Dense(d_in=2, d_out=1, L=3, K=3, d=2, skip="none"),
    ],
    ids=lambda network: f"{type(network).__name__}-{getattr(network, 'skip', '')}",
)
def test_what_weight_decay_acts_on(network):
    every = decay(biases=True).squared(network)
    assert every == list(network.shapes)
    weights = decay(biases=False).squared(network)
    assert weights == [name for name in every if name[0] != "b" and not name.startswith("c0")]
    assert decay(True).decayed(network) == [], "it stands in the objective"
    for place in ("adam", "decoupled"):
        assert decay(True, place).decayed(network) == every
        assert decay(False, place).decayed(network) == weights
    for kind in set(KINDS) - {"weight_decay"}:
        assert regularizers.KINDS[kind]().decayed(network) == []


def test_without_biases_weight_decay_is_of_the_matrices_alone(make_run):
    network = Representer(d_in=2, d_out=2, L=1, K=2, d=1)
    p = {
        "W1": np.array([[1.0, 2.0], [3.0, 0.0]]),  # 14
        "b1": np.array([100.0, 100.0]),
        "V1": np.array([[1.0, -2.0], [-3.0, 0.0]]),  # 14
        "C1": np.array([[1.0, -1.0], [0.5, 0.0]]),  # 2.25
        "c0_1": np.array([100.0, 100.0]),
    }
    assert decay(biases=False).value(network, p) == 14 + 14 + 2.25
    for biases in (True, False):
        run = make_run(regularizer="weight_decay", decay_biases=biases)
        assert regularizers.build(run).value(network, p) == decay(biases).value(network, p)
        same = make_run(regularizer="eq2", decay_biases=biases)
        assert regularizers.build(same).value(network, p) == value("eq2", network, p)

    p = {name: torch.from_numpy(array) for name, array in p.items()}
    g = {name: torch.zeros_like(tensor) for name, tensor in p.items()}
    decay(biases=False).add_gradient(network, p, 0.25, g)
    assert g["W1"].equal(0.5 * p["W1"])
    assert not g["b1"].any()
    assert not g["c0_1"].any()


def test_where_weight_decay_acts_decides_its_strength():
    """As an option of an optimizer its gradient is lam times the parameter, half as strong."""
    strengths = {
        place: (decay(True, place).penalty(0.3), decay(True, place).decoupled(0.3))
        for place in ("objective", "adam", "decoupled")
    }
    assert strengths == {"objective": (0.3, 0), "adam": (0.15, 0), "decoupled": (0.15, 0.3)}
    eq2 = regularizers.KINDS["eq2"]()
    assert (eq2.penalty(0.3), eq2.decoupled(0.3)) == (0.3, 0)


def test_equation_2_in_balance_is_the_path_norm_counted_twice():
    network = Representer(d_in=3, d_out=2, L=1, K=6, d=1)
    generator = np.random.default_rng(0)
    p = {name: generator.normal(size=shape) for name, shape in network.shapes.items()}
    scale = np.sqrt(np.abs(p["V1"]).sum(0) / np.linalg.norm(p["W1"], axis=1))
    balanced = p | {"W1": p["W1"] * scale[:, None], "V1": p["V1"] / scale}
    skips = np.abs(p["C1"]).sum()
    twice = 2 * (value("path", network, p) - skips)
    assert value("path", network, balanced) == pytest.approx(value("path", network, p))
    assert value("eq2", network, balanced) - skips == pytest.approx(twice)
    assert value("eq2", network, p) - skips > twice, "less is not to be had by scaling"
