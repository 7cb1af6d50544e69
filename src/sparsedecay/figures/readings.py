"""The figure of statements by readings.

A row for each statement at the epoch that the text speaks of, then at the others; a column for each
reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsedecay.figures import style, verdicts
from sparsedecay.figures.declaration import Request
from sparsedecay.files.results import Results

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
        readings = list(dict.fromkeys(table["reading"]))
        groups = [(True, "at the epoch that the text speaks of"), (False, "at other epochs")]
        blocks = [(title, rows(table[table["stated"] == stated])) for stated, title in groups]
        blocks = [(title, keys) for title, keys in blocks if keys]
        missing = verdicts.missing(table)
        width = max(LEFT + CELL * len(readings) + 0.8, 5.6 if missing else 4.2)
        height = HEAD + sum(GAP + ROW * (len(keys) + 1) for _, keys in blocks) + BELOW
        figure = style.page(width, height)
        ax = style.place(figure, 0, 0, width, height)
        ax.set(xlim=(0, width), ylim=(height, 0))
        ax.axis("off")
        slanted: dict[str, Any] = {
            "rotation": 40,
            "rotation_mode": "anchor",
            "ha": "left",
            "va": "bottom",
        }
        for i, reading in enumerate(readings):
            title = table[table["reading"] == reading]["title"].iloc[0]
            ax.text(LEFT + CELL * (i + 0.4), HEAD + 0.18, title, fontsize=style.SMALL, **slanted)
        y = HEAD
        for title, keys in blocks:
            y += GAP
            ax.text(0.08, y - 0.09, title, va="center", fontsize=style.SMALL, fontweight="bold")
            for claim, epoch in keys:
                name = f"{claim}, {epoch:,}"
                ax.text(0.08, y + ROW / 2, name, va="center", fontsize=style.SMALL)
                for i, reading in enumerate(readings):
                    same = (table["claim"] == claim) & (table["epoch"] == epoch)
                    cell(ax, LEFT + CELL * i, y, table[same & (table["reading"] == reading)])
                y += ROW
            bold: dict[str, Any] = {"va": "center", "fontsize": style.SMALL, "fontweight": "bold"}
            ax.text(0.08, y + ROW / 2, "statements that hold", **bold)
            for i, reading in enumerate(readings):
                text = tally(table[table["reading"] == reading], keys)
                ax.text(LEFT + CELL * (i + 0.5), y + ROW / 2, text, ha="center", **bold)
            y += ROW
        x = verdicts.legend(ax, 0.13, height - 0.12)
        seeds = int(table["seeds"].max())
        text = f"{seeds} draw{'s' * (seeds > 1)} of each reading; the number is that which decides"
        text += missing
        ax.text(x, height - 0.12, text, va="center", fontsize=style.SMALL)
        return figure


def rows(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Statements and epochs, in the order of the table."""
    return list(dict.fromkeys(zip(table["claim"], table["epoch"], strict=True)))


def tally(table: pd.DataFrame, keys: list[tuple[str, int]]) -> str:
    """How many of the statements hold, of those that were tested."""
    first = table[table["part"] == 1].set_index(["claim", "epoch"])["claim_verdict"]
    found = [first[key] for key in keys if key in first.index]
    return f"{found.count('holds')} of {len(found)}"


def cell(ax: Axes, x: float, y: float, parts: pd.DataFrame) -> None:
    """Verdict and number of one statement in one reading; empty where it was not tested."""
    from matplotlib.patches import Rectangle

    if parts.empty:
        return
    row = verdicts.deciding(parts)
    verdict = row["verdict"]
    box = Rectangle((x + 0.01, y + 0.01), CELL - 0.02, ROW - 0.02, color=verdicts.PALE[verdict])
    ax.add_patch(box)
    verdicts.mark(ax, x + 0.07, y + ROW / 2, verdict, 2.8)
    text = verdicts.number(row["value"])
    ax.text(x + 0.13, y + ROW / 2, text, va="center", fontsize=style.SMALL - 1)


FIGURE = Compared()
