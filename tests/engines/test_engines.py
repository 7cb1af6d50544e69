"""All engines against autograd in float64, and against the optimizers of torch.optim. Kinds are
taken from the registries, so that a new one is tested without a line here."""

import os

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sparsedecay import engines
from sparsedecay.engines.compiled import trainer as compiled
from sparsedecay.engines.compiled.trainer import Trainer
from sparsedecay.engines.state import State, initial
from sparsedecay.errors import UserError
from sparsedecay.science import networks, regularizers
from sparsedecay.science.networks import build
from tests.small import beginning, small_run, started

NETWORKS, KINDS = list(networks.KINDS), list(regularizers.KINDS)
MISSING = engines.ENGINES["compiled"].missing() or engines.ENGINES["compiled"].unusable()
needs_compiled = pytest.mark.skipif(bool(MISSING) and not os.environ.get("CI"), reason=str(MISSING))
FAST = ["fused", "batched", pytest.param("compiled", marks=needs_compiled)]
ENGINES = ["autograd", *FAST]


def supported(engine, run):
    """Skips where an engine says that it cannot train a run."""
    if reason := engines.ENGINES[engine].supports(run):
        pytest.skip(f"{engine}: {reason}")


def reference_gradient(run, X, y, parameters):
    """The objective's gradient in float64 by autograd, from the definitions alone."""
    p = {n: t.detach().double().requires_grad_() for n, t in parameters.items()}
    network = build(run)
    squares = (network.forward(p, X.double(), torch.relu) - y.double()) ** 2
    loss = squares.mean() if run.objective.loss == "mean" else squares.sum()
    lam = {"objective": run.lam, "adam": run.lam / 2, "decoupled": 0}[run.objective.weight_decay]
    value = torch.as_tensor(regularizers.build(run).value(network, p))
    (loss + (lam if run.regularizer == "weight_decay" else run.lam) * value).backward()
    return {name: tensor.grad for name, tensor in p.items()}


def gradient_of(kind, run, state):
    """An engine's own gradient: with beta1 = 0 it is Adam's first moment after one epoch."""
    optimizer = run.optimizer.model_copy(update={"betas": (0.0, 0.999)})
    engine = started(kind, run.model_copy(update={"optimizer": optimizer}), state)
    engine.advance(1)
    return engine.state().moments["first"]


def relative_error(gradient, reference):
    difference = sum(((gradient[n] - reference[n]) ** 2).sum() for n in reference)
    size = sum((g**2).sum() for g in reference.values())
    return float((difference / size).sqrt()) if size else float(difference.sqrt())


def copied(state):
    def copy(part):
        return {name: tensor.detach().clone() for name, tensor in part.items()}

    moments = {name: copy(part) for name, part in state.moments.items()}
    return State(state.epoch, copy(state.parameters), moments)


def pairs(one, two):
    """The tensors of two states, side by side, with their names."""
    assert one.epoch == two.epoch
    yield from ((name, t, two.parameters[name]) for name, t in one.parameters.items())
    for moment, part in one.moments.items():
        yield from ((f"{moment} {n}", t, two.moments[moment][n]) for n, t in part.items())


def assert_same_bits(one, two):
    for name, left, right in pairs(one, two):
        assert left.equal(right), name


@pytest.mark.parametrize("kind", FAST)
@settings(max_examples=80, deadline=None)
@given(
    network=st.sampled_from(NETWORKS),
    regularizer=st.sampled_from(KINDS),
    L=st.integers(1, 4),
    K=st.integers(1, 70),
    d=st.integers(1, 20),
    dimension=st.integers(1, 3),
    levels=st.integers(2, 4),
    seed=st.integers(0, 1000),
    precision=st.sampled_from(["float64", "float32"]),
    dead=st.booleans(),
    reading=st.fixed_dictionaries(
        {
            "skips": st.sampled_from(["leap", "input", "none"]),
            "loss": st.sampled_from(["mean", "sum"]),
            "weight_decay": st.sampled_from(["objective", "adam", "decoupled"]),
            "decay_biases": st.booleans(),
            "scale": st.sampled_from(["none", "fan_in"]),
        }
    ),
)
def test_gradients_equal_float64_autograd(
    kind, network, regularizer, L, K, d, dimension, levels, seed, precision, dead, reading
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
        **reading,
    )
    assume(engines.ENGINES[kind].supports(run) is None)
    state = initial(run)
    if dead:  # neurons that never fire, and weights that are exactly zero
        for name, tensor in state.parameters.items():
            tensor[
                torch.rand(tensor.shape, generator=torch.Generator().manual_seed(seed)) < 0.4
            ] = 0
            if name[0] == "b":
                tensor[0] = 1e3
    engine = started(kind, run, state)
    reference = reference_gradient(run, engine.X, engine.y, state.parameters)
    limit = {"float64": 1e-10, "float32": 1e-6}[precision]
    if precision == "float32":  # deep networks amplify rounding, whoever computes
        autograd = gradient_of("autograd", run, copied(state))
        limit = max(limit, 5 * relative_error(autograd, reference))
    assert relative_error(gradient_of(kind, run, copied(state)), reference) < limit


AMPLIFIED = {"eq2_unsquared": 1e-8}
"""Rounding grows where a gradient jumps: that of a norm, w / ||w||, at 0. For 60 steps, until a row
comes near, they agree to 1e-14."""
READINGS = {
    "literal": {},
    "sum": {"loss": "sum"},
    "adam": {"weight_decay": "adam"},
    "decoupled": {"weight_decay": "decoupled", "lam": 0.1},
    "biases left alone": {"decay_biases": False},
    "biases left alone, decoupled": {"decay_biases": False, "weight_decay": "decoupled"},
    "fan-in": {"scale": "fan_in"},
    "minibatches of 3, 3 and 2": {"batches": 3},
    "summed minibatches": {"batches": 2, "loss": "sum", "weight_decay": "decoupled"},
    "skips from the input": {"skips": "input", "L": 3},
    "no skips": {"skips": "none", "L": 3},
}


@pytest.mark.parametrize("kind", FAST)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("regularizer", KINDS)
@pytest.mark.parametrize("reading", READINGS)
def test_engines_take_the_steps_of_torch_adam(
    make_run, make_engine, kind, network, regularizer, reading
):
    """90 steps in float64: nothing but rounding, which depends on the order of operations. The
    reference leaves weight decay to the options of torch.optim.Adam and AdamW."""
    run = make_run(network=network, regularizer=regularizer, K=20, **READINGS[reading])
    supported(kind, run)
    both = [make_engine(kind, run) for kind in ("autograd", kind)]
    for engine in both:
        engine.advance(60 // run.optimizer.batches)
        engine.losses()  # takes all samples, and must leave no trace
        engine.advance(30 // run.optimizer.batches)
    for name, left, right in pairs(*(engine.state() for engine in both)):
        near = {"rtol": 1e-9, "atol": AMPLIFIED.get(regularizer, 1e-11)}
        torch.testing.assert_close(right, left.detach(), **near, msg=name)


@pytest.mark.parametrize("kind", FAST)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("regularizer", KINDS)
def test_the_loss_in_float32_follows_float64(kind, network, regularizer):
    """At the paper's data and learning rate. Adam amplifies rounding, so not for long."""
    sizes = {"levels": (0.0, 0.5, 1.0), "dimension": 4, "K": 200, "d": 16}
    more = {"network": network, "regularizer": regularizer, "learning_rate": 1e-3}
    run = small_run(**sizes, **more, precision="float32")
    supported(kind, run)
    double = run.model_copy(update={"precision": "float64"})
    state = initial(run)
    wide = {name: tensor.double() for name, tensor in state.parameters.items()}
    engine = started(kind, run, state)
    reference = started("autograd", double, State(0, wide, initial(double).moments))
    for epochs, limit in ((0, 1e-6), (10, 5e-5), (90, 1e-2)):
        engine.advance(epochs)
        reference.advance(epochs)
        (mse, value), (mse64, value64) = engine.losses(), reference.losses()
        objective, objective64 = mse + run.lam * value, mse64 + run.lam * value64
        assert float(objective) == pytest.approx(float(objective64.detach()), rel=limit)
        assert float(mse) == pytest.approx(float(mse64.detach()), rel=limit)


@pytest.mark.parametrize("kind", ENGINES)
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


@pytest.mark.parametrize("kind", ENGINES)
def test_losses_are_of_the_present_parameters(make_run, make_engine, kind):
    run = make_run(precision="float32")
    engine = make_engine(kind, run)
    engine.advance(5)
    p = {name: tensor.detach().double() for name, tensor in engine.state().parameters.items()}
    network = build(run)
    residual = network.forward(p, engine.X.double(), torch.relu) - engine.y.double()
    mse, value = (float(loss.detach()) for loss in engine.losses())
    assert mse == pytest.approx(float((residual**2).mean()), rel=1e-4)
    assert value == pytest.approx(float(regularizers.build(run).value(network, p)), rel=1e-6)


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("batches", [1, 3])
def test_cutting_and_restoring_changes_no_bit(make_run, make_engine, kind, network, batches):
    run = make_run(network=network, precision="float32", K=33, batches=batches)
    whole = make_engine(kind, run)
    whole.advance(60)
    cut = make_engine(kind, run)
    for epochs in (1, 7, 12):
        cut.advance(epochs)
        cut.losses()  # recording must leave no trace
        cut = make_engine(kind, run, copied(cut.state()))
    cut.advance(40)
    assert_same_bits(whole.state(), cut.state())


# What dies and wakes within a few hundred epochs.
RESTLESS = {
    "levels": (0.0, 0.5, 1.0),
    "K": 150,
    "d": 5,
    "lam": 0.02,
    "learning_rate": 0.02,
    "precision": "float32",
}


@needs_compiled
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("regularizer", KINDS)
def test_leaving_out_what_is_zero_changes_no_bit(network, regularizer):
    run = small_run(network=network, regularizer=regularizer, **RESTLESS)
    supported("compiled", run)
    full = Trainer(run, *beginning(run), rest_every=0)
    full.advance(600)
    for rest_every in (5, 100):
        engine = Trainer(run, *beginning(run), rest_every=rest_every)
        for epochs in (1, 99, 300, 200):
            engine.advance(epochs)
        assert_same_bits(full.state(), engine.state())
        if network == "representer" and rest_every == 5:
            asleep, wakes = engine.trainer.rested()
            assert 0 < asleep < 2 * run.shape.K
            assert wakes > 0
    assert full.trainer.rested() == (0, 0)


@needs_compiled
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("network", NETWORKS)
def test_both_instruction_sets_give_the_same_bits(monkeypatch, network, precision):
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        pytest.skip("this processor has no AVX-512")
    states = []
    for ability in ("AVX512", "AVX2"):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda a=ability: a)
        for L, d in ((1, 2), (2, 5), (3, 20)):
            run = small_run(network=network, **{**RESTLESS, "precision": precision, "L": L, "d": d})
            engine = started("compiled", run)
            assert type(engine.trainer).__module__.endswith(compiled.MODULES[ability])
            engine.advance(200)
            states.append(engine.state())
    for one, two in zip(states[:3], states[3:], strict=True):
        assert_same_bits(one, two)


@needs_compiled
def test_weights_beyond_the_width_of_registers_stay_out(make_engine):
    """Filled-up registers must not leak into the state: shapes are the run's own."""
    run = small_run(K=17, d=3, network="dense", L=3)
    engine = make_engine("compiled", run)
    engine.advance(3)
    assert {n: tuple(t.shape) for n, t in engine.parameters.items()} == build(run).shapes


def test_a_processor_without_avx2_is_told(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    assert (
        engines.ENGINES["compiled"].unusable()
        == "it needs a processor with AVX2 or AVX-512; this one has DEFAULT"
    )


@needs_compiled
def test_a_build_of_other_sources_is_refused(monkeypatch):
    monkeypatch.setattr(compiled, "sources", lambda: "other")
    with pytest.raises(UserError, match=r"other sources.*\n.*make setup"):
        engines.ENGINES["compiled"].unusable()
