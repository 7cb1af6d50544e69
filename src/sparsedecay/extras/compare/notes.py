"""What a reader must know of a comparison beside its numbers."""

from collections.abc import Iterator

from sparsedecay.extras.compare import claims
from sparsedecay.extras.compare.comparison import Comparison
from sparsedecay.extras.compare.sides import ABSENT, Side

UNKNOWN = "unknown"


def notes(found: Comparison) -> Iterator[str]:
    """Each note in a sentence."""
    yield from dict.fromkeys([*found.a.notes, *found.b.notes])
    yield from lacking(found)
    if not found.rows and not epochs(found.a) & epochs(found.b):
        yield "No row of A has a partner in B: they have no epoch in common."
    yield from software(found)
    if None in (found.a.figures, found.b.figures):
        yield "Figures are not compared: a config has none of its own."
    yield from about_claims(found)


def lacking(found: Comparison) -> Iterator[str]:
    """Parameters that tables do not tell."""
    sides: dict[str, list[str]] = {}
    for letter, side in (("A", found.a), ("B", found.b)):
        told = [milestone.parameters for milestone in side.milestones]
        names = [n for n in told[0] if any(p[n] == ABSENT for p in told)] if told else []
        if names:
            sides.setdefault(", ".join(names), []).append(letter)
    for listed, letters in sides.items():
        yield (
            f"Tables of {' and '.join(letters)} are of another version and do not tell, with "
            f"“{ABSENT}” in place of a value: {listed}."
        )


def epochs(side: Side) -> set[int]:
    return {milestone.epoch for milestone in side.milestones}


def software(found: Comparison) -> Iterator[str]:
    """Libraries and code of this package that differ: equal parameters may then give other bits."""
    a, b = versions(found.a), versions(found.b)
    differing = [name for name in dict.fromkeys([*a, *b]) if a and b and a.get(name) != b.get(name)]
    libraries = [
        f"{name} {a.get(name, UNKNOWN)} in A, {b.get(name, UNKNOWN)} in B"
        for name in differing
        if not name.startswith("code ")
    ]
    modules = [name.removeprefix("code ") for name in differing if name.startswith("code ")]
    if libraries:
        yield f"Measured by other software: {'; '.join(libraries)}."
    if modules:
        yield f"Measured by other code of this package: {', '.join(modules)}."


def versions(side: Side) -> dict[str, str]:
    """What measured a side's milestones; of several versions all."""
    found: dict[str, set[str]] = {}
    for milestone in side.milestones:
        for name, version in milestone.made_by.items():
            found.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(several)) for name, several in found.items()}


def about_claims(found: Comparison) -> Iterator[str]:
    """Why verdicts are not compared, if only one side tells them or a column is missing."""
    there = [(x, s) for x, s in (("A", found.a), ("B", found.b)) if s.claims is not None]
    if len(there) == 1 and None not in (found.a.figures, found.b.figures):
        yield f"Only {there[0][0]} has verdicts (results/claims/claims.parquet)."
    if len(there) == 2:
        for letter, side in there:
            if names := claims.missing(side.claims or []):
                yield (
                    f"Verdicts are not compared: claims.parquet of {letter} has no column "
                    f"{' and '.join(names)}."
                )
