"""The figure of statements by readings.

A row for each statement at the epoch that the text speaks of, then at the others; a column for each
reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsedecay.figures import style, verdicts
from sparsedecay.figures.declaration import Request
from sparsedecay.files.results import Results
from sparsedecay.words import count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, CELL, ROW, HEAD, BELOW, GAP = 1.55, 0.46, 0.19, 1.3, 0.28, 0.3
"""Width of the names, of a cell; heights of a row, of the titles, of the legend; between groups."""


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
        groups = [(True, "at the epoch that the text speaks of"), (False, "at other epochs")]
        blocks = [(title, rows(table[table["stated"] == stated])) for stated, title in groups]
        blocks = [(title, keys) for title, keys in blocks if keys]
        least = 5.6 if table["value"].isna().any() else 4.2  # room for the legend
        height = HEAD + sum(GAP + ROW * (len(keys) + 1) for _, keys in blocks) + BELOW
        figure, ax = style.canvas(max(LEFT + CELL * len(readings) + 0.8, least), height)
        slanted = {"rotation": 40, "rotation_mode": "anchor", "ha": "left", "va": "bottom"}
        for i, title in enumerate(readings.values()):
            style.write(ax, LEFT + CELL * (i + 0.4), HEAD + 0.18, title, **slanted)
        y = HEAD
        for title, keys in blocks:
            y += GAP
            style.write(ax, 0.08, y - 0.09, title, fontweight="bold")
            for claim, epoch in keys:
                style.write(ax, 0.08, y + ROW / 2, f"{claim}, {epoch:,}")
                for i, reading in enumerate(readings):
                    cell(ax, LEFT + CELL * i, y, cells.get((reading, claim, epoch)))
                y += ROW
            style.write(ax, 0.08, y + ROW / 2, "statements that hold", fontweight="bold")
            for i, reading in enumerate(readings):
                found = [cells[reading, *key] for key in keys if (reading, *key) in cells]
                found = [parts for parts in found if parts["counted"].iloc[0]]
                held = sum(parts["claim_verdict"].iloc[0] == "holds" for parts in found)
                place, text = (LEFT + CELL * (i + 0.5), y + ROW / 2), f"{held} of {len(found)}"
                style.write(ax, *place, text, ha="center", fontweight="bold")
            y += ROW
        draws = count(int(table["seeds"].max()), "draw")
        text = f"{draws} of each reading; the number is that which decides"
        verdicts.legend(ax, 0.13, height - 0.12, text, table)
        return figure


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
