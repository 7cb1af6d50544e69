"""Any config is either in order or refused in a line that names file and key; none does harm."""

import json
import os
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparsedecay.errors import UserError
from sparsedecay.study import parse
from sparsedecay.study.study import load_study
from tests.extras.archive.made import ROOT

LONG = os.environ.get("FAULTS") == "long"
PAPER = parse.read(ROOT / "config/config.yaml").plain()
many = settings(
    max_examples=10_000 if LONG else 150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
WORDS = st.sampled_from(
    ["", "none", "../../etc", "a/b", "..", "a\nb", "\0", "é", "-1", "nan", "${HOME}", "1e999", "!x"]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    WORDS,
    st.text(max_size=20),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=9), inner),
    max_leaves=8,
)


def places(value, path=()):
    """Every key of a document, and every place in its lists."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in entries:
        yield (*path, name)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*path, name))


PLACES = sorted(places(PAPER), key=str)


def told(file):
    """What is said of a file: nothing, or lines for a terminal."""
    try:
        load_study([file])
    except UserError as error:
        lines = str(error).splitlines()
        assert lines
        for line in lines:
            assert line.isprintable()
            assert len(line) < 1000
        return lines
    return []


@given(data=st.data())
@many
def test_the_papers_config_with_something_else_in_it(tmp_path, did, data):
    """The message names the section, unless the new value happens to be allowed."""
    document = json.loads(json.dumps(PAPER))
    place = data.draw(st.sampled_from(PLACES))
    within = document
    for part in place[:-1]:
        within = within[part]
    match data.draw(st.sampled_from(["other", "other", "gone", "more"])):
        case "other":
            within[place[-1]] = data.draw(VALUES)
        case "gone":
            del within[place[-1]]
        case "more" if isinstance(within, dict):
            within[data.draw(st.text(min_size=1, max_size=12))] = data.draw(VALUES)
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps(document))
    lines = told(file)
    if lines and place[0] in document:
        assert all(line.startswith(str(file)) for line in lines[:1])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]
    did["configs refused with file and key" if lines else "configs still in order"] += 1


@given(
    st.binary(max_size=300)
    | (st.text(max_size=300) | st.text("[]{}&*!|>'\"%:,?-# \n\tab01.e<", max_size=60)).map(
        lambda text: text.encode("utf-8", "replace")
    )
)
@many
def test_any_bytes(tmp_path, did, content):
    """No such document is a whole config."""
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    lines = told(file)
    assert lines
    assert all(line.startswith(str(file)) for line in lines)
    did["files of any bytes refused"] += 1


HOSTILE = {
    "a million runs": json.dumps(
        {**PAPER, "claims": None, "sweep": {
            "seeds": 10_000, "vary": ["weights"], "lam": [i / 1e3 + 1e-3 for i in range(100)],
            "networks": [{"network": "representer", "regularizer": "eq2"}],
            "settings": {}, "milestones": [50_000]}}
    ),
    "deep nesting": "a: " + "[" * 100_000,
    "deep mappings": "\n".join(" " * i + f"a{i}:" for i in range(3000)),
    "tags": "data: !!python/object/apply:os.system ['touch harm']",
    "a huge number": "training: {epochs: " + "9" * 100_000 + "}",
    "a huge document": "a: " + "x" * 30_000_000,
    "many documents": "---\n" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused_soon(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "mine.yaml"
    file.write_text(HOSTILE[name])
    began = time.monotonic()
    tracemalloc.start()
    try:
        assert told(file)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 500e6
    assert time.monotonic() - began < 60  # no measure of speed: exploding takes for ever
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]
