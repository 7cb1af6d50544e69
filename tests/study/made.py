"""The paper's config with a sweep, and sections of the kinds that it does not have."""

import copy
from pathlib import Path
from typing import Any

from sparsedecay.study import parse
from sparsedecay.study.entries import KeyPath

CONFIG = Path(__file__).parents[2] / "config"
PAPER = CONFIG / "config.yaml"
SWEEP = {
    "seeds": 2,
    "vary": ["targets", "weights"],
    "networks": [{"network": "representer", "regularizer": "eq2"}],
    "lam": [0.1],
    "settings": {"network.d": [4, 8]},
    "milestones": [50_000],
}
PLAIN: dict[str, Any] = parse.read(PAPER).plain() | {"sweep": SWEEP}
OTHERS: list[dict[str, dict[str, Any]]] = [
    {
        "initialization": {
            "kind": "by_role",
            "W": [-1, 1],
            "V": [0, 2],
            "C": [-0.5, 0.5],
            "biases": [0, 0],
            "scale": "none",
            "seed": 0,
        }
    },
    {"optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9, "batches": 1}},
]
"""Of each kind that the paper does not have its section. With them each key stands somewhere."""


def laid_over(path: KeyPath) -> dict[str, dict[str, Any]]:
    """What must lie over the paper's config for it to have a key that only other kinds have."""
    section, name = path[0], path[-1]
    if len(path) != 2 or name in PLAIN[section]:
        return {}
    return next(one for one in OTHERS if name in one.get(section, {}))


def document(path: KeyPath = ()) -> dict[str, Any]:
    """The paper's config with a sweep, or one that has a key of another kind."""
    return copy.deepcopy(PLAIN | (laid_over(path) if path else {}))


def keys_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """The keys that hold a value or a list, as `study.schema.leaves` finds them in the schema."""
    if isinstance(value, dict) and path != ("sweep", "settings"):
        return {found for name, one in value.items() for found in keys_of(one, (*path, name))}
    if isinstance(value, list) and isinstance(value[0], dict):
        return {path} | keys_of(value[0], (*path, 0))
    return {path}
