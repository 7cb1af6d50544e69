"""The figure of the paper's statements: a row for each number that tests one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsedecay.figures import style, verdicts
from sparsedecay.figures.declaration import Request
from sparsedecay.files.results import Results

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, HEAD, BELOW = 0.3, 0.42, 0.28
"""Heights of a row, of the titles, of the legend, inches."""
TEXT, STRIP, LIMITS, EPOCHS, STEP = 0.1, 3.1, 4.5, 5.2, 0.72
"""Left sides of the columns, and width of one epoch, inches."""
STRIP_WIDTH = 1.3


class Tested(verdicts.OfStatements):
    """The paper's statements, tested.

    The paper's statements, tested on the literal reading of its text: for each number that tests
    one, the draws (dots), the interval for their median (bar), where the number must lie (shaded),
    and the medians and verdicts at each epoch, that which the text speaks of in bold. The page *how
    it was tested* gives the paper's words and the reasons for the limits.
    """

    def render(self, request: Request[None], results: Results) -> Figure:
        """All statements of the table `claims`, at the epoch that the text speaks of."""
        table = results.statements(self.name)
        epochs = sorted(set(table["epoch"]))
        rows = table[table["stated"]].reset_index(drop=True)
        width = EPOCHS + STEP * len(epochs) + 0.1
        height = HEAD + ROW * len(rows) + BELOW
        figure = style.page(width, height)
        ax = style.place(figure, 0, 0, width, height)
        ax.set(xlim=(0, width), ylim=(height, 0))
        ax.axis("off")
        titles(ax, table, epochs)
        for i, row in rows.iterrows():
            top = HEAD + ROW * i
            if row["part"] == 1:
                ax.plot([0.05, width - 0.05], [top, top], color="#B0B0B0", linewidth=0.4)
            words(ax, row, top)
            strip(figure, height - top - ROW, row)
            ax.text(LIMITS, top + ROW / 2, verdicts.limits(row), va="center", fontsize=style.SMALL)
            if row["diverged"]:
                note = f"{row['diverged']} diverged"
                look: dict[str, Any] = {
                    "va": "center",
                    "fontsize": style.SMALL - 1.5,
                    "color": "#4D4D4D",
                }
                ax.text(LIMITS, top + ROW / 2 + 0.1, note, **look)
            for j, epoch in enumerate(epochs):
                same = (table["claim"] == row["claim"]) & (table["part"] == row["part"])
                found = table[same & (table["epoch"] == epoch)]
                cell(ax, EPOCHS + STEP * j, top + ROW / 2, found)
        x = verdicts.legend(ax, TEXT + 0.05, height - 0.13)
        text = "bold: the epoch that the text speaks of; –: no network trained for it"
        text += verdicts.missing(table)
        ax.text(x, height - 0.13, text, va="center", fontsize=style.SMALL)
        return figure


def titles(ax: Axes, table: pd.DataFrame, epochs: list[int]) -> None:
    """Heads of the columns."""
    draws, coverage = int(table["seeds"].max()), table["coverage"].max()
    sure = f", {100 * coverage:.0f} % interval" if coverage else ""
    heads = [
        (TEXT, "statement, and the number that tests it"),
        (STRIP, f"{draws} draw{'s' * (draws > 1)}{sure}"),
        (LIMITS, "holds if"),
        *((EPOCHS + STEP * i, f"{epoch:,}") for i, epoch in enumerate(epochs)),
    ]
    for x, text in heads:
        ax.text(x, HEAD - 0.09, text, va="center", fontsize=style.SMALL)
    ax.text(EPOCHS, HEAD - 0.25, "median at epoch", va="center", fontsize=style.SMALL)


def words(ax: Axes, row: pd.Series, top: float) -> None:
    """The statement's id above the first of its numbers; each number's name."""
    if row["part"] == 1:
        ax.text(TEXT, top + 0.1, row["claim"], va="center", fontweight="bold", fontsize=style.SMALL)
    below = 0.215 if row["part"] == 1 else 0.15
    ax.text(TEXT + 0.08, top + below, row["quantity"], va="center", fontsize=style.SMALL - 0.8)


def strip(figure: Figure, bottom: float, row: pd.Series) -> None:
    """The draws on a scale of their own, and where they must lie."""
    ax = style.place(figure, STRIP, bottom + 0.06, STRIP_WIDTH, ROW - 0.12)
    values = np.array(row["values"], dtype=float)
    low, high = row["limit_low"], row["limit_high"]
    marks = np.array([value for value in (*values, low, high) if np.isfinite(value)])
    if marks.min() > 0 and marks.max() / marks.min() > 5:
        ax.set_xscale("log")
        margin = (marks.max() / marks.min()) ** 0.12
        left, right = marks.min() / margin, marks.max() * margin
    else:
        margin = 0.12 * (marks.max() - marks.min() or abs(marks.max()) or 1)
        left, right = marks.min() - margin, marks.max() + margin
    begin, end = (left if math.isnan(low) else low), (right if math.isnan(high) else high)
    ax.axvspan(begin, end, color=verdicts.PALE["holds"], linewidth=0)
    for limit in (low, high):
        if not math.isnan(limit):
            ax.axvline(limit, color=verdicts.COLOURS["holds"], linewidth=0.8)
    colour = verdicts.COLOURS[row["verdict"]]
    # an end that is no number lies beyond the limits, with the draws that diverged
    ends = [left if math.isnan(row["low"]) else row["low"]]
    ends += [right if math.isnan(row["high"]) else row["high"]]
    if np.isfinite(values).any():
        ax.plot(ends, [0.5, 0.5], color=colour, linewidth=1.6, zorder=3)
    ax.plot(values, np.full(len(values), 0.5), "o", color=colour, markersize=2.4, zorder=4)
    ax.set(xlim=(left, right), ylim=(0, 1), yticks=[])
    ax.tick_params(which="both", bottom=False, labelbottom=False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def cell(ax: Axes, x: float, y: float, found: pd.DataFrame) -> None:
    """Verdict and median at one epoch; a dash where no network was trained to it."""
    if found.empty:
        ax.text(x + 0.13, y, "–", va="center", fontsize=style.SMALL, color="#7F7F7F")
        return
    row = found.iloc[0]
    verdicts.mark(ax, x + 0.05, y, row["verdict"], 5 if row["stated"] else 3)
    weight = "bold" if row["stated"] else "normal"
    text = verdicts.number(row["value"])
    ax.text(x + 0.14, y, text, va="center", fontsize=style.SMALL, fontweight=weight)


FIGURE = Tested()
