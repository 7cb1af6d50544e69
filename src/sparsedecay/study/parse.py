"""Reads config files, and what Snakemake's command line says of the config.

YAML 1.2, so that 1e-3 is a number. Whatever stands in a file, reading it takes a second and a few
megabytes at most, and what cannot be read is told in one line.
"""

import argparse
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from sparsedecay.errors import UserError
from sparsedecay.study.entries import Entry, KeyPath, escape, key, shorten, show

MAX_BYTES = 30_000
MAX_DEPTH = 20
MAX_VALUES = 10_000
"""Of one file, with what its aliases (`*name`) stand for written out."""
MAX_DIGITS = 40
"""Longer whole numbers are read as floating-point numbers; Python refuses very long ones."""

TAG = "tag:yaml.org,2002:"
TEXT_TAGS = {TAG + name for name in ("str", "timestamp", "value", "merge")}

KINDS = {ScalarNode: "a single value", SequenceNode: "a list", MappingNode: "a section"}


def read(file: Path) -> Entry:
    """What a file holds.

    Raises:
        UserError: it is missing, no YAML, or nothing that a config can be.
    """
    name = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    source = escape(str(name))
    yaml = YAML(typ="safe", pure=True)
    node = compose(yaml, read_text(file, source), source)
    if node is None:
        raise UserError(f"{source}: is empty; write the keys that config/README.md lists")
    if not isinstance(node, MappingNode):
        raise UserError(
            f"{source}: holds no keys but {KINDS[type(node)]}; write lines such as `data:` with "
            "indented keys below (config/README.md lists them)"
        )
    return Builder(source, yaml).entry(node, ())


def read_text(file: Path, source: str) -> str:
    """The text of a file; no more is read than a config can have.

    Raises:
        UserError: it is missing, unreadable, too large or no UTF-8 text.
    """
    try:
        with open(file, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"{source}: no such file; check its name and folder") from None
    except OSError as error:
        raise UserError(f"{source}: cannot be read: {error.strerror}; name a YAML file") from None
    if len(content) > MAX_BYTES:
        raise UserError(
            f"{source}: is no config: it is larger than the {MAX_BYTES:,} bytes that one may have"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{source}: is not UTF-8 text (byte 0x{content[error.start]:02x} at position "
            f"{error.start:,}); save it as UTF-8, or name another file"
        ) from None


def compose(yaml: YAML, text: str, source: str) -> Node | None:
    """The nodes of a YAML document; None if it is empty.

    Raises:
        UserError: it is no YAML, or more than one document.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of anchors that are used again
            node: Node | None = yaml.compose(text)
            return node
    except RecursionError:
        raise UserError(
            f"{source}: is nested too deeply; at most {MAX_DEPTH} levels are allowed"
        ) from None
    except (YAMLError, ValueError) as error:  # ValueError: of a character or version out of range
        problem, line = yaml_problem(error)
        raise UserError(f"{source}{line}: is not readable YAML: {problem}") from None


def yaml_problem(error: Exception) -> tuple[str, str]:
    """The reader's complaint in one line with a remedy, and `:line` if it is known."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    problem = str(problem or getattr(error, "context", None) or error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    line = f":{mark.line + 1}" if mark else ""
    column = f" (column {mark.column + 1})" if mark else ""
    if "'\\t'" in problem:
        return f"a tab{column}; indent with spaces", line
    if "single document" in str(error):
        return "a second document begins; remove the line `---` or `...`", line
    if "special characters" in problem:
        return f"it holds control characters; name a text file{column}", line
    remedy = "check colons, brackets, quotes and indentation there and in the line above"
    return f"{shorten(problem, 80)}{column}; {remedy}", line


class Builder:
    """Makes entries of one file's nodes, within the limits of this module."""

    def __init__(self, source: str, yaml: YAML) -> None:
        self.source = source
        self.values = 0
        constructor = yaml.constructor
        self.convert: Mapping[str, Callable[[ScalarNode], Any]] = {
            TAG + "int": constructor.construct_yaml_int,
            TAG + "float": constructor.construct_yaml_float,
            TAG + "bool": constructor.construct_yaml_bool,
            TAG + "null": constructor.construct_yaml_null,
        }

    def entry(self, node: Node, path: KeyPath) -> Entry:
        """The entry for a node and all below it."""
        place = f"{self.source}:{node.start_mark.line + 1}" if path else self.source
        where = f"{place}: {key(path)}"
        self.values += 1
        if self.values > MAX_VALUES:
            raise UserError(
                f"{where}: more than {MAX_VALUES:,} values, aliases (`*name`) written out; "
                "remove what no config needs"
            )
        if len(path) > MAX_DEPTH:
            raise UserError(
                f"{place}: {key(path[:3])}…: is nested too deeply; at most {MAX_DEPTH} levels are "
                "allowed"
            )
        if isinstance(node, MappingNode) and node.tag == TAG + "map":
            return Entry(place, self.section(node, path))
        if isinstance(node, SequenceNode) and node.tag == TAG + "seq":
            items = [self.entry(item, (*path, i)) for i, item in enumerate(node.value)]
            return Entry(place, items)
        if isinstance(node, ScalarNode) and (node.tag in self.convert or node.tag in TEXT_TAGS):
            plain = node.style is None and (node.value.isprintable() or not node.value)
            return Entry(place, self.scalar(node), node.value if plain else ascii(node.value))
        tag = show(str(node.tag).replace(TAG, "!!"))
        raise UserError(f"{where}: the tag {tag} is not allowed; remove it and write a plain value")

    def section(self, node: MappingNode, path: KeyPath) -> dict[str, Entry]:
        """The entries of a section; those of `<<: *name` are laid under its own."""
        own: dict[str, Entry] = {}
        inherited: dict[str, Entry] = {}
        for name_node, value_node in node.value:
            place = f"{self.source}:{name_node.start_mark.line + 1}"
            if not isinstance(name_node, ScalarNode):
                raise UserError(
                    f"{place}: {key(path) or 'top level'}: a key must be a single word, not "
                    f"{KINDS[type(name_node)]}"
                )
            if name_node.tag == TAG + "merge":
                parts = value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                for part in parts:
                    below = self.entry(part, (*path, "<<"))
                    if not isinstance(below.value, dict):
                        raise UserError(
                            f"{below.place}: {key((*path, '<<'))}: {below.written()} is not "
                            "allowed; write the alias (`*name`) of a section"
                        )
                    inherited = below.value | inherited
                continue
            # escapes such as "\ud800" make text that cannot be written anywhere
            name = name_node.value.encode("utf-8", "backslashreplace").decode()
            if name in own:
                raise UserError(
                    f"{place}: {key((*path, name))}: stands twice, before in "
                    f"{own[name].place}; remove one of the two"
                )
            entry = self.entry(value_node, (*path, name))
            # the place of a section is where its key stands, not where its first key does
            own[name] = Entry(place, entry.value, entry.text)
        return inherited | own

    def scalar(self, node: ScalarNode) -> Any:
        """A number, bool or None; text where it is neither."""
        convert = self.convert.get(str(node.tag))
        if convert is None:
            return node.value
        try:
            if node.tag == TAG + "int" and len(node.value) > MAX_DIGITS:
                return float(node.value.replace("_", ""))
            return convert(node)
        except (ValueError, LookupError):  # such as `+`, which looks like a number, or `!!int x`
            return node.value
        except OverflowError:
            return math.inf


def overrides(values: Mapping[str, Any], source: str = "--config") -> Entry:
    """Values given on the command line; Snakemake hands nested ones over as text.

    Raises:
        UserError: they are nested too deeply or too many.
    """
    yaml = YAML(typ="safe", pure=True)
    builder = Builder(source, yaml)

    def entry(value: Any, path: KeyPath) -> Entry:
        builder.values += 1
        if len(path) > MAX_DEPTH or builder.values > MAX_VALUES:
            raise UserError(f"{source}: {key(path[:3])}…: is nested too deeply or too long")
        if isinstance(value, Mapping):
            names = {str(name): inner for name, inner in value.items()}
            return Entry(source, {name: entry(v, (*path, name)) for name, v in names.items()})
        if isinstance(value, list | tuple):
            return Entry(source, [entry(v, (*path, i)) for i, v in enumerate(value)])
        if isinstance(value, str):
            tag = yaml.resolver.resolve(ScalarNode, value, (True, False))
            text = value if value.isprintable() else ascii(value)
            return Entry(source, builder.scalar(ScalarNode(tag, value)), text)
        return Entry(source, value, "" if value is None else str(value))

    return entry(values, ())


def check_config_arguments(arguments: Sequence[str]) -> None:
    """Read what `snakemake --configfile FILE … --config NAME=VALUE …` names before Snakemake does,
    which would answer a mistake with a stack trace, or without the name of the file.

    Raises:
        UserError: a file cannot be read, or a --config is no NAME=VALUE.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[], type=Path)
    parser.add_argument("--config", "-C", nargs="*", default=[])
    try:
        options, _ = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError:
        return  # Snakemake's own parser has said it
    for file in options.configfile:
        try:
            read(file)
        except UserError as error:
            if file.suffix in (".yaml", ".yml", ".json"):
                raise
            raise UserError(f"{error} (is it a target? targets go before --configfile)") from None
    for entry in options.config:
        name, equals, value = entry.partition("=")
        if not equals:
            raise UserError(
                f"--config: {show(entry)}: is not NAME=VALUE (is it a target? targets go before "
                "--config)"
            )
        # Snakemake's own rule for names
        if not re.match(r"[a-zA-Z_][\w-]*\w$", name):
            raise UserError(
                f"--config: {show(entry)}: {show(name)} is no section of a config; write "
                f"--config '{escape(nested(name, value))}'"
            )


def nested(name: str, value: str) -> str:
    """Snakemake's way to write a.b.c=value: a={b: {c: value}}."""
    section, *inner = name.split(".") if "." in name else ("SECTION", name)
    text = value
    for part in reversed(inner):
        text = f"{{{part}: {text}}}"
    return f"{section}={text}"
