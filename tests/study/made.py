"""The paper's config with a sweep and two more figures, and sections of the kinds that it lacks."""

import copy
import json
import math
import re
from collections.abc import Iterator
from functools import reduce
from hashlib import sha256
from operator import getitem
from pathlib import Path
from typing import Any

import pytest

from sparsedecay.errors import UserError
from sparsedecay.study import parse
from sparsedecay.study.entries import KeyPath
from sparsedecay.study.schema import item_of, json_schema, leaves, node_at
from sparsedecay.study.study import Study, load_study

CONFIG = Path(__file__).parents[2] / "config"
PAPER = CONFIG / "config.yaml"
TEXT = PAPER.read_text(encoding="utf-8")
SCHEMA = json_schema(Study)
LEAVES = list(leaves(SCHEMA))
SWEEP = {
    "seeds": 2,
    "vary": ["targets", "weights"],
    "networks": [{"network": "representer", "regularizer": "eq2"}],
    "lam": [0.1],
    "settings": {"network.d": [4, 8]},
    "milestones": [50_000],
}
COLLAPSE = {
    "lam": 1e-3,
    "epoch": 50_000,
    "layer": 2,
    "columns": [{"network": "representer", "regularizer": "eq2", "range": [-1, 1]}],
}
OPTIMUM = {
    "K": [8, 16],
    "lam": [1e-3],
    "regularizers": ["eq2"],
    "seeds": 1,
    "epoch": 50_000,
    "gap": 1e-4,
    "slack": 1e-3,
}
PLAIN: dict[str, Any] = parse.read(PAPER).plain() | {"sweep": SWEEP}
GENERALISATION = {
    "lam": [1e-3, 1e-2],
    "epoch": 50_000,
    "layer": 2,
    "panels": [{"network": "representer", "regularizer": "eq2"}],
}
TABLE = Path(__file__).with_name("table.csv")
FILE = {
    "kind": "file",
    "file": str(TABLE),
    "input_columns": ["a", "b"],
    "output_columns": ["c"],
    "standardise": True,
    "test_fraction": 0.25,
    "seed": 0,
}
DRAWN = {"points": 9, "dimension": 2, "target_range": [-1, 1], "seed": 0}
UNTESTED = {"test_points": 0, "seed": 0}
TAUGHT = {"inputs": "box", "points": 9, "dimension": 2, "outputs": 2, "neurons": 3, "seed": 0}
PHASE = {
    "regularizer": "eq2",
    "lam": [1e-3],
    "K": [8, 16],
    "points": [4, 9],
    "layers": [1, 2],
    "draws": 1,
    "epoch": 50_000,
    "fits": 0.1,
    "certified": 4,
    "gap": 1e-3,
}
MORE = {"collapse": COLLAPSE, "generalisation": GENERALISATION, "optimum": OPTIMUM}
"""Figures that the paper does not have."""
PLAIN["figures"] |= MORE
PLAIN["archive"] |= {"data": True}
OTHERS: list[dict[str, dict[str, Any]]] = [
    {
        "initialization": {
            "kind": "by_role",
            "W": [-1, 1],
            "V": [0, 2],
            "C": [-0.5, 0.5],
            "biases": [0, 0],
            "scale": "none",
            "scaled": ["W"],
            "seed": 0,
        }
    },
    {"data": {"kind": "box", "range": [-1, 1], "outputs": 2, **DRAWN}},
    {"data": {"kind": "sphere", "radius": 1.5, **DRAWN}},
    {"data": {"kind": "gaussian", "deviation": 0.5, **DRAWN}},
    {"data": {"kind": "teacher", "noise": 0.1, "test_points": 5, **TAUGHT}},
    {
        "data": {
            "kind": "toy",
            "formula": "bump",
            "points": 9,
            "noise": 0,
            "test_points": 0,
            "seed": 0,
        }
    },
    {"data": FILE | {"sha256": sha256(TABLE.read_bytes()).hexdigest(), "rows": 6, "test_rows": 2}},
    {"data": FILE | {"test_fraction": 0, "test_column": "split"}},
    {"optimizer": {"kind": "pathprox", "learning_rate": 0.01, "batches": 1}},
    {"optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9, "batches": 1}},
]
"""Of each kind that the paper does not have its section. With them each key stands somewhere."""
PHASED = {
    "data": {"kind": "box", "range": [-1, 1], **DRAWN},
    "figures": PLAIN["figures"] | {"phase": PHASE},
}
"""What the figure needs that is not for the paper's grid, whose number of points is fixed."""


def laid_over(path: KeyPath) -> dict[str, dict[str, Any]]:
    """What must lie over the paper's config for it to have a key that only other kinds have."""
    section, name = path[0], path[-1]
    if path[:2] == ("figures", "phase"):
        return PHASED
    if len(path) != 2 or name in PLAIN[section]:
        return {}
    return next(one for one in OTHERS if name in one.get(section, {}))


def document(path: KeyPath = ()) -> dict[str, Any]:
    """The paper's config with a sweep, or one that has a key of another kind."""
    return copy.deepcopy(PLAIN | (laid_over(path) if path else {}))


def keys_of(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    """The keys that hold a value or a list, as `study.schema.leaves` finds them in the schema."""
    if isinstance(value, dict) and path != ("sweep", "settings"):
        return [found for name, one in value.items() for found in keys_of(one, (*path, name))]
    if isinstance(value, list) and isinstance(value[0], dict):
        return [path, *keys_of(value[0], (*path, 0))]
    return [path]


def changed(path: KeyPath, value: Any = None, *, name: str | None = None) -> dict[str, Any]:
    """The paper's config with another value, another name for a key, or without it."""
    whole: Any = document(path)
    section = reduce(getitem, path[:-1], whole)
    old = section.pop(path[-1]) if isinstance(section, dict) else section[path[-1]]
    if name is not None:
        section[name] = old
    elif value is not None:
        section[path[-1]] = value
    return whole


def wrong_values(path: KeyPath) -> Iterator[Any]:
    """Values that a key must refuse: of other types, and just out of its range."""
    node = node_at(SCHEMA, path)
    yield from ([], math.nan, math.inf)
    if node["type"] != "object":
        yield {"a": 1}
    if node["type"] != "boolean":
        yield True
    if node["type"] != "string" or "enum" in node:
        yield "text"
    match node["type"]:
        case "string" if "enum" in node:
            yield from (0, 1.5, "", node["enum"][0].swapcase(), node["enum"][0] + " ")
        case "string":
            yield from (0, 1.5, "", "x" * (node["maxLength"] + 1))
        case "boolean":
            yield from (0, 1, 1.0, "true", "false", "yes", "", [True])
        case "array":
            item = item_of(SCHEMA, node)
            panel = {"network": "representer", "regularizer": "eq2"}
            if "range" in item.get("properties", {}):
                panel |= {"range": [-1, 1]}
            good = {"string": item.get("enum", ["a"])[0], "object": panel, "integer": 1}
            good = good.get(item["type"], 0.5)
            yield from (5, [good] * (node["maxItems"] + 1), [good] * (node["minItems"] - 1))
        case "integer":
            yield from (1.5, 2.0, "1", [1], 10**4000, node["minimum"] - 1)
            yield node.get("maximum", node.get("exclusiveMaximum", 0) - 1) + 1
        case "number":
            yield from ("1e-3", [1], 10**4000, -math.inf)
            bounds = ("exclusiveMinimum", 0), ("minimum", -1e-9), ("exclusiveMaximum", 0)
            yield from (node[name] + step for name, step in bounds if name in node)


def line_of(text: str) -> int:
    """Where the paper's config first has a text."""
    return TEXT[: TEXT.index(text)].count("\n") + 1


def load(document: str | dict[str, Any]) -> Study:
    """The study in a document, through a file mine.yaml."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    # JSON is YAML, but for these
    text = re.sub(r"(?<![\w\"])NaN", ".nan", re.sub(r"(?<![\w\"])Infinity", ".inf", text))
    text = text.replace("-Infinity", "-.inf")
    Path("mine.yaml").write_text(text, encoding="utf-8")
    return load_study([Path("mine.yaml")])


WORDS_OF_THE_CONFIG = "leap, input or none"
JARGON = re.compile(r"tuple|Input|function-|Figure1|TrainedMatrices|instance|NoneType|pydantic")


def load_lines(document: str | dict[str, Any]) -> list[str]:
    """What is said of a document that is refused."""
    with pytest.raises(UserError) as caught:
        load(document)
    return str(caught.value).splitlines()


def refusal(document: str | dict[str, Any]) -> list[str]:
    """The same: a line for each mistake, all of them plain."""
    lines = load_lines(document)
    for line in lines:
        assert line.isprintable()
        assert re.match(r"mine\.yaml(:\d+)?: ", line)
        assert not JARGON.search(line.replace(WORDS_OF_THE_CONFIG, ""))
        assert len(line) < 350
    return lines
