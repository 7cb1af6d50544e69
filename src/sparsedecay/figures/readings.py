"""The figure of statements by readings.

A row for each statement at the epoch that the text speaks of, then at others where some verdict is
another; a column for each reading.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from sparsedecay.figures import style, verdicts
from sparsedecay.figures.declaration import Request
from sparsedecay.files.results import Results
from sparsedecay.words import count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, CELL, ROW, BELOW, GAP = 1.55, 0.46, 0.19, 0.28, 0.3
"""Width of the names, of a cell; heights of a row, of the legend; between groups."""
ACROSS, UP = 0.034, 0.027
"""What a letter of a slanted title takes to the right and up, inches."""
MOST_LETTERS = 34
"""In a line of a title."""


class Compared(verdicts.OfStatements):
    """Statements by readings.

    Statements by readings: which way to read what the paper's text leaves open gives which of its
    statements. Each cell has the verdict and the number that decided it.
    """

    def render(self, request: Request[None], results: Results) -> Figure:
        """All statements and readings of the table `readings`."""
        table = results.statements(self.name)
        readings = dict(zip(table["reading"], table["title"], strict=True))
        cells = dict(iter(table.groupby(["reading", "claim", "epoch"])))
        stated, others = (table[table["stated"] == chosen] for chosen in (True, False))
        blocks = [("at the text's epoch", rows(stated))]
        if differing := [key for key in rows(others) if differs(table, *key)]:
            blocks.append(("at other epochs, where a verdict differs", differing))
        titles = [wrapped(title) for title in readings.values()]
        longest = max(len(line) for title in titles for line in title.split("\n"))
        head = 0.5 + UP * longest
        least = 5.6 if table["value"].isna().any() else 4.2  # room for the legend
        height = head + sum(GAP + ROW * len(keys) for _, keys in blocks) + ROW + BELOW
        width = LEFT + CELL * len(readings) + ACROSS * longest
        figure, ax = style.canvas(max(width, least), height)
        slanted = {"rotation": 40, "rotation_mode": "anchor", "ha": "left", "va": "bottom"}
        for i, title in enumerate(titles):
            style.write(
                ax, LEFT + CELL * (i + 0.4), head + 0.18, title, linespacing=0.95, **slanted
            )
        y = head
        for title, keys in blocks:
            y += GAP
            style.write(ax, 0.08, y - 0.09, title, fontweight="bold")
            for claim, epoch in keys:
                style.write(ax, 0.08, y + ROW / 2, f"{claim}, {epoch:,}")
                for i, reading in enumerate(readings):
                    cell(ax, LEFT + CELL * i, y, cells.get((reading, claim, epoch)))
                y += ROW
            if keys == blocks[0][1]:
                tally(ax, y, keys, list(readings), cells)
                y += ROW
        draws = count(int(table["seeds"].max()), "draw")
        text = f"{draws} of each reading; the number is that which decides"
        verdicts.legend(ax, 0.13, height - 0.12, text, table)
        return figure


def wrapped(title: str) -> str:
    """The title of a reading, a combined one with a line for each of its parts."""
    return "\n".join(
        line for part in title.split("; ") for line in textwrap.wrap(part, MOST_LETTERS)
    )


def differs(table: pd.DataFrame, claim: str, epoch: int) -> bool:
    """Whether some reading gives another verdict on a statement than at the epoch of the text."""
    of_claim = table[table["claim"] == claim]
    then = of_claim[of_claim["stated"]].groupby("reading")["claim_verdict"].first()
    now = of_claim[of_claim["epoch"] == epoch].groupby("reading")["claim_verdict"].first()
    return bool((now != then.reindex(now.index)).any())


def tally(
    ax: Axes, y: float, keys: list[tuple[str, int]], readings: list[str], cells: dict[Any, Any]
) -> None:
    """How many of the statements that count hold in each reading."""
    style.write(ax, 0.08, y + ROW / 2, "statements that hold", fontweight="bold")
    for i, reading in enumerate(readings):
        found = [cells[reading, *key] for key in keys if (reading, *key) in cells]
        found = [parts for parts in found if parts["counted"].iloc[0]]
        held = sum(parts["claim_verdict"].iloc[0] == "holds" for parts in found)
        place, text = (LEFT + CELL * (i + 0.5), y + ROW / 2), f"{held} of {len(found)}"
        style.write(ax, *place, text, ha="center", fontweight="bold")


def rows(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Statements and epochs, in the order of the table."""
    return list(dict.fromkeys(zip(table["claim"], table["epoch"], strict=True)))


def cell(ax: Axes, x: float, y: float, parts: pd.DataFrame | None) -> None:
    """Verdict and number of one statement in one reading; empty where it was not tested."""
    from matplotlib.patches import Rectangle

    if parts is None:
        return
    row = verdicts.deciding(parts)
    verdict, size = row["verdict"], (CELL - 0.02, ROW - 0.02)
    ax.add_patch(Rectangle((x + 0.01, y + 0.01), *size, color=verdicts.PALE[verdict]))
    verdicts.mark(ax, x + 0.07, y + ROW / 2, verdict, 2.8)
    text = verdicts.number(row["value"])
    style.write(ax, x + 0.13, y + ROW / 2, text, fontsize=style.SMALL - 1)


FIGURE = Compared()
