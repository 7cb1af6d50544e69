"""The figure of the paper's statements: a row for each number that tests one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparsedecay.figures import style, verdicts
from sparsedecay.figures.declaration import Request
from sparsedecay.files.results import Results
from sparsedecay.words import count

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
    and the medians and verdicts at each epoch, in bold at the one that the text speaks of. The page
    *how it was tested* gives the paper's words and the reasons for the limits.
    """

    def render(self, request: Request[None], results: Results) -> Figure:
        """All statements of the table `claims`, at the epoch that the text speaks of."""
        table = results.statements(self.name)
        epochs = sorted(set(table["epoch"]))
        stated = table[table["stated"]]
        cells = dict(iter(table.groupby(["claim", "part", "epoch"])))
        height = HEAD + ROW * len(stated) + BELOW
        figure, ax = style.canvas(EPOCHS + STEP * len(epochs) + 0.1, height)
        titles(ax, table, epochs)
        for i, (_, row) in enumerate(stated.iterrows()):
            top = HEAD + ROW * i
            words(ax, row, top)
            strip(figure, height - top - ROW, row)
            style.write(ax, LIMITS, top + ROW / 2, verdicts.limits(row))
            if row["diverged"]:
                look = {"fontsize": style.SMALL - 1.5, "color": "#4D4D4D"}
                note = f"{row['diverged']} diverged"
                style.write(ax, LIMITS, top + ROW / 2 + 0.1, note, **look)
            for j, epoch in enumerate(epochs):
                found = cells.get((row["claim"], row["part"], epoch))
                cell(ax, EPOCHS + STEP * j, top + ROW / 2, found)
        text = "bold: the epoch that the text speaks of; –: no network trained for it"
        verdicts.legend(ax, TEXT + 0.05, height - 0.13, text, table)
        return figure


def titles(ax: Axes, table: pd.DataFrame, epochs: list[int]) -> None:
    """Heads of the columns."""
    draws, coverage = int(table["seeds"].max()), table["coverage"].max()
    sure = f", {100 * coverage:.0f} % interval" if coverage else ""
    heads = [
        (TEXT, "statement, and the number that tests it"),
        (STRIP, f"{count(draws, 'draw')}{sure}"),
        (LIMITS, "holds if"),
        *((EPOCHS + STEP * i, f"{epoch:,}") for i, epoch in enumerate(epochs)),
    ]
    for x, text in heads:
        style.write(ax, x, HEAD - 0.09, text)
    style.write(ax, EPOCHS, HEAD - 0.25, "median at epoch")


def words(ax: Axes, row: pd.Series, top: float) -> None:
    """The name of a number; above the first of a statement a line and the statement's id."""
    first = row["part"] == 1
    if first:
        ends = 0.05, ax.get_xlim()[1] - 0.05
        ax.plot(ends, [top, top], color="#B0B0B0", linewidth=0.4)
        style.write(ax, TEXT, top + 0.1, row["claim"], fontweight="bold")
    below = 0.215 if first else 0.15
    style.write(ax, TEXT + 0.08, top + below, row["quantity"], fontsize=style.SMALL - 0.8)


def strip(figure: Figure, bottom: float, row: pd.Series) -> None:
    """The draws on a scale of their own, and where they must lie."""
    ax = style.place(figure, STRIP, bottom + 0.06, STRIP_WIDTH, ROW - 0.12)
    values = np.array(row["values"], dtype=float)
    limits, interval = (
        row[names].to_numpy(dtype=float) for names in (["limit_low", "limit_high"], ["low", "high"])
    )
    marks = np.concatenate([values, limits])
    left, right = (end(marks[np.isfinite(marks)]) for end in (np.min, np.max))
    if left > 0 and right / left > 5:
        ax.set_xscale("log")
        margin = (right / left) ** 0.12
        left, right = left / margin, right * margin
    else:
        margin = 0.12 * (right - left or abs(right) or 1)
        left, right = left - margin, right + margin
    begin, end = np.where(np.isnan(limits), (left, right), limits)
    ax.axvspan(begin, end, color=verdicts.PALE["holds"], linewidth=0)
    for limit in limits[~np.isnan(limits)]:
        ax.axvline(limit, color=verdicts.COLOURS["holds"], linewidth=0.8)
    colour = verdicts.COLOURS[row["verdict"]]
    if np.isfinite(values).any():
        # an end that is no number lies beyond the limits, with the draws that diverged
        ends = np.where(np.isnan(interval), (left, right), interval)
        ax.plot(ends, [0.5, 0.5], color=colour, linewidth=1.6, zorder=3)
    ax.plot(values, np.full(len(values), 0.5), "o", color=colour, markersize=2.4, zorder=4)
    ax.set(xlim=(left, right), ylim=(0, 1), yticks=[])
    ax.tick_params(which="both", bottom=False, labelbottom=False)
    ax.spines[["left", "bottom"]].set_visible(False)


def cell(ax: Axes, x: float, y: float, found: pd.DataFrame | None) -> None:
    """Verdict and median at one epoch; a dash where no network was trained to it."""
    if found is None:
        style.write(ax, x + 0.13, y, "–", color="#7F7F7F")
        return
    row = found.iloc[0]
    verdicts.mark(ax, x + 0.05, y, row["verdict"], 5 if row["stated"] else 3)
    weight = "bold" if row["stated"] else "normal"
    style.write(ax, x + 0.14, y, verdicts.number(row["value"]), fontweight=weight)


FIGURE = Tested()
