"""Runs: what they are told by their settings, and which readings share one."""

from itertools import product

import pytest

from sparsedecay.runs import LITERAL, Run
from tests.small import small_run

READINGS = {
    "loss": ["mean", "sum"],
    "weight_decay": ["objective", "adam", "decoupled"],
    "decay_biases": [True, False],
}
KINDS = ["eq2", "weight_decay", "none"]


@pytest.mark.parametrize("network", ["representer", "dense"])
@pytest.mark.parametrize("regularizer", KINDS)
@pytest.mark.parametrize("skips", ["leap", "input", "none"])
def test_literal_normalises_what_has_no_effect_and_nothing_else(network, regularizer, skips):
    for values in product(*READINGS.values()):
        reading = dict(zip(READINGS, values, strict=True))
        run = small_run(network=network, regularizer=regularizer, skips=skips, **reading)
        literal = run.literal()
        told = literal.objective
        assert literal.shape.skips == (skips if network == "dense" else "leap")
        assert told.loss == reading["loss"], "the loss has an effect on every run"
        if regularizer == "weight_decay":
            assert told == run.objective
        else:
            assert (told.weight_decay, told.decay_biases) == ("objective", True)
        assert literal.literal() == literal
        rest = {"shape": run.shape, "objective": run.objective}
        assert literal.model_copy(update=rest) == run, "all the rest stays"
        assert Run.model_validate_json(literal.canonical()) == literal


def test_readings_share_the_runs_that_they_leave_alone():
    def ids(**reading):
        kinds = [("representer", kind) for kind in KINDS] + [("dense", kind) for kind in KINDS]
        return [small_run(network=n, regularizer=r, **reading).literal().id for n, r in kinds]

    def changed(**reading):
        return [one != two for one, two in zip(ids(), ids(**reading), strict=True)]

    weight_decay = [False, True, False] * 2
    assert len(set(ids())) == 6
    assert changed(loss="sum") == [True] * 6
    assert changed(weight_decay="adam") == weight_decay
    assert changed(weight_decay="decoupled") == weight_decay
    assert changed(decay_biases=False) == weight_decay
    assert changed(skips="input") == [False] * 3 + [True] * 3
    assert changed(skips="none") == [False] * 3 + [True] * 3
    assert changed(scale="fan_in") == [True] * 6
    assert changed(batches=3) == [True] * 6


def test_the_literal_reading_is_that_of_the_config():
    run = small_run()
    assert run.objective == LITERAL
    assert run.literal() == run


@pytest.mark.parametrize(
    ("regularizer", "weight_decay", "penalty", "decoupled"),
    [
        ("weight_decay", "objective", 0.3, 0.0),
        ("weight_decay", "adam", 0.15, 0.0),  # the option's gradient is lam times the parameter
        ("weight_decay", "decoupled", 0.15, 0.3),
        *((kind, where, 0.3, 0.0) for kind in ("eq2",) for where in READINGS["weight_decay"]),
    ],
)
def test_how_strong_weight_decay_is(regularizer, weight_decay, penalty, decoupled):
    for biases in (True, False):
        run = small_run(
            regularizer=regularizer, weight_decay=weight_decay, lam=0.3, decay_biases=biases
        )
        assert run.penalty == penalty
        assert run.decoupled == decoupled


@pytest.mark.parametrize("where", READINGS["weight_decay"])
def test_without_regularizer_there_is_no_weight_decay(where):
    run = small_run(regularizer="none", lam=0.0, weight_decay=where)
    assert (run.penalty, run.decoupled) == (0, 0)


def test_the_loss_is_divided_by_its_terms():
    assert small_run(loss="mean").terms(8) == 8
    assert small_run(loss="mean", batches=3).terms(3) == 3, "of the minibatch"
    assert small_run(loss="sum").terms(8) == 1
    assert small_run(loss="sum", batches=3).terms(3) == 1
