"""The fused engine against autograd, and both against torch.optim.Adam."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedecay import regularizers
from sparsedecay.networks import build
from sparsedecay.train.autograd import AutogradEngine
from sparsedecay.train.fused import FusedEngine
from sparsedecay.train.state import State, initial
from tests.small import engine_for, small_run

NETWORKS, KINDS = ["representer", "dense"], ["eq2", "weight_decay", "none"]


def reference_gradient(run, X, y, parameters):
    """The objective's gradient in float64 by autograd, from the definitions alone."""
    p = {n: t.detach().double().requires_grad_() for n, t in parameters.items()}
    network = build(run)
    residual = network.forward(p, X.double(), torch.relu) - y.double()
    value = regularizers.value(run.regularizer, network, p)
    ((residual**2).mean() + run.lam * value).backward()
    return {name: tensor.grad for name, tensor in p.items()}


def relative_error(gradient, reference):
    difference = sum(((gradient[n] - reference[n]) ** 2).sum() for n in reference)
    return float((difference / sum((g**2).sum() for g in reference.values())).sqrt())


@settings(max_examples=80, deadline=None)
@given(
    network=st.sampled_from(NETWORKS),
    regularizer=st.sampled_from(KINDS),
    L=st.integers(1, 4),
    K=st.integers(1, 20),
    d=st.integers(1, 6),
    dimension=st.integers(1, 3),
    levels=st.integers(2, 4),
    seed=st.integers(0, 1000),
    precision=st.sampled_from(["float64", "float32"]),
    dead=st.booleans(),
)
def test_gradients_equal_float64_autograd(
    network, regularizer, L, K, d, dimension, levels, seed, precision, dead
):
    run = small_run(
        network=network,
        regularizer=regularizer,
        L=L,
        K=K,
        d=d,
        dimension=dimension,
        levels=tuple(float(i) for i in range(levels)),
        seed=seed,
        precision=precision,
        lam=0.1,
    )
    state = initial(run)
    if dead:  # neurons that never fire, and weights that are exactly zero
        for name, tensor in state.parameters.items():
            tensor[
                torch.rand(tensor.shape, generator=torch.Generator().manual_seed(seed)) < 0.4
            ] = 0
            if name[0] == "b":
                tensor[0] = 1e3
    engine = engine_for(FusedEngine, run, state)
    reference = reference_gradient(run, engine.X, engine.y, engine.parameters)
    limit = {"float64": 1e-10, "float32": 2e-6}[precision]
    assert relative_error(engine.objective_gradient(), reference) < limit


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("regularizer", KINDS)
def test_engines_take_the_same_steps(make_run, make_engine, network, regularizer):
    run = make_run(network=network, regularizer=regularizer, K=20)
    engines = [make_engine(kind, run) for kind in (AutogradEngine, FusedEngine)]
    for engine in engines:
        engine.advance(100)
    one, two = (engine.state() for engine in engines)
    assert one.epoch == two.epoch == 100
    for part in ("parameters", "first", "second"):
        for name, tensor in getattr(one, part).items():
            torch.testing.assert_close(
                getattr(two, part)[name], tensor.detach(), rtol=1e-9, atol=1e-11
            )


@pytest.mark.parametrize("kind", [AutogradEngine, FusedEngine])
def test_the_first_step_by_hand(make_run, make_engine, kind):
    """After one epoch every parameter has moved by learning_rate against its gradient's sign."""
    run = make_run(learning_rate=1e-4)
    engine = make_engine(kind, run)
    gradient = reference_gradient(run, engine.X, engine.y, engine.state().parameters)
    start = {name: tensor.clone() for name, tensor in engine.state().parameters.items()}
    engine.advance(1)
    for name, tensor in engine.state().parameters.items():
        moved = (tensor.detach() - start[name].detach()) / -1e-4
        torch.testing.assert_close(moved, gradient[name] / (gradient[name].abs() + 1e-8))


@pytest.mark.parametrize("kind", [AutogradEngine, FusedEngine])
def test_losses_are_of_the_present_parameters(make_run, make_engine, kind):
    run = make_run(precision="float32")
    engine = make_engine(kind, run)
    engine.advance(5)
    p = {name: tensor.detach().double() for name, tensor in engine.state().parameters.items()}
    network = build(run)
    residual = network.forward(p, engine.X.double(), torch.relu) - engine.y.double()
    mse, value = (float(loss.detach()) for loss in engine.losses())
    assert mse == pytest.approx(float((residual**2).mean()), rel=1e-4)
    assert value == pytest.approx(float(regularizers.value("eq2", network, p)), rel=1e-6)


@pytest.mark.parametrize("kind", [AutogradEngine, FusedEngine])
@pytest.mark.parametrize("network", NETWORKS)
def test_cutting_and_restoring_changes_no_bit(make_run, make_engine, kind, network):
    run = make_run(network=network, precision="float32", K=33)
    whole = make_engine(kind, run)
    whole.advance(60)
    cut = make_engine(kind, run)
    for epochs in (1, 7, 12):
        cut.advance(epochs)
        cut.losses()  # recording must leave no trace
        copy = {
            part: {
                name: tensor.detach().clone() for name, tensor in getattr(cut.state(), part).items()
            }
            for part in ("parameters", "first", "second")
        }
        cut = make_engine(kind, run, State(cut.epoch, **copy))
    cut.advance(40)
    for part in ("parameters", "first", "second"):
        for name, tensor in getattr(whole.state(), part).items():
            assert tensor.equal(getattr(cut.state(), part)[name])
