"""A config as it is written: each value with its text and its place.

entry = reading.read(Path("config/config.yaml"))
entry.plain()                                  {"data": {"levels": [0, 0.5, 1], …}, …}
entry.at(("training", "epochs")).place         "config/config.yaml:31"
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Entry:
    """A value of a config: a scalar, a section (dict) or a list."""

    place: str
    """File and line, or what else it was given by."""
    value: Any
    """Number, text, bool or None; or entries."""
    text: str = ""
    """A scalar as it was written, in one line."""

    def plain(self) -> Any:
        """The value as Python's dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {name: entry.plain() for name, entry in self.value.items()}
        if isinstance(self.value, list):
            return [entry.plain() for entry in self.value]
        return self.value

    def at(self, path: KeyPath) -> "Entry":
        """The entry at a path, or the last one on the way to it if there is none."""
        if not path:
            return self
        first, *rest = path
        match self.value:
            case dict() if first in self.value:
                below: Entry = self.value[first]
            case list() if isinstance(first, int):
                below = self.value[first]
            case _:
                return self
        return below.at(tuple(rest))

    def written(self, limit: int = 60) -> str:
        """The value as it was written, in one line of about `limit` characters at most."""
        if isinstance(self.value, dict):
            items = (f"{show(name)}: {entry.written(limit)}" for name, entry in self.value.items())
            return enclose("{", items, "}", limit)
        if isinstance(self.value, list):
            return enclose("[", (entry.written(limit) for entry in self.value), "]", limit)
        return shorten(self.text, limit) or "an empty value"


def enclose(opening: str, items: Iterable[str], closing: str, limit: int) -> str:
    """Items between brackets, as many as fit."""
    text = opening
    for item in items:
        if len(text) + len(item) > limit:
            return f"{text}…{closing}" if text == opening else f"{text}, …{closing}"
        text += item if text == opening else f", {item}"
    return text + closing


def shorten(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def escape(name: str) -> str:
    """A name in one line, in quotes and with escapes if it needs them."""
    return name if name and name.isprintable() else ascii(name)


def show(name: str) -> str:
    """A name in one short line."""
    return shorten(escape(name))


def key(path: KeyPath) -> str:
    """A path as people write it: figures.fig3.panels[0].network."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{show(part)}"
    return text.removeprefix(".")


def overlaid(base: Entry | None, over: Entry) -> Entry:
    """`over` laid on `base`, section by section; lists and numbers are replaced, and so are
    sections of another kind, whose keys are others."""
    if base is None or not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    kinds = [one.value["kind"].value for one in (base, over) if "kind" in one.value]
    if len(kinds) == 2 and isinstance(kinds[1], str) and kinds[0] != kinds[1]:
        return over
    merged = {name: overlaid(base.value.get(name), entry) for name, entry in over.value.items()}
    return Entry(over.place, base.value | merged)


def placed(config: Entry, folder: Path) -> Entry:
    """The same with the file of a data set, `data.file`, named from the present folder: in a config
    it is named from the config's own."""
    data = config.at(("data",))
    file = data.value.get("file") if data is not config and isinstance(data.value, dict) else None
    if file is None or not isinstance(file.value, str) or not file.value:
        return config
    found = replace(file, value=str(folder / file.value))
    section = replace(data, value=data.value | {"file": found})
    return replace(config, value=config.value | {"data": section})
