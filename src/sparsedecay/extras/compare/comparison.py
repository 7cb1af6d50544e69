"""Everything that differs between two sides, found but not yet put in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sparsedecay.extras.compare import claims, figures
from sparsedecay.extras.compare.changes import Change, changes
from sparsedecay.extras.compare.figures import SAME, Figure
from sparsedecay.extras.compare.match import Group, Matching, groups, match
from sparsedecay.extras.compare.sides import Side


@dataclass(frozen=True)
class Row:
    """What is measured of a pair of groups, or of a group that only one side has."""

    a: Group | None
    b: Group | None
    changes: list[Change]

    @property
    def equal(self) -> bool:
        return all(change.equal for change in self.changes)


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
    verdicts: list[tuple[str, ...]]

    @property
    def changed(self) -> list[Row]:
        return [row for row in self.rows if not row.equal]

    @property
    def pictures(self) -> list[Figure]:
        """Figures that are not the same."""
        return [figure for figure in self.figures if figure.state != SAME]

    @property
    def differs(self) -> bool:
        found = self.changed, *self.only, self.keys, self.pictures, self.verdicts
        return any(found) or bool(self.matching.differing)


def compare(a: Side, b: Side) -> Comparison:
    """What differs between two sides."""
    found = match(groups(a.milestones), groups(b.milestones))
    first, second = found.only
    return Comparison(
        a,
        b,
        found,
        [Row(left, right, changes(left, right)) for left, right in found.pairs],
        (
            [Row(group, None, changes(group, None)) for group in first],
            [Row(None, group, changes(None, group)) for group in second],
        ),
        list(keys(a.config, b.config)) if a.config and b.config else [],
        figures.compared(a, b),
        claims.verdicts(a.claims or [], b.claims or []) if told(a) and told(b) else [],
    )


def told(side: Side) -> bool:
    """Whether a side has verdicts that can be compared."""
    return side.claims is not None and not claims.missing(side.claims)


def keys(a: Any, b: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
    """Keys of two nested sections whose values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for name in dict.fromkeys([*a, *b]):
            yield from keys(a.get(name), b.get(name), (*path, name))
    elif a != b:
        yield ".".join(path), a, b
