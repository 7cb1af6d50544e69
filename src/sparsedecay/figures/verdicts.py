"""How verdicts look, and the tables of statements as figures need them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Declaration, Shown
from sparsedecay.files import paths

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLOURS = {"holds": "#0072B2", "fails": "#D55E00", "undecided": "#7F7F7F"}
"""Okabe and Ito's, which the colour-blind can tell apart."""
PALE = {"holds": "#CFE3F1", "fails": "#F8DCC8", "undecided": "#E4E4E4"}
MARKERS = {"holds": "o", "fails": "X", "undecided": "D"}


class OfStatements(Declaration[None]):
    """A figure of the table of statements that has its name."""

    category = "Verdict"

    def reads(self, shown: tuple[Shown, ...]) -> list[str]:
        return [paths.statements(self.name)]


def number(value: float) -> str:
    """A number of a statement in print, of two or three digits; NaN of draws that diverged, or lay
    on a spike of the loss."""
    if math.isnan(value):
        return "NaN"
    if not math.isfinite(value):
        return style.scientific(value)
    if value == round(value) and abs(value) < 10_000:
        return f"{value:.0f}"
    if 1e-4 <= abs(value) < 1e4:
        text = f"{value:.3g}" if abs(value) >= 10 else f"{value:.2g}"
        return text if "e" not in text else f"{value:.0f}"
    return style.scientific(value)


def deciding(parts: pd.DataFrame) -> pd.Series:
    """Of the parts of one statement the first that has its verdict."""
    return parts[parts["verdict"] == parts["claim_verdict"]].iloc[0]


def limits(row: pd.Series) -> str:
    """Where a number must lie, in print."""
    low, high = row["limit_low"], row["limit_high"]
    if math.isnan(low):
        return f"$\\leq$ {number(high)}" if high == round(high, 6) else f"< {number(round(high))}"
    if math.isnan(high):
        return f"$\\geq$ {number(low)}"
    return f"{number(low)} to {number(high)}"


def mark(ax: Axes, x: float, y: float, verdict: str, size: float = 4) -> None:
    """The mark of a verdict, in the coordinates of the axes."""
    look: dict[str, Any] = {"color": COLOURS[verdict], "markersize": size, "linestyle": "none"}
    ax.plot([x], [y], marker=MARKERS[verdict], markeredgewidth=0, clip_on=False, **look)


def legend(ax: Axes, x: float, y: float, note: str, table: pd.DataFrame) -> None:
    """The marks and their names in a line, a note, and what NaN means if it has any."""
    for verdict in MARKERS:
        mark(ax, x, y, verdict)
        style.write(ax, x + 0.09, y, verdict)
        x += 0.4 if verdict == "fails" else 0.5
    note += "; NaN: diverged, or on a spike" if table["value"].isna().any() else ""
    style.write(ax, x + 0.3, y, note)
