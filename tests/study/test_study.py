"""The config as a study: which mistakes are told, how, and which runs a study asks for."""

import difflib
import json
import math
import re
from functools import reduce
from operator import getitem
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparsedecay.errors import UserError
from sparsedecay.figures import files_read
from sparsedecay.files import paths
from sparsedecay.science.run import chain, predecessor
from sparsedecay.study.entries import key
from sparsedecay.study.plan import load_plan
from sparsedecay.study.schema import node_at
from sparsedecay.study.study import Study, load_study
from tests.study.made import CONFIG, OTHERS, PAPER, SCHEMA, changed, document, keys_of, wrong_values
from tests.study.made import LEAVES as ALL
from tests.workflow.project import Project

TEXT = PAPER.read_text()
# figure 4 has the same settings as figure 3
LEAVES = [path for path in ALL if path[:2] != ("figures", "fig4")]
SECTIONS = sorted({path[:i] for path in LEAVES for i in range(1, len(path))}, key=str)
KEYS = [path for path in [*SECTIONS, *LEAVES] if isinstance(path[-1], str)]
OPTIONAL = [("archive",), ("claims",), ("sweep",), *(("figures", f"fig{i}") for i in range(1, 4))]
KINDS = [(section, "kind") for section in ("data", "initialization", "optimizer")]
"""May be left out, for the one kind that there was before this key; not be empty."""
names = {"ids": lambda value: key(value) if isinstance(value, tuple) else repr(value)[:20]}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def paper():
    return load_study([PAPER])


@pytest.fixture(scope="module")
def plan():
    return load_plan([PAPER])


def line_of(text: str) -> int:
    """Where the paper's config first has a text."""
    return TEXT[: TEXT.index(text)].count("\n") + 1


def load(document) -> Study:
    """The study in a document, through a file mine.yaml."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    # JSON is YAML, but for these
    text = re.sub(r"(?<![\w\"])NaN", ".nan", re.sub(r"(?<![\w\"])Infinity", ".inf", text))
    text = text.replace("-Infinity", "-.inf")
    Path("mine.yaml").write_text(text, encoding="utf-8")
    return load_study([Path("mine.yaml")])


WORDS_OF_THE_CONFIG = "leap, input or none"
JARGON = re.compile(r"tuple|[Ii]nput|function-|Figure1|TrainedMatrices|instance|NoneType|pydantic")


def refusal(document, *more) -> list[str]:
    """What a user is told, a line for each mistake."""
    with pytest.raises(UserError) as caught:
        load(document, *more)
    lines = str(caught.value).splitlines()
    for line in lines:
        assert line.isprintable()
        assert re.match(r"mine\.yaml(:\d+)?: ", line)
        assert not JARGON.search(line.replace(WORDS_OF_THE_CONFIG, ""))
        assert len(line) < 350
    return lines


# --- every key of the config


def test_both_shipped_configs_are_in_order():
    for file in ("config.yaml", "smoke.yaml"):
        assert load_study([CONFIG / file]).figures.names == ["fig1", "fig2", "fig3", "fig4"]


@pytest.mark.parametrize(
    ("target", "section"), [("replicate", "claims"), ("readings", "claims"), ("sweep", "sweep")]
)
def test_an_archive_needs_the_sections_of_its_targets(target, section):
    whole = changed(("archive", "targets"), ["all", target])
    assert load(whole).archive.targets == ("all", target)
    del whole[section]
    (line,) = refusal(whole)
    assert "archive.targets: " in line
    assert f"{target} needs the section {section}; add it, or leave it out" in line


def test_the_keys_are_found():
    """What the tests below are made from is complete."""
    whole = document()
    del whole["figures"]["fig4"]
    assert set(LEAVES) == set(keys_of(whole)).union(*map(keys_of, OTHERS))
    assert ("figures", "fig3", "panels", 0, "network") in LEAVES
    assert ("data",) in SECTIONS


@pytest.mark.parametrize("path", LEAVES, **names)
def test_every_list_and_whole_number_is_bounded(path):
    """So that no study is too large for the checks themselves."""
    node = node_at(SCHEMA, path)
    if node["type"] == "string" and "enum" not in node:
        assert node["maxLength"] <= 1000
    if node["type"] == "array":
        assert node["maxItems"] <= 1000
    if node["type"] == "object":
        assert len(node["propertyNames"]["enum"]) < 100
        assert node["additionalProperties"]["maxItems"] <= 1000
    if node["type"] == "integer":
        assert {"minimum", "maximum"} <= node.keys() or "exclusiveMaximum" in node


@pytest.mark.parametrize("path", LEAVES, **names)
def test_every_key_refuses_what_it_does_not_allow(path):
    for value in wrong_values(path):
        lines = refusal(changed(path, value))
        assert len(lines) == 1, f"{lines} for {value!r}"
        assert re.match(rf"mine\.yaml:\d+: {re.escape(key(path))}(\[0\])?: ", lines[0]), lines
        assert "is not allowed; write " in lines[0]


@pytest.mark.parametrize(
    "path", [p for p in LEAVES if node_at(SCHEMA, p)["type"] == "array"], **names
)
def test_every_value_of_a_list_is_checked(path):
    items = reduce(getitem, path, document(path))
    for value in (True, "text", math.nan, [], 10**400):
        lines = refusal(json.dumps(changed(path, [*items[:-1], value])))
        assert len(lines) == 1
        assert f": {key((*path, len(items) - 1))}: " in lines[0]


@pytest.mark.parametrize("path", KEYS, **names)
def test_every_misspelt_key_is_told_the_right_one(path):
    name = path[-1]
    for misspelt in {name + "x", name.swapcase(), name[:-1], "x" + name[1:]} - {name, "", "x", "X"}:
        lines = refusal(changed(path, name=misspelt))
        assert len(lines) == 1, f"not missing besides: {lines}"
        assert f": {key((*path[:-1], misspelt))}: unknown key; " in lines[0]
        ratio = difflib.SequenceMatcher(a=misspelt.lower(), b=name.lower()).ratio()
        if ratio >= 0.7 and not name.startswith("fig"):
            assert lines[0].endswith(f"did you mean {key(path)}?")


@pytest.mark.parametrize("empty", [False, True], ids=["missing", "empty"])
@pytest.mark.parametrize("path", KEYS, **names)
def test_every_key_that_is_missing_or_empty_is_named(path, empty):
    text = re.sub(r'"(@)"', "", json.dumps(changed(path, "@" if empty else None)))
    if path not in OPTIONAL and (empty or path not in KINDS):
        (line,) = refusal(text)
        told = "an empty value is not allowed" if empty else "is missing"
        assert f": {key(path)}: {told}; write " in line
        return
    if path in {("figures", "fig2"), ("figures", "fig3")}:
        (line,) = refusal(text)
        assert re.search(r": claims: .* is not allowed: it tests the networks of figures", line)
        assert line.endswith("figures.fig2 and figures.fig3; give both, or leave claims out")
        text = re.sub(r', "claims": .*', "}", text)
    study = load(text)
    assert path[-1] not in study.figures.names
    assert study.claims is None or path != ("claims",)


@pytest.mark.parametrize("path", SECTIONS, **names)
@pytest.mark.parametrize("value", [5, "text", True, ["a"]])
def test_every_section_must_be_one(path, value):
    lines = refusal(changed(path, value))
    assert len(lines) == 1
    assert f": {key(path)}" in lines[0]


@pytest.mark.parametrize("name", ["1", "null", "true", "1.5", "2001-01-01", "''", '"\\ud800\\n"'])
def test_keys_that_are_no_names_are_unknown(name):
    (line,) = refusal(f"{name}: 2\n{TEXT}")
    assert ": unknown key; allowed are data, network, " in line


# --- mistakes as people make them

L3, ONLY = (
    "fig3.layer: 3 is not allowed: networks of network.L = 2 hidden layers",
    "stand only once",
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epochs: 200000", "epochs: 2e5", f"{line_of('epochs: 2')}: training.epochs: 2e5 is not "
         "allowed; write a whole number of epochs from 1 to 1,000,000,000, such as 200000"),
        ("epochs: 200000", "epochs: 200000.0", "200000.0 is not allowed; .*, such as 200000"),
        ("epochs: 200000", "epochs: '200000'", "'200000' is not allowed; .*, without quotes"),
        ("K: 1296", "K: 10**5000", r"network.K: 10\*\*5000 is not allowed; write a whole number"),
        ("K: 1296", "K: 0", "network.K: 0 is not allowed; write a whole number from 1 to"),
        ("lam: 1.0e-3", "lam: -1e-3", "fig3.lam: -1e-3 is not allowed; write a number above 0"),
        ("lam: 1.0e-3", "lam: 1e400", "1e400 is not allowed; .*, at most 1.7e308 in magnitude"),
        ("lam: 1.0e-3", "lam: '1e-3'", "write a number above 0, without quotes"),
        ("levels: [0, 0.5, 1]", "levels: []", "levels: \\[\\] .* a list of 2 to 1,000 values"),
        ("levels: [0, 0.5, 1]", "levels: [0, 0]", f"levels: \\[0, 0\\] is not allowed: .* {ONLY}"),
        ("levels: [0, 0.5, 1]", "levels: [0, 0.0]", ONLY),
        ("dimension: 4", "dimension: 40", "data.levels, data.dimension: a grid of 3\\^40 points"),
        ("target_range: [-1, 1]", "target_range: [1, -1]", r"data.target_range: \[1, -1\] is not "
         "allowed: the first number must be smaller than the second"),
        ("\n  range: [-1, 1]", "\n  range: [1, 1]", r"initialization.range: \[1, 1\] is not allow"),
        ("target_range: [-1, 1]", "target_range: [1]", r"\[1\] .* write a list of 2 values"),
        ("target_range: [-1, 1]", "target_range: [1, 2, 3]", r"\[1, 2, 3\] .* a list of 2 values"),
        ("engine: compiled", "engine: compile", "did you mean compiled?"),
        ("network: representer", "network: Representer", "did you mean representer?"),
        ("decay, none]", "decay, null]", r"regularizers\[2\]: null is not allowed; .* mean none?"),
        ("decay, none]", "decay, eq2]", f"regularizers: .*{ONLY}"),
        ("[1.0e-1, 1.0e-3,", "[1.0e-1, 0.1,", f"fig2.lam: .*{ONLY}"),
        ("average_over: [W, V]", "average_over: [W, W]", f"average_over: .*{ONLY}"),
        ("regularizer: weight_decay}", "regularizer: eq2}", f"fig3.panels: .*{ONLY}"),
        ("optimizer:", "optimiser:", f"{line_of('optimizer:')}: optimiser: unknown key; did you "
         "mean optimizer?"),
        ("K: 1296", "k: 1296", "network.k: unknown key; did you mean network.K?"),
        ("K: 1296", "Kd: 1296", "network.Kd: unknown key; did you mean network.K?"),
        ("  fig1:", "  fig7:", "fig7: unknown key; allowed are fig1, fig2, fig3, fig4"),
        ("  K: 1296", "  K: 1296\n  engine: x", "unknown key; did you mean training.engine?"),
        ("  fig1:\n    L: 3", "  fig1: yes", "fig1: yes is .* write a section with the key L"),
        ("- {network: representer, regularizer: eq2}", "- eq2", r"panels\[0\]: eq2 is not allowed; "
         "write a section with the keys network, regularizer"),
        ("layer: 2", "layer: 3", L3),
        ("record_every: 250", "record_every: 50001", "must not exceed training.stride"),
        ("threshold: 1.0e-3", "threshold: 1.5e-3", "threshold: 1.5e-3 is .* significant digit"),
        ("threshold: 1.0e-3", "threshold: 10", "measures.threshold: 10 .* significant digit"),
        ("K: 1296", "K: 129600", "network.K: .* a dense network of 16,797,715,201 parameters"),
        ("skips: leap", "skips: leaps", "network.skips: leaps is .* leap, input or none; did you "
         "mean leap?"),
        ("skips: leap", "skips: null", "skips: null is not allowed; .* none; did you mean none?"),
        ("loss: mean", "loss: mse", "objective.loss: mse is not allowed; write mean or sum"),
        ("decay: objective", "decay: adamw", "objective.weight_decay: adamw is not allowed; write "
         "objective, adam or decoupled; did you mean adam?"),
        ("biases: true", "biases: yes", "objective.decay_biases: yes is .* write true or false"),
        ("scale: none", "scale: fan-in", "scale: fan-in is .* none or fan_in; did you mean fan_in"),
        ("batches: 1", "batches: 0", "optimizer.batches: 0 is .* a whole number from 1 to 1,000"),
        ("batches: 1", "batches: 82", "optimizer.batches: 82 is not allowed: 81 data points cannot "
         "be cut into so many minibatches; lower it"),
        ("seeds: 10", "seeds: 0", "claims.seeds: 0 is not allowed; write a whole number from 1 to"),
        ("reading_seeds: 1", "reading_seeds: 1.5", "claims.reading_seeds: 1.5 is not allowed; "),
        ("[targets, weights]", "[targets, seeds]", r"vary\[1\]: seeds is .* targets or weights"),
        ("[targets, weights]", "[targets, targets]", f"claims.vary: .*{ONLY}"),
        ("[50000, 200000]", "[50000, 50000]", f"claims.milestones: .*{ONLY}"),
        ("milestones: [50000] ", "milestones: [5, 5] ", f"claims.dense_milestones: .*{ONLY}"),
        ("[50000, 200000]", "[0]", r"claims.milestones\[0\]: 0 .* write a whole number of epochs"),
        ("[81, 162, 405, 810, 1296]", "[81]", r"claims.shallow.K: \[81\] .* 2 to 20 values"),
        ("lam: 1.0e-3\n    epoch: 200", "lam: 0\n    epoch: 200", "claims.shallow.lam: 0 is not "
         "allowed; write a number above 0"),
        ("epoch: 200000", "epoch: 2e5", "claims.shallow.epoch: 2e5 is .* epochs .*, such as 20000"),
        ("readings: readings.yaml", "readings: ['a.yaml']", "claims.readings: .* write a word"),
        ("seed: 0", "seed: 0\n  seed: 0", f"mine.yaml:{line_of('seed: 0') + 1}: data.seed: stands "
         "twice, before in mine"),
        ("seed: 0", "<<: {seed: x}", "data.seed: x is not allowed"),
        ("targets: [all]", "targets: [sweep]", "archive.targets: .* it must hold all, the figures"),
        ("targets: [all]", "targets: [all, all]", f"archive.targets: .*{ONLY}"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_line_that_says_what_to_do(old, new, said):
    assert old in TEXT
    (line,) = refusal(TEXT.replace(old, new, 1))
    assert re.search(said, line), line


def test_a_figure_is_needed():
    (line,) = refusal(document() | {"figures": {}})
    assert line == "mine.yaml:1: figures: at least one figure is needed: fig1, fig2, fig3 or fig4"


def test_all_mistakes_are_told_at_once():
    text = TEXT.replace("epochs: 200000", "epochs: 40000").replace("layer: 2", "layer: 9")
    lines = refusal(text.replace("threshold: 1.0e-3", "threshold: 12", 1))
    told = [re.search(r": ([\w.]+): ", line)[1] for line in lines]
    figures = ["fig3.epoch", "fig3.layer", "fig4.epoch", "fig4.layer"]
    assert told == ["measures.threshold", *(f"figures.{name}" for name in figures)]
    assert "beyond training.epochs (40,000); lower it, or raise training.epochs" in lines[1]
    lines = refusal(TEXT.replace("K: 1296", "K: 0").replace("seed: 0", "seed: -1"))
    assert len(lines) == 3


def test_many_mistakes_are_cut_short():
    levels = ", ".join(["x"] * 1000)
    lines = load_lines(TEXT.replace("levels: [0, 0.5, 1]", f"levels: [{levels}]"))
    assert len(lines) == 21
    assert lines[-1] == "… and 980 more mistakes"


def load_lines(text):
    with pytest.raises(UserError) as caught:
        load(text)
    return str(caught.value).splitlines()


def test_too_many_milestones_are_refused_at_once():
    """7 runs of 200,000 epochs and 2 of 50,000: 1.5 million epochs."""
    text = TEXT.replace("record_every: 250", "record_every: 5")
    assert load(text.replace("stride: 50000", "stride: 16")).training.stride == 16
    (line,) = refusal(text.replace("stride: 50000", "stride: 15"))
    assert (
        "training.stride: 15 is not allowed: it cuts the 9 runs of the figures into 100,0" in line
    )


def test_too_many_records_are_refused():
    text = TEXT.replace("record_every: 250", "record_every: 10")
    assert load(text.replace("stride: 50000", "stride: 1000000")).training.record_every == 10
    (line,) = refusal(text.replace("stride: 50000", "stride: 1000010"))
    assert "training.record_every: 10 is not allowed: it makes 100,001 records" in line


# --- several files


def test_the_file_that_holds_a_key_is_named():
    Path("a.yaml").write_text(TEXT)
    Path("b.yaml").write_text("network: {K: 0}\ntrainig: {}\n")
    Path("c.yaml").write_text("figures: {fig2: {lam: [1, x]}}\n")
    with pytest.raises(UserError) as caught:
        load_study([Path("a.yaml"), Path("b.yaml"), Path("c.yaml")], {"data": {"seed": "one"}})
    assert [line.partition(" is not")[0] for line in str(caught.value).splitlines()] == [
        "--config: data.seed: one",
        "b.yaml:1: network.K: 0",
        "c.yaml:1: figures.fig2.lam[1]: x",
        "b.yaml:2: trainig: unknown key; did you mean training?",
    ]


def test_a_key_that_no_file_has_names_them_all():
    Path("a.yaml").write_text("data: {seed: 0}\n")
    Path("b.yaml").write_text("data: {levels: [0, 1], dimension: 1}\n")
    with pytest.raises(UserError, match=r"^a\.yaml, b\.yaml: data\.target_range: is missing"):
        load_study([Path("a.yaml"), Path("b.yaml")])


def test_later_files_and_overrides_win():
    Path("b.yaml").write_text("training: {epochs: 100000}\ndata: {levels: [0, 1]}\n")
    study = load_study([PAPER, Path("b.yaml")])
    assert study.training.epochs == 100_000
    assert study.data.levels == (0, 1)
    assert study.training.stride == 50_000
    overrides = {
        "training": {"epochs": "300000"},
        "figures": {"fig3": "null"},
        "claims": "null",
        "objective": {"decay_biases": "false"},
    }
    study = load_study([PAPER, Path("b.yaml")], overrides)
    assert study.training.epochs == 300_000
    assert study.figures.names == ["fig1", "fig2", "fig4"]
    assert study.claims is None
    assert study.objective.decay_biases is False


# --- anything at all

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
WORDS = st.sampled_from(sorted({path[-1] for path in KEYS})) | st.text(max_size=5)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)
LIMITED = settings(
    max_examples=40, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@LIMITED
@given(path=st.sampled_from([*LEAVES, *SECTIONS]), value=ANYTHING)
def test_any_value_anywhere_is_taken_or_refused_by_its_key(path, value):
    try:
        study = load_study([PAPER], nest(path, value))
    except UserError as error:
        for line in str(error).splitlines():
            assert line.isprintable()
            place, told, _ = line.split(": ", 2)
            assert re.fullmatch(r"\S*config\.yaml(:\d+)?|--config|\S+, --config", place)
            # a value may be good by itself, but not beside that of another key
            assert told.startswith(path[0]) or place.startswith("/"), line
    else:
        assert all(run.id == name for name, run in study.runs.items())


def nest(path, value):
    """{"a": {"b": value}}; of a list of sections only the first."""
    for part in reversed(path):
        value = [value] if isinstance(part, int) else {part: value}
    return value


@LIMITED
@given(document=st.dictionaries(WORDS, ANYTHING, min_size=1, max_size=5))
def test_any_document_is_refused_by_its_keys(document):
    lines = load_lines(json.dumps(document))
    required = [name for name, field in Study.model_fields.items() if field.is_required()]
    missing = [f": {name}: is missing" for name in required if name not in document]
    readable = not re.search("is not readable YAML|stands twice", lines[0])
    if readable and len(lines) < 21:
        for text in missing:
            assert any(text in line for line in lines) or "did you mean" in "".join(lines)
    assert all(line.isprintable() for line in lines)


@LIMITED
@given(
    content=st.binary(max_size=60)
    | st.text(alphabet="[]{}&*!|>'\"%:,?-# \n\tab01.e<", max_size=60).map(str.encode)
)
def test_any_bytes_are_refused_in_lines_that_name_the_file(content):
    Path("mine.yaml").write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_study([Path("mine.yaml")])
    for line in str(caught.value).splitlines():
        assert line.startswith("mine.yaml")
        assert line.isprintable()


# --- runs

RUNS = [
    "representer-eq2-lam0.1-seed0-3f02423502",
    "representer-weight_decay-lam0.1-seed0-a3830a71f2",
    "representer-none-seed0-4bcf4ad948",
    "representer-eq2-lam0.001-seed0-05b41b0bbf",
    "representer-weight_decay-lam0.001-seed0-b13b01e1cc",
    "representer-eq2-lam1e-05-seed0-8605e34154",
    "representer-weight_decay-lam1e-05-seed0-db60d9966b",
    "dense-weight_decay-lam0.001-seed0-a170b546c5",
    "dense-none-seed0-431ec8cb0a",
]
"""Another name for one of them would make hours of training out of date."""


def test_the_papers_runs_keep_their_names(paper, plan):
    assert list(paper.runs) == RUNS
    assert list(plan.runs)[: len(RUNS)] == RUNS
    assert {run.data.id for run in paper.runs.values()} == {paper.data.id}
    assert [data.seed for data in plan.data_sets.values()] == list(range(10)), "one for each draw"
    assert next(iter(plan.data_sets)) == paper.data.id


def test_names_do_not_depend_on_how_the_file_is_written():
    def turned(value):
        if isinstance(value, dict):
            return {name: turned(value[name]) for name in reversed(value)}
        return value

    without_comments = re.sub(r" *#.*", "", TEXT)
    for whole in (
        turned(document()),
        without_comments,
        TEXT.replace("\n", "\n\n").replace(": ", ":   "),
    ):
        assert set(load(whole).runs) == set(RUNS)
    text = TEXT.replace("[0, 0.5, 1]", "[0.0, 5e-1, 1.0]").replace("1.0e-3", "0.001")
    assert list(load(text).runs) == RUNS


def test_two_values_that_change_places_make_other_runs():
    swaps = [
        ({"data": {"seed": 3}}, {"initialization": {"seed": 3}}),
        ({"network": {"K": 5, "d": 7}}, {"network": {"K": 7, "d": 5}}),
        ({"optimizer": {"betas": [0.5, 0.9]}}, {"optimizer": {"betas": [0.9, 0.5]}}),
        ({"data": {"target_range": [-2, 2]}}, {"initialization": {"range": [-2, 2]}}),
        ({"data": {"levels": [0, 1]}}, {"data": {"levels": [1, 0]}}),
    ]
    for one, other in swaps:
        first, second = load_study([PAPER], one), load_study([PAPER], other)
        assert not first.runs.keys() & second.runs.keys()


def test_another_lam_renames_no_run_and_none_does_not_depend_on_it(paper):
    more = load_study([PAPER], {"figures": {"fig2": {"lam": [0.1, 0.05, 1e-3, 1e-5]}}})
    assert set(RUNS) < set(more.runs)
    assert len(more.runs) == len(RUNS) + 2, "eq2 and weight_decay, but no other run without"
    assert paper.run("dense", "none", 0.1) == paper.run("dense", "none", 5)


def test_what_each_figure_shows(paper):
    assert paper.milestones("fig1") == []
    shown = [(run.regularizer, run.lam, epoch) for run, epoch in paper.milestones("fig2")]
    assert shown == [
        (regularizer, 0 if regularizer == "none" else lam, 200_000)
        for lam in (0.1, 1e-3, 1e-5)
        for regularizer in ("eq2", "weight_decay", "none")
    ]
    for name in ("fig3", "fig4"):
        shown = [(run.network, run.regularizer, run.lam, e) for run, e in paper.milestones(name)]
        assert shown == [
            ("representer", "eq2", 1e-3, 50_000),
            ("representer", "weight_decay", 1e-3, 50_000),
            ("dense", "weight_decay", 1e-3, 50_000),
            ("dense", "none", 0, 50_000),
        ]
    assert len(paper.shown) == 7 + 4
    assert len(set(paper.shown)) == len(paper.shown)


@pytest.mark.parametrize("figure", ["fig1", "fig2", "fig3", "fig4"])
def test_a_request_holds_what_the_figure_draws_and_survives_json(paper, figure):
    request = paper.request(figure)
    assert request.figure == figure
    assert request.settings == getattr(paper.figures, figure)
    assert type(request).model_validate_json(request.canonical()) == request
    pairs = [(shown.run, shown.epochs[-1]) for shown in request.shown]
    assert pairs == [(run.id, epoch) for run, epoch in paper.milestones(figure)]


def test_the_files_that_figures_read(paper):
    read = {name: files_read(paper.request(name)) for name in paper.figures.names}
    assert read["fig1"] == []
    assert len(read["fig2"]) == 7 * (1 + 4), "a summary, and the trajectory over 4 milestones"
    assert paths.measured(RUNS[0], 200_000, "summary") in read["fig2"]
    assert paths.measured(RUNS[0], 50_000, "trajectory") in read["fig2"]
    assert paths.measured(RUNS[0], 50_000, "summary") not in read["fig2"]
    for name, tables in (("fig3", ["summary"]), ("fig4", ["spectra", "summary"])):
        assert len(read[name]) == 4 * (2 + len(tables))
        for run in (RUNS[3], RUNS[4], RUNS[7], RUNS[8]):
            assert {
                paths.state(run, 50_000),
                paths.measured(run, 50_000, "matrices"),
                *(paths.measured(run, 50_000, table) for table in tables),
            } <= set(read[name])
    for files in read.values():
        assert len(files) == len(set(files))


def test_the_files_that_figures_of_several_draws_read(paper, plan):
    """Those of the figure for every draw, and all summaries, which tell the typical draw."""
    for name in ("fig2", "fig3", "fig4"):
        request = plan.request(f"replicate/{name}")
        assert len(request.draws) == 10
        assert request.draws[0] == request.shown == paper.request(name).shown
        assert request.draws[3][0].seeds == (3, 3)
        read = files_read(request)
        assert len(read) == len(set(read))
        assert set(files_read(paper.request(name))) < set(read)
        for shown in (shown for draw in request.draws for shown in draw):
            assert paths.measured(shown.run, shown.epochs[-1], "summary") in read
    for name in ("claims", "readings"):
        assert files_read(plan.request(name)) == [f"results/claims/{name}.parquet"]


@pytest.mark.parametrize(
    ("epoch", "stride", "milestones"),
    [
        (200, 50, [50, 100, 150, 200]),
        (50, 50, [50]),
        (30, 50, [30]),
        (120, 50, [50, 100, 120]),
        (51, 50, [50, 51]),
        (3, 1, [1, 2, 3]),
    ],
)
def test_the_milestones_on_the_way(epoch, stride, milestones):
    assert chain(epoch, stride) == milestones
    assert [predecessor(step, stride) for step in milestones] == [0, *milestones[:-1]]


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 10**6))
def test_an_epoch_off_the_grid_is_nobodys_predecessor(epoch, other, stride):
    epoch, other = epoch % (50 * stride) + 1, other % (50 * stride) + 1
    assert predecessor(epoch, stride) % stride == 0
    assert predecessor(epoch, stride) < epoch
    low, high = sorted((epoch, other))
    assert set(chain(low, stride)) - {low} <= set(chain(high, stride))


# --- as a user meets it


@pytest.mark.workflow
def test_snakemake_says_it_in_one_line(tmp_path):
    project = Project(tmp_path / "project")
    project.folder.mkdir()
    project.clone()
    project.edit("config/config.yaml", "K: 24", "K: 0")
    done = project.snakemake("-n", "--config", "training={epochs: 3000}")
    assert done.returncode == 1
    lines = (done.stdout + done.stderr).splitlines()
    assert [line for line in lines if not line.startswith("Using workflow specific profile")] == [
        "config/config.yaml:14: network.K: 0 is not allowed; "
        "write a whole number from 1 to 1,000,000"
    ]
