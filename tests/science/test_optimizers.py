"""Optimizers: steps by hand, and the same steps by every engine."""

import pytest
import torch

from sparsedecay.engines import ENGINES
from sparsedecay.science.optimizers.sgd import Sgd
from tests.engines.test_engines import copied, pairs
from tests.small import small_run, started


def sgd(momentum, learning_rate=1e-3, batches=1):
    return Sgd(kind="sgd", learning_rate=learning_rate, momentum=momentum, batches=batches)


def test_momentum_by_hand():
    p, g = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 1.0])
    moments = {"momentum": torch.tensor([2.0, 0.0])}
    sgd(0.5, learning_rate=0.1).update(p, g, moments, torch.tensor(1.0))
    # m = 0.5 * 2 + 0.5 and 0 + 1; p = 1 - 0.15 and -2 - 0.1
    assert moments["momentum"].tolist() == [1.5, 1.0]
    torch.testing.assert_close(p, torch.tensor([0.85, -2.1]))


@pytest.mark.parametrize("network", ["representer", "dense"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("where", ["objective", "adam", "decoupled"])
@pytest.mark.parametrize("batches", [1, 3])
def test_engines_take_the_steps_of_torch_sgd(network, momentum, where, batches):
    run = small_run(
        network=network,
        regularizer="weight_decay",
        weight_decay=where,
        lam=0.02,
        optimizer=sgd(momentum, batches=batches),
    )
    engines = [name for name in ENGINES if ENGINES[name].supports(run) is None]
    assert engines == ["fused", "autograd", "batched"]
    states = []
    for name in engines:
        engine = started(name, run)
        engine.advance(10)
        engine = started(name, run, copied(engine.state()))  # what it remembers is in the state
        engine.advance(10)
        states.append(engine.state())
    for other in states[1:]:
        for name, one, two in pairs(states[0], other):
            torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-11, msg=name)
    assert list(states[0].moments) == ["momentum"]


def test_the_compiled_engine_says_why_it_cannot():
    reason = ENGINES["compiled"].supports(small_run(optimizer=sgd(0.9)))
    assert reason == "sgd has no `kernel`"


def test_its_run_has_a_name_and_a_text_of_its_own():
    run = small_run(optimizer=sgd(0.9))
    assert '"kind":"sgd"' in run.canonical()
    assert run.id != small_run().id
    assert type(run).model_validate_json(run.canonical()) == run
