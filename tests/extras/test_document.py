"""config/README.md and config/schema.json say what is checked."""

import json
import re
import shutil
from functools import reduce
from operator import getitem

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from sparsedecay.errors import UserError
from sparsedecay.extras import document
from sparsedecay.science.regularizers import KINDS
from sparsedecay.study import parse
from sparsedecay.study.entries import key
from sparsedecay.study.plan import load_plan
from sparsedecay.study.schema import limits, node_at
from sparsedecay.study.study import load_study
from tests.study.made import (
    CONFIG,
    LEAVES,
    MORE,
    OTHERS,
    PAPER,
    PHASE,
    PHASED,
    PLAIN,
    changed,
    keys_of,
    wrong_values,
)
from tests.study.made import document as document_with

FILES = [PAPER, CONFIG / "sweep.yaml"]
SCHEMA = json.loads((CONFIG / "schema.json").read_text())
README = (CONFIG / "README.md").read_text()
EFFECTS = [
    (re.findall("`([^`]+)`", names), text.strip())
    for names, text in re.findall(
        r"^\| (.+?) \| (.+?) \|$", README.partition("after an edit\n")[2].partition("##")[0], re.M
    )[2:]
]
"""Keys or sections, and what an edit there makes run, as the README says it."""


def valid(config) -> bool:
    return Draft202012Validator(SCHEMA).is_valid(config)


@pytest.fixture
def check(capsys):
    """The exit status of `sparsedecay document --check`, and what it says."""

    def run(folder):
        with pytest.raises(SystemExit) as caught:
            document.main(["--folder", str(folder), "--check"])
        return caught.value.code, capsys.readouterr().err

    return run


def test_the_documents_are_up_to_date(check):
    """If not: run `sparsedecay document`."""
    assert check(CONFIG) == (0, "")


@pytest.mark.parametrize(
    ("spoilt", "content", "stale"),
    [
        *(("schema.json", content, "schema.json") for content in ("", None)),
        ("README.md", README.replace("`1296`", "`9`"), "README.md"),
        ("README.md", "\n\n".join(document.MARKS), "README.md"),
        ("config.yaml", PAPER.read_text().replace("K: 1296", "K: 81"), "README.md"),
    ],
)
def test_a_document_out_of_date_is_named_and_written(tmp_path, check, spoilt, content, stale):
    for file in ("config.yaml", "README.md", "schema.json"):
        shutil.copy(CONFIG / file, tmp_path)
    before = (tmp_path / stale).read_bytes()
    file = tmp_path / spoilt
    file.unlink() if content is None else file.write_text(content)
    told = f"{tmp_path / stale}: is out of date; run: sparsedecay document\n"
    assert check(tmp_path) == (1, told)
    document.main(["--folder", str(tmp_path)])
    assert check(tmp_path) == (0, "")
    kept = content is None or "# The configuration" in content or spoilt == "schema.json"
    assert ((tmp_path / stale).read_bytes() == before) == (spoilt == stale and kept)


@pytest.mark.parametrize("content", [None, "", "no marks", document.MARKS[0]])
def test_a_readme_without_a_place_for_the_keys_is_told(tmp_path, content):
    shutil.copy(PAPER, tmp_path)
    if content is not None:
        (tmp_path / "README.md").write_text(content)
    with pytest.raises(UserError, match=r"README\.md: lacks a line <!--"):
        document.main(["--folder", str(tmp_path)])


def test_elsewhere_there_is_nothing_to_document(tmp_path):
    with pytest.raises(UserError, match=r"config\.yaml: no such file"):
        document.main(["--folder", str(tmp_path)])


# --- the schema


def test_the_schema_is_one_and_takes_both_configs():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for name in ("config.yaml", "smoke.yaml"):
        assert valid(parse.read(CONFIG / name).plain())
        first = (CONFIG / name).read_text().splitlines()[0]
        assert first == "# yaml-language-server: $schema=schema.json"
    assert valid(document_with())


@pytest.mark.parametrize("path", LEAVES, ids=key)
def test_the_schema_refuses_a_misspelt_key_a_missing_one_and_what_is_not_allowed(path):
    if path[-1] != 0:
        config = reduce(getitem, path[:-1], whole := document_with(path))
        config[f"{path[-1]}x"] = config[path[-1]]
        assert not valid(whole)
        assert valid(changed(path)) == (path[-1] in LATER), "it came later"
    for value in wrong_values(path):
        # of JSON 2.0 is a whole number, and any size is one; it has no infinity
        if value not in (2.0, 10**4000) and str(value) not in ("nan", "inf", "-inf"):
            assert not valid(changed(path, value)), value


@pytest.mark.parametrize(
    "settings", [{"network.d": []}, {"network.D": [4]}, {"data.seed": [4]}, {"network.d": 4}]
)
def test_the_schema_knows_what_a_sweep_may_vary(settings):
    assert not valid(changed(("sweep", "settings"), settings))


def test_figures_claims_sweep_archive_kinds_and_nothing_else_may_be_left_out():
    config = document_with()
    del config["claims"], config["sweep"], config["archive"]
    for name in ("fig1", "fig2", "fig3", "radon", *MORE):
        del config["figures"][name]
    assert valid(config)
    optional = {"": {"archive", "claims", "sweep"}, "Claims": {"search"}}
    optional["Figures"] = SCHEMA["$defs"]["Figures"]["properties"].keys()
    for name, node in {"": SCHEMA, **SCHEMA["$defs"]}.items():
        assert node["additionalProperties"] is False
        needless = {key for key, one in node["properties"].items() if "default" in one}
        needless |= optional.get(name, set())
        assert set(node.get("required", ())) == set(node["properties"]) - needless


@pytest.mark.parametrize("path", LEAVES, ids=key)
def test_every_key_is_described_for_editors_and_in_the_readme(path):
    if isinstance(path[-1], int):
        return
    node = node_at(SCHEMA, path)
    assert len(node["description"].split()) >= 2
    section, name = key(document.section_of(path)), path[len(document.section_of(path)) :]
    table = README.partition(f"### {section}\n")[2].partition("\n### ")[0]
    rows = [line for line in table.splitlines() if line.startswith(f"| `{listed(name)}` |")]
    kinds = table.count("\n`kind: ")  # a table for each
    assert len(rows) == 1 or (name[-1] == "kind" and kinds) or 1 < len(rows) <= kinds
    for row in rows:
        assert row.count("|") == 6, "five cells, none of them cut by a |"
        assert all(cell.strip() for cell in row.strip("|").split("|"))


def listed(path) -> str:
    return key(path).replace("[0]", "[]")


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"type": "number"}, ""),
        ({"type": "integer", "minimum": 3}, "of at least 3"),
        ({"type": "integer", "minimum": 0, "exclusiveMaximum": 5000}, "from 0 to 4,999"),
    ],
)
def test_ranges_in_words(node, words):
    """Those that the paper's config does not have; the next test is on all others."""
    assert limits(node) == words


def test_the_readme_shows_ranges_units_and_the_papers_values():
    for row in (
        "| `K` | whole number | from 1 to 1,000,000 | `1296` |",
        "| `stride` | whole number, epochs | from 1 to 1,000,000,000 | `50000` |",
        "| `checkpoint_seconds` | number, seconds | above 0 | `60` |",
        "| `lam` | list of numbers | 1 to 12 values, each above 0 | `[1.0e-1, 1.0e-3, 1.0e-5]` |",
        "| `average_over` | list of words | 1 to 3 of `W`, `V`, `C` | `[W, V]` |",
        "| `relative_rank_threshold` | number | above 0 and below 1 | `1.0e-3` |",
        "| `seed` | whole number | from 0 to 2^63 - 1 | `0` |",
        "| `momentum` | number | from 0 to below 1 | – |",
        "| `precision` | word | `float32`, `float64` | `float32` |",
        "| `decay_biases` | truth value | `true`, `false` | `true` |",
        "| `skips` | word | `leap`, `input`, `none` | `leap` |",
        "| `batches` | whole number | from 1 to 1,000,000 | `1` |",
        "| `shallow.K` | list of whole numbers | 2 to 20 values, each from 1 to 1,000,000 | "
        "`[162, 405, 810, 1296]` |",
        "| `readings` | word | any | `readings.yaml` |",
        "| `settings` | section | 1 to 1,000 values for each key | – |",
        "| `columns[].range` | list of numbers | 2 values | – |",
        f"| `networks[].regularizer` | word | {document.ticked(KINDS)} | – |",
    ):
        assert row in README


LATER = {
    "data",
    "device",
    "kind",
    "scaled",
    "outputs",
    "file",
    "test_column",
    "sha256",
    "rows",
    "test_rows",
}
"""Keys with a default."""


# --- what runs again

EDITED = YAML(typ="safe").load("""
data: {levels: [0, 1], dimension: 3, target_range: [0, 1], seed: 1}
network: {L: 3, K: 8, d: 8, skips: none}
objective: {loss: sum, weight_decay: adam, decay_biases: false}
initialization: {range: [0, 1], scale: fan_in, seed: 1}
optimizer: {learning_rate: 0.1, betas: [0.5, 0.9], eps: 1.0e-7, batches: 3}
training: {epochs: 250000, stride: 25000, record_every: 500, precision: float64, engine: autograd,
  device: cpu, checkpoint_seconds: 1}
measures: {threshold: 0.01, rank_threshold: 0.01, relative_rank_threshold: 0.01, average_over: [W]}
figures:
  fig1: {L: 4}
  collapse: {lam: 0.5, epoch: 100000, columns: [{network: representer, regularizer: l1,
    range: [-2, 2]}]}
  generalisation: {lam: [0.1, 0.5], epoch: 100000, panels: [{network: dense, regularizer: l1}]}
  radon: {lam: 0.5, epochs: [100000], panels: [{network: dense, regularizer: eq2}]}
  optimum: {K: [9], lam: [0.5], regularizers: [weight_decay], seeds: 2, epoch: 100000, gap: 0.1,
    slack: 0.1}
  phase: {regularizer: weight_decay, lam: [0.5], K: [8, 9], points: [4, 5], layers: [2, 1],
    draws: 2, epoch: 100000, fits: 0.2, certified: 0, gap: 0.1}
  fig2: {network: dense, lam: [0.5], regularizers: [none]}
  fig3: {lam: 0.5, epoch: 100000, panels: [{network: dense, regularizer: eq2}]}
  fig4: {lam: 0.5, epoch: 100000, panels: [{network: dense, regularizer: eq2}]}
claims:
  {seeds: 5, vary: [weights], milestones: [50000, 100000], dense_milestones: [50000, 100000],
  shallow: {K: [81, 82], lam: 0.1, epoch: 100000}, readings: smoke-readings.yaml, reading_seeds: 2,
  search: {seeds: 3, combine: 1, keep: 2}}
sweep:
  {seeds: 3, vary: [weights], networks: [{network: representer, regularizer: none}], lam: [0.5],
  settings: {network.d: [3]}, milestones: [100000]}
archive: {targets: [all, readings], weights: false, data: false}
""")
EDITS = {key(path): reduce(getitem, path, EDITED) for path in keys_of(EDITED) if 0 not in path}
EDITS |= {f"{section}.kind": value for one in OTHERS for section, value in one.items()}
# with L = 2 there is only one layer to show
WITH_LAYER = ("collapse", "fig3", "fig4", "generalisation")
UNTOUCHED = {f"figures.{name}.layer" for name in WITH_LAYER}
UNTOUCHED |= {key(path) for path in set().union(*map(keys_of, OTHERS)) - set(keys_of(PLAIN))}


CLAIMS = [name for name in EDITS if name.startswith("claims.") and name != "claims.search.keep"]
"""What statements are tested on; how many readings a search keeps is a parameter of its rule."""


def test_every_key_has_one_line_on_what_runs_again():
    edited = {key(path) for path in LEAVES if 0 not in path}
    assert edited == EDITS.keys() | UNTOUCHED
    for name in edited:
        assert len([names for names, _ in EFFECTS if covers(names, name)]) == 1, name


def covers(names, name) -> bool:
    return any(name == covered or name.startswith(covered + ".") for covered in names)


def nested(name, value):
    """{"a": {"b": value}} for a.b; another kind is a whole section."""
    name = name.removesuffix(".kind")
    for part in reversed(name.split(".")):
        value = {part: value}
    return value


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_makes_run_what_the_readme_says(name):
    """Files of runs change with the runs' names, figures with their requests."""
    edit, there = nested(name, EDITS[name]), {}
    for figure, section in (MORE | {"phase": PHASE}).items():
        if name.startswith(f"figures.{figure}"):  # which the paper's config does not have
            there = {"figures": {figure: section}}
            edit = {"figures": {figure: section | edit["figures"][figure]}}
            if figure == "phase":
                there, edit = ({"data": PHASED["data"], **one} for one in (there, edit))
    before, after = load_study(FILES, there), load_study(FILES, edit)
    redrawn = {n for n in before.figures.names if before.request(n) != after.request(n)}
    measured_anew = before.measures != after.measures
    everything = list(before.runs.values())
    renamed = [run for run in everything if run.id not in after.runs]
    if name.startswith(
        "figures."
    ):  # other runs are shown; those of the old figure keep their names
        assert before.runs.keys() & after.runs.keys()
        everything = renamed = []
    dense = [run for run in everything if run.network == "dense"]
    decayed = [run for run in everything if run.regularizer == "weight_decay"]
    expected = {
        "Nothing.": (set(), False, []),
        "Figure 1": ({"fig1"}, False, []),
        "Nothing is trained.": ({"fig2", "fig3", "fig4", "radon"}, True, []),
        "The optima": ({name.split(".")[1]}, False, []),
        "Optima": ({"phase"}, False, []),
        "The figure": ({"phase"}, False, []),
        "Only runs and milestones": ({name.split(".")[1]}, False, []),
        "Only runs that no statement": (set(), False, []),
        "Only runs that no setting": (set(), False, []),
        "The archive": (set(), False, []),
        "Figure 2's": ({"fig2"}, False, []),
        "Everything": ({"fig2", "fig3", "fig4", "radon"}, False, everything),
        "All dense": ({"fig3", "fig4"}, False, dense),
        "All networks with weight decay": ({"fig2", "fig3", "fig4", "radon"}, False, decayed),
    }
    (effect,) = [text for names, text in EFFECTS if covers(names, name)]
    (told,) = [result for start, result in expected.items() if effect.startswith(start)]
    assert (redrawn, measured_anew, renamed) == told


@pytest.mark.parametrize("name", CLAIMS)
def test_an_edit_of_the_claims_tests_statements_anew_and_keeps_the_figures_runs(name):
    before, after = load_plan([PAPER]), load_plan([PAPER], nested(name, EDITS[name]))
    tables = ("screen", "search") if "search" in name else ("claims", "readings")
    assert [table for table in tables if before.statements(table) != after.statements(table)]
    assert before.runs.keys() & after.runs.keys() >= before.study.runs.keys()


@pytest.mark.parametrize("name", [name for name in EDITS if name.startswith("sweep.")])
def test_an_edit_of_the_sweep_joins_its_tables_anew_and_nothing_else(name):
    before, after = load_plan(FILES), load_plan(FILES, nested(name, EDITS[name]))
    assert before.asked("sweep") != after.asked("sweep")
    for other in ("figures/fig2", "figures/replicate/fig2", "statements/claims"):
        assert before.asked(other) == after.asked(other)
