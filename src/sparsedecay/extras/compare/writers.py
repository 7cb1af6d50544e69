"""Writes a report, which is made of blocks, as text, Markdown or one HTML page."""

import base64
import html
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from sparsedecay.files.html import LINE_BREAK, fragment, page

TITLE = "sparsedecay compare"
ARROW = " → "
"""Stands between what is not the same in A and B."""
WIDTH, GAP = 100, "  "
"""Of a text, and before each column of its tables."""


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    text: str
    command: str = ""
    """A line to be copied, after the text; it is not broken into several."""


@dataclass(frozen=True)
class Table:
    """Cells are text; a line break within one begins a new line."""

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Pictures:
    """PNG files side by side, each with a caption, under a title; shown where pictures can be."""

    title: str
    shown: list[tuple[str, Path]]


Block = Heading | Paragraph | Table | Pictures


def text(blocks: list[Block]) -> str:
    """A report as plain text, aligned, in 100 columns where words allow it."""
    parts: list[str] = []
    for block in blocks:
        match block:
            case Heading(words, level):
                parts.append(words if level > 2 else f"{words}\n{'=' * len(words)}\n")
            case Paragraph(words, command):
                lines = [f"{words} {command}"] if command else wrapped(words, WIDTH)
                parts.append("\n".join(lines) + "\n")
            case Table(header, rows):
                parts.append(aligned([header, *rows]) + "\n")
    return "\n".join(parts)


def aligned(rows: list[tuple[str, ...]]) -> str:
    """Columns side by side, cells beginning at the left; the first row is the header. The widest
    columns are made smaller to fit, as words allow."""
    columns = list(zip(*rows, strict=True))
    widths = [max(len(line) for cell in c for line in cell.split("\n")) for c in columns]
    least = [max((len(word) for cell in c for word in cell.split()), default=0) for c in columns]
    while sum(widths) > WIDTH - len(GAP) * len(widths) and widths != least:
        widest = max(range(len(widths)), key=lambda i: (widths[i] > least[i], widths[i]))
        widths[widest] -= 1
    lines = []
    for row in (rows[0], ["-" * width for width in widths], *rows[1:]):
        cells = [
            [part for line in cell.split("\n") for part in wrapped(line, width)]
            for cell, width in zip(row, widths, strict=True)
        ]
        for parts in zip_longest(*cells, fillvalue=""):
            padded = map(str.ljust, parts, widths)
            lines.append("".join(GAP + part for part in padded).rstrip())
    return "\n".join(lines)


def wrapped(words: str, width: int) -> list[str]:
    """Lines of at most a width, longer only where a word is."""
    return textwrap.wrap(words, width, break_long_words=False, break_on_hyphens=False) or [""]


def markdown(blocks: list[Block]) -> str:
    """A report as Markdown, for an issue or a pull request; pictures are left to their files."""
    return "\n\n".join([f"# {TITLE}", *filter(None, map(block_of, blocks))]) + "\n"


def block_of(block: Block) -> str:
    """A block as Markdown; nothing of pictures."""
    match block:
        case Heading(words, level):
            return f"{'#' * level} {escaped(words)}"
        case Paragraph(words, command):
            ticks = "``" if "`" in command else "`"
            return escaped(words) + (f" {ticks}{command}{ticks}" if command else "")
        case Table(header, rows):
            cells = [[*map(escaped, row)] for row in (header, *rows)]
            cells.insert(1, ["---"] * len(header))
            return "\n".join(f"| {' | '.join(row)} |" for row in cells)
    return ""


def escaped(words: str) -> str:
    """Text whose characters stand for themselves."""
    marked = html.escape(words, quote=False)
    marked = re.sub(r"([\\`*|\[\]~#]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", marked)
    marked = re.sub(r"^(\d*)([-+.)])(?=\s)", r"\1\\\2", marked)  # what begins a list
    return marked.replace("\n", LINE_BREAK)


def web(blocks: list[Block]) -> str:
    """A report as one page that holds its pictures; cells that tell both sides apart stand out."""
    parts = [
        pictures(block) if isinstance(block, Pictures) else fragment(block_of(block), ARROW)
        for block in [Heading(TITLE, 1), *blocks]
    ]
    return page("".join(parts), TITLE)


def pictures(block: Pictures) -> str:
    """Pictures side by side, as HTML."""
    figures = [
        f'<figure><img alt="{html.escape(caption)}" src="data:image/png;base64,'
        f'{base64.b64encode(path.read_bytes()).decode()}"/>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>\n"
        for caption, path in block.shown
    ]
    title = f"<h3>{html.escape(block.title)}</h3>"
    return f'{title}\n<div class="pictures">\n{"".join(figures)}</div>\n'
