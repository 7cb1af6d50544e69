"""Everything that differs between two sides, found but not yet put in words.

found = compare(A, B)
found.rows[0].changes    [Change("mse_tail_median", Spread((0.0012, 0.0016)), Spread((0.002,))), …]
"""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sparsedecay.extras.compare.match import Group, Matching, groups, match
from sparsedecay.extras.compare.sides import ABSENT, Side
from sparsedecay.files.tables import MEASURED
from sparsedecay.words import number

SAME, DIFFERS = "the same", "differs"
"""Of figures."""
PLACE = ("claim", "part", "epoch")
WHOLE = "as a whole"


@dataclass(frozen=True)
class Spread:
    """One measure of the milestones of a group that have it, at least one."""

    values: tuple[float, ...]
    """From low to high, those that are no numbers last."""

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def median(self) -> float:
        return math.nan if math.isnan(self.values[-1]) else statistics.median(self.values)

    @property
    def width(self) -> float:
        return self.values[-1] - self.values[0]


@dataclass(frozen=True)
class Change:
    """One measure on both sides; None on a side that does not have it."""

    name: str
    a: Spread | None
    b: Spread | None

    @cached_property
    def equal(self) -> bool:
        """Whether both sides have the same values; those that are no numbers are the same."""
        a, b = ([None if math.isnan(v) else v for v in s.values] if s else [] for s in self.sides)
        return a == b or not any(v is not None for v in (*a, *b))

    @property
    def sides(self) -> tuple[Spread | None, Spread | None]:
        return self.a, self.b

    @property
    def difference(self) -> float | None:
        """Of the medians, B - A."""
        if not (self.a and self.b):
            return None
        return 0 if self.equal else self.b.median - self.a.median

    @property
    def ratio(self) -> float | None:
        """Of the medians, B / A."""
        return self.b.median / self.a.median if self.a and self.b and self.a.median else None

    @property
    def beyond(self) -> bool | None:
        """Whether the difference is larger than the spread of either side, of those that have more
        than one seed; None where none has."""
        widths = [side.width for side in self.sides if side and side.n > 1]
        if not widths or self.difference is None:
            return None
        return all(abs(self.difference) > width for width in widths)


@dataclass(frozen=True)
class Row:
    """What is measured of a pair of groups, or of a group that only one side has."""

    a: Group | None
    b: Group | None

    @cached_property
    def changes(self) -> list[Change]:
        """All measures that either group has."""
        names = (name for group in self.groups for m in group.members for name in m.measures or ())
        found = [Change(n, spread(self.a, n), spread(self.b, n)) for n in ordered(names)]
        return [change for change in found if any(change.sides)]

    @property
    def differing(self) -> list[Change]:
        return [change for change in self.changes if not change.equal]

    @property
    def groups(self) -> list[Group]:
        """One or two."""
        return [group for group in (self.a, self.b) if group]


@dataclass(frozen=True)
class Figure:
    """A figure's files on both sides, by ending; empty on a side that does not have it."""

    name: str
    a: Mapping[str, Path]
    b: Mapping[str, Path]

    @cached_property
    def state(self) -> str:
        """Whether its files are the same, byte for byte, or what a side does not have."""
        if not (self.a and self.b):
            return "only in A" if self.a else "only in B"
        common = [ending for ending in self.a if ending in self.b]
        if not common:
            return f"{' '.join(self.a)} in A, {' '.join(self.b)} in B"
        same = all(self.a[ending].read_bytes() == self.b[ending].read_bytes() for ending in common)
        return SAME if same else DIFFERS


@dataclass(frozen=True)
class Comparison:
    a: Side
    b: Side
    matching: Matching
    rows: list[Row]
    only: tuple[list[Row], list[Row]]
    keys: list[tuple[str, Any, Any]]
    """Keys of two configs that differ, with both values; None where one is left out."""
    figures: list[Figure]
    """Of either side; none where a side is a config."""
    verdicts: list[tuple[str, ...]]
    """Claim, part, epoch and the verdicts of A and B, where these are not the same."""

    @cached_property
    def changed(self) -> list[Row]:
        return [row for row in self.rows if row.differing]

    @cached_property
    def pictures(self) -> list[Figure]:
        """Figures that are not the same."""
        return [figure for figure in self.figures if figure.state != SAME]

    @property
    def differs(self) -> bool:
        found = self.changed, *self.only, self.keys, self.pictures, self.verdicts
        return any(found) or bool(self.matching.differing)

    @property
    def sides(self) -> tuple[tuple[str, Side], ...]:
        return ("A", self.a), ("B", self.b)


def compare(a: Side, b: Side) -> Comparison:
    """What differs between two sides."""
    found = match(groups(a.milestones), groups(b.milestones))
    told = all(side.claims is not None and not lacking(side.claims) for side in (a, b))
    return Comparison(
        a,
        b,
        found,
        [Row(*pair) for pair in found.pairs],
        ([Row(group, None) for group in found.only[0]], [Row(None, g) for g in found.only[1]]),
        list(keys(a.config, b.config)) if a.config and b.config else [],
        figures(a, b),
        verdicts(a.claims or [], b.claims or []) if told else [],
    )


def figures(a: Side, b: Side) -> list[Figure]:
    if a.figures is None or b.figures is None:
        return []
    names = sorted({*a.figures, *b.figures})
    return [Figure(name, a.figures.get(name, {}), b.figures.get(name, {})) for name in names]


def spread(group: Group | None, name: str) -> Spread | None:
    """A measure of a group."""
    found = [m.measures.get(name) for m in group.members if m.measures] if group else []
    values = sorted((v for v in found if v is not None), key=lambda v: (math.isnan(v), v))
    return Spread(tuple(values)) if values else None


def ordered(names: Iterable[str]) -> list[str]:
    """Names of measures, each once: those of the whole network in the order of the summary, then
    those of matrices, which begin with the matrix."""

    def place(name: str) -> tuple[int, int]:
        column, _, index = name.partition(" ")
        whole = column in MEASURED
        return (MEASURED.index(column), int(index or 0)) if whole else (len(MEASURED), 0)

    return sorted(dict.fromkeys(names), key=place)


def keys(a: Any, b: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
    """Keys of two nested sections whose values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for name in dict.fromkeys([*a, *b]):
            yield from keys(a.get(name), b.get(name), (*path, name))
    elif a != b:
        yield ".".join(path), a, b


Rows = Sequence[Mapping[str, Any]]


def lacking(rows: Rows) -> list[str]:
    """Columns without which verdicts cannot be compared and that a table does not have."""
    return [name for name in ("claim", "verdict") if rows and name not in rows[0]]


def verdicts(first: Rows, second: Rows) -> list[tuple[str, ...]]:
    """Claim, part, epoch and the verdicts of A and B, where these are not the same."""
    found = []
    wholes = [{row["claim"]: row.get("claim_verdict") for row in side} for side in (first, second)]
    for claim in dict.fromkeys([*wholes[0], *wholes[1]]):
        a, b = (told(whole.get(claim)) for whole in wholes)
        if a != b:
            found.append((told(claim), WHOLE, "", a, b))
    parts = [by_place(side, PLACE) for side in (first, second)]
    if [*map(len, parts)] != [len(first), len(second)]:
        parts = [by_place(side, (*PLACE, "reading")) for side in (first, second)]
    for place in dict.fromkeys([*parts[0], *parts[1]]):
        left, right = (part.get(place) for part in parts)
        if not (left and right and left["verdict"] == right["verdict"]):
            claim, part, epoch, *reading = map(told, place)
            found.append((claim, ", ".join([part, *reading]), epoch, verdict(left), verdict(right)))
    return sorted(found, key=lambda row: (row[0], row[1] != WHOLE))


def by_place(rows: Rows, names: tuple[str, ...]) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    return {tuple(row.get(name) for name in names): row for row in rows}


def verdict(row: Mapping[str, Any] | None) -> str:
    """A verdict with the value and interval that it rests on."""
    if row is None:
        return ABSENT
    values = [row.get(name) for name in ("value", "low", "high")]
    value, low, high = (number(x) if isinstance(x, int | float) else "" for x in values)
    details = [text for text in (value, f"{low}–{high}" if low and high else "") if text]
    return told(row["verdict"]) + (f" ({', '.join(details)})" if details else "")


def told(x: Any) -> str:
    """A cell; an epoch with separators."""
    if x is None:
        return ABSENT
    return f"{x:,}" if isinstance(x, int) and not isinstance(x, bool) else str(x)
