"""Pairs the results of two sides by their parameters.

found = match(groups(A.milestones), groups(B.milestones))
found.pairs          [(Group, Group), …]     the same but for what differs as a whole, and seeds
found.only           ([Group, …], [Group, …])
found.differing      [Differing("initial_scale", ("none",), ("fan_in",), {("dense", "none"), …}), …]
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from sparsedecay.extras.compare.sides import DEFINITIONS, PARAMETERS, SEEDS, Milestone
from sparsedecay.science.networks import NetworkName
from sparsedecay.science.regularizers import RegularizerName

Stratum = tuple[str | None, str | None]
"""Network and regularizer; None where they differ between the sides."""
KINDS = ("network", "regularizer")
RANKS = {name: i for i, name in enumerate((*get_args(NetworkName), *get_args(RegularizerName)))}


@dataclass(frozen=True)
class Group:
    """Milestones that are alike in everything but seeds."""

    parameters: Mapping[str, Any]
    """All but the seeds."""
    epoch: int
    members: tuple[Milestone, ...]

    @property
    def order(self) -> tuple[Any, ...]:
        """Networks and regularizers as the config lists them, larger lam first, then epochs."""
        p = self.parameters
        kinds = [RANKS.get(p[name], len(RANKS)) for name in KINDS]
        return (*kinds, -p["lam"], self.epoch, [sortable(value) for value in p.values()])


@dataclass(frozen=True)
class Differing:
    """A parameter whose values differ between the sides."""

    name: str
    a: tuple[Any, ...]
    b: tuple[Any, ...]
    strata: frozenset[Stratum]
    """Where it differs so."""


@dataclass
class Matching:
    pairs: list[tuple[Group, Group]] = field(default_factory=list)
    only: tuple[list[Group], list[Group]] = field(default_factory=lambda: ([], []))
    differing: list[Differing] = field(default_factory=list)
    strata: set[Stratum] = field(default_factory=set)
    """Those that both sides have."""
    varying: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    """Parameters that tell groups of one network and regularizer apart, on either side."""


def groups(milestones: Iterable[Milestone]) -> list[Group]:
    """Milestones put together where they differ in seeds alone, in order."""
    found: dict[tuple[Any, ...], list[Milestone]] = {}
    for milestone in milestones:
        same = {n: v for n, v in milestone.parameters.items() if n not in SEEDS}
        found.setdefault((milestone.epoch, *same.items()), []).append(milestone)
    made = [Group(dict(same), epoch, tuple(ms)) for (epoch, *same), ms in found.items()]
    return sorted(made, key=lambda group: group.order)


def match(first: list[Group], second: list[Group]) -> Matching:
    """Pairs of groups. A parameter that differs as a whole, that is, has no value in common and a
    single one on a side, tells nothing apart; each network and regularizer is looked at alone."""
    found = Matching()
    for stratum, a, b in strata(first, second):
        names = [name for name in (a or b)[0].parameters if name not in KINDS]
        for varying, side in zip(found.varying, (a, b), strict=True):
            varying |= {name for name in names if len(values(side, name)) > 1}
        if a and b:
            found.strata.add(stratum)
        free = {name for name in (*KINDS, *names) if as_a_whole(name, a, b)}
        pair(found, a, b, free)
        found.differing += [
            Differing(name, values(a, name), values(b, name), frozenset([stratum]))
            for name in (*KINDS, *names, *SEEDS)
            if differs(name, a, b)
        ]
    found.pairs.sort(key=lambda pair: (pair[0].order, pair[1].order))
    for side in found.only:
        side.sort(key=lambda group: group.order)
    found.differing = joined(found.differing)
    return found


def strata(
    first: list[Group], second: list[Group], kinds: tuple[str, ...] = KINDS
) -> Iterator[tuple[tuple[Any, ...], list[Group], list[Group]]]:
    """Both sides cut by network and regularizer, unless these differ between them as a whole."""
    if not kinds:
        if first or second:
            yield (), first, second
        return
    name, *rest = kinds
    if as_a_whole(name, first, second):
        cuts = [(None, first, second)]
    else:
        cuts = [
            (value, having(first, name, value), having(second, name, value))
            for value in dict.fromkeys(g.parameters[name] for g in [*first, *second])
        ]
    for value, a, b in cuts:
        for stratum, left, right in strata(a, b, tuple(rest)):
            yield (value, *stratum), left, right


def pair(found: Matching, first: list[Group], second: list[Group], free: set[str]) -> None:
    """Pair the groups of one stratum that agree in epoch and all parameters but the free ones."""

    def place(group: Group) -> Hashable:
        return group.epoch, *((n, v) for n, v in group.parameters.items() if n not in free)

    for key in dict.fromkeys(map(place, [*first, *second])):
        a, b = ([group for group in side if place(group) == key] for side in (first, second))
        if min(len(a), len(b)) == 1:
            found.pairs += [(left, right) for left in a for right in b]
        else:  # on one side only, or several on both, where none belongs to another
            found.only[0].extend(a)
            found.only[1].extend(b)


def values(side: list[Group], name: str) -> tuple[Any, ...]:
    """The values of a parameter on one side, each once, in order."""
    if name in SEEDS:
        found = {m.parameters[name] for group in side for m in group.members}
    else:
        found = {group.parameters[name] for group in side}
    return tuple(sorted(found, key=sortable))


def sortable(value: Any) -> tuple[str, Any]:
    """Values of several types, put in some order."""
    return type(value).__name__, 0 if value is None else value


def differs(name: str, first: list[Group], second: list[Group]) -> bool:
    """Whether a parameter has no value in common; of seeds, whether any is on one side only."""
    a, b = set(values(first, name)), set(values(second, name))
    return bool(a and b) and (a != b if name in SEEDS else a.isdisjoint(b))


def as_a_whole(name: str, first: list[Group], second: list[Group]) -> bool:
    single = min(len(values(first, name)), len(values(second, name))) == 1
    return single and differs(name, first, second)


def having(side: list[Group], name: str, value: Any) -> list[Group]:
    return [group for group in side if group.parameters[name] == value]


def joined(differing: list[Differing]) -> list[Differing]:
    """One entry for all strata with the same values, in the order of the tables."""
    found: dict[tuple[str, tuple[Any, ...], tuple[Any, ...]], frozenset[Stratum]] = {}
    for entry in differing:
        key = entry.name, entry.a, entry.b
        found[key] = found.get(key, frozenset()) | entry.strata
    order = [*PARAMETERS, *DEFINITIONS]
    return sorted(
        (Differing(*key, strata) for key, strata in found.items()),
        key=lambda entry: order.index(entry.name),
    )
