"""Command `sparsedecay findings`: what the tables of statements say, in words.

    sparsedecay findings --claims results/claims/claims.parquet \\
        --readings results/claims/readings.parquet --config '{…}' --out results/claims

Every number and every verdict comes from the tables.
"""

import argparse
import json
import math
from pathlib import Path

import pandas as pd

from sparsedecay.claims import method
from sparsedecay.claims.markdown import codes, limits, plain, table
from sparsedecay.claims.networks import Statements
from sparsedecay.claims.search import ranked
from sparsedecay.files.html import fragment, page
from sparsedecay.files.storage import read_table, write_file
from sparsedecay.files.tables import STATEMENTS
from sparsedecay.words import count, joined

SIGNS = {"holds": "✓ holds", "fails": "✗ fails", "undecided": "? undecided"}
GROUPS = {
    "replicates": "Replicates",
    "elsewhere": "Replicates later or earlier, or under another reading",
    "not": "Does not replicate",
    "open": "Cannot be decided",
}


def text(claims: pd.DataFrame, readings: pd.DataFrame) -> str:
    """The findings as Markdown."""
    groups = grouped(claims, readings)
    paragraphs = ["# Does it replicate?", summary(claims, readings), diverged(claims)]
    for name, title in GROUPS.items():
        if groups[name]:
            paragraphs += [f"## {title}", sentences(groups[name], claims, readings)]
    paragraphs += ["## Readings of the text", about_readings(readings), of_readings(readings)]
    paragraphs += ["## Appendix: all numbers of the literal reading", appendix(claims)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def counted(found: pd.DataFrame) -> list[str]:
    """Ids of the statements on experiments, in order."""
    return list(dict.fromkeys(found["claim"][found["counted"]]))


def verdicts(found: pd.DataFrame, stated: bool | None = True) -> pd.Series:
    """Verdicts by reading, statement and epoch: at the epochs that the text speaks of, at others,
    or at all (None)."""
    chosen = found[found["part"] == 1]
    chosen = chosen if stated is None else chosen[chosen["stated"] == stated]
    return chosen.set_index(["reading", "claim", "epoch"])["claim_verdict"]


def at_stated(found: pd.DataFrame) -> pd.DataFrame:
    """Verdicts at the epochs that the text speaks of: a row for each statement, a column for each
    reading, in order."""
    by_reading = verdicts(found).droplevel("epoch").unstack("reading")
    names = [name for name in counted(found) if name in by_reading.index]
    return by_reading.loc[names, list(dict.fromkeys(found["reading"]))]


def grouped(claims: pd.DataFrame, readings: pd.DataFrame) -> dict[str, list[str]]:
    """Ids of the statements by the groups of `GROUPS`."""
    found: dict[str, list[str]] = {name: [] for name in GROUPS}
    literal = at_stated(claims)["literal"]
    everywhere = pd.concat([verdicts(claims, None), verdicts(readings)]).groupby("claim")
    anywhere = everywhere.agg(lambda verdict: (verdict == "holds").any())
    for claim in counted(claims):
        verdict = literal.get(claim, "undecided")
        if verdict == "holds":
            found["replicates"].append(claim)
        elif anywhere[claim]:
            found["elsewhere"].append(claim)
        else:
            found["open" if verdict == "undecided" else "not"].append(claim)
    return found


def verb(n: int, word: str) -> str:
    """A verb whose subject is so many things."""
    return f"{word}s" if n == 1 else word


def summary(claims: pd.DataFrame, readings: pd.DataFrame) -> str:
    """The main result, in two sentences."""
    groups = {name: len(found) for name, found in grouped(claims, readings).items()}
    draws, coverage = int(claims["seeds"].max()), claims["coverage"].max()
    sure = f" ({100 * coverage:.0f} % intervals)" if coverage else ""
    order = ranked(readings)
    (title, distance, holds, tested), literal = order.iloc[0], order.loc["literal"]
    one = count(int(readings["seeds"].max()), "draw")
    not_so = f"{groups['not']} {'does' if groups['not'] == 1 else 'do'} not"
    first = (
        f"Read literally and trained from {count(draws, 'draw')}{sure}, "
        f"**{groups['replicates']} of {sum(groups.values())} statements of the paper replicate** "
        f"at the epoch that the text speaks of, {groups['elsewhere']} more at another epoch or "
        f"under another reading of what the text leaves open, {not_so}, and {groups['open']} "
        "cannot be decided."
    )
    if order.index[0] == "literal":
        return f"{first} No other reading comes closer to what the paper reports."
    return (
        f"{first} Of the other readings, each trained from {one}, *{title}* comes closest to what "
        f"the paper reports, with {holds} of {tested} statements and a distance of {distance:.2f}, "
        f"against {literal['holds']} and {literal['distance']:.2f} of the literal one: it could "
        "explain what the paper shows, which is not to say that it is what its authors ran."
    )


def diverged(claims: pd.DataFrame) -> str:
    """Of networks that diverged."""
    lost = claims[claims["stated"] & (claims["diverged"] > 0)]
    if not (hit := lost["claim"].nunique()):
        return ""
    return (
        f"Networks diverged, which {count(hit, 'statement')} {verb(hit, 'need')}: their draws, up "
        f"to {lost['diverged'].max()} of {int(claims['seeds'].max())}, count against these."
    )


def sentences(names: list[str], claims: pd.DataFrame, readings: pd.DataFrame) -> str:
    """A row for each sentence of the paper."""
    rows = []
    for name in names:
        parts = claims[(claims["claim"] == name) & claims["stated"]]
        if parts.empty:
            about = claims[claims["claim"] == name].iloc[0]
            ours = "not tested at the epoch that the text speaks of"
        else:
            deciding = parts[parts["verdict"] == parts["claim_verdict"]]
            about = deciding.iloc[0]
            ours = f"{about['quantity']}: {plain(about['value'])}{extent(about)}"
            ours += f", at {about['epoch']:,}"
        quote = f"“{about['quote']}” ({about['place']})"
        row = [quote, about["reported"], ours, holds_from(name, claims)]
        rows.append([*row, changes(name, claims, readings)])
    heads = ["the paper's words", "its value", "ours, median (range)", "holds from epoch"]
    return table([*heads, "what changes the verdict"], rows)


def extent(row: pd.Series) -> str:
    """The range of the draws, and how many diverged or lay on a spike."""
    if row["seeds"] == 1:
        return ""
    finite = [value for value in row["values"] if value is not None and math.isfinite(value)]
    told = f"{plain(min(finite))} to {plain(max(finite))}" if finite else "no number"
    for what, words in (("diverged", "diverged"), ("on_spike", "on a spike of the loss")):
        told += f"; {row[what]} of {row['seeds']} {words}" if row[what] else ""
    return f" ({told})"


def holds_from(name: str, claims: pd.DataFrame) -> str:
    """The first epoch from which on a statement holds wherever it was tested."""
    since, tested = None, by_epoch(name, claims)
    for epoch, verdict in tested.items():
        since = (since or epoch) if verdict == "holds" else None
    if len(tested) == 1:
        return f"tested at {min(tested):,} only"
    return f"{since:,}" if since else "–"


def by_epoch(name: str, claims: pd.DataFrame, stated: bool | None = None) -> dict[int, str]:
    """The verdicts on a statement, early ones first; `stated` as in `verdicts`."""
    found = verdicts(claims, stated).droplevel("reading").sort_index()
    return {epoch: verdict for (claim, epoch), verdict in found.items() if claim == name}


def changes(name: str, claims: pd.DataFrame, readings: pd.DataFrame) -> str:
    """The epochs and readings with another verdict than the literal one at the stated epoch."""
    row = at_stated(claims)["literal"]
    if name not in row.index:
        return "–"
    held = row[name] == "holds"
    others = by_epoch(name, claims, stated=False)
    told = [f"epoch {epoch:,}" for epoch, v in others.items() if (v == "holds") != held]
    of_readings = at_stated(readings)
    if name in of_readings.index:
        found = of_readings.loc[name].drop("literal").dropna()
        told += [f"`{reading}`" for reading, v in found.items() if (v == "holds") != held]
    what = "fails or is undecided" if held else "holds"
    return f"{what} with {joined(told)}" if told else "nothing that was tried"


def about_readings(readings: pd.DataFrame) -> str:
    names = len(set(readings["reading"])) - 1
    return (
        f"What the text leaves open was read in {count(names, 'other way')}, each trained from "
        f"{count(int(readings['seeds'].max()), 'draw')}, the first; so the literal reading stands "
        "here by its first draw too. The distance is 0 where all numbers lie within their limits; "
        "beyond them a number counts its factor as a power of ten, at most 1; of a statement its "
        "farthest number counts, of a reading the mean over its statements."
    )


def of_readings(readings: pd.DataFrame) -> str:
    """The readings, the closest first, with what holds and what changes."""
    held, rows = at_stated(readings) == "holds", []
    literal = held["literal"]
    for name, row in ranked(readings).iterrows():
        gained, lost = (
            held.index[a & ~b] for a, b in ((held[name], literal), (literal, held[name]))
        )
        tally = f"{row['holds']} of {row['tested']}"
        title = f"{row['title']} (`{name}`)"
        rows.append([title, f"{row['distance']:.3f}", tally, codes(gained), codes(lost)])
    return table(["reading", "distance", "hold", "gained", "lost"], rows)


def appendix(claims: pd.DataFrame) -> str:
    """A table of all numbers of the literal reading."""
    rows = []
    for (name, number), parts in claims.groupby(["claim", "part"], sort=False):
        stated, others = parts[parts["stated"]], parts[~parts["stated"]]
        row = (stated if len(stated) else parts).iloc[0]
        at_others = "; ".join(
            f"{plain(other['value'])} at {other['epoch']:,} ({other['verdict']})"
            for _, other in others.iterrows()
        )
        rows.append(
            [
                f"`{name}`" if number == 1 else "",
                row["quantity"],
                f"{row['epoch']:,}",
                f"{plain(row['value'])}{spread(row)}",
                limits(row),
                SIGNS[row["verdict"]],
                at_others or "–",
            ]
        )
    heads = ["code", "number", "at epoch", "median (interval)", "holds if", "verdict"]
    return table([*heads, "at another epoch"], rows)


def spread(row: pd.Series) -> str:
    """The interval, and how many of the draws diverged."""
    if row["seeds"] == 1:
        return ""
    lost = f"; {row['diverged']} of {row['seeds']} diverged" if row["diverged"] else ""
    return f" ({plain(row['low'])} to {plain(row['high'])}{lost})"


def main(arguments: list[str]) -> None:
    """Write the findings as Markdown and as pages of the report.

    Raises:
        UserError: a table is missing or damaged.
    """
    first_line = __doc__.split("\n")[0]
    parser = argparse.ArgumentParser(prog="sparsedecay findings", description=first_line)
    add = parser.add_argument
    add("--claims", required=True, type=Path, help="table of the literal reading, Parquet")
    add("--readings", required=True, type=Path, help="table of all readings, Parquet")
    add("--out", required=True, type=Path, help="folder for findings.md and the pages")
    add("--config", required=True, help="the config, as JSON, for the page on the method")
    add("--results", type=Path, default=Path("results"), help="folder of the results")
    options = parser.parse_args(arguments)
    files = options.claims, options.readings
    tables = [read_table(path, STATEMENTS) for path in files]
    claims, readings = (found.to_pandas() for found in tables)
    asked = [Statements.model_validate_json(found.schema.metadata[b"settings"]) for found in tables]
    found = text(claims, readings)
    tested = method.text(claims, asked, options.results, json.loads(options.config))
    # for the first page of the report
    short = summary(claims, readings) + "\n"
    for name, content in (
        ("findings.md", found),
        ("findings.html", page(fragment(found), "Does it replicate?")),
        ("method.html", page(fragment(tested), "How it was tested")),
        ("verdict.html", fragment(short)),
    ):
        write_file(options.out / name, content)
    print(options.out / "findings.md")
