"""What a report is made of, for the writers `text`, `markdown` and `page`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Command:
    """A line to be copied, after a word on what it does; it is not broken into several."""

    intro: str
    command: str


@dataclass(frozen=True)
class Table:
    """Cells are text; a line break within one begins a new line."""

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Pictures:
    """Files side by side, each with a caption; shown where pictures can be."""

    shown: list[tuple[str, Path]]


Block = Heading | Paragraph | Command | Table | Pictures
