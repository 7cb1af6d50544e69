"""Initializations: which parameter begins where."""

import numpy as np
import pytest
from pydantic import ValidationError

from sparsedecay.science.initializations.by_role import ByRole
from sparsedecay.science.networks import build, role
from sparsedecay.science.run import columns
from tests.small import small_run, started

INTERVALS = {"W": (-0.5, 0.5), "V": (1.0, 2.0), "C": (-3.0, -2.5), "biases": (0.0, 0.0)}


def by_role(**values):
    return ByRole(**{"kind": "by_role", "scale": "none", "seed": 0, **INTERVALS, **values})


@pytest.mark.parametrize("network", ["representer", "dense"])
def test_each_role_fills_its_interval(network):
    run = small_run(network=network, K=200, d=20, initialization=by_role())
    for name, values in run.initialization.values(build(run)).items():
        low, high = INTERVALS["biases" if role(name) == "b" else role(name)]
        assert values.min() >= low, name
        assert values.max() <= high, name
        if values.size > 100:
            assert np.ptp(values) > 0.9 * (high - low) or low == high, name


def test_one_interval_for_all_is_the_papers_start():
    same = dict.fromkeys(INTERVALS, (-1.0, 1.0))
    for scale in ("none", "fan_in"):
        one, two = small_run(scale=scale), small_run(initialization=by_role(scale=scale, **same))
        network = build(one)
        values = two.initialization.values(network)
        for name, expected in one.initialization.values(network).items():
            np.testing.assert_array_equal(values[name], expected)
        assert one.id != two.id


def test_a_scale_may_be_of_some_roles_alone():
    run = small_run(K=64, initialization=by_role(scale="fan_in", scaled=("V",)))
    network, plain = build(run), by_role()
    values = run.initialization.values(network)
    for name, expected in plain.values(network).items():
        np.testing.assert_array_equal(values[name], expected / (8 if name[0] == "V" else 1))
    with pytest.raises(ValidationError, match="scaled: each may stand only once"):
        by_role(scaled=("V", "V"))


@pytest.mark.parametrize("engine", ["autograd", "fused", "compiled"])
def test_engines_train_from_it(engine):
    run = small_run(initialization=by_role())
    trainer = started(engine, run)
    before = trainer.losses()[0].item()
    trainer.advance(50)
    assert trainer.losses()[0].item() < before


@pytest.mark.parametrize("name", INTERVALS)
def test_an_interval_the_wrong_way_round_is_refused(name):
    with pytest.raises(ValidationError, match=f"{name}: the first number must be smaller"):
        by_role(**{name: (1.0, 0.5)})


def test_tables_tell_its_intervals_and_nothing_of_another_kinds():
    values = columns(small_run(initialization=by_role(seed=3)))
    assert (values["initial_V"], values["weight_seed"]) == ([1.0, 2.0], 3)
    assert values["initial_low"] is None
    assert columns(small_run())["initial_V"] is None
