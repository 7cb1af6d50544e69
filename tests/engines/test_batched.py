"""Many runs in a batch are what each of them is alone."""

import os
from itertools import cycle, islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedecay import engines
from sparsedecay.engines import batched
from sparsedecay.engines.batched import devices
from sparsedecay.engines.batched.trainer import ALIGNED, Batch, Layout, bytes_of, shapes
from sparsedecay.errors import UserError
from sparsedecay.science import regularizers
from sparsedecay.science.optimizers.sgd import Sgd
from tests.engines.test_engines import assert_same_bits, copied, gradient_of, relative_error
from tests.small import beginning, small_run, started

REGULARIZERS = [n for n, k in regularizers.KINDS.items() if hasattr(k, "add_gradient")]
needs_gpu = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no CUDA device on this machine"
)


def mixed(count, **values):
    """Runs of the same shapes that differ in all else."""
    kinds = islice(cycle(REGULARIZERS), count)
    return [
        small_run(
            seed=seed,
            data_seed=seed + 1,
            regularizer=kind,
            lam=10.0 ** -(1 + seed % 4),
            learning_rate=[1e-2, 3e-3, 1e-3][seed % 3],
            weight_decay=["objective", "adam", "decoupled"][seed % 3],
            decay_biases=seed % 2 == 0,
            **values,
        ).literal()
        for seed, kind in enumerate(kinds)
    ]


def batch_of(runs, begun=None, device=None):
    X, y, states = zip(*map(beginning, runs), strict=True)
    return Batch(runs, X, y, begun or states, device)


@settings(max_examples=25, deadline=None)
@given(
    network=st.sampled_from(["representer", "dense"]),
    count=st.integers(1, 12),
    L=st.integers(1, 3),
    K=st.integers(1, 40),
    d=st.integers(1, 6),
    skips=st.sampled_from(["leap", "input", "none"]),
    loss=st.sampled_from(["mean", "sum"]),
    batches=st.sampled_from([1, 3]),
)
def test_each_run_of_a_batch_is_trained_as_the_reference_trains_it(
    network, count, L, K, d, skips, loss, batches
):
    """In float64, where another order of sums changes little in a few steps."""
    runs = mixed(count, network=network, L=L, K=K, d=d, skips=skips, loss=loss, batches=batches)
    batch = batch_of(runs)
    batch.advance(3)
    mse, values = batch.losses()
    for index, (run, state) in enumerate(zip(runs, batch.states(), strict=True)):
        one = started("autograd", run)
        one.advance(3)
        expected = one.state()
        assert state.epoch == 3
        for name, tensor in expected.parameters.items():
            torch.testing.assert_close(state.parameters[name], tensor, rtol=1e-6, atol=1e-8)
            for moment, part in expected.moments.items():
                known = state.moments[moment][name]
                torch.testing.assert_close(known, part[name], rtol=1e-6, atol=1e-8)
        for found, wanted in zip((mse, values), one.losses(), strict=True):
            torch.testing.assert_close(found[index], wanted.detach(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("network", ["representer", "dense"])
def test_company_changes_no_bit_on_a_processor(network, precision):
    """Of 1, of 3 and of 500 runs, after 100 epochs."""
    runs = mixed(500, network=network, K=17, d=5, precision=precision)
    states = [batch_of(runs[:count]) for count in (500, 3, 1)]
    for batch in states:
        batch.advance(100)
    for index in range(3):
        for batch in states[1:]:
            if index < len(batch.runs):
                assert_same_bits(batch.states()[index], states[0].states()[index])


def test_a_batch_goes_on_from_where_it_was():
    runs = mixed(9, optimizer=None)
    through, cut = batch_of(runs), batch_of(runs)
    through.advance(20)
    cut.advance(7)
    again = batch_of(runs[::-1], [copied(state) for state in cut.states()[::-1]])
    again.advance(13)
    for one, two in zip(through.states(), again.states()[::-1], strict=True):
        assert_same_bits(one, two)


def test_decay_beside_the_gradient_is_that_of_each_run():
    """With lam and learning rates of their own."""
    runs = [
        small_run(regularizer="weight_decay", weight_decay="decoupled", lam=lam, learning_rate=rate)
        for lam, rate in [(0.5, 0.01), (3.0, 0.01), (0.5, 0.05), (0.0, 0.01)]
    ]
    batch = batch_of(runs)
    batch.advance(5)
    for run, state in zip(runs, batch.states(), strict=True):
        one = started("autograd", run)
        one.advance(5)
        for name, tensor in one.state().parameters.items():
            torch.testing.assert_close(state.parameters[name], tensor, rtol=1e-6, atol=1e-8)


def test_other_optimizers_than_adam():
    runs = [
        small_run(optimizer=Sgd(kind="sgd", learning_rate=1e-2, momentum=m, batches=1), seed=i)
        for i, m in enumerate([0.0, 0.9, 0.5])
    ]
    batch = batch_of(runs)
    batch.advance(5)
    for run, state in zip(runs, batch.states(), strict=True):
        one = started("autograd", run)
        one.advance(5)
        for name, tensor in one.state().parameters.items():
            torch.testing.assert_close(state.parameters[name], tensor)


def test_a_run_that_diverges_leaves_its_neighbours_alone():
    """One of 100 is not a number from the start; the other 99 keep their bits."""
    runs = mixed(100, precision="float32")
    _, _, states = zip(*map(beginning, runs), strict=True)
    broken = [copied(state) for state in states]
    broken[41].parameters["W2"][0, 0] = torch.nan
    alone, beside = batch_of(runs), batch_of(runs, broken)
    alone.advance(60)
    beside.advance(60)
    assert torch.isnan(beside.states()[41].parameters["W2"]).all()
    assert beside.losses()[0].isnan().nonzero().tolist() == [[41]]
    for index, (one, two) in enumerate(zip(alone.states(), beside.states(), strict=True)):
        if index != 41:
            assert_same_bits(one, two)


def test_only_runs_of_the_same_shapes_are_a_batch():
    runs = [small_run(), small_run(K=7)]
    assert len({shapes(run) for run in runs}) == 2
    with pytest.raises(ValueError, match="same shapes"):
        batch_of(runs)
    one, two = beginning(runs[0]), started("fused", runs[0])
    two.advance(1)
    with pytest.raises(ValueError, match="same epoch"):
        Batch([runs[0]] * 2, [one[0]] * 2, [one[1]] * 2, [one[2], two.state()])


def test_a_device_without_float64_says_so():
    with pytest.raises(UserError, match="mps has no numbers of float64"):
        batch_of([small_run()], device=torch.device("mps"))


def test_what_is_no_parameter_stays_zero():
    batch = batch_of(mixed(4, K=5))
    layout = Layout(batch.network.shapes)
    assert all(begin % ALIGNED == 0 for begin in layout.begin.values())
    batch.advance(30)
    held = torch.zeros(layout.size, dtype=torch.bool)
    for name, tensor in batch.states()[0].parameters.items():
        held[layout.begin[name] :][: tensor.numel()] = True
    for whole in (batch.vector, *batch.moments.values()):
        assert not whole[:, ~held].any()
        assert whole[:, held].any()


def test_memory_of_a_run():
    """K = 1296, d = 16: 5 numbers a parameter, activations and derivatives of 81 points."""
    run = small_run(levels=(0.0, 0.5, 1.0), dimension=4, K=1296, d=16, precision="float32")
    parameters = 5 * (1296 * (4 + 1 + 16) + 16 * 4 + 16 + 1296 * (16 + 1 + 1) + 16 + 1)
    assert bytes_of(run) == 4 * (parameters + 81 * (2 * (3 * 1296 + 2 * 16) + 4))


class TestDevices:
    def test_without_an_accelerator_another_engine_takes_its_place(self, monkeypatch):
        monkeypatch.setattr(batched, "likely", lambda: False)
        found, reasons = engines.chosen(small_run(), "batched")
        assert found.name != "batched"
        assert "no accelerator is here" in reasons[0]
        assert engines.chosen(small_run(), "batched", "cpu")[0].name == "batched"

    @pytest.mark.parametrize("kind", ["cuda", "mps"])
    def test_auto_takes_the_accelerator(self, monkeypatch, kind):
        monkeypatch.setattr(devices, "available", lambda name: name == kind)
        assert devices.chosen("auto").type == kind
        assert engines.ENGINES["batched"].unusable() is None
        other = {"cuda": "mps", "mps": "cuda"}[kind]
        assert f"no device {other}" in engines.ENGINES["batched"].unusable(other)

    def test_a_machine_that_only_submits_need_not_have_the_device(self, monkeypatch):
        monkeypatch.setattr(batched, "likely", lambda: False)
        assert engines.ENGINES["batched"].missing("cuda") is None
        monkeypatch.setattr(devices, "available", lambda name: name == "cpu")
        assert "no accelerator" in engines.ENGINES["batched"].unusable()

    def test_a_hidden_accelerator_is_none(self, monkeypatch):
        monkeypatch.setattr(os.path, "exists", lambda path: True)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        assert batched.likely()
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        assert not batched.likely()

    def test_memory_of_the_processor(self):
        assert devices.free(torch.device("cpu")) > 1e8
        assert devices.described(torch.device("cpu")) == "cpu"

    def test_which_errors_tell_of_memory(self):
        assert devices.lacks_memory(torch.OutOfMemoryError("CUDA out of memory"))
        assert not devices.lacks_memory(RuntimeError("shapes do not match"))
        with pytest.raises(RuntimeError) as error:
            torch.empty(2**55)
        assert devices.lacks_memory(error.value)


@needs_gpu
@pytest.mark.parametrize("network", ["representer", "dense"])
def test_a_gpu_trains_as_the_processor_does(network):
    """Trajectories to float32 rounding, and replays as the steps that they were recorded from."""
    runs = mixed(20, network=network, K=130, d=8, precision="float32")
    here, there = batch_of(runs), batch_of(runs, device=torch.device("cuda"))
    for epochs in (1, 9):
        here.advance(epochs)
        there.advance(epochs)
    for one, two in zip(here.states(), there.states(), strict=True):
        for name, tensor in one.parameters.items():
            torch.testing.assert_close(two.parameters[name], tensor, rtol=1e-3, atol=1e-4)


@needs_gpu
def test_gradients_on_a_gpu_equal_float64_autograd():
    from tests.engines.test_engines import reference_gradient

    run = small_run(K=70, d=8)
    X, y, begin = beginning(run)
    assert (
        relative_error(
            gradient_of("batched", run, begin), reference_gradient(run, X, y, begin.parameters)
        )
        < 1e-9
    )
