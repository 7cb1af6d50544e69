"""The figures of two sides, name by name: are they the same files, byte for byte?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sparsedecay.extras.compare.sides import Side

SAME, DIFFERS = "the same", "differs"


@dataclass(frozen=True)
class Figure:
    """A figure's files on both sides, by ending; empty on a side that does not have it."""

    name: str
    state: str
    a: Mapping[str, Path]
    b: Mapping[str, Path]


def compared(a: Side, b: Side) -> list[Figure]:
    """All figures of either side; none where a side is a config."""
    if a.figures is None or b.figures is None:
        return []
    found = []
    for name in sorted({*a.figures, *b.figures}):
        files = a.figures.get(name, {}), b.figures.get(name, {})
        found.append(Figure(name, state(*files), *files))
    return found


def state(a: Mapping[str, Path], b: Mapping[str, Path]) -> str:
    """What is to be said of a figure's files on both sides."""
    if not (a and b):
        return "only in A" if a else "only in B"
    common = [ending for ending in a if ending in b]
    if not common:
        return f"{' '.join(a)} in A, {' '.join(b)} in B"
    same = all(a[ending].read_bytes() == b[ending].read_bytes() for ending in common)
    return SAME if same else DIFFERS
