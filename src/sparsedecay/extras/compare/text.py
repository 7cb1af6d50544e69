"""Writes a report as plain text, aligned, in 100 columns where words allow it."""

import textwrap

from sparsedecay.extras.compare.blocks import Block, Command, Heading, Paragraph, Pictures, Table

WIDTH, INDENT, GAP = 100, 2, 2


def write(blocks: list[Block]) -> str:
    """The text of a report; pictures are left to their files' names."""
    parts: list[str] = []
    for i, block in enumerate(blocks):
        match block:
            case Heading(text, 2):
                parts += [text, "=" * len(text) + "\n"]
            case Heading(text) if not isinstance(blocks[i + 1], Pictures):
                parts.append(text)
            case Paragraph(text):
                parts.append("\n".join(wrapped(text, WIDTH)) + "\n")
            case Command(intro, command):
                parts.append(f"{intro} {command}\n")
            case Table():
                parts.append(table(block) + "\n")
    return "\n".join(parts)


def table(block: Table) -> str:
    """Columns side by side, cells beginning at the left."""
    rows = [block.header, *block.rows]
    widths = fitted(rows)
    lines = [line for row in rows[:1] for line in laid(row, widths)]
    lines.append(" " * INDENT + (" " * GAP).join("-" * width for width in widths))
    lines += [line for row in rows[1:] for line in laid(row, widths)]
    return "\n".join(lines)


def fitted(rows: list[tuple[str, ...]]) -> list[int]:
    """Widths of the columns: what they need, the widest made smaller to fit, as words allow."""
    columns = list(zip(*rows, strict=True))
    widths = [max(len(line) for cell in c for line in lines_of(cell)) for c in columns]
    least = [max((len(word) for cell in c for word in cell.split()), default=0) for c in columns]
    excess = INDENT + sum(widths) + GAP * (len(widths) - 1) - WIDTH
    while excess > 0 and widths != least:
        widest = max(
            (i for i in range(len(widths)) if widths[i] > least[i]), key=widths.__getitem__
        )
        widths[widest] -= 1
        excess -= 1
    return widths


def laid(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """The lines of a row."""
    cells = [
        [part for line in lines_of(cell) for part in wrapped(line, width)]
        for cell, width in zip(row, widths, strict=True)
    ]
    height = max(map(len, cells))
    filled = [cell + [""] * (height - len(cell)) for cell in cells]
    return [
        (
            " " * INDENT + (" " * GAP).join(p.ljust(w) for p, w in zip(parts, widths, strict=True))
        ).rstrip()
        for parts in zip(*filled, strict=True)
    ]


def lines_of(cell: str) -> list[str]:
    return cell.split("\n")


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most a width, longer only where a word is."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
