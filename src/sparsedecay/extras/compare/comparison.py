"""Everything that differs between two sides, found but not yet put in words.

found = Comparison(A, B)
found.rows[0].changes    [Change("mse_tail_median", (0.0012, 0.0016), (0.002,)), …]
"""

import filecmp
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sparsedecay.extras.compare.match import Group, groups, match
from sparsedecay.extras.compare.sides import ABSENT, Side
from sparsedecay.files.tables import MEASURED
from sparsedecay.words import number

SAME = "the same"
"""What is said of a figure that does not differ."""
PLACE = ("claim", "part", "epoch")
WHOLE = "as a whole"
Rows = Sequence[Mapping[str, Any]]
Values = tuple[float, ...]
"""One measure of the milestones of a group, from low to high and those that are no numbers last;
empty if none has it."""


@dataclass(frozen=True)
class Change:
    """One measure on both sides."""

    name: str
    a: Values
    b: Values

    @cached_property
    def equal(self) -> bool:
        """Whether both sides have the same values; those that are no numbers are the same."""
        nothing = all(map(math.isnan, self.a + self.b))
        return nothing or np.array_equal(self.a, self.b, equal_nan=True)

    @property
    def difference(self) -> float | None:
        """Of the medians, B - A; None if a side has none."""
        if not (self.a and self.b):
            return None
        return 0 if self.equal else median(self.b) - median(self.a)

    @property
    def ratio(self) -> float | None:
        """Of the medians, B / A; None if a side has none, or that of A is 0."""
        return median(self.b) / median(self.a) if self.a and self.b and median(self.a) else None

    @property
    def beyond(self) -> bool | None:
        """Whether the difference is larger than the spread of each side that has more than one
        seed; None where none has."""
        widths = [side[-1] - side[0] for side in (self.a, self.b) if len(side) > 1]
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
        found = [Change(name, values(self.a, name), values(self.b, name)) for name in ordered]
        return [change for change in found if change.a or change.b]

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
        pairs = [(file, self.b[ending]) for ending, file in self.a.items() if ending in self.b]
        if not pairs:
            return f"{' '.join(self.a)} in A, {' '.join(self.b)} in B"
        return SAME if all(filecmp.cmp(*pair, shallow=False) for pair in pairs) else "differs"


class Comparison:
    """What differs between two sides."""

    def __init__(self, a: Side, b: Side):
        self.sides = {"A": a, "B": b}
        self.matching = match(groups(a.milestones), groups(b.milestones))
        self.rows = [Row(*pair) for pair in self.matching.pairs]
        first, second = self.matching.only
        self.only = [Row(group, None) for group in first], [Row(None, group) for group in second]
        self.changed = [row for row in self.rows if row.differing]
        self.keys = list(keys(a.config, b.config)) if a.config and b.config else []
        self.figures: list[Figure] = []
        """Of either side; none where a side is a config."""
        if a.figures is not None and b.figures is not None:
            names = sorted({*a.figures, *b.figures})
            self.figures = [Figure(n, a.figures.get(n, {}), b.figures.get(n, {})) for n in names]
        self.pictures = [figure for figure in self.figures if figure.state != SAME]
        self.verdicts: list[tuple[str, ...]] = []
        """Claim, part, epoch and the verdicts of A and B, where these are not the same."""
        if a.claims is not None and b.claims is not None and not lacking(*a.claims, *b.claims):
            self.verdicts = verdicts(a.claims, b.claims)
        found = self.changed, *self.only, self.keys, self.pictures, self.verdicts
        self.differs = any(found) or bool(self.matching.differing)


def median(values: Values) -> float:
    return float(np.median(values))


def values(group: Group | None, name: str) -> Values:
    """A measure of a group."""
    found = [m.measures.get(name) for m in group.members if m.measures] if group else []
    return tuple(sorted((v for v in found if v is not None), key=lambda v: (math.isnan(v), v)))


def keys(a: Any, b: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
    """Keys of two nested sections whose values differ, with both values; None where one is left
    out."""
    if isinstance(a, dict) and isinstance(b, dict):
        for name in dict.fromkeys([*a, *b]):
            yield from keys(a.get(name), b.get(name), (*path, name))
    elif a != b:
        yield ".".join(path), a, b


def lacking(*rows: Mapping[str, Any]) -> list[str]:
    """Columns without which verdicts cannot be compared and that some row does not have."""
    return [name for name in ("claim", "verdict") if any(name not in row for row in rows)]


def verdicts(*sides: Rows) -> list[tuple[str, ...]]:
    """Claim, part, epoch and the verdicts of both, where these are not the same."""
    several = any(len({tuple(map(row.get, PLACE)) for row in side}) < len(side) for side in sides)
    names = (*PLACE, "reading") if several else PLACE
    a, b = (
        {(row["claim"], WHOLE, ""): {"verdict": row.get("claim_verdict")} for row in side}
        | {tuple(map(row.get, names)): row for row in side}
        for side in sides
    )
    found: list[tuple[str, ...]] = []
    for key in dict.fromkeys([*a, *b]):
        both = [side.get(key, {}) for side in (a, b)]
        if both[0].get("verdict") != both[1].get("verdict"):
            claim, part, epoch, *reading = map(told, key)
            found.append((claim, ", ".join([part, *reading]), epoch, *map(verdict, both)))
    return sorted(found, key=lambda row: (row[0], row[1] != WHOLE))


def verdict(row: Mapping[str, Any]) -> str:
    """A verdict with the value and interval that it rests on."""
    numbers = (row.get(name) for name in ("value", "low", "high"))
    value, low, high = (number(x) if isinstance(x, int | float) else "" for x in numbers)
    details = ", ".join(filter(None, (value, f"{low}–{high}" if low and high else "")))
    return told(row.get("verdict")) + (f" ({details})" if details else "")


def told(x: Any) -> str:
    """A cell; an epoch with separators."""
    return ABSENT if x is None else f"{x:,}" if type(x) is int else str(x)
