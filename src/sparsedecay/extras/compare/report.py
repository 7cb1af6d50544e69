"""Puts a comparison in words: the verdict first, then what differs, and details at the end."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sparsedecay.extras.compare.comparison import (
    SAME,
    Change,
    Comparison,
    Row,
    Stratum,
    Values,
    lacking,
    median,
)
from sparsedecay.extras.compare.sides import ABSENT
from sparsedecay.extras.compare.writers import ARROW, Block, Heading, Paragraph, Pictures, Table
from sparsedecay.study.entries import escape
from sparsedecay.words import count, joined, number, short

ABOUT = "≈ "
MOST = 6
"""Values of a parameter that are listed."""
BEYOND = {True: "yes", False: "no", None: ""}
LABELS = ("network", "regularizer", "lam")
MAIN = ("mse_tail_median", "average_sparsity", "A2 rank")
"""Measures of the table that has a row for each group."""


def report(found: Comparison, everything: bool) -> list[Block]:
    """The blocks of a report; `everything`: also of what is equal."""
    holds = []
    for letter, side in found.sides.items():
        runs = count(len({milestone.run for milestone in side.milestones}), "run")
        missing = f", {len(side.missing):,} of them not made yet" if side.missing else ""
        told = f"{side.kind}, {count(len(side.milestones), 'milestone')} of {runs}{missing}"
        holds.append((letter, escape(side.name), told))
    blocks: list[Block] = [Table(("", "compared", "holds"), holds), Paragraph(verdict(found))]
    if found.differs or everything:
        blocks += [*parameters(found), *overview(found)]
        header = ("claim", "part", "epoch", "A", "B")
        blocks += titled("Verdicts that differ", Table(header, found.verdicts))
        blocks += figures(found)
    for letter, side in found.sides.items():
        rows = [(milestone.run, f"{milestone.epoch:,}") for milestone in side.missing]
        remedy = Paragraph("not made yet:", side.remedy)
        blocks += titled(f"Not made yet in {letter}", Table(("run", "epoch"), rows), remedy)
    if said := list(notes(found)):
        blocks += [Heading("Notes"), *map(Paragraph, said)]
    # last, as it is long
    return blocks + list(details(found, everything))


def titled(title: str, table: Table, *before: Block) -> list[Block]:
    """A table under a heading; nothing if it has no rows."""
    return [Heading(title), *before, table] if table.rows else []


def verdict(found: Comparison) -> str:
    """The answer in one sentence."""
    rows, figures = count(len(found.rows), "row"), count(len(found.figures), "figure")
    parameters = {name for name, *_ in found.differing}
    parts = [
        (found.keys, count(len(found.keys), "key") + " of the config"),
        (parameters, count(len(parameters), "parameter")),
        (found.changed, f"measures in {len(found.changed):,} of {rows}"),
        (found.only[0], count(len(found.only[0]), "row") + " only in A"),
        (found.only[1], count(len(found.only[1]), "row") + " only in B"),
        (found.verdicts, count(len(found.verdicts), "verdict")),
        (found.pictures, f"{len(found.pictures):,} of {figures}"),
    ]
    told = [text for there, text in parts if there]
    if told:
        return f"Different: {', '.join(told)}."
    if found.rows and not any(row.changes for row in found.rows):
        return "No difference that can be told: nothing is made on either side yet."
    same = [f"{rows} of measures"] * bool(found.rows) + [figures] * bool(found.figures)
    return f"No difference{f': {joined(same)} are the same on both sides' if same else ''}."


def parameters(found: Comparison) -> Iterator[Block]:
    """Keys of configs and parameters of runs that differ."""
    keys = [
        (key, *("left out" if x is None else value(x) for x in both)) for key, *both in found.keys
    ]
    yield from titled("Keys of the configs that differ", Table(("key", "A", "B"), keys))
    differing = found.differing.items()
    rows = [(n, where(s, found), several(a), several(b)) for (n, a, b), s in differing]
    table = without_idle(("parameter", "of runs with", "A", "B"), rows, {"of runs with": ""})
    yield from titled("Parameters that differ", table)


def where(there: set[Stratum], found: Comparison) -> str:
    """The networks and regularizers of some strata; empty if those are all."""
    strata = found.strata
    if there == strata:
        return ""
    for kind in (0, 1):
        names = {stratum[kind] for stratum in there}
        if None not in names and {s for s in strata if s[kind] in names} == there:
            return ", ".join(sorted(filter(None, names)))
    return ", ".join(sorted(" ".join(filter(None, stratum)) for stratum in there))


def without_idle(
    header: Sequence[str], rows: Sequence[Sequence[str]], idle: Mapping[str, str]
) -> Table:
    """A table without the columns that hold nothing but their `idle` text."""
    kept = [i for i, name in enumerate(header) if {row[i] for row in rows} != {idle.get(name)}]
    # spaces instead of underscores, where a narrow column can break
    names = (header[i].replace("_", " ") for i in kept)
    return Table(tuple(names), [tuple(row[i] for i in kept) for row in rows])


def overview(found: Comparison) -> Iterator[Block]:
    """The main measures, a row for each network, regularizer, lam, … and epoch."""
    seeds = any(seeds_of(row) != "1" for row in found.rows)
    words = Paragraph(
        f"A{ARROW}B; one value where both have the same, with {ABOUT}where they differ in later "
        "digits" + ("; medians over seeds." if seeds else ".")
    )
    yield from titled("Measures", summed_up(found, found.rows), words)
    for letter, rows in zip("AB", found.only, strict=True):
        yield from titled(f"Only in {letter}", summed_up(found, rows))


def summed_up(found: Comparison, rows: list[Row]) -> Table:
    """A row for each group."""
    names = telling(found, rows[0]) if rows else []
    (other,) = names if len(names) == 1 else ["other parameters"]
    cells = []
    for row in rows:
        changes = {change.name: change for change in row.changes}
        main = [changes.get(name, Change(name, (), ())) for name in MAIN]
        rest = parameter(row, other) if len(names) == 1 else others(row, found)
        labels = [*(parameter(row, name) for name in LABELS), rest, epoch_of(row), seeds_of(row)]
        # on both sides, or with their spread on the only one
        told = (medians(c) if row.a and row.b else spread(c.a or c.b) for c in main)
        cells.append((*labels, *told))
    idle = {other: "", "seeds": "1"} | dict.fromkeys(MAIN, ABSENT)
    return without_idle((*LABELS, other, "epoch", "seeds", *MAIN), cells, idle)


def parameter(row: Row, name: str) -> str:
    """A parameter of a row, on both sides if they differ in it."""
    return arrow([value(group.parameters[name]) for group in row.groups])


def telling(found: Comparison, row: Row) -> list[str]:
    """Parameters besides LABELS that tell apart rows of the sides that this one is on."""
    varying = zip(found.varying, (row.a, row.b), strict=True)
    names = {name for names, group in varying if group for name in names}
    return [name for name in row.groups[0].parameters if name in names and name not in LABELS]


def others(row: Row, found: Comparison) -> str:
    """What else tells the row from others."""
    return ", ".join(f"{name} {parameter(row, name)}" for name in telling(found, row))


def seeds_of(row: Row) -> str:
    return arrow([str(len(group.members)) for group in row.groups])


def epoch_of(row: Row) -> str:
    return f"{row.groups[0].epoch:,}"


def details(found: Comparison, everything: bool) -> Iterator[Block]:
    """Every measure that is not equal, or every measure, of rows that both sides have made."""
    rows = [
        row
        for row in (found.rows if everything else found.changed)
        if all(group.measures for group in row.groups)
    ]
    if not rows:
        return
    yield Heading("In detail")
    if not everything:
        yield Paragraph("Without what is equal; --all shows that too.")
    if any(change.beyond is not None for row in rows for change in row.changes):
        yield Paragraph(
            "Over several seeds: median (lowest–highest). “beyond spread” tells whether the "
            "medians lie further apart than lowest and highest on either side that has several."
        )
    for row in rows:
        network, regularizer, lam = (parameter(row, name) for name in LABELS)
        label = network, regularizer, f"lam {lam}", others(row, found), f"epoch {epoch_of(row)}"
        yield Heading(", ".join(filter(None, label)), 3)
        seeds = [f", {count(len(group.members), 'seed')}" for group in row.groups]
        a, b = seeds if seeds_of(row) != "1" else ("", "")
        changes = row.changes if everything else row.differing
        cells = [
            (c.name, spread(c.a), spread(c.b), difference(c), BEYOND[c.beyond]) for c in changes
        ]
        header = ("measure", f"A{a}", f"B{b}", "B − A", "beyond spread")
        yield without_idle(header, cells, {"beyond spread": ""})


def figures(found: Comparison) -> Iterator[Block]:
    """Figures: their state and files, and where it can be shown the pictures."""
    rows, pictures = [], []
    for figure in found.figures:
        both = zip(found.sides.items(), (figure.a, figure.b), strict=True)
        sides = [(x, side.shown, files) for (x, side), files in both if files]
        # of the first ending that there is
        lines = [f"{x}: {shown(next(iter(files.values())))}" for x, shown, files in sides]
        rows.append((figure.name, figure.state, "\n".join(lines)))
        pngs = [(f"{x}: {shown(f['.png'])}", f[".png"]) for x, shown, f in sides if ".png" in f]
        if figure.state == SAME:
            pngs = [(f"A and B: {figure.name}", path) for _, path in pngs[:1]]
        if pngs:
            pictures.append(Pictures(f"{figure.name}: {figure.state}", pngs))
    yield from titled("Figures", Table(("figure", "bytes", "files"), rows))
    yield from pictures


def notes(found: Comparison) -> Iterator[str]:
    """What a reader must know of a comparison besides its numbers, each note in a sentence."""
    sides = found.sides.values()
    yield from dict.fromkeys(note for side in sides for note in side.notes)
    for letter, side in found.sides.items():
        told = (milestone.parameters.items() for milestone in side.milestones)
        if names := dict.fromkeys(name for items in told for name, x in items if x == ABSENT):
            yield (
                f"Tables of {letter} are of another version and do not tell, with “{ABSENT}” in "
                f"place of a value: {', '.join(names)}."
            )
    a, b = ({milestone.epoch for milestone in side.milestones} for side in sides)
    if not found.rows and a.isdisjoint(b):
        yield "No row of A has a partner in B: they have no epoch in common."
    yield from software(found)
    claims = {x: side.claims for x, side in found.sides.items() if side.claims is not None}
    if any(side.figures is None for side in sides):
        yield "Figures are not compared: a config has none of its own."
    elif len(claims) == 1:
        yield f"Only {''.join(claims)} has verdicts (results/claims/claims.parquet)."
    for letter, rows in claims.items() if len(claims) == 2 else ():
        if columns := joined(lacking(*rows)):
            yield f"Verdicts are not compared: claims.parquet of {letter} has no column {columns}."


def software(found: Comparison) -> Iterator[str]:
    """Libraries and code of this package that differ: equal parameters may then give other bits."""
    milestones = (side.milestones for side in found.sides.values())
    a, b = ({x for m in side for x in m.made_by.items()} for side in milestones)
    differing = sorted({name for name, _ in a ^ b}) if a and b else []
    modules = [name.removeprefix("code ") for name in differing if name.startswith("code ")]
    libraries = [name for name in differing if not name.startswith("code ")]

    def told(made_by: set[tuple[str, str]], library: str) -> str:
        return ", ".join(sorted(v for name, v in made_by if name == library)) or "unknown"

    if libraries:
        listed = [f"{name} {told(a, name)} in A, {told(b, name)} in B" for name in libraries]
        yield f"Measured by other software: {'; '.join(listed)}."
    if modules:
        yield f"Measured by other code of this package: {', '.join(modules)}."


def several(values: tuple[Any, ...]) -> str:
    """The values of a parameter on one side."""
    texts = [*map(value, values)]
    if len(texts) > MOST:
        texts[3:] = [f"… {texts[-1]} ({len(texts)} values)"]
    return ", ".join(texts)


def value(x: Any) -> str:
    """A parameter as a config would have it."""
    match x:
        case None:
            return "none"
        case bool():
            return str(x).lower()
        case float():
            return short(f"{x:g}" if float(f"{x:g}") == x else repr(x))
        case dict():
            return "{" + ", ".join(f"{k}: {value(v)}" for k, v in x.items()) + "}"
        case list() | tuple():
            return f"[{', '.join(map(value, x))}]"
    return str(x)


def arrow(texts: list[str]) -> str:
    """From A to B, or what both are or the only one is."""
    return ARROW.join(dict.fromkeys(texts))


def spread(values: Values) -> str:
    """Median, with the lowest and highest of several."""
    if not values:
        return ABSENT
    if values[0] == values[-1] or len(values) == 1:
        return number(median(values))
    # without spaces, so that it stays together in a narrow column
    middle, least, most = (number(x, 3) for x in (median(values), values[0], values[-1]))
    return f"{middle} ({least}–{most})"


def medians(change: Change) -> str:
    """The medians of both sides, or the one that both have, or have to as many digits."""
    texts = [number(median(side), 3) if side else ABSENT for side in (change.a, change.b)]
    # equal digits do not make equal numbers
    about = change.a and change.b and change.difference != 0 and texts[0] == texts[1]
    return (ABOUT if about else "") + arrow(texts)


def difference(change: Change) -> str:
    """B - A, for errors with their ratio."""
    if change.difference is None:
        return ABSENT
    text, base = number(change.difference, 3, "+"), median(change.a)
    if change.equal or not (base and change.name.startswith("mse")):
        return text
    ratio = median(change.b) / base
    return f"{text} (×{number(ratio, 3)})" if math.isfinite(ratio) else text
