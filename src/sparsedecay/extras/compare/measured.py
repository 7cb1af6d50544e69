"""The measures of both sides as tables: one row for each group first, then each measure."""

from collections.abc import Iterator

from sparsedecay.extras.compare import words
from sparsedecay.extras.compare.blocks import Block, Heading, Paragraph, Table
from sparsedecay.extras.compare.changes import Change
from sparsedecay.extras.compare.comparison import Comparison, Row
from sparsedecay.extras.compare.match import Group
from sparsedecay.extras.compare.sides import ABSENT

LABELS = ("network", "regularizer", "lam")
MAIN = ("mse_tail_median", "average_sparsity", "A2 rank")
"""Measures of the table that has a row for each group."""


def overview(found: Comparison) -> Iterator[Block]:
    """The main measures, a row for each network, regularizer, lam, … and epoch."""
    if found.rows:
        yield Heading("Measures")
        seeds = any(row_seeds(row) != "1" for row in found.rows)
        yield Paragraph(
            f"A{words.ARROW}B; one value where both have the same, with {words.ABOUT}where they "
            "differ in later digits" + ("; medians over seeds." if seeds else ".")
        )
        yield narrowed(found, found.rows)
    for letter, rows in zip("AB", found.only, strict=True):
        if rows:
            yield Heading(f"Only in {letter}")
            yield narrowed(found, rows)


def narrowed(found: Comparison, rows: list[Row]) -> Table:
    """A row for each group, without columns that have nothing to tell."""
    names = telling(found, rows[0])
    other = names[0] if len(names) == 1 else "other parameters"
    header = (*LABELS, other, "epoch", "seeds", *MAIN)
    cells = [
        (
            *labels(row),
            parameter(row, other) if len(names) == 1 else others(row, found),
            f"{one(row).epoch:,}",
            row_seeds(row),
            *main(row),
        )
        for row in rows
    ]
    idle = {other: "", "seeds": "1", **dict.fromkeys(MAIN, ABSENT)}
    kept = [i for i, name in enumerate(header) if {c[i] for c in cells} != {idle.get(name)}]
    # spaces instead of underscores, where a narrow column can break
    return Table(
        tuple(header[i].replace("_", " ") for i in kept), [tuple(c[i] for i in kept) for c in cells]
    )


def one(row: Row) -> Group:
    """A group of the row; for what its groups have in common."""
    group = row.a or row.b
    assert group is not None
    return group


def labels(row: Row) -> list[str]:
    return [parameter(row, name) for name in LABELS]


def parameter(row: Row, name: str) -> str:
    """A parameter of a row, on both sides if they differ in it."""
    texts = [words.value(group.parameters[name]) for group in (row.a, row.b) if group]
    return words.arrow(texts[0], texts[-1])


def others(row: Row, found: Comparison) -> str:
    """What else tells the row from others."""
    return ", ".join(f"{name} {parameter(row, name)}" for name in telling(found, row))


def telling(found: Comparison, row: Row) -> list[str]:
    """Parameters beside LABELS that tell apart rows of the sides that this one is on."""
    varying = zip(found.matching.varying, (row.a, row.b), strict=True)
    names = {name for names, group in varying if group for name in names}
    return [name for name in one(row).parameters if name in names and name not in LABELS]


def row_seeds(row: Row) -> str:
    counts = [str(len(group.members)) for group in (row.a, row.b) if group]
    return words.arrow(counts[0], counts[-1])


def main(row: Row) -> list[str]:
    """The main measures: on both sides, or with their spread on the only one."""
    by_name = {change.name: change for change in row.changes}
    if row.a and row.b:
        return [words.medians(by_name.get(name)) for name in MAIN]
    changes = [by_name.get(name) for name in MAIN]
    return [words.spread(change.a or change.b) if change else ABSENT for change in changes]


def details(found: Comparison, everything: bool) -> Iterator[Block]:
    """Every measure of each row that is not equal, or of each row."""
    rows = found.rows if everything else found.changed
    rows = [row for row in rows if made(row.a) and made(row.b)]
    if not rows:
        return
    yield Heading("In detail")
    equal = len(found.rows) - len(found.changed)
    if equal and not everything:
        yield Paragraph(f"Without {words.count(equal, 'row')} of equal measures; --all shows all.")
    if any(change.beyond is not None for row in rows for change in row.changes):
        yield Paragraph(
            "Over several seeds: median (lowest–highest). “beyond spread” tells whether the "
            "medians lie further apart than lowest and highest on either side that has several."
        )
    for row in rows:
        also = others(row, found)
        label = [*labels(row)[:2], f"lam {labels(row)[2]}", *([also] if also else [])]
        yield Heading(", ".join([*label, f"epoch {one(row).epoch:,}"]), 3)
        yield table(row)


def made(group: Group | None) -> bool:
    """Whether there is a group with a milestone that is made."""
    return group is not None and any(milestone.measures for milestone in group.members)


def table(row: Row) -> Table:
    """A row for each measure."""
    several = any(change.beyond is not None for change in row.changes)
    counts = [len(group.members) for group in (row.a, row.b) if group]
    sides = [
        letter if not several else f"{letter}, {words.count(n, 'seed')}"
        for letter, n in zip("AB", counts, strict=True)
    ]
    header = ("measure", *sides, "B − A", "beyond spread")
    cells = [
        (c.name, words.spread(c.a), words.spread(c.b), words.difference(c), beyond(c))
        for c in row.changes
    ]
    return Table(header, cells) if several else Table(header[:-1], [c[:-1] for c in cells])


def beyond(change: Change) -> str:
    return {True: "yes", False: "no", None: ""}[change.beyond]
