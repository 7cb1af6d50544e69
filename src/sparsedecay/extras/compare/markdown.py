"""Writes a report as Markdown, for an issue or a pull request."""

import html
import re

from sparsedecay.extras.compare.blocks import Block, Command, Heading, Paragraph, Pictures, Table


def write(blocks: list[Block]) -> str:
    """The Markdown of a report; pictures are left to their files' names."""
    parts = ["# sparsedecay compare"]
    for i, block in enumerate(blocks):
        match block:
            case Heading(text, level) if level == 2 or not isinstance(blocks[i + 1], Pictures):
                parts.append(f"{'#' * level} {escaped(text)}")
            case Paragraph(text):
                parts.append(escaped(text))
            case Command(intro, command):
                ticks = "``" if "`" in command else "`"
                parts.append(f"{escaped(intro)} {ticks}{command}{ticks}")
            case Table():
                parts.append(table(block))
    return "\n\n".join(parts) + "\n"


def table(block: Table) -> str:
    rows = [block.header, tuple("---" for _ in block.header)]
    lines = [rows[0], rows[1], *block.rows]
    return "\n".join(
        "| " + " | ".join(cell if row is rows[1] else escaped(cell) for cell in row) + " |"
        for row in lines
    )


def escaped(text: str) -> str:
    """Text whose characters stand for themselves."""
    marked = re.sub(r"([\\`*|\[\]~#]|(?<!\w)_|_(?!\w))", r"\\\1", html.escape(text, quote=False))
    return marked.replace("\n", "<br>")
