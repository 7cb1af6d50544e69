"""The differences of a pair of groups: each measure's median and spread over seeds on both sides.

changes(pair)            [Change("mse_tail_median", Spread((0.0012, 0.0016)), Spread((0.002,))), …]
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from sparsedecay.extras.compare.match import Group


@dataclass(frozen=True)
class Spread:
    """One measure of the milestones of a group that have it, at least one."""

    values: tuple[float, ...]
    """From low to high."""

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def median(self) -> float:
        if any(map(math.isnan, self.values)):
            return math.nan
        half = self.n // 2
        low, high = self.values[(self.n - 1) // 2], self.values[half]
        return low if low == high else (low + high) / 2

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
        """Whether both sides have the same values; two that are no numbers are the same."""
        return comparable(self.a) == comparable(self.b)

    @property
    def difference(self) -> float | None:
        """Of the medians, B - A."""
        if self.equal and self.a:
            return 0
        return self.b.median - self.a.median if self.a and self.b else None

    @property
    def ratio(self) -> float | None:
        """Of the medians, B / A."""
        return self.b.median / self.a.median if self.a and self.b and self.a.median else None

    @property
    def beyond(self) -> bool | None:
        """Whether the difference is larger than the spread of either side, of those that have more
        than one seed; None where none has."""
        widths = [side.width for side in (self.a, self.b) if side and side.n > 1]
        if not widths or self.difference is None:
            return None
        return all(abs(self.difference) > width for width in widths)


def spread(group: Group | None, name: str) -> Spread | None:
    """A measure of a group."""
    made = [m.measures for m in group.members if m.measures is not None] if group else []
    found = [value for measures in made if (value := measures.get(name)) is not None]
    return Spread(tuple(sorted(found, key=lambda v: (math.isnan(v), v)))) if found else None


def changes(a: Group | None, b: Group | None) -> list[Change]:
    """All measures that either group has."""
    members = [m for group in (a, b) if group for m in group.members]
    names = dict.fromkeys(name for m in members for name in m.measures or ())
    return [Change(name, spread(a, name), spread(b, name)) for name in ordered(names)]


def ordered(names: Iterable[str]) -> list[str]:
    """Those of the whole network first, then neurons, then matrices, which have a second word."""
    return sorted(names, key=lambda name: (name[0] == "A", name.startswith("active")))


def comparable(side: Spread | None) -> list[float | None] | None:
    return [None if math.isnan(v) else v for v in side.values] if side else None
