"""The plan: several seeds, several readings, and the files that follow from them."""

import re
import shutil
from pathlib import Path

import pytest

from sparsedecay.claims.networks import Trained
from sparsedecay.errors import UserError
from sparsedecay.files import paths
from sparsedecay.science.networks import build
from sparsedecay.science.run import chain
from sparsedecay.study.plan import Plan, load_plan, networks, tables_read
from sparsedecay.study.study import load_study
from tests.study.made import CONFIG, PAPER


@pytest.fixture
def mine():
    """A copy of the configs in the current folder; gives the plan with these readings."""
    shutil.copytree(CONFIG, "config")

    def plan(readings: str | None = None, name="config", **overrides) -> Plan:
        if readings is not None:
            Path("config/readings.yaml").write_text(readings)
        return load_plan([Path(f"config/{name}.yaml")], overrides)

    return plan


def ids(study) -> set[str]:
    """All networks that statements are tested on."""
    return {run.id for run, _ in networks(study, {})}


def trained(statements) -> dict[str, Trained]:
    """The networks that a table of statements is made from, by id."""
    draws = (draw for reading in statements.readings for draw in reading.draws)
    return {one.run: one for draw in draws for one in draw}


# --- draws


@pytest.mark.parametrize("vary", [["targets"], ["weights"], ["targets", "weights"]])
def test_a_draw_shifts_the_seeds_that_vary(vary):
    overrides = {"claims": {"vary": vary}, "data": {"seed": 5}, "initialization": {"seed": 70}}
    plan = load_plan([PAPER], overrides)
    drawn = [plan.drawn(plan.study, i) for i in range(3)]
    seeds = [(study.data.seed, study.initialization.seed) for study in drawn]
    targets, weights = "targets" in vary, "weights" in vary
    assert seeds == [(5 + i * targets, 70 + i * weights) for i in range(3)]


@pytest.mark.parametrize(
    ("vary", "data_sets"), [(["targets"], 11), (["weights"], 2), (["targets", "weights"], 11)]
)
def test_draws_have_runs_of_their_own(vary, data_sets):
    plan = load_plan([PAPER], {"claims": {"vary": vary, "reading_seeds": 1}})
    (literal,) = plan.statements("claims").readings
    runs = [{one.run for one in of_draw} for of_draw in literal.draws]
    assert len(runs) == 10
    assert len(set.union(*runs)) == sum(map(len, runs)), "no two draws share a run"
    assert len(plan.data_sets) == data_sets, "that of 16 targets a point too"


def test_nothing_but_seeds_differs_between_draws(plan):
    for (first, one), (other, seventh) in zip(
        networks(plan.drawn(plan.study, 0), {}),
        networks(plan.drawn(plan.study, 7), {}),
        strict=True,
    ):
        assert seventh.model_copy(update={"run": one.run}) == one
        data = other.data.model_copy(update={"seed": 0})
        initialization = other.initialization.model_copy(update={"seed": 0})
        assert other.model_copy(update={"data": data, "initialization": initialization}) == first


def test_the_first_draw_is_the_studys_own(plan):
    own = load_study([PAPER]).runs
    assert plan.drawn(plan.study, 0) == plan.study
    assert own.keys() <= ids(plan.drawn(plan.study, 0))
    for name in plan.study.figures.names:
        assert plan.request(name) == plan.study.request(name)
    assert plan.request("replicate/fig2").draws[0] == plan.request("fig2").shown


def test_the_networks_of_a_draw(plan):
    found = []
    for run, one in networks(plan.study, {}):
        told = (run.network, run.regularizer, run.lam, run.shape.L, run.shape.K)
        assert (one.run, one.first) == (run.id, 50_000)
        assert (one.network, one.regularizer, one.lam, one.L, one.K) == told
        found.append((*told, one.epochs, one.groups))
    both, kinds = (50_000, 100_000, 150_000, 200_000), ("eq2", "weight_decay")
    lams = {0.1: ("fig2",), 1e-3: ("fig2", "fig3"), 1e-5: ("fig2",)}
    deep = [("representer", kind, lam, 2, 1296, both, groups) for lam, groups in lams.items()
            for kind in kinds]  # fmt: skip
    deep.append(("representer", "none", 0, 2, 1296, both, ("fig2",)))
    dense = [("dense", "weight_decay", 1e-3), ("dense", "none", 0)]
    deep += [(*which, 2, 1296, (50_000,), ("fig3",)) for which in dense]
    wide = [("representer", "weight_decay", 1e-4, 1, K, (600_000,), ("shallow",))
            for K in (162, 405, 810, 1296)]  # fmt: skip
    assert sorted(found) == sorted([*deep, *wide])


# --- readings


def test_the_papers_readings_share_the_runs_they_do_not_affect(plan):
    literal, *others = plan.variations
    assert literal.name == "literal"
    by_id = {run.id: run for run, _ in networks(literal.study, {})}
    shared = {variation.name: ids(variation.study) & by_id.keys() for variation in others}

    def chosen(rule) -> set[str]:
        return {name for name, run in by_id.items() if rule(run)}

    without_decay = chosen(lambda run: run.regularizer != "weight_decay")
    assert without_decay
    for name in ("adam-option", "decoupled", "biases-free"):
        assert shared[name] == without_decay
    representer = chosen(lambda run: run.network == "representer")
    assert shared["skips-input"] == representer
    for name in ("loss-sum", "fan-in", "range-0.4", "default-biases", "two-batches"):
        assert shared[name] == set()
    assert shared["average-all"] == by_id.keys()
    assert len(shared) == 17


def test_every_reading_is_in_the_table_of_readings_and_only_there(plan):
    (only,) = plan.statements("claims").readings
    assert (only.name, len(only.draws)) == ("literal", 10)
    readings = plan.statements("readings").readings
    assert [one.name for one in readings] == [one.name for one in plan.variations]
    assert {len(one.draws) for one in readings} == {1}
    assert readings[0].draws[0] == only.draws[0]
    average = {one.name: one.average_over for one in readings}
    assert average["average-all"] == ("W", "V", "C")
    assert average["literal"] == average["loss-sum"] == ("W", "V")


def test_the_plan_has_every_run_that_is_asked_for(plan):
    tables = ("claims", "readings", "screen", "search")
    asked = {run for table in tables for run in trained(plan.statements(table))}
    assert plan.runs.keys() == asked
    assert all(run.id == name for name, run in plan.runs.items())


# --- files


@pytest.mark.parametrize("table", ["claims", "readings", "screen", "search"])
def test_a_request_survives_json_and_each_table_is_read_once(plan, table):
    asked = plan.statements(table)
    assert type(asked).model_validate_json(asked.canonical()) == asked
    files = tables_read(asked)
    assert len(files) == len(set(files))
    of_table = trained(asked).values()
    for one in of_table:
        for epoch in one.epochs:
            for name in ("summary", "matrices", "trajectory"):
                assert paths.measured(one.run, epoch, name) in files
        assert paths.measured(one.run, one.first, "trajectory") in files
    shallow = sum(one.L == 1 for one in of_table)
    milestones = sum(len(one.epochs) for one in of_table)
    # the first milestone of the others is one at which they are tested
    assert len(files) == 3 * milestones + shallow


@pytest.mark.parametrize(
    ("stride", "first"), [(50_000, 50_000), (20_000, 20_000), (60_000, 50_000)]
)
def test_the_first_milestone_is_where_training_begins(stride, first):
    plan = load_plan([PAPER], {"training": {"stride": stride}})
    deep = plan.statements("claims").readings[0].draws[0][0]
    assert deep.first == first == chain(50_000, stride)[0]
    assert paths.measured(deep.run, first, "trajectory") in tables_read(plan.statements("claims"))


@pytest.mark.parametrize("dense", [[50_000], [50_000, 200_000]])
def test_the_work_that_is_left_decreases(dense):
    """Along the chain to each milestone that is asked for."""
    plan = load_plan([PAPER], {"claims": {"dense_milestones": dense}})
    for one in trained(plan.statements("claims")).values():
        run = plan.runs[one.run]
        for epoch in one.epochs:
            left = [plan.work_left(run, step) for step in chain(epoch, run.stride)]
            assert left == sorted(set(left), reverse=True), one
            assert left[-1] > 0


def test_the_work_that_is_left(plan):
    dense = plan.study.run("dense", "none", 0.0)
    deep = plan.study.run("representer", "eq2", 1e-3)
    assert plan.work_left(dense, 50_000) == 1_695_169 * 50_000
    assert plan.work_left(deep, 50_000) == 50_641 * 200_000
    assert plan.work_left(deep, 200_000) == 50_641 * 50_000
    assert plan.work_left(deep, 400_000) == 50_641 * 50_000, "asked for by hand"


def test_every_draw_has_as_much_work():
    """A dense network is trained for 50,000 epochs in each draw, not for 200,000."""
    plan = load_plan([PAPER], {"claims": {"seeds": 2}})
    for run, one in networks(plan.drawn(plan.study, 1), {}):
        assert plan.work_left(run, run.stride) == build(run).size * max(one.epochs), run.id


# --- mistakes in the file of readings


def test_without_statements_no_file_of_readings_is_needed(mine):
    Path("config/readings.yaml").unlink()
    assert mine(claims=None).variations == []


def test_a_config_copied_without_its_readings(mine):
    """The key and the config are named too."""
    Path("config/readings.yaml").unlink()
    told = r"^config/config\.yaml:\d+: claims\.readings: readings\.yaml is not there \(config/readi"
    with pytest.raises(UserError, match=told):
        mine()


GOOD = "a: {title: x, changes: {network: {d: 8}}}\n"


def test_a_file_of_readings_in_order_stands_over_the_overrides(mine):
    """A value that is the config's own is no change, also where none is allowed."""
    b = "b:\n  title: y\n  changes: {measures: {average_over: [C], threshold: 1.0e-3}}\n"
    literal, a, b = mine(GOOD + b, network={"d": 4, "K": 40}).variations
    assert (literal.name, literal.title) == ("literal", "the text, taken literally")
    assert [(one.name, one.title) for one in (a, b)] == [("a", "x"), ("b", "y")]
    sizes = [(one.study.network.d, one.study.network.K) for one in (literal, a, b)]
    assert sizes == [(4, 40), (8, 40), (4, 40)]
    assert b.study.measures.average_over == ("C",)


def test_the_file_lies_beside_the_first_config(mine):
    Path("config/other.yaml").write_text("claims: {readings: others.yaml}\n")
    Path("config/others.yaml").write_text(GOOD)
    plan = load_plan([Path("config/config.yaml"), Path("config/other.yaml")])
    assert [one.name for one in plan.variations] == ["literal", "a"]


def test_a_missing_file_of_readings_is_named(mine):
    with pytest.raises(
        UserError,
        match=r"^--config: claims\.readings: nowhere\.yaml is .*config/nowhere\.yaml: no such",
    ):
        mine(claims={"readings": "nowhere.yaml"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("b: {title: x, changes: {network: {KK: 3}}}",
         r"^reading b:\nconfig/readings\.yaml:2: network\.KK: unknown key; did you mean"),
        ("b: {title: x, changes: {nets: {K: 3}}}",
         r"^reading b:\nconfig/readings\.yaml:2: nets: unknown key"),
        ("b:\n  title: x\n  changes:\n    network:\n      K: 0",
         r"^reading b:\nconfig/readings\.yaml:6: network\.K: 0 is not allowed; write a whole"),
        ("b: {title: x, changes: {optimizer: {batches: 82}}}",
         r"^reading b:\nconfig/readings\.yaml:2: optimizer\.batches: 82 is not allowed: 81 data"),
        ("b: {title: x, changes: {network: {L: 1}}}",
         r"^reading b:\nconfig/config\.yaml:\d+: figures\.fig3\.layer: "),
        ("b: {title: x, changes: 5}", r"^reading b:\nconfig/readings\.yaml:2: .*5 is not allowed"),
        ("b: {changes: {}}", r"^config/readings\.yaml:2: b: is no reading; write b: \{title: "),
        ("b: {title: x}", r"^config/readings\.yaml:2: b: is no reading"),
        ("b: {title: 5, changes: {}}", r"^config/readings\.yaml:2: b: is no reading"),
        ("b: {title: x, changes: {}, why: y}", r"^config/readings\.yaml:2: b: is no reading"),
        ("b: {title: x, choice: y}", r"^config/readings\.yaml:2: b: is no reading"),
        ("b: {title: x, changes: {}, choice: 5}", r"^config/readings\.yaml:2: b: is no reading"),
        ("b: {title: x, instead: {eq2: eq3}}",
         r"^config/readings\.yaml:2: b: instead: write \{REGULARIZER: REGULARIZER\}, of eq2, "),
        ("b: {title: x, instead: {eq2: [path]}}",
         r"^config/readings\.yaml:2: b: instead: write \{REGULARIZER"),
        ("b: {title: x, instead: path}", r"^config/readings\.yaml:2: b: instead: write"),
        ("b: text", r"^config/readings\.yaml:2: b: is no reading"),
        ("b:", r"^config/readings\.yaml:2: b: is no reading"),
        ("literal: {title: x, changes: {}}",
         r"^config/readings\.yaml:2: literal: is the config itself"),
        *(
            (f"b: {{title: x, changes: {changes}}}",
             r"^config/readings\.yaml:2: b: changes archive, claims, figures, measures or sweep")
            for changes in (
                "{figures: {fig1: null}}",
                "{figures: {fig2: {lam: [0.1, 0.01]}}}",
                "{claims: {seeds: 3}}",
                "{claims: null}",
                "{sweep: {seeds: 1, vary: [weights], networks: [{network: dense, regularizer: "
                "none}], lam: [1], settings: {}, milestones: [1]}}",
                "{measures: {threshold: 0.01}}",
                "{measures: {rank_threshold: 0.01, average_over: [W]}}",
            )
        ),
        ("a: {title: y, changes: {}}", r"^config/readings\.yaml:2: a: stands twice"),
        ("b: {title: [", r"^config/readings\.yaml:\d+: is not readable YAML"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_file_and_line(mine, text, told):
    with pytest.raises(UserError, match=told) as caught:
        mine(GOOD + text + "\n")
    assert not re.search("pydantic|Traceback|instance", str(caught.value))


@pytest.mark.parametrize("text", ["", "# nothing\n", "[a, b]\n", "text\n"])
def test_a_file_without_readings_is_refused(mine, text):
    with pytest.raises(UserError, match=r"^config/readings\.yaml: "):
        mine(text)


def test_both_shipped_files_of_readings_are_in_order(mine):
    assert len(mine().variations) == 18
    assert len(mine(name="smoke").variations) == 4


# --- other regularizers instead, and searches

CHOICES = """
half: {title: half, changes: {initialization: {range: [-0.5, 0.5]}}, choice: initialization}
tenth: {title: tenth, changes: {initialization: {range: [-0.1, 0.1]}}, choice: initialization}
path: {title: path, instead: {eq2: path}, choice: penalty}
sum: {title: sum, changes: {objective: {loss: sum}}}
"""


def test_a_regularizer_stands_in_for_another(mine):
    plan = mine(CHOICES)
    readings = {one.name: one for one in plan.statements("readings").readings}
    runs = plan.runs
    asked = {(one.regularizer, one.lam): one.run for one in readings["path"].draws[0]}
    literal = {(one.regularizer, one.lam): one.run for one in readings["literal"].draws[0]}
    assert asked.keys() == literal.keys(), "statements find it by the name of the other"
    for (regularizer, lam), run in asked.items():
        if regularizer == "eq2":
            assert runs[run].regularizer == "path"
            plain = runs[literal[regularizer, lam]].model_copy(update={"regularizer": "path"})
            assert run == plain.id, "it is the run of the other regularizer, and no other"
        else:
            assert run == literal[regularizer, lam]


def test_a_search_combines_readings_that_decide_different_things(mine):
    plan = mine(CHOICES, claims={"search": {"seeds": 2, "combine": 2, "keep": 1}})
    readings = plan.statements("screen").readings
    names = ["literal", "half", "tenth", "path", "half+path", "tenth+path"]
    assert [one.name for one in readings] == names
    assert [one.title for one in readings][-1] == "tenth; path"
    assert {len(one.draws) for one in readings} == {2}
    for one in (one for reading in readings for draw in reading.draws for one in draw):
        assert (one.network, one.lam, one.epochs) == ("representer", 1e-3, (50_000,))
    both = [plan.runs[one.run] for one in readings[-1].draws[0]]
    assert [run.regularizer for run in both] == ["path", "weight_decay"]
    assert {run.initialization.range for run in both} == {(-0.1, 0.1)}
    search = plan.statements("search")
    assert [one.name for one in search.readings] == names
    kept = search.only(["tenth+path"]).readings
    assert [one.name for one in kept] == ["tenth+path"]
    assert len(kept[0].draws) == 1
    assert len(kept[0].draws[0]) == len(plan.statements("claims").readings[0].draws[0])
    assert {one.run for one in kept[0].draws[0]} <= plan.runs.keys()


def test_without_a_search_there_is_nothing_to_screen(mine):
    plan = mine(CHOICES, claims={"search": None})
    assert plan.milestones["screen"] == plan.milestones["search"] == []
