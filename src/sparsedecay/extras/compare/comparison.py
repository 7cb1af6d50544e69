"""Pairs the results of two sides by their parameters, and finds everything that differs.

found = Comparison(A, B)
found.rows               [Row, …]     pairs, the same but for what differs as a whole, and seeds
found.only               ([Row, …], [Row, …])
found.differing          {("initial_scale", ("none",), ("fan_in",)): {("dense", "none"), …}, …}
found.rows[0].changes    [Change("mse_tail_median", (0.0012, 0.0016), (0.002,)), …]
"""

import filecmp
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from sparsedecay.extras.compare.sides import ABSENT, Milestone, Side
from sparsedecay.files.tables import MEASURED
from sparsedecay.words import number

KINDS = ("network", "regularizer")
SEEDS = ("target_seed", "weight_seed")
SAME = "the same"
"""What is said of a figure that does not differ."""
PLACE = ("claim", "part", "epoch")
WHOLE = "as a whole"
Stratum = tuple[str | None, ...]
"""Network and regularizer; None where they differ between the sides."""
Difference = tuple[str, tuple[Any, ...], tuple[Any, ...]]
"""Name of a parameter, and its values in A and in B."""
Values = tuple[float, ...]
"""One measure of the milestones of a group, from low to high and those that are no numbers last;
empty if none has it."""


@dataclass(frozen=True)
class Group:
    """Milestones that are alike in everything but seeds."""

    parameters: Mapping[str, Any]
    """All but the seeds."""
    epoch: int
    members: list[Milestone]

    @property
    def order(self) -> tuple[Any, ...]:
        """Networks and regularizers by name, larger lam first, then epochs."""
        p = self.parameters
        kinds = [p[name] for name in KINDS]
        return (*kinds, -p["lam"], self.epoch, [sortable(value) for value in p.values()])

    @property
    def measures(self) -> list[Mapping[str, float | None]]:
        """Of the milestones that are made."""
        return [milestone.measures for milestone in self.members if milestone.measures]


Groups = list[Group]


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
        names = dict.fromkeys(n for group in self.groups for one in group.measures for n in one)
        # those of matrices last, where only B has some of the others
        ordered = sorted(names, key=lambda name: name.partition(" ")[0] not in MEASURED)
        found = [Change(name, measured(self.a, name), measured(self.b, name)) for name in ordered]
        return [change for change in found if change.a or change.b]

    @property
    def differing(self) -> list[Change]:
        return [change for change in self.changes if not change.equal]

    @property
    def groups(self) -> Groups:
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
        self.rows: list[Row] = []
        """Pairs of groups."""
        self.only: tuple[list[Row], list[Row]] = [], []
        """Groups without a partner."""
        self.differing: dict[Difference, set[Stratum]] = {}
        """Parameters whose values differ between the sides, and where they differ so."""
        self.varying: tuple[set[str], set[str]] = set(), set()
        """Parameters that tell groups of one network and regularizer apart, on either side."""
        self.strata: set[Stratum] = set()
        """Those that both sides have."""
        self._match(groups(a.milestones), groups(b.milestones))
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
        found = self.changed, *self.only, self.keys, self.pictures, self.verdicts, self.differing
        self.differs = any(found)

    def _match(self, first: Groups, second: Groups) -> None:
        """Pair groups of the same epoch and parameters. A parameter that differs as a whole, that
        is, has no value in common and a single one on a side, tells nothing apart; each network
        and regularizer is looked at alone."""
        cuts = [
            ((network, regularizer), a, b)
            for network, *both in cut("network", first, second)
            for regularizer, a, b in cut("regularizer", *both)
        ]
        names = [name for group in [*first, *second][:1] for name in group.members[0].parameters]
        self.strata = {stratum for stratum, a, b in cuts if a and b}
        for _, *both in cuts:
            free = {name for name in names if as_a_whole(name, *both)}
            places: dict[tuple[Any, ...], tuple[Groups, Groups]] = {}
            for i, side in enumerate(both):
                apart = {n for n in names if n not in (*KINDS, *SEEDS) and len(values(side, n)) > 1}
                self.varying[i].update(apart)
                for group in side:
                    told = ((n, v) for n, v in group.parameters.items() if n not in free)
                    places.setdefault((group.epoch, *told), ([], []))[i].append(group)
            for a, b in places.values():
                if min(len(a), len(b)) == 1:
                    self.rows += [Row(*pair) for pair in product(a, b)]
                else:  # on one side only, or several on both, where none belongs to another
                    self.only[0].extend(Row(group, None) for group in a)
                    self.only[1].extend(Row(None, group) for group in b)
        for rows in (self.rows, *self.only):
            rows.sort(key=lambda row: [group.order for group in row.groups])
        for name, (stratum, a, b) in product(names, cuts):
            if differs(name, a, b):
                key = name, values(a, name), values(b, name)
                self.differing.setdefault(key, set()).add(stratum)


def groups(milestones: Iterable[Milestone]) -> Groups:
    """Milestones put together where they differ in seeds alone, in order."""
    found: dict[tuple[Any, ...], Group] = {}
    for milestone in milestones:
        same = {n: v for n, v in milestone.parameters.items() if n not in SEEDS}
        group = Group(same, milestone.epoch, [])
        found.setdefault((milestone.epoch, *same.items()), group).members.append(milestone)
    return sorted(found.values(), key=lambda group: group.order)


def cut(name: str, first: Groups, second: Groups) -> Iterator[tuple[str | None, Groups, Groups]]:
    """Both sides by the values of a parameter, or uncut if it differs between them as a whole."""
    cuts = dict.fromkeys(group.parameters[name] for group in [*first, *second])
    for value in [None] if as_a_whole(name, first, second) else cuts:
        a, b = (
            [group for group in side if value in (None, group.parameters[name])]
            for side in (first, second)
        )
        yield value, a, b


def values(side: Groups, name: str) -> tuple[Any, ...]:
    """The values of a parameter on one side, each once, in order."""
    found = {milestone.parameters[name] for group in side for milestone in group.members}
    return tuple(sorted(found, key=sortable))


def sortable(value: Any) -> tuple[str, Any]:
    """Values of several types, put in some order."""
    return type(value).__name__, 0 if value is None else value


def differs(name: str, first: Groups, second: Groups) -> bool:
    """Whether a parameter has no value in common; of seeds, whether any is on one side only."""
    a, b = set(values(first, name)), set(values(second, name))
    return bool(a and b) and (a != b if name in SEEDS else a.isdisjoint(b))


def as_a_whole(name: str, first: Groups, second: Groups) -> bool:
    single = min(len(values(first, name)), len(values(second, name))) == 1
    return single and differs(name, first, second)


def median(values: Values) -> float:
    return float(np.median(values))


def measured(group: Group | None, name: str) -> Values:
    """A measure of a group."""
    found = [measures.get(name) for measures in group.measures] if group else []
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


def verdicts(*sides: list[dict[str, Any]]) -> list[tuple[str, ...]]:
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
