"""Verdicts on the paper's claims that differ between two tables claims.parquet."""

from collections.abc import Mapping, Sequence
from typing import Any

from sparsedecay.extras.compare import words
from sparsedecay.extras.compare.sides import ABSENT

Row = Mapping[str, Any]
PLACE = ("claim", "part", "epoch")
WHOLE = "as a whole"


def verdicts(first: Sequence[Row], second: Sequence[Row]) -> list[tuple[str, ...]]:
    """Claim, part, epoch and the verdicts of A and B, where these are not the same."""
    names = PLACE if unique(first, PLACE) and unique(second, PLACE) else (*PLACE, "reading")
    found = []
    wholes = [{row.get("claim"): row.get("claim_verdict") for row in s} for s in (first, second)]
    for claim in dict.fromkeys([*wholes[0], *wholes[1]]):
        a, b = (told(whole.get(claim)) for whole in wholes)
        if a != b:
            found.append((told(claim), WHOLE, "", a, b))
    rows = [{place(row, names): row for row in side} for side in (first, second)]
    for key in dict.fromkeys([*rows[0], *rows[1]]):
        left, right = (side.get(key) for side in rows)
        if not (left and right and left.get("verdict") == right.get("verdict")):
            claim, part, epoch, *reading = map(told, key)
            found.append((claim, ", ".join([part, *reading]), epoch, verdict(left), verdict(right)))
    return sorted(found, key=lambda row: (row[0], row[1] != WHOLE))


def missing(rows: Sequence[Row]) -> list[str]:
    """Columns without which verdicts cannot be compared and that a table does not have."""
    return [name for name in ("claim", "verdict") if rows and name not in rows[0]]


def place(row: Row, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in names)


def unique(rows: Sequence[Row], names: tuple[str, ...]) -> bool:
    return len({place(row, names) for row in rows}) == len(rows)


def verdict(row: Row | None) -> str:
    """A verdict with the value and interval that it rests on."""
    if row is None:
        return ABSENT
    numbers = [row.get(name) for name in ("value", "low", "high")]
    value, low, high = (words.number(x) if isinstance(x, int | float) else "" for x in numbers)
    interval = f"{low}–{high}" if low and high else ""
    details = ", ".join(text for text in (value, interval) if text)
    return told(row.get("verdict")) + (f" ({details})" if details else "")


def told(x: Any) -> str:
    """A cell; an epoch with separators."""
    if x is None:
        return ABSENT
    return f"{x:,}" if isinstance(x, int) and not isinstance(x, bool) else str(x)
