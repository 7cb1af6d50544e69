"""Command `sparsedecay document`: what is checked and found, in words.

The keys come from the settings classes (docstrings, types, ranges) and from config/config.yaml (the
paper's values), so that the documents say what is checked. README.md shows docs/findings.md, which
a rule makes of the tables of statements. docs/licences.md is what the pinned
packages say, and the picture in docs/house.md what the source says.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from sparsedecay.errors import UserError
from sparsedecay.extras import licences, rooms
from sparsedecay.study import parse
from sparsedecay.study.entries import Entry, KeyPath, key
from sparsedecay.study.schema import (
    KINDS,
    Schema,
    child,
    extent,
    item_of,
    json_schema,
    leaves,
    limits,
    node_at,
    variants,
)
from sparsedecay.study.study import Study

HEADER = """\
| key | type | allowed | paper | meaning |
| --- | --- | --- | --- | --- |"""

MARKS = "<!-- from here on written by `sparsedecay document` -->", "<!-- its end -->"
"""Around the tables of keys in config/README.md; the rest of that file is written by hand."""
FINDINGS = "<!-- docs/findings.md, put here by `sparsedecay document` -->", "<!-- its end -->"
"""The same of the findings in README.md."""
HOUSE = "<!-- the rooms, from the source, by `sparsedecay document` -->", "<!-- its end -->"
"""The same of the picture in docs/house.md."""
REST = "\n## Readings of the text"
"""From here on the findings stand in docs/findings.md alone."""


def keys(schema: Schema, paper: Entry) -> str:
    """The tables of keys, a section each."""
    parts = []
    for section, paths in groupby(leaves(schema), section_of):
        parts += [f"### {key(section)}", description(schema, section)]
        named = child(schema, schema, section[0]) if len(section) == 1 else None
        kinds = variants(schema, named) if named else {}
        if not kinds:
            rows = [row(schema, paper, path) for path in paths]
            parts.append("\n".join([HEADER, *rows]))
        ours = paper.at((*section, "kind")).value  # the paper's kind comes first
        for kind in sorted(kinds, key=lambda kind: kind != ours):
            about, config = kinds[kind], one_of(section, kind)
            paths = (path for path in leaves(schema, section, config) if path[-1] != "kind")
            rows = [row(schema, paper, path, config) for path in paths]
            meaning = about["description"].partition("\n\n")[0]
            parts += [f"`kind: {kind}`. {' '.join(meaning.split())}", "\n".join([HEADER, *rows])]
    return "\n\n".join(parts)


def one_of(section: KeyPath, kind: str) -> Entry:
    """A config that says nothing but the kind of one section."""
    return Entry("", {section[0]: Entry("", {"kind": Entry("", kind, kind)})})


def section_of(path: KeyPath) -> KeyPath:
    """The section that a key is listed under: each figure has its own."""
    return path[:2] if path[0] == "figures" else path[:1]


def description(schema: Schema, path: KeyPath, config: Entry | None = None) -> str:
    """What a key means: its docstring, in one line."""
    return " ".join((node_at(schema, path, config) or {})["description"].split())


def row(schema: Schema, paper: Entry, path: KeyPath, config: Entry | None = None) -> str:
    """A key's line of a table; `config` tells the kind of its section, where there are several."""
    node = node_at(schema, path, config)
    assert node is not None
    name = key(path[len(section_of(path)) :]).replace("[0]", "[]")
    if node["type"] == "array":
        item = item_of(schema, node)
        type_, allowed = f"list of {KINDS[item['type']]}s", values(item)
        joint = " of " if "enum" in item else " values, each " if allowed else " values"
        allowed = extent(node) + joint + allowed
    elif "additionalProperties" in node and "properties" not in node:
        type_, allowed = "section", f"{extent(node['additionalProperties'])} values for each key"
    else:
        type_, allowed = KINDS[node["type"]], values(node) or "any"
    unit = f", {node['unit']}" if "unit" in node else ""
    kind = (*section_of(path), "kind")
    ours = config is None or config.at(kind).value == paper.at(kind).value
    value = written(paper, path) if ours else "–"
    cells = f"`{name}`", type_ + unit, allowed, value, description(schema, path, config)
    return f"| {' | '.join(cells)} |"


def values(node: Schema) -> str:
    """The values that a node allows, in a cell."""
    if "enum" in node:
        return ticked(node["enum"])
    if node["type"] == "boolean":
        return "`true`, `false`"
    return "" if node["type"] == "object" else limits(node)


def written(paper: Entry, path: KeyPath) -> str:
    """The paper's value; of a key that stands in each section of a list, all its values."""
    if path[0] not in paper.value:
        return "–"
    if 0 in path:
        at = path.index(0)
        whole = paper.at(path[:at]).value
        if not isinstance(whole, list):  # a figure that the paper does not have
            return "–"
        entries = [paper.at((*path[:at], i, *path[at + 1 :])) for i in range(len(whole))]
        return ticked(entry.written() for entry in entries)
    entry = paper.at(path)
    if entry is paper.at(path[:-1]):  # a key of another kind than the paper's
        return "–"
    if isinstance(entry.value, list) and isinstance(entry.value[0].value, dict):
        return f"{len(entry.value)} of them"
    return f"`{entry.written()}`"


def ticked(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main(arguments: list[str]) -> None:
    """Write the files, or check that they are what would be written.

    Raises:
        UserError: the folder has no config.yaml, or a file lacks a mark.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay document", description=__doc__)
    add = parser.add_argument
    add("--folder", type=Path, default=Path("config"), help="default: config")
    add(
        "--check", action="store_true", help="write nothing; exit status 1 if a file is out of date"
    )
    options = parser.parse_args(arguments)
    schema = json_schema(Study)
    paper = parse.read(options.folder / "config.yaml")
    manual, project = options.folder / "README.md", options.folder.resolve().parent
    texts = {
        manual: between(manual, MARKS, keys(schema, paper)),
        options.folder / "schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
    }
    readme, findings = project / "README.md", project / "docs" / "findings.md"
    if findings.exists() and readme.exists():
        _, _, body = findings.read_text("utf-8").partition("\n\n")  # without its title
        body = body.partition(REST)[0]
        lower = re.sub("^#", "##", body.rstrip("\n"), flags=re.MULTILINE)
        texts[readme] = between(readme, FINDINGS, lower)
    lock, licences_page = project / "requirements.lock", project / "docs" / "licences.md"
    if lock.exists() and licences_page.exists():
        texts[licences_page] = licences.page(lock)
    if (house := project / "docs" / "house.md").exists():
        texts[house] = between(house, HOUSE, rooms.picture())
    stale = [
        path
        for path, text in texts.items()
        if not path.exists() or path.read_bytes() != text.encode()
    ]
    if options.check:
        for path in stale:
            print(f"{path}: is out of date; run: sparsedecay document", file=sys.stderr)
        sys.exit(1 if stale else 0)
    for path in stale:
        path.write_bytes(texts[path].encode())
    print("written:", *stale) if stale else print("nothing to do")


def between(file: Path, marks: tuple[str, str], body: str) -> str:
    """The text of a file with another body between two marks.

    Raises:
        UserError: the file or a mark is missing.
    """
    text = file.read_text("utf-8") if file.exists() else ""
    before, begin, rest = text.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not (begin and end):
        raise UserError(f"{file}: lacks a line {marks[1] if begin else marks[0]}")
    return f"{before}{begin}\n\n{body}\n\n{end}{after}"
