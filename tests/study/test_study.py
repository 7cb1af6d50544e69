"""Every key of the config, with every kind of wrong value, and anything at all."""

import difflib
import json
import math
import re
from functools import reduce
from operator import getitem

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparsedecay.errors import UserError
from sparsedecay.study.entries import key
from sparsedecay.study.schema import node_at
from sparsedecay.study.study import Study, load_study
from tests.study.made import (
    CONFIG,
    MORE,
    OTHERS,
    PAPER,
    PHASE,
    SCHEMA,
    TEXT,
    changed,
    document,
    keys_of,
    load,
    load_lines,
    refusal,
    wrong_values,
)
from tests.study.made import LEAVES as ALL

# figure 4 has the same settings as figure 3
LEAVES = [path for path in ALL if path[:2] != ("figures", "fig4")]
SECTIONS = sorted({path[:i] for path in LEAVES for i in range(1, len(path))}, key=str)
KEYS = [path for path in [*SECTIONS, *LEAVES] if isinstance(path[-1], str)]
OPTIONAL = [("archive",), ("claims",), ("sweep",), *(("figures", f"fig{i}") for i in range(1, 4))]
OPTIONAL += [("claims", "search"), *(("figures", name) for name in ("radon", "phase", *MORE))]
KINDS = [(section, "kind") for section in ("data", "initialization", "optimizer")]
KINDS.append(("initialization", "scaled"))
LATER = ("outputs", "file", "test_column", "sha256", "rows", "test_rows")
KINDS += [("archive", "data"), ("training", "device"), *(("data", name) for name in LATER)]
"""May be left out, for what there was before this key; not be empty."""
names = {"ids": lambda value: key(value) if isinstance(value, tuple) else repr(value)[:20]}


# --- every key of the config


def test_both_shipped_configs_are_in_order():
    usual = ["fig1", "fig2", "fig3", "fig4"]
    for file, more in (("config.yaml", ["radon"]), ("smoke.yaml", [])):
        assert load_study([CONFIG / file]).figures.names == usual + more


def test_the_keys_are_found():
    """What the tests below are made from is complete."""
    whole = document()
    del whole["figures"]["fig4"]
    others = [*OTHERS, {"figures": {"phase": PHASE}}]
    assert set(LEAVES) == set(keys_of(whole)).union(*map(keys_of, others))
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
    free = items[0] == "a" or items[0] == "c"  # names of columns
    for value in (True, math.nan, [], 10**400, *([] if free else ["text"])):
        lines = refusal(json.dumps(changed(path, [*items[:-1], value])))
        assert len(lines) == 1
        assert f": {key((*path, len(items) - 1))}: " in lines[0]


@pytest.mark.parametrize("path", KEYS, **names)
def test_every_misspelt_key_is_told_the_right_one(path):
    name = path[-1]
    section = reduce(getitem, path[:-1], document(path))
    others = {name, "", "x", "X", *section}
    for misspelt in {name + "x", name.swapcase(), name[:-1], "x" + name[1:]} - others:
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
            assert re.fullmatch(r".*config\.yaml(:\d+)?|--config|.+, --config", place)
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
