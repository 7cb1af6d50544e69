"""The sweep of a config: which runs it asks for, and which mistakes are told, how."""

import json
import re
from itertools import product
from pathlib import Path
from time import process_time

import pytest

from sparsedecay.errors import UserError
from sparsedecay.science.data.file import File
from sparsedecay.study.plan import load_plan
from sparsedecay.study.sections import KEYS
from sparsedecay.study.study import load_study
from tests.study.made import CONFIG, OTHERS, PAPER, laid_over

EXAMPLE = CONFIG / "sweep.yaml"
TEXT = """\
sweep:
  seeds: 3
  vary: [targets, weights]
  networks:
    - {network: representer, regularizer: eq2}
    - {network: representer, regularizer: none}
  lam: [1.0e-2, 1.0e-3]
  settings:
    network.d: [4, 16]
    optimizer.learning_rate: [1.0e-3, 3.0e-3]
  milestones: [60000, 50000]
"""


def swept(text=TEXT, **overrides):
    """The plan of the paper's config with a sweep laid over it."""
    Path("sweep.yaml").write_text(text)
    return load_plan([PAPER, Path("sweep.yaml")], overrides)


def refused(text, **overrides) -> str:
    with pytest.raises(UserError) as caught:
        swept(text, **overrides)
    message = str(caught.value)
    assert not re.search("pydantic|Traceback|instance", message)
    return message


# --- runs


def test_every_combination_from_every_seed():
    grid = swept().grid
    found = [(r.regularizer, r.lam, r.shape.d, r.optimizer.learning_rate, r.initialization.seed,
              r.data.seed) for runs in grid.settings for r in runs]  # fmt: skip
    kinds = [("eq2", 0.01), ("eq2", 0.001), ("none", 0)]
    expected = [
        (*kind, d, rate, seed, seed)
        for d, rate in product((4, 16), (1e-3, 3e-3))
        for kind in kinds
        for seed in range(3)
    ]
    assert found == expected
    assert len({run.id for runs in grid.settings for run in runs}) == len(expected)
    assert [epoch for _, epoch in grid.milestones[:2]] == [50_000, 60_000]
    assert len(grid.milestones) == 2 * len(expected)


def test_runs_are_those_of_configs_with_these_values():
    """Each by itself: nothing of the sweep is part of a run."""
    plan = swept()
    for d, rate, seed in ((4, 1e-3, 0), (16, 3e-3, 2)):
        alone = {
            "network": {"d": d},
            "optimizer": {"learning_rate": rate},
            "data": {"seed": seed},
            "initialization": {"seed": seed},
        }
        run = load_study([PAPER], alone).run("representer", "eq2", 1e-3)
        assert plan.runs[run.id] == run
    own = load_study([PAPER])
    assert own.run("representer", "eq2", 1e-3).id in {run.id for run, _ in plan.grid.milestones}
    assert load_plan([PAPER]).runs.keys() < plan.runs.keys()


@pytest.mark.parametrize("vary", [["targets"], ["weights"]])
def test_only_what_varies_is_drawn_anew(vary):
    (first, *_) = swept(sweep={"vary": vary}).grid.settings
    seeds = [(run.data.seed, run.initialization.seed) for run in first]
    assert seeds == [(i, 0) if vary == ["targets"] else (0, i) for i in range(3)]


def test_what_has_no_effect_is_trained_once():
    dense = "[{network: dense, regularizer: weight_decay}, {network: dense, regularizer: none}]"
    text = re.sub(r"networks:\n.*\n.*", f"networks: {dense}", TEXT)
    runs = [runs[0] for runs in swept(text).grid.settings]
    # two rates; no functional width in a dense network; no lam without regularizer
    assert len(runs) == 2 * (2 + 1)
    assert {run.shape.d for run in runs} == {16}
    skips = TEXT.replace("network.d: [4, 16]", "network.skips: [leap, input]")
    assert len(swept(skips).grid.settings) == 2 * 3


def test_without_settings_there_is_one_combination():
    text = re.sub(r"settings:\n.*\n.*", "settings: {}", TEXT)
    assert len(swept(text).grid.settings) == 3
    assert swept("sweep: null\n").grid is None


UNVARIED = {"kind", "seed", *File.unvaried}


def test_values_of_every_kind_may_vary():
    values = {
        "data.levels": "[[0, 1], [0, 0.5, 1]]",
        "data.dimension": "[2, 4]",
        "data.target_range": "[[-1, 1], [0, 1]]",
        "network.L": "[1, 2]",  # figures 3 and 4 need two, the sweep does not
        "network.K": "[8, 1296]",
        "network.d": "[2]",
        "network.skips": "[leap, none]",
        "objective.loss": "[mean, sum]",
        "objective.weight_decay": "[objective, adam, decoupled]",
        "objective.decay_biases": "[true, false]",
        "initialization.range": "[[-1, 1], [-2, 2]]",
        "initialization.scale": "[none, fan_in]",
        "optimizer.learning_rate": "[1.0e-3, 1]",
        "optimizer.betas": "[[0.9, 0.999], [0.5, 0.9]]",
        "optimizer.eps": "[1.0e-8]",
        "optimizer.batches": "[1, 4]",
    }
    values |= {
        f"{section}.{name}": json.dumps([value])
        for one in OTHERS
        for section, keys in one.items()
        for name, value in keys.items()
        if f"{section}.{name}" not in values and name not in UNVARIED
    }
    assert set(values) == set(KEYS)
    for name, items in values.items():
        text = re.sub(r"settings:\n.*\n.*", f"settings: {{{name}: {items}}}", TEXT)
        text = text.replace("regularizer: eq2", "regularizer: weight_decay")
        # readings change keys that other kinds do not have
        grid = swept(text, **laid_over(tuple(name.split("."))), claims=None).grid
        count, settings = len(grid.asked.settings[name]), len(grid.settings)
        shared = {"network.skips": 3, "objective.weight_decay": 7, "objective.decay_biases": 5}
        assert settings == shared.get(name, 3 * count), name


def test_the_request_has_a_group_for_each_setting():
    plan = swept()
    asked = plan.asked("sweep")
    assert type(asked).model_validate_json(asked.canonical()) == asked
    assert [group.runs for group in asked.groups] == [
        tuple(run.id for run in runs) for runs in plan.grid.settings
    ]
    assert {group.epochs for group in asked.groups} == {(50_000, 60_000)}
    pairs = [(run, epoch) for g in asked.groups for run in g.runs for epoch in g.epochs]
    assert pairs == [(run.id, epoch) for run, epoch in plan.grid.milestones]


def test_the_work_that_is_left_counts_the_sweep():
    plan = swept(sweep={"milestones": [500_000]})
    run = plan.grid.settings[0][1]
    size = 1296 * 4 + 1296 + 4 * 1296 + 4 * 4 + 4 + 1296 * 4 + 1296 + 1296 + 4 + 1
    assert plan.work_left(run, 50_000) == size * 500_000


def test_the_shipped_example_has_ten_thousand_runs():
    """It is planned in a second, as each job of a cluster does it anew."""
    start = process_time()
    plan = load_plan([PAPER, EXAMPLE])
    assert len(plan.runs) > 10_000
    assert process_time() - start < 6
    assert len(plan.grid.settings) == 100
    assert len({run.id for run, _ in plan.grid.milestones}) == 10_000
    assert plan.study.sweep.size == 10_000
    assert len(plan.data_sets) == 101, "one of a reading"


# --- mistakes

HEAD = r"^sweep.yaml:9: sweep with "
MISTAKES = [
    ("[1.0e-2, 1.0e-3]", "[0.01, 1.0e-2]", r"^sweep.yaml:7: sweep.lam: .* may stand only once"),
    ("regularizer: none", "regularizer: eq2", r"^sweep.yaml:4: sweep.networks: .* only once"),
    ("[60000, 50000]", "[5, 5]", r"^sweep.yaml:11: sweep.milestones: .* may stand only once"),
    ("network.d:", "network.dd:", r"^sweep.yaml:9: sweep.settings.network.dd: unknown key; did"),
    ("network.d:", "network.D:", r"settings.network.D: unknown key; did you mean network.d\?"),
    ("network.d:", "d:", r"sweep.settings.d: unknown key; did you mean network.d\?"),
    ("network.d:", "training.epochs:", r"training.epochs: unknown key; write one of data, network"),
    ("network.d:", "network.q:", r"network.q: unknown key; allowed are network.L, network.K, "),
    ("network.d:", "data.seed:", r"^sweep.yaml:9: sweep.settings.data.seed: seeds are counted by "),
    ("[4, 16]", "[]", r"^sweep.yaml:9: sweep.settings.network.d: \[\] is .* 1 to 1,000 values"),
    ("[4, 16]", "4", r"sweep.settings.network.d: 4 is not allowed; write a list of 1 to 1,000"),
    ("[4, 16]", "[4, 4]", r"^sweep.yaml:9: sweep.settings.network.d: \[4, 4\] .* only once"),
    ("[4, 16]", "[4, x]", HEAD + r"network.d = x, .*:\n"
     r"sweep.yaml:9: network.d: x is not allowed; write a whole number"),
    ("[4, 16]", "[4, [1]]", r"\nsweep.yaml:9: network.d: \[1\] is not allowed; write a whole"),
    ("3.0e-3]", "0]", HEAD + r".*rate = 0:\nsweep.yaml:10: optimizer.learning_rate: 0 is"),
    ("network.d: [4, 16]", "optimizer.batches: [1, 82]", HEAD + r"optimizer.batches = 82, .*:\n"
     r"sweep.yaml:9: optimizer.batches: 82 is not allowed: 81 data points cannot"),
    ("network.d: [4, 16]", "data.dimension: [4, 13]", r"config.yaml:9: .*ension: a grid of 3"),
    ("network.d: [4, 16]", "network.d: [4, 1000000]", HEAD + r"network.d = 1000000, .*:\n"
     r".*network.K: 1296 is not allowed: it makes a representer network of 2,"),
    ("seeds: 3", "seeds: 5000", r"^sweep.yaml:1: sweep: .*its 60,000 runs have 120,000 milestones; "
     r"at most 100,000 are allowed in a study; lower sweep.seeds"),
    ("[60000, 50000]", "[1000000000]", r"^sweep.yaml:1: sweep: .*have 720,000 milestones"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES, ids=[new for _, new, _ in MISTAKES])
def test_a_mistake_is_told_with_place_and_remedy(old, new, told):
    assert TEXT.count(old) == 1, old
    message = refused(TEXT.replace(old, new))
    assert re.search(told, message), message
    assert all(len(line) < 400 and line.isprintable() for line in message.splitlines())


def test_a_dense_network_must_keep_a_matrix_to_average_over():
    text = TEXT.replace(
        "network: representer, regularizer: none", "network: dense, regularizer: none"
    )
    text = text.replace("network.d: [4, 16]", "network.skips: [leap, none]")
    message = refused(text, measures={"average_over": ["C"]})
    assert re.match(
        r"sweep.yaml:9: sweep with network.skips = none, .*:\n--config: measures.average_over: ",
        message,
    )


def test_mistakes_on_the_command_line_are_told():
    with pytest.raises(UserError, match=r"^--config: sweep.settings.network.x: unknown key"):
        swept(sweep={"settings": {"network.x": [1]}})
    plan = swept(sweep={"settings": {"network.K": ["8"]}})
    assert {run.shape.K for runs in plan.grid.settings for run in runs} == {8}


def test_a_million_combinations_are_refused_at_once():
    """Before any of them is looked at."""
    values = ", ".join(str(i) for i in range(1, 1001))
    text = TEXT.replace("[4, 16]", f"[{values}]").replace("network.d: ", "network.K: ")
    text = text.replace("[1.0e-3, 3.0e-3]", f"[{values}]")
    assert re.search(r"its 9,000,000 runs have 18,000,000 milestones", refused(text))
