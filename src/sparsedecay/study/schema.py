"""The JSON schema of a config, and what it allows in plain words.

schema = json_schema(Study)
allowed(node_at(schema, ("network", "K")))     "a whole number from 1 to 1,000,000"
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from sparsedecay.study.entries import Entry, KeyPath

Schema = dict[str, Any]

KINDS = {
    "integer": "whole number",
    "number": "number",
    "string": "word",
    "boolean": "truth value",
    "object": "section",
}


class Untitled(GenerateJsonSchema):
    """Without titles, which only repeat the names of keys and classes."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@cache
def json_schema(model: type[BaseModel]) -> Schema:
    """Draft 2020-12; `unit` is a keyword of ours, which validators ignore. Not to be changed."""
    schema: Schema = with_lists(model.model_json_schema(schema_generator=Untitled))
    for section in (schema, *schema.get("$defs", {}).values()):
        section.pop("title", None)
    return {"$schema": Untitled.schema_dialect, **schema}


def with_lists(node: Any) -> Any:
    """The same with a list of one value where there is a single constant."""
    if isinstance(node, dict):
        found = {name: with_lists(value) for name, value in node.items()}
        return found | {"enum": [found.pop("const")]} if "const" in found else found
    return [with_lists(value) for value in node] if isinstance(node, list) else node


def resolve(root: Schema, node: Schema) -> Schema:
    """The node itself instead of a reference to it; of `X | None` the X."""
    for choice in node.get("anyOf", []):
        if choice != {"type": "null"}:
            return resolve(root, choice | {"description": node.get("description", "")})
    if "$ref" in node:
        target: Schema = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
        return target | {name: value for name, value in node.items() if name != "$ref"}
    return node


def variants(root: Schema, node: Schema) -> dict[str, Schema]:
    """Of a section that holds one of several kinds, the section of each; else nothing."""
    mapping = node.get("discriminator", {}).get("mapping", {})
    return {kind: resolve(root, {"$ref": reference}) for kind, reference in mapping.items()}


def of_kind(root: Schema, node: Schema, entry: Entry | None) -> Schema:
    """A section that holds one of several kinds as that of the kind that an entry names; without
    an entry, of all kinds."""
    found = variants(root, node)
    if not found:
        return node
    named = entry.value.get("kind") if entry and isinstance(entry.value, dict) else None
    own = found.get(str(named.value)) if named else None
    properties: Schema = {}
    for section in [own] if own else list(found.values()):
        for name, inner in section["properties"].items():
            owners = [kind for kind, one in found.items() if name in one["properties"]]
            only = "" if own or len(owners) == len(found) else f"({', '.join(owners)}) "
            told = {"description": only + inner["description"]}
            properties.setdefault(name, inner | told)
    properties["kind"] = properties["kind"] | {"enum": list(found)}
    whole = own or next(iter(found.values()))
    told = {"properties": properties, "description": node.get("description", "")}
    return whole | told | ({} if own else {"kinds": list(found)})


def without_kinds(root: Schema, path: KeyPath) -> KeyPath:
    """A path as pydantic names it without the kinds that it holds behind sections' names."""
    node: Schema = root
    kept: list[str | int] = []
    for part in path:
        kinds = variants(root, node)
        if part in kinds:
            node = kinds[str(part)]
            continue
        kept.append(part)
        node = child(root, node, part) or {}
    return tuple(kept)


def child(root: Schema, node: Schema, part: str | int) -> Schema | None:
    """The node of a key or place within a section or list."""
    if isinstance(part, int):
        items = node.get("prefixItems", [node.get("items", {})] * (part + 1))
        found = items[part] if part < len(items) else None
    else:
        found = node.get("properties", {}).get(part) or node.get("additionalProperties")
    return resolve(root, found) if found else None


def node_at(root: Schema, path: KeyPath, config: Entry | None = None) -> Schema | None:
    """The node of a key; None if there is no such key.

    Args:
        config: tells the kinds of sections that hold one of several.
    """
    node: Schema = root
    for i, part in enumerate(path):
        below = child(root, node, part)
        if below is None:
            return None
        node = of_kind(root, below, config.at(path[: i + 1]) if config else None)
    return node


def leaves(root: Schema, path: KeyPath = (), config: Entry | None = None) -> Iterator[KeyPath]:
    """Each key that holds a value or a list; of a list of sections also the keys of the first.

    Args:
        config: tells the kinds of sections that hold one of several.
    """
    node = node_at(root, path, config)
    assert node is not None
    if "properties" in node:
        for name in node["properties"]:
            yield from leaves(root, (*path, name), config)
        return
    yield path
    if node["type"] == "array" and item_of(root, node).get("type") == "object":
        yield from leaves(root, (*path, 0), config)


def allowed(root: Schema, node: Schema) -> str:
    """What may stand here, to complete "write …"."""
    if "enum" in node:
        return words(node["enum"])
    if node["type"] == "boolean":
        return "true or false"
    if node["type"] == "object" and "properties" not in node:
        return f"a section with keys such as {node['propertyNames']['enum'][-1]}, a list for each"
    if "kinds" in node:
        return (
            f"a section with the key kind, which is {words(node['kinds'])}, and those of its kind"
        )
    if node["type"] == "object":
        names = list(node["properties"])
        return f"a section with the key{'s' * (len(names) > 1)} {', '.join(names)}"
    if node["type"] == "array":
        item = item_of(root, node)
        each = f", each {allowed(root, item)}" if item else ""
        return f"a list of {extent(node)} values in brackets{each}"
    unit = f" of {node['unit']}" if "unit" in node else ""
    return f"a {KINDS[node['type']]}{unit} {limits(node)}".rstrip()


def item_of(root: Schema, node: Schema) -> Schema:
    """What the values of a list are; those of a list of fixed length are all alike here."""
    return resolve(root, node["items"] if "items" in node else node["prefixItems"][0])


def extent(node: Schema) -> str:
    """How many values a list has."""
    least, most = node["minItems"], node["maxItems"]
    return f"{least}" if least == most else f"{least} to {most:,}"


def limits(node: Schema) -> str:
    """Range of a number."""
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if node["type"] == "integer" and below is not None:
        high, below = below - 1, None
    match low, above, high, below:
        case None, None, None, None:
            return ""
        case _, None, None, None:
            return f"of at least {low:,}"
        case None, _, None, None:
            return f"above {above:,}"
        case _, None, _, None:
            return f"from {low:,} to {high:,}" if high != 2**63 - 1 else f"from {low:,} to 2^63 - 1"
        case _, None, None, _:
            return f"from {low:,} to below {below:,}"
        case None, _, None, _:
            return f"above {above:,} and below {below:,}"
    raise NotImplementedError(f"no words for {node}")


def words(names: list[str]) -> str:
    """a, b or c"""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
