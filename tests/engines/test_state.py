import math

import pytest
import torch

from sparsedecay.engines import state as states
from sparsedecay.science.networks import build
from tests.small import small_run


def test_all_parameters_start_uniform_on_their_range():
    run = small_run(network="dense", K=300, dimension=4)
    start = states.initial(run)
    assert start.epoch == 0
    for name, tensor in start.parameters.items():
        assert tensor.dtype == torch.float64
        assert tensor.abs().max() <= 1, name
        if tensor.numel() > 200:  # biases too
            assert tensor.max() > 0.95, name
            assert tensor.min() < -0.95, name
            assert abs(float(tensor.var()) - 1 / 3) < 0.08, name
    assert all(not tensor.any() for part in start.moments.values() for tensor in part.values())
    assert list(start.moments) == ["first", "second"]


def test_each_parameter_has_a_stream_of_its_own():
    start = states.initial(small_run(K=50, d=50, dimension=3)).parameters
    rows = [start[name].flatten()[:50] for name in start if start[name].numel() >= 50]
    assert len({tuple(row.tolist()) for row in rows}) == len(rows)
    deeper = states.initial(small_run(K=50, d=50, L=3)).parameters
    assert deeper["W1"].equal(start["W1"])
    assert not states.initial(small_run(K=50, seed=1)).parameters["W1"].equal(start["W1"])


def test_precision_rounds_the_same_numbers():
    double = states.initial(small_run()).parameters["W2"]
    single = states.initial(small_run(precision="float32")).parameters["W2"]
    assert single.equal(double.float())


@pytest.mark.parametrize("network", ["representer", "dense"])
def test_fan_in_divides_the_same_draw_by_the_root_of_the_weights_into_a_neuron(network):
    size = {"network": network, "K": 50, "d": 7, "dimension": 3, "L": 3}
    plain, scaled = (
        states.initial(small_run(**size, scale=scale)).parameters for scale in ("none", "fan_in")
    )
    into = build(small_run(**size)).fan_in
    assert scaled.keys() == plain.keys() == into.keys()
    assert {into[name] for name in ("W1", "b1")} == {3}
    for name, tensor in plain.items():
        torch.testing.assert_close(scaled[name], tensor / math.sqrt(into[name]), rtol=1e-15, atol=0)
        assert scaled[name].abs().max() <= 1 / math.sqrt(into[name])
