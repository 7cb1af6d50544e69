"""Readings: ways to read what the paper's text leaves open, and their combinations.

readings = load_readings(Path("config/readings.yaml"), config, study)
combined(readings, most=2)           every pair that decides different things, too
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations
from pathlib import Path

from sparsedecay.errors import UserError
from sparsedecay.science import regularizers
from sparsedecay.study import parse
from sparsedecay.study.entries import Entry, overlaid, placed
from sparsedecay.study.study import Study, with_changes

LITERAL = "literal"
KEYS = {"title", "changes", "instead", "choice"}


@dataclass(frozen=True)
class Variation:
    """One way to read the text: a config that differs in what the text leaves open."""

    name: str
    title: str
    study: Study
    changes: Entry
    """What differs from the config, laid over it."""
    config: Entry
    instead: Mapping[str, str] = field(default_factory=dict)
    """Regularizers by the name of those that they stand in for: `{"eq2": "path"}`."""
    choice: str = ""
    """What it decides. Readings that decide the same are not combined, nor are those without."""


def load_readings(file: Path, config: Entry, literal: Study) -> list[Variation]:
    """The literal reading, and those of a file:
    `name: {title: …, changes: {section: {key: value}}, instead: {eq2: …}, choice: …}`.

    Raises:
        UserError: the file is missing or no YAML, or a reading is not allowed.
    """
    nothing = Entry(str(file), {})
    found = [Variation(LITERAL, "the text, taken literally", literal, nothing, config)]
    for name, entry in parse.read(file).value.items():
        where = f"{entry.place}: {name}"
        if name == LITERAL:
            raise UserError(f"{where}: is the config itself; give this reading another name")
        said = entry.value if isinstance(entry.value, dict) else {}
        texts = [said[key].value for key in ("title", "choice") if key in said]
        decides = {"changes", "instead"} & said.keys()
        if not (said.keys() <= KEYS and "title" in said and decides) or not all(
            isinstance(text, str) for text in texts
        ):
            raise UserError(
                f"{where}: is no reading; write {name}: {{title: A FEW WORDS, changes: "
                "{SECTION: {KEY: VALUE}}}, or instead: {eq2: REGULARIZER}; choice: WORD lets a "
                "search combine it"
            )
        title, *choice = texts
        changes = placed(said.get("changes", nothing), file.parent)
        study = varied(config, changes, literal, where, name)
        instead = said["instead"].plain() if "instead" in said else {}
        known = regularizers.KINDS.keys()
        names = [*instead, *instead.values()] if isinstance(instead, dict) else [None]
        if not all(isinstance(one, str) and one in known for one in names):
            raise UserError(
                f"{where}: instead: write {{REGULARIZER: REGULARIZER}}, of {', '.join(known)}"
            )
        found.append(Variation(name, title, study, changes, config, instead, *choice))
    return found


def varied(config: Entry, changes: Entry, literal: Study, where: str, name: str) -> Study:
    """The study of a config with the changes of a reading.

    Raises:
        UserError: it changes what a reading may not change, or a value is not allowed.
    """
    study = with_changes(config, changes, changes.place, f"reading {name}")
    only = literal.measures.model_copy(update={"average_over": study.measures.average_over})
    fixed = ("archive", "claims", "figures", "sweep")
    if study.measures != only or any(getattr(study, s) != getattr(literal, s) for s in fixed):
        raise UserError(
            f"{where}: changes archive, claims, figures, measures or sweep; a reading may "
            "change how networks are trained, and measures.average_over"
        )
    return study


def combined(readings: Sequence[Variation], most: int) -> list[Variation]:
    """The literal reading, those with a choice, and all combinations of up to `most` of them that
    make different choices.

    Raises:
        UserError: a combination is not allowed.
    """
    literal, *others = readings
    free = [one for one in others if one.choice]
    found = [literal, *free]
    for size in range(2, most + 1):
        for group in combinations(free, size):
            if len({one.choice for one in group}) == size:
                found.append(together(group, literal.study))
    return found


def together(group: Sequence[Variation], literal: Study) -> Variation:
    """Several readings at once."""
    name = "+".join(one.name for one in group)
    changes = reduce(overlaid, (one.changes for one in group))
    config = group[0].config
    study = varied(config, changes, literal, changes.place, name)
    instead = {old: new for one in group for old, new in one.instead.items()}
    title = "; ".join(one.title for one in group)
    return Variation(name, title, study, changes, config, instead)
