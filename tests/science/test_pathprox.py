"""PathProx: the proximal step by hand, and training by its engine."""

import pytest
import torch

from sparsedecay.engines import ENGINES, chosen
from sparsedecay.engines.state import State
from sparsedecay.files import fingerprint
from sparsedecay.science import regularizers
from sparsedecay.science.networks import build
from sparsedecay.science.optimizers.pathprox import PathProx
from tests.small import small_run, started

FORMS = ["eq2", "weight_decay", "path", "eq2_skips_squared"]


def pathprox(learning_rate=1e-2, batches=1):
    return PathProx(kind="pathprox", learning_rate=learning_rate, batches=batches)


def run_of(**changes):
    return small_run(**{"optimizer": pathprox(), "lam": 0.01} | changes)


def test_a_proximal_step_by_hand():
    """Of two neurons, with rate * lam = 0.1: eq. 2 thresholds V by 0.2 and C by 0.1."""
    p = {
        "W1": torch.tensor([[3.0, 4.0], [0.0, 0.5]]),
        "b1": torch.tensor([10.0, 1.0]),
        "V1": torch.tensor([[1.0, -0.1], [-0.5, 0.15]]),
        "C1": torch.tensor([[0.3, -0.05], [-0.3, 0.0]]),
        "c0_1": torch.tensor([1.0, 2.0]),
    }
    optimizer, decay = pathprox(learning_rate=0.5), {n: t.clone() for n, t in p.items()}
    optimizer.prox(p, regularizers.KINDS["eq2"](), 0.2)
    torch.testing.assert_close(p["W1"], torch.tensor([[0.6, 0.8], [0.0, 1.0]]))
    torch.testing.assert_close(p["b1"], torch.tensor([2.0, 2.0]))
    torch.testing.assert_close(p["V1"], torch.tensor([[0.8, 0.0], [-0.3, 0.0]]))
    torch.testing.assert_close(p["C1"], torch.tensor([[0.2, 0.0], [-0.2, 0.0]]))
    assert p["c0_1"].tolist() == [1, 2]
    # weight decay: biases belong to the norm, columns of V shrink as a whole, squares by 1 + 0.2
    optimizer.prox(decay, regularizers.KINDS["weight_decay"](), 0.2)
    length = torch.tensor([125.0, 1.25]).sqrt()
    torch.testing.assert_close(decay["b1"], torch.tensor([10.0, 1.0]) / length)
    first = torch.tensor([1.0, -0.5])
    torch.testing.assert_close(decay["V1"][:, 0], first * (1 - 0.2 / first.norm()))
    assert decay["V1"][:, 1].tolist() == [0, 0]
    torch.testing.assert_close(decay["C1"], torch.tensor([[0.3, -0.05], [-0.3, 0.0]]) / 1.2)
    torch.testing.assert_close(decay["c0_1"], torch.tensor([1.0, 2.0]) / 1.2)


@pytest.mark.parametrize("regularizer", FORMS)
def test_scaling_and_balancing_leave_the_network_as_it_is(regularizer):
    run = run_of(regularizer=regularizer)
    kind, network = regularizers.build(run), build(run)
    X = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    p = dict(started("pathprox", run).parameters)
    unit = run.optimizer.scaled(p, kind)
    again = run.optimizer.balanced(unit, kind)
    expected = network.forward(p, X, torch.relu)
    for one in (unit, again):
        torch.testing.assert_close(network.forward(one, X, torch.relu), expected)
    into = run.optimizer.into(again, 1, kind)
    torch.testing.assert_close(into, run.optimizer.out(again["V1"], kind))
    assert kind.value(network, again) <= kind.value(network, p) * (1 + 1e-12)


@pytest.mark.parametrize("regularizer", FORMS)
@pytest.mark.parametrize("L", [1, 2])
def test_small_steps_lower_the_objective_until_it_hardly_changes(regularizer, L):
    run = run_of(regularizer=regularizer, L=L, optimizer=pathprox(2e-3))
    engine, values = started("pathprox", run), []
    for _ in range(6):
        mse, value = engine.losses()
        values.append(float(mse + run.penalty * value))
        engine.advance(300)
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.7 * values[0]


@pytest.mark.parametrize("batches", [1, 3])
def test_it_goes_on_from_a_state_bit_for_bit(batches):
    run = run_of(optimizer=pathprox(batches=batches), lam=0.5)
    whole, first = started("pathprox", run), started("pathprox", run)
    whole.advance(200)
    first.advance(77)
    state = first.state()
    moments = {
        name: {n: t.clone() for n, t in part.items()} for name, part in state.moments.items()
    }
    copy = State(77, {n: t.clone() for n, t in state.parameters.items()}, moments)
    second = started("pathprox", run, copy)
    second.advance(123)
    for name, tensor in whole.state().parameters.items():
        assert torch.equal(tensor, second.state().parameters[name]), name
    dead = whole.state().parameters["V1"].abs().sum(0) == 0
    assert dead.any(), "neurons are 0, not small"
    assert not whole.state().parameters["W1"][dead].any()


def test_its_engine_trains_it_and_nothing_else():
    assert chosen(run_of(), "compiled")[0].name == "pathprox"
    assert ENGINES["pathprox"].supports(small_run()) == "it has no step of adam"
    reasons = [engine.supports(run_of()) for engine in ENGINES.values()]
    assert reasons.count(None) == 1
    told = ENGINES["pathprox"].supports(run_of(network="dense"))
    assert told == "pathprox needs the blocks of Theorem 1, which dense has not"
    for other in ("l1", "none", "eq2_exchanged"):
        assert ENGINES["pathprox"].supports(run_of(regularizer=other)), other


def test_runs_of_other_optimizers_do_not_depend_on_it():
    assert "pathprox" not in fingerprint.training(small_run())
    own = fingerprint.training(run_of())
    assert "engines.pathprox.trainer=" in own
    assert "science.optimizers.pathprox=" in own
    assert "science.convex.problem=" in own
