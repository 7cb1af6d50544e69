"""States: what they tell, what is left of them by pruning, and where they are kept."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsedecay as sd
from sparsedecay.api.prune import pruned
from sparsedecay.engines.state import State as Raw
from sparsedecay.science.measures import relu
from sparsedecay.science.networks.dense import Dense
from sparsedecay.science.networks.representer import Representer
from tests.api.conftest import SMALL

RNG = np.random.default_rng(0)


def test_matrices_by_name(states):
    state = states[0]
    p = {name: array.astype(float) for name, array in state.parameters.items()}
    assert np.allclose(state.matrix("A2"), p["W2"] @ p["V1"])
    assert np.array_equal(state.matrix("C1"), p["C1"])
    with pytest.raises(ValueError, match=r"name: there is no 'A3'; there are W1, b1, .*A2"):
        state.matrix("A3")


def test_the_function_by_hand(states):
    state = states[0]
    W1, b1, V1, C1, c1, W2, b2, V2, C2, c2 = (a.astype(float) for a in state.parameters.values())
    x = RNG.random(4)
    h = V1 @ np.maximum(W1 @ x - b1, 0) + C1 @ x + c1
    y = V2 @ np.maximum(W2 @ h - b2, 0) + C2 @ h + c2
    assert state(x[None]) == pytest.approx(y[None], abs=1e-12)


def test_measures_follow_their_definitions(states):
    state = states[0]
    error = state(state.run.samples.X) - state.run.samples.y
    assert state.measure()["mse"] == pytest.approx(np.mean(error**2))
    rows = state.tables(threshold=1.0)["matrices"].set_index("matrix")
    assert rows.sparsity["W1"] == np.mean(np.abs(state.matrix("W1")) > 1)
    sigma = state.spectra.query("matrix == 'A2'").singular_value
    assert np.allclose(sigma, np.linalg.svd(state.matrix("A2"), compute_uv=False)[:4])
    with pytest.raises(TypeError, match=r"did you mean 'threshold'"):
        state.measure(treshold=1.0)
    with pytest.raises(ValueError, match=r"threshold: "):
        state.measure(threshold=-1.0)


def test_curves(states):
    curve = states[0].curve("mse")
    assert curve.index.tolist() == [0, 50, 100, 150, 200]
    assert curve.iloc[-1] == pytest.approx(states[0].measure()["mse"], rel=1e-4)
    assert states[0].curve("singular_value_1", "A2").iloc[-1] == pytest.approx(
        np.linalg.norm(states[0].matrix("A2"), 2), rel=1e-5
    )
    with pytest.raises(ValueError, match=r"no such record; there are .*mse"):
        states[0].curve("mse", "A2")


@st.composite
def networks(draw):
    """Networks with neurons that are idle, doubled, or active on the same points."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    kind = draw(st.sampled_from(["representer", "leap", "input", "none"]))
    sizes = {
        "d_in": draw(st.integers(1, 3)),
        "d_out": draw(st.integers(1, 2)),
        "L": draw(st.integers(1, 3)),
        "K": draw(st.integers(1, 12)),
        "d": draw(st.integers(1, 3)),
    }
    network = Representer(**sizes) if kind == "representer" else Dense(**sizes, skip=kind)
    p = {name: rng.standard_normal(shape) for name, shape in network.shapes.items()}
    for layer in range(1, network.L + 1):
        idle, twin, of = rng.integers(0, network.K, 3)
        p[f"b{layer}"][idle] = 1e6
        for name in [*network.into(layer), f"b{layer}"]:
            p[name][twin] = p[name][of] * 2
    X = rng.standard_normal((draw(st.integers(1, 12)), network.d_in))
    return network, p, X


@settings(max_examples=300, deadline=None)
@given(networks())
def test_pruning_keeps_the_function_on_the_data(drawn):
    network, p, X = drawn
    small = pruned(network, p, X)
    before, after = network.forward(p, X, relu), small(X)
    assert np.allclose(before, after, rtol=1e-8, atol=1e-8 * (1 + np.abs(before).max()))
    layers = network.layers(small.parameters, X, relu)[:-1]
    for layer, (h, width) in enumerate(zip(layers, small.neurons, strict=True), start=1):
        assert h.shape[1] == width <= network.K
        assert (h.max(axis=0, initial=0) > 0).all()
        if sum(len(small.parameters[name]) for name in network.outgoing[layer - 1]) == 1:
            patterns = {column.tobytes() for column in (h > 0).T}
            assert width <= 2 * len(patterns)
    again = pruned(network, small.parameters, X)
    assert all(a <= b for a, b in zip(again.neurons, small.neurons, strict=True))


def test_what_is_alike_becomes_one():
    """Three neurons of one pattern with v > 0, one with v < 0, one idle, one without weight."""
    network = Representer(d_in=1, d_out=1, L=1, K=6, d=1)
    p = {
        "W1": np.array([[1.0], [2.0], [3.0], [1.0], [1.0], [1.0]]),
        "b1": np.array([0.1, 0.3, 0.5, 0.2, 9.0, 0.2]),
        "V1": np.array([[1.0, 0.5, 2.0, -1.0, 1.0, 0.0]]),
        "C1": np.zeros((1, 1)),
        "c0_1": np.zeros(1),
    }
    X = np.array([[0.0], [1.0], [2.0]])
    small = pruned(network, p, X)
    assert small.neurons == (2,)
    assert np.allclose(small(X), network.forward(p, X, relu), atol=1e-12)


def test_neurons_that_feed_several_stay_unless_they_are_parallel():
    network = Representer(d_in=1, d_out=2, L=1, K=3, d=1)
    p = {
        "W1": np.array([[1.0], [2.0], [1.0]]),
        "b1": np.array([0.1, 0.3, 0.2]),
        "V1": np.array([[1.0, 2.0, 1.0], [1.0, 2.0, -1.0]]),
        "C1": np.zeros((2, 1)),
        "c0_1": np.zeros(2),
    }
    assert pruned(network, p, np.array([[0.0], [1.0]])).neurons == (2,)


def test_a_trained_network_loses_neurons(states):
    state = states[0]
    small = state.prune()
    X = state.run.samples.X
    assert sum(small.neurons) < sum(state.neurons)
    assert np.abs(small(X) - state(X)).max() < 1e-12
    one_point = state.prune(X[:1])
    assert one_point.neurons[-1] <= 2
    with pytest.raises(ValueError, match=r"X: it has 2 columns; 4 are needed"):
        state.prune(X[:, :2])


@pytest.mark.parametrize("network", ["representer", "dense"])
def test_torch_computes_the_same(network):
    state = sd.train(sd.Run(network=network, precision="float64", **SMALL), 50, progress=False)
    X = torch.from_numpy(RNG.standard_normal((30, 4)))
    for one in (state, state.prune()):
        module = one.to_torch()
        assert np.abs(module(X).detach().numpy() - one(X.numpy())).max() < 1e-12
        assert [*module.state_dict()] == [*one.parameters]
        again = pickle.loads(pickle.dumps(module))
        assert torch.equal(again(X), module(X))
        module(X).sum().backward()
        assert all(p.grad is not None for p in module.parameters())


def test_saved_and_loaded(states, tmp_path):
    file = tmp_path / "a.safetensors"
    states[0].save(file)
    again = sd.State.load(file)
    assert (again.run, again.epoch, again.engine) == (states[0].run, 200, states[0].engine)
    assert again.measure()["mse"] == states[0].measure()["mse"]
    more = sd.train(again, 220, progress=False)
    whole = sd.train(states[0], 220, progress=False)
    assert all(torch.equal(t, whole.raw.parameters[n]) for n, t in more.raw.parameters.items())
    with pytest.raises(ValueError, match=r"trajectory: this state was loaded without its tables"):
        again.trajectory  # noqa: B018


def test_a_state_of_ones_own_data(tmp_path):
    X, y = RNG.random((9, 2)), RNG.random(9)
    state = sd.train(sd.Run(data=(X, y), **SMALL), 50, progress=False)
    state.save(tmp_path / "a.safetensors")
    alone = sd.State.load(tmp_path / "a.safetensors")
    assert np.array_equal(alone(X), state(X))
    with pytest.raises(ValueError, match=r"data"):
        alone.measure()
    whole = sd.State.load(tmp_path / "a.safetensors", data=sd.table(X, y))
    assert whole.measure()["mse"] == state.measure()["mse"]
    with pytest.raises(ValueError, match=r"data: .* was trained on others"):
        sd.State.load(tmp_path / "a.safetensors", data=sd.table(X, y + 1))
    with pytest.raises(TypeError, match=r"data: give what sparsedecay.table makes"):
        sd.State.load(tmp_path / "a.safetensors", data=(X, y))


def test_bad_files(tmp_path, states):
    with pytest.raises(FileNotFoundError, match=r"no such file"):
        sd.State.load(tmp_path / "none.safetensors")
    file = tmp_path / "a.safetensors"
    states[0].save(file)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"is damaged"):
        sd.State.load(file)
    with pytest.raises(ValueError, match=r"cannot be written"):
        states[0].save("/proc/a.safetensors")


def test_what_a_notebook_shows(states):
    shown = states[0]._repr_html_()
    assert states[0].run.id in shown
    assert "mean squared error" in shown
    assert "<table" in states[0].run._repr_html_()
    lost = copy.copy(states[0])
    lost.diverged = 50
    assert "at epoch 50" in lost._repr_html_()
    assert repr(states[0]) == f"State({states[0].run.id}, epoch 200)"


@pytest.mark.parametrize(
    ("X", "error", "said"),
    [
        ([[0.0, 1.0]], ValueError, "X: it has 2 columns; 4 are needed"),
        ([[0.0, 1.0, 2.0, np.nan]], ValueError, "X: row 0, column 3 is nan"),
        ([["a", "b", "c", "d"]], TypeError, "X: it holds something else than numbers"),
        (np.zeros((2, 2, 4)), ValueError, "X: it has 3 dimensions"),
        ([0.0, 1.0, 2.0, 3.0], ValueError, "X: it has 1 dimensions?"),
    ],
)
def test_bad_inputs(states, X, error, said):
    with pytest.raises(error, match=said):
        states[0](X)


def test_raw_states_are_not_shared(states):
    """Going on from a state leaves it as it was."""
    before = {name: t.clone() for name, t in states[0].raw.parameters.items()}
    assert isinstance(states[0].raw, Raw)
    sd.train(states[0], 210, progress=False)
    assert all(torch.equal(t, states[0].raw.parameters[n]) for n, t in before.items())
