"""A config with every key explained, by what the schema says of it."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from sparsedecay.study import parse
from sparsedecay.study.entries import KeyPath
from sparsedecay.study.schema import Schema, allowed, item_of, json_schema, node_at
from sparsedecay.study.study import Study

WIDTH = 100


def commented(file: Path) -> str:
    """The text of a config with a comment above each key that has a line of its own.

    Raises:
        UserError: it is missing, or no config.
    """
    config = parse.read(file)
    schema = json_schema(Study)
    lines = file.read_text("utf-8").splitlines()
    above: dict[int, list[str]] = {}
    for path, line, column, others in keys(YAML().load("\n".join(lines)), ()):
        node = node_at(schema, path, config)
        assert node is not None
        remarks = [told(schema, node), *added(schema, node, others)]
        above[line] = [f"{' ' * column}# {row}" for row in rows(remarks, WIDTH - column - 2)]
    text = [row for i, line in enumerate(lines) for row in (*above.get(i, ()), line)]
    absent = [*added(schema, schema, config.value)]
    text += ["", *(f"# {row}" for row in rows(absent, WIDTH - 2))] if absent else []
    return "\n".join(text) + "\n"


def keys(section: CommentedMap, path: KeyPath) -> Iterator[tuple[KeyPath, int, int, list[str]]]:
    """Each key in a line of its own: its path, line and column from 0, and the keys within it."""
    for name, value in section.items():
        line, column = section.lc.key(name)
        inner = [*value] if isinstance(value, CommentedMap) else []
        yield (*path, name), line, column, inner
        if isinstance(value, CommentedMap) and not value.fa.flow_style():
            yield from keys(value, (*path, name))


def rows(remarks: list[str], width: int) -> list[str]:
    return [row for remark in remarks for row in wrap(remark, width, break_on_hyphens=False)]


def told(schema: Schema, node: Schema) -> str:
    """What a key means and takes."""
    meaning = " ".join(node["description"].split())
    if node["type"] == "object":
        return meaning
    if node["type"] == "array" and (item := item_of(schema, node)).get("type") == "object":
        parts = (
            f"`{name}`: {told(schema, item_at(schema, item, name))}" for name in item["properties"]
        )
        return f"{meaning} Each has {' '.join(parts)}"
    return f"{meaning} [{allowed(schema, node)}]"


def item_at(schema: Schema, section: Schema, name: str) -> Schema:
    """The node of a key within a section."""
    found = node_at({**section, "$defs": schema.get("$defs", {})}, (name,))
    assert found is not None
    return found


def added(schema: Schema, node: Schema, present: list[str] | dict[str, object]) -> Iterator[str]:
    """Remarks on the keys that a section lacks; nothing of what is no section."""
    for name in node.get("properties", {}):
        if name not in present:
            yield f"May be added: `{name}`: {told(schema, item_at(schema, node, name))}"
