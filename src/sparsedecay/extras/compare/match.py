"""Pairs the results of two sides by their parameters.

found = match(groups(A.milestones), groups(B.milestones))
found.pairs          [(Group, Group), …]     the same but for what differs as a whole, and seeds
found.only           ([Group, …], [Group, …])
found.differing      {("initial_scale", ("none",), ("fan_in",)): {("dense", "none"), …}, …}
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from sparsedecay.extras.compare.sides import Milestone

Stratum = tuple[str | None, ...]
"""Network and regularizer; None where they differ between the sides."""
KINDS = ("network", "regularizer")
SEEDS = ("target_seed", "weight_seed")


@dataclass(frozen=True)
class Group:
    """Milestones that are alike in everything but seeds."""

    parameters: Mapping[str, Any]
    """All but the seeds."""
    epoch: int
    members: tuple[Milestone, ...]

    @property
    def order(self) -> tuple[Any, ...]:
        """Networks and regularizers by name, larger lam first, then epochs."""
        p = self.parameters
        kinds = [p[name] for name in KINDS]
        return (*kinds, -p["lam"], self.epoch, [sortable(value) for value in p.values()])


Groups = list[Group]
Difference = tuple[str, tuple[Any, ...], tuple[Any, ...]]
"""Name of a parameter, and its values in A and in B."""


@dataclass
class Matching:
    pairs: list[tuple[Group, Group]] = field(default_factory=list)
    only: tuple[Groups, Groups] = field(default_factory=lambda: ([], []))
    differing: dict[Difference, set[Stratum]] = field(default_factory=dict)
    """Parameters whose values differ between the sides, and where they differ so."""
    strata: set[Stratum] = field(default_factory=set)
    """Those that both sides have."""
    varying: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    """Parameters that tell groups of one network and regularizer apart, on either side."""


def groups(milestones: Iterable[Milestone]) -> Groups:
    """Milestones put together where they differ in seeds alone, in order."""
    found: dict[tuple[Any, ...], list[Milestone]] = {}
    for milestone in milestones:
        same = {n: v for n, v in milestone.parameters.items() if n not in SEEDS}
        found.setdefault((milestone.epoch, *same.items()), []).append(milestone)
    made = [Group(dict(same), epoch, tuple(ms)) for (epoch, *same), ms in found.items()]
    return sorted(made, key=lambda group: group.order)


def match(first: Groups, second: Groups) -> Matching:
    """Pairs of groups. A parameter that differs as a whole, that is, has no value in common and a
    single one on a side, tells nothing apart; each network and regularizer is looked at alone."""
    cuts = list(strata(first, second))
    names = [name for group in [*first, *second][:1] for name in group.members[0].parameters]
    found = Matching(strata={stratum for stratum, a, b in cuts if a and b})
    for _, a, b in cuts:
        for varying, side in zip(found.varying, (a, b), strict=True):
            varying |= {n for n in names if n not in (*KINDS, *SEEDS) and len(values(side, n)) > 1}
        pair(found, a, b, {name for name in names if as_a_whole(name, a, b)})
    found.pairs.sort(key=lambda pair: [group.order for group in pair])
    for side in found.only:
        side.sort(key=lambda group: group.order)
    for name, (stratum, a, b) in product(names, cuts):
        if differs(name, a, b):
            key = name, values(a, name), values(b, name)
            found.differing.setdefault(key, set()).add(stratum)
    return found


def strata(first: Groups, second: Groups) -> Iterator[tuple[Stratum, Groups, Groups]]:
    """Both sides cut by network, and each part by regularizer."""
    for network, *both in cut("network", first, second):
        for regularizer, a, b in cut("regularizer", *both):
            yield (network, regularizer), a, b


def cut(name: str, first: Groups, second: Groups) -> Iterator[tuple[str | None, Groups, Groups]]:
    """Both sides by the values of a parameter, or uncut if it differs between them as a whole."""
    cuts = dict.fromkeys(group.parameters[name] for group in [*first, *second])
    for value in [None] if as_a_whole(name, first, second) else cuts:
        a, b = (
            [group for group in side if value in (None, group.parameters[name])]
            for side in (first, second)
        )
        yield value, a, b


def pair(found: Matching, first: Groups, second: Groups, free: set[str]) -> None:
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
