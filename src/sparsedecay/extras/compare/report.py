"""Puts a comparison in words: the verdict first, then what differs, and details at the end."""

from collections.abc import Iterator

from sparsedecay.extras.compare import words
from sparsedecay.extras.compare.blocks import Block, Command, Heading, Paragraph, Pictures, Table
from sparsedecay.extras.compare.comparison import Comparison
from sparsedecay.extras.compare.figures import SAME, Figure
from sparsedecay.extras.compare.match import Differing, Stratum
from sparsedecay.extras.compare.measured import details, overview
from sparsedecay.extras.compare.notes import notes
from sparsedecay.extras.compare.sides import Side
from sparsedecay.study.entries import escape


def report(found: Comparison, everything: bool) -> list[Block]:
    """The blocks of a report; `everything`: also of what is equal."""
    blocks: list[Block] = [
        Table(("", "compared", "holds"), [("A", *about(found.a)), ("B", *about(found.b))]),
        Paragraph(verdict(found)),
    ]
    if found.differs or everything:
        blocks += [*parameters(found), *overview(found), *verdicts(found), *pictures(found)]
    blocks += missing(found)
    if told := list(notes(found)):
        blocks += [Heading("Notes"), *map(Paragraph, told)]
    # last, as it is long
    return blocks + list(details(found, everything))


def about(side: Side) -> tuple[str, str]:
    """A side's name, and what it is."""
    runs = words.count(len({milestone.run for milestone in side.milestones}), "run")
    text = f"{side.kind}, {words.count(len(side.milestones), 'milestone')} of {runs}"
    missing = len(side.missing)
    return escape(side.name), text + (f", {missing:,} of them not made yet" if missing else "")


def verdict(found: Comparison) -> str:
    """The answer in one sentence."""
    rows, changed = len(found.rows), len(found.changed)
    figures, pictures = len(found.figures), len(found.pictures)
    names = {entry.name for entry in found.matching.differing}
    parts = [
        (found.keys, words.count(len(found.keys), "key") + " of the config"),
        (names, words.count(len(names), "parameter")),
        (changed, f"measures in {changed:,} of {words.count(rows, 'row')}"),
        (found.only[0], words.count(len(found.only[0]), "row") + " only in A"),
        (found.only[1], words.count(len(found.only[1]), "row") + " only in B"),
        (found.verdicts, words.count(len(found.verdicts), "verdict")),
        (pictures, f"{pictures:,} of {words.count(figures, 'figure')}"),
    ]
    told = [text for there, text in parts if there]
    if told:
        return f"Different: {', '.join(told)}."
    same = [words.count(rows, "row") + " of measures"] if rows else []
    same += [words.count(figures, "figure")] if figures else []
    what = f": {' and '.join(same)} are the same on both sides" if same else ""
    if found.a.milestones and len(found.a.missing) == len(found.a.milestones):
        what = " that can be told: nothing is made on either side yet"
    return f"No difference{what}."


def parameters(found: Comparison) -> Iterator[Block]:
    """Keys of configs and parameters of runs that differ."""
    if found.keys:
        yield Heading("Keys of the configs that differ")
        keys = [(key, setting(a), setting(b)) for key, a, b in found.keys]
        yield Table(("key", "A", "B"), keys)
    if found.matching.differing:
        yield Heading("Parameters that differ")
        rows = [
            (entry.name, where(entry, found), words.several(entry.a), words.several(entry.b))
            for entry in found.matching.differing
        ]
        partly = any(row[1] for row in rows)
        header = ("parameter", "of runs with", "A", "B")
        yield Table(
            header if partly else (header[0], *header[2:]),
            rows if partly else [(name, *values) for name, _, *values in rows],
        )


def setting(value: object) -> str:
    return "left out" if value is None else words.value(value)


def where(entry: Differing, found: Comparison) -> str:
    """The networks and regularizers in which a parameter differs so; empty if in all."""
    strata = found.matching.strata
    if entry.strata == strata:
        return ""
    for kind in (0, 1):
        names = {stratum[kind] for stratum in entry.strata}
        if None not in names and {s for s in strata if s[kind] in names} == entry.strata:
            return ", ".join(sorted(filter(None, names)))
    return ", ".join(sorted(map(together, entry.strata)))


def together(stratum: Stratum) -> str:
    return " ".join(filter(None, stratum))


def missing(found: Comparison) -> Iterator[Block]:
    """Milestones that configs show and nobody has made yet."""
    lists: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for letter, side in (("A", found.a), ("B", found.b)):
        rows = tuple((m.run, f"{m.epoch:,}") for m in side.missing)
        lists.setdefault((side.remedy, rows), []).append(letter)
    for (remedy, rows), letters in lists.items():
        if rows:
            yield Heading(f"Not made yet in {' and '.join(letters)}")
            yield Command("not made yet:", remedy)
            yield Table(("run", "epoch"), list(rows))


def verdicts(found: Comparison) -> Iterator[Block]:
    """Verdicts on claims that differ."""
    if found.verdicts:
        yield Heading("Verdicts that differ")
        yield Table(("claim", "part", "epoch", "A", "B"), found.verdicts)


def pictures(found: Comparison) -> Iterator[Block]:
    """Figures: their state and files, and where it can be shown the pictures."""
    if not found.figures:
        return
    yield Heading("Figures")
    rows = [(figure.name, figure.state, files(found, figure)) for figure in found.figures]
    yield Table(("figure", "bytes", "files"), rows)
    for figure in found.figures:
        sides = [("A", found.a, figure.a), ("B", found.b, figure.b)]
        shown = [(f"{x}: {s.shown(f['.png'])}", f[".png"]) for x, s, f in sides if ".png" in f]
        if figure.state == SAME:
            shown = [(f"A and B: {figure.name}", path) for _, path in shown[:1]]
        if shown:
            yield Heading(f"{figure.name}: {figure.state}", 3)
            yield Pictures(shown)


def files(found: Comparison, figure: Figure) -> str:
    """A line for each side's file, of the first ending that there is."""
    sides = [("A", found.a, figure.a), ("B", found.b, figure.b)]
    return "\n".join(f"{x}: {side.shown(next(iter(f.values())))}" for x, side, f in sides if f)
