"""What is wrong with a config, in words: one line for each mistake, with file, key and remedy."""

import contextlib
import difflib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from sparsedecay.study.entries import Entry, KeyPath, key
from sparsedecay.study.schema import Schema, allowed, node_at, without_kinds

MOST = 20
"""Mistakes that are shown at once."""

Problem = tuple[KeyPath, str, str]
"""Key, pydantic's name for the kind of mistake, its message."""


def explain(error: ValidationError, config: Entry, schema: Schema, sources: list[str]) -> str:
    """The mistakes in a config, a line each. `sources` are the files that it came from."""
    lines = list(dict.fromkeys(Explainer(config, schema, sources).lines(problems(error, schema))))
    more = [f"… and {len(lines) - MOST:,} more mistakes"] if len(lines) > MOST else []
    return "\n".join(lines[:MOST] + more)


def problems(error: ValidationError, schema: Schema) -> list[Problem]:
    """What pydantic found. A value missing at the end of a list is a mistake of the list; a list
    is not too short besides because its values were refused."""
    found: list[Problem] = []
    for e in error.errors(include_url=False, include_input=False):
        path, kind = without_kinds(schema, tuple(e["loc"])), e["type"]
        if kind == "union_tag_invalid":
            path = (*path, "kind")
        if kind == "missing" and isinstance(path[-1], int):
            path, kind = path[:-1], "too_short"
        found.append((path, kind, e["msg"].removeprefix("Value error, ")))
    lists = {p[0][:i] for p in found for i, part in enumerate(p[0]) if isinstance(part, int)}
    return [p for p in found if not (p[1] == "too_short" and p[0] in lists)]


@dataclass(frozen=True)
class Explainer:
    """Puts problems in words, with what stands in the config and what the schema allows."""

    config: Entry
    schema: Schema
    sources: list[str]

    def lines(self, found: list[Problem]) -> Iterator[str]:
        missing = {path for path, kind, _ in found if kind == "missing"}
        unknown = [path for path, kind, _ in found if kind == "extra_forbidden"]
        meant = {path: self.nearest(path, missing) for path in unknown}
        for path, kind, message in found:
            if kind == "extra_forbidden":
                yield self.unknown(path, meant[path])
            elif kind == "value_error":
                for rule in message.splitlines():
                    yield self.broken(path, rule)
            elif kind != "missing":
                yield self.refused(path)
            elif path not in meant.values():  # a misspelt key is not missing besides
                yield self.absent(path)

    def allowed(self, path: KeyPath) -> str:
        node = node_at(self.schema, path, self.config)
        assert node is not None, f"the schema has no {key(path)}"
        return allowed(self.schema, node)

    def names(self, section: KeyPath) -> list[str]:
        """The keys that a section may have."""
        node = node_at(self.schema, section, self.config)
        return list(node["properties"]) if node else []

    def nearest(self, path: KeyPath, missing: set[KeyPath]) -> KeyPath | None:
        """The key that an unknown one may have been meant for: in its section, first among those
        that are missing; or of the same name in another section."""
        *section, name = path
        known = self.names(tuple(section))
        for names in ([n for n in known if (*section, n) in missing], known):
            lower = {n.lower(): n for n in names}
            if near := close(str(name).lower(), lower):
                return (*section, lower[near])
        elsewhere = [(other, name) for other in self.names(()) if name in self.names((other,))]
        return elsewhere[0] if len(elsewhere) == 1 else None

    def unknown(self, path: KeyPath, meant: KeyPath | None) -> str:
        place = self.config.at(path).place
        names = ", ".join(self.names(path[:-1]))
        remedy = f"did you mean {key(meant)}?" if meant else f"allowed are {names}"
        return f"{place}: {key(path)}: unknown key; {remedy}"

    def absent(self, path: KeyPath) -> str:
        """A key that stands in none of the sources."""
        # sections are merged of several files, those in a list are of one
        of_one = len(self.sources) == 1 or any(isinstance(part, int) for part in path)
        place = self.config.at(path).place if of_one else ", ".join(self.sources)
        return f"{place}: {key(path)}: is missing; write {self.allowed(path)}"

    def refused(self, path: KeyPath) -> str:
        """A value of the wrong type or out of range."""
        entry = self.config.at(path)
        return (
            f"{entry.place}: {key(path) or 'config'}: {entry.written()} is not allowed; "
            f"write {self.allowed(path)}{self.hint(path, entry)}"
        )

    def hint(self, path: KeyPath, entry: Entry) -> str:
        """What may have been meant."""
        node = node_at(self.schema, path, self.config) or {}
        value = entry.value
        if isinstance(value, float) and not math.isfinite(value):
            too_large = math.isinf(value) and node.get("type") == "number"
            return ", at most 1.7e308 in magnitude" if too_large else ""
        if isinstance(value, float) and node.get("type") == "integer" and value.is_integer():
            return f", such as {value:.0f}" if abs(value) < 1e15 else ""
        if "enum" in node and not isinstance(value, list | dict):
            near = close(str(value).lower(), node["enum"])  # null, Python's None: none
            return f"; did you mean {near}?" if near else ""
        if isinstance(value, str) and node.get("type") in ("integer", "number"):
            with contextlib.suppress(ValueError):
                float(value)
                return ", without quotes"
        return ""

    def broken(self, path: KeyPath, rule: str) -> str:
        """A rule between several values. It begins with the keys that it is about, from the section
        that it belongs to; without one it is about the section's pair of numbers, or itself."""
        head, colon, text = rule.partition(": ")
        paths = [(*path, *name.split(".")) for name in head.split(", ")]
        if not colon or not all(node_at(self.schema, p, self.config) for p in paths):
            text = rule
            properties = (node_at(self.schema, path, self.config) or {})["properties"]
            pairs = [name for name, node in properties.items() if "prefixItems" in node]
            paths = [(*path, *pairs)] if len(pairs) == 1 else [path]
        entry = self.config.at(paths[0])
        keys = ", ".join(key(p) for p in paths)
        absent = entry is self.config.at(paths[0][:-1])
        plain = absent or len(paths) > 1 or paths == [path]
        value = "" if plain else f"{entry.written()} is not allowed: "
        return f"{entry.place}: {keys}: {value}{text}"


def close(name: str, names: Iterable[str]) -> str | None:
    """The name that is nearest to a misspelt one, if one is nearer than all others."""
    near = difflib.get_close_matches(name, names, n=2)
    ratios = [difflib.SequenceMatcher(a=name, b=other).ratio() for other in near]
    return near[0] if near and len(set(ratios)) == len(ratios) else None
