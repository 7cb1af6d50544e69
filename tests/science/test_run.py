"""Runs: what they are told by their settings, and which readings share one."""

import copy
import json
import pickle
from itertools import product
from pathlib import Path

import pytest
from pydantic import create_model

from sparsedecay.science.run import Run
from sparsedecay.science.settings import Settings
from tests.small import small_run

READINGS = {
    "loss": ["mean", "sum"],
    "weight_decay": ["objective", "adam", "decoupled"],
    "decay_biases": [True, False],
}
KINDS = ["eq2", "weight_decay", "none"]
IDS = json.loads(Path(__file__).with_name("ids.json").read_text())
"""Runs of the version before kinds were found by listing, each with what it was told then."""


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


ODD = {
    "dimension": 7,
    "lam": 1e-05,
    "levels": (0.1, -0.0, 1e22, 1 / 3),
    "betas": (0.0, 0.999),
    "learning_rate": 1e-300,
    "decay_biases": False,
    "weight_decay": "adam",
}


@pytest.mark.parametrize("values", [{}, ODD, {"network": "dense", "lam": 5.0, "seed": 2**62}])
def test_the_text_of_a_run_is_that_of_its_values(values):
    """It is put together from the texts of its sections."""
    run = small_run(**values)
    plain = run.model_dump(mode="json", exclude_defaults=True)
    assert run.canonical() == json.dumps(plain, sort_keys=True, separators=(",", ":"))
    assert run.canonical() == Settings.canonical(run)
    assert list(plain) == list(Run.model_fields), "what was computed is no part of it"
    assert small_run(**values) == run, "nor of what is compared"
    assert {run, small_run(**values)} == {run}
    assert small_run().id == "representer-eq2-lam0.001-seed0-8eef386f37"


def test_a_changed_copy_has_a_name_of_its_own():
    run = small_run()
    before = run.id, run.canonical(), run.data.id
    other = run.model_copy(update={"lam": 0.5})
    assert (other.id, other.canonical()) == (small_run(lam=0.5).id, small_run(lam=0.5).canonical())
    data = run.data.model_copy(update={"seed": 7})
    assert data.id == small_run(data_seed=7).data.id
    assert run.model_copy(update={"data": data}).id == small_run(data_seed=7).id
    assert (run.id, run.canonical(), run.data.id) == before
    for same in (copy.copy(run), copy.deepcopy(run), pickle.loads(pickle.dumps(run))):
        assert (same, same.id) == (run, run.id)


@pytest.mark.parametrize("name", IDS)
def test_old_results_are_found_again(name):
    run = Run.model_validate_json(IDS[name])
    assert (run.id, run.canonical()) == (name, IDS[name])


@pytest.mark.parametrize("section", ["", "shape", "objective", "optimizer", "initialization"])
def test_a_field_that_is_added_later_renames_only_runs_that_use_it(section):
    run = small_run()
    old = getattr(run, section) if section else run
    values = dict(old)
    newer = create_model(type(old).__name__, __base__=type(old), later=(int, 1))
    same, other = newer(**values), newer(**values, later=2)
    if section:
        same, other = (run.model_copy(update={section: one}) for one in (same, other))
    assert (same.canonical(), same.id) == (run.canonical(), run.id)
    assert other.id != run.id
    assert '"later":2' in other.canonical()


def test_the_literal_reading_is_that_of_the_config():
    run = small_run()
    assert run.objective.canonical() == (
        '{"decay_biases":true,"loss":"mean","weight_decay":"objective"}'
    )
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
