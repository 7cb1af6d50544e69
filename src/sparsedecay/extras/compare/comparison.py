"""Everything that differs between two sides, found but not yet put in words.

found = Comparison(A, B)
found.rows[0].changes    [Change("mse_tail_median", Spread((0.0012, 0.0016)), Spread((0.002,))), …]
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sparsedecay.extras.compare.match import Group, Matching, groups, match
from sparsedecay.extras.compare.sides import ABSENT, Side
from sparsedecay.files.tables import MEASURED
from sparsedecay.words import number

SAME = "the same"
"""What is said of a figure that does not differ."""
PLACE = ("claim", "part", "epoch")
SHOWN = ("verdict", "value", "low", "high")
WHOLE = "as a whole"
Rows = Sequence[Mapping[str, Any]]


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
        members = [milestone for group in self.groups for milestone in group.members]
        names = dict.fromkeys(name for m in members for name in m.measures or ())
        # those of matrices last, where only B has some of the others
        ordered = sorted(names, key=lambda name: name.partition(" ")[0] not in MEASURED)
        found = [Change(name, spread(self.a, name), spread(self.b, name)) for name in ordered]
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
        return SAME if same else "differs"


@dataclass(frozen=True)
class Comparison:
    """What differs between two sides."""

    a: Side
    b: Side

    @property
    def sides(self) -> tuple[tuple[str, Side], ...]:
        return ("A", self.a), ("B", self.b)

    @cached_property
    def matching(self) -> Matching:
        return match(groups(self.a.milestones), groups(self.b.milestones))

    @cached_property
    def rows(self) -> list[Row]:
        return [Row(*pair) for pair in self.matching.pairs]

    @cached_property
    def only(self) -> tuple[list[Row], list[Row]]:
        first, second = self.matching.only
        return [Row(group, None) for group in first], [Row(None, group) for group in second]

    @cached_property
    def changed(self) -> list[Row]:
        return [row for row in self.rows if row.differing]

    @cached_property
    def keys(self) -> list[tuple[str, Any, Any]]:
        """Keys of two configs that differ, with both values; None where one is left out."""
        return list(keys(self.a.config, self.b.config)) if self.a.config and self.b.config else []

    @cached_property
    def figures(self) -> list[Figure]:
        """Of either side; none where a side is a config."""
        a, b = self.a.figures, self.b.figures
        names = sorted({*a, *b}) if a is not None and b is not None else []
        return [Figure(name, (a or {}).get(name, {}), (b or {}).get(name, {})) for name in names]

    @cached_property
    def pictures(self) -> list[Figure]:
        """Figures that are not the same."""
        return [figure for figure in self.figures if figure.state != SAME]

    @cached_property
    def verdicts(self) -> list[tuple[str, ...]]:
        """Claim, part, epoch and the verdicts of A and B, where these are not the same."""
        a, b = self.a.claims, self.b.claims
        return [] if a is None or b is None or lacking(a) or lacking(b) else verdicts(a, b)

    @property
    def differs(self) -> bool:
        found = self.changed, *self.only, self.keys, self.pictures, self.verdicts
        return any(found) or bool(self.matching.differing)


def spread(group: Group | None, name: str) -> Spread | None:
    """A measure of a group."""
    found = [m.measures.get(name) for m in group.members if m.measures] if group else []
    values = sorted((v for v in found if v is not None), key=lambda v: (math.isnan(v), v))
    return Spread(tuple(values)) if values else None


def keys(a: Any, b: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
    """Keys of two nested sections whose values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for name in dict.fromkeys([*a, *b]):
            yield from keys(a.get(name), b.get(name), (*path, name))
    elif a != b:
        yield ".".join(path), a, b


def lacking(rows: Rows) -> list[str]:
    """Columns without which verdicts cannot be compared and that a table does not have."""
    return [name for name in ("claim", "verdict") if rows and name not in rows[0]]


def verdicts(first: Rows, second: Rows) -> list[tuple[str, ...]]:
    """Claim, part, epoch and the verdicts of both, where these are not the same."""
    names: tuple[str, ...] = PLACE
    if any(
        len({tuple(map(row.get, names)) for row in side}) < len(side) for side in (first, second)
    ):
        names = (*PLACE, "reading")
    a, b = (
        {(row["claim"], WHOLE, ""): (row.get("claim_verdict"),) for row in side}
        | {tuple(map(row.get, names)): tuple(map(row.get, SHOWN)) for row in side}
        for side in (first, second)
    )
    found: list[tuple[str, ...]] = []
    for key in dict.fromkeys([*a, *b]):
        both = [side.get(key, (None,)) for side in (a, b)]
        if both[0][0] != both[1][0]:
            claim, part, epoch, *reading = map(told, key)
            found.append((claim, ", ".join([part, *reading]), epoch, *(verdict(*x) for x in both)))
    return sorted(found, key=lambda row: (row[0], row[1] != WHOLE))


def verdict(name: Any, *numbers: Any) -> str:
    """A verdict with the value and interval that it rests on."""
    texts = [number(x) if isinstance(x, int | float) else "" for x in numbers]
    value, low, high = texts or [""] * 3
    details = [text for text in (value, f"{low}–{high}" if low and high else "") if text]
    return told(name) + (f" ({', '.join(details)})" if details else "")


def told(x: Any) -> str:
    """A cell; an epoch with separators."""
    return ABSENT if x is None else f"{x:,}" if type(x) is int else str(x)
