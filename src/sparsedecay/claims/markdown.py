"""Numbers and tables in Markdown."""

import math
from collections.abc import Iterable

import pandas as pd


def plain(value: float) -> str:
    """A number in plain text, of three digits or less; NaN is that of draws that diverged or lay on
    a spike of the loss."""
    if math.isnan(value):
        return "no number"
    if not math.isfinite(value):
        return str(float(value))
    if value == round(value) and abs(value) < 10_000:
        return f"{value:.0f}"
    return f"{value:.3g}"


def limits(row: pd.Series) -> str:
    low, high = row["limit_low"], row["limit_high"]
    if pd.isna(low):
        return f"< {round(high)}" if high != round(high, 6) else f"at most {plain(high)}"
    return f"at least {plain(low)}" if pd.isna(high) else f"{plain(low)} to {plain(high)}"


def codes(claims: Iterable[str]) -> str:
    return ", ".join(f"`{claim}`" for claim in claims) or "–"


def table(heads: list[str], rows: list[list[str]]) -> str:
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [heads, ["---"] * len(heads), *escaped]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
