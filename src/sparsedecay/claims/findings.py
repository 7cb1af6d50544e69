"""Command `sparsedecay findings`: what the tables of statements say, in words.

    sparsedecay findings --claims results/claims/claims.parquet \\
        --readings results/claims/readings.parquet --config '{…}' --out results/claims

Every number and every verdict comes from the tables.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sparsedecay.claims import method
from sparsedecay.claims.markdown import codes, fragment, join, limits, number, page, plain, table
from sparsedecay.claims.networks import Statements
from sparsedecay.claims.statements import CLAIMS
from sparsedecay.files.storage import read_table, write_file
from sparsedecay.files.tables import STATEMENTS

WORDS = {claim.id: claim.statement for claim in CLAIMS}
SIGNS = {"holds": "✓ holds", "fails": "✗ fails", "undecided": "? undecided"}


def text(claims: pd.DataFrame, readings: pd.DataFrame) -> str:
    """The findings as Markdown."""
    paragraphs = [
        "# Does it replicate?",
        summary(claims),
        later(claims),
        *statements(claims),
        "## Readings of the text",
        closest(readings),
        table_of_readings(readings),
        "## What must have been different",
        *different(readings),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def first_parts(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each statement, reading and epoch."""
    return table[table["part"] == 1]


def with_verdict(table: pd.DataFrame, verdict: str) -> list[str]:
    return list(table[table["claim_verdict"] == verdict]["claim"])


def summary(claims: pd.DataFrame) -> str:
    """Of the literal reading: how many statements hold, and which do not."""
    stated = first_parts(claims[claims["stated"]])
    draws, coverage = int(claims["seeds"].max()), claims["coverage"].max()
    sure = f" ({100 * coverage:.0f} % intervals)" if coverage else ""
    counts = {verdict: with_verdict(stated, verdict) for verdict in SIGNS}
    lines = [
        f"Read literally, trained from {number(draws, 'draw')}{sure}, and "
        f"tested at the epoch that the text speaks of, **{len(counts['holds'])} of "
        f"{len(stated)} statements {verb(counts['holds'], 'hold')}**, {len(counts['fails'])} "
        f"{verb(counts['fails'], 'fail')}, and {len(counts['undecided'])} "
        f"{'is' if len(counts['undecided']) == 1 else 'are'} undecided."
    ]
    for verdict, words in (("fails", "What fails"), ("undecided", "Undecided")):
        if counts[verdict]:
            lines.append(f"{words}: {'; '.join(WORDS[claim] for claim in counts[verdict])}.")
    lost = claims[claims["stated"] & (claims["diverged"] > 0)]
    if len(lost):
        lines.append(
            f"Networks diverged, which {number(lost['claim'].nunique(), 'statement')} "
            f"{'needs' if lost['claim'].nunique() == 1 else 'need'}: their draws, up to "
            f"{int(lost['diverged'].max())} of {draws}, count against these."
        )
    return " ".join(lines)


def verb(subjects: list[str], word: str) -> str:
    return f"{word}s" if len(subjects) == 1 else word


def later(claims: pd.DataFrame) -> str:
    """Statements whose verdict is another at another epoch."""
    sentences = []
    stated = first_parts(claims[claims["stated"]]).set_index("claim")
    others = first_parts(claims[~claims["stated"]])
    for epoch, rows in others.groupby("epoch"):
        for verdict, word in (("holds", "hold"), ("fails", "fail")):
            changed = [
                claim
                for claim in with_verdict(rows, verdict)
                if claim in stated.index and stated.loc[claim, "claim_verdict"] != verdict
            ]
            if changed:
                names = join([f"`{claim}`" for claim in changed])
                sentences.append(f"At epoch {epoch:,} instead, {names} {verb(changed, word)}.")
    return " ".join(sentences)


def statements(claims: pd.DataFrame) -> Iterator[str]:
    """A table of all numbers of the literal reading."""
    rows = []
    for _, row in claims[claims["stated"]].iterrows():
        other = claims[
            (claims["claim"] == row["claim"]) & (claims["part"] == row["part"]) & ~claims["stated"]
        ]
        at_others = "; ".join(
            f"{plain(o['value'])} at {o['epoch']:,} ({o['verdict']})" for _, o in other.iterrows()
        )
        first = row["part"] == 1
        rows.append(
            [
                f"{row['statement']} (`{row['claim']}`)" if first else "",
                f"{row['epoch']:,}" if first else "",
                row["quantity"],
                f"{plain(row['value'])}{spread(row)}",
                limits(row),
                SIGNS[row["verdict"]],
                at_others or "–",
            ]
        )
    heads = ["the paper says", "at epoch", "number", "median (interval)", "holds if", "verdict"]
    yield table([*heads, "at another epoch"], rows)


def closest(readings: pd.DataFrame) -> str:
    """Which reading gives most statements."""
    tallies = held(readings)
    most = max(tallies.values())
    best = [name for name, count in tallies.items() if count == most]
    draws = int(readings["seeds"].max())
    literal = tallies["literal"]
    sentence = f"What the text leaves open was read in {number(len(tallies) - 1, 'other way')}, "
    sentence += f"each trained from {number(draws, 'draw')}. "
    if "literal" in best:
        return sentence + (
            f"None gives more statements than the literal reading, which gives {literal} of "
            f"{of(readings)}."
        )
    names = join([f"*{title(readings, name)}*" for name in best])
    return (
        sentence + f"Closest to all statements at once {'comes' if len(best) == 1 else 'come'} "
        f"{names}, with {most} of {of(readings)}; the literal reading gives {literal}."
    )


def held(readings: pd.DataFrame) -> dict[str, int]:
    """Statements that hold at their epoch, by reading."""
    stated = first_parts(readings[readings["stated"]])
    return {
        name: len(with_verdict(rows, "holds"))
        for name, rows in stated.groupby("reading", sort=False)
    }


def of(readings: pd.DataFrame) -> int:
    return int(readings[readings["stated"]]["claim"].nunique())


def title(readings: pd.DataFrame, name: str) -> str:
    return str(readings[readings["reading"] == name]["title"].iloc[0])


def table_of_readings(readings: pd.DataFrame) -> str:
    """For each reading what holds and what changes against the literal one."""
    stated = first_parts(readings[readings["stated"]])
    by_reading = {name: rows.set_index("claim") for name, rows in stated.groupby("reading")}
    literal = by_reading["literal"]["claim_verdict"]
    rows = []
    for name, count in held(readings).items():
        found = by_reading[name]["claim_verdict"]
        gained = [c for c in found.index if found[c] == "holds" != literal.get(c)]
        lost = [c for c in literal.index if literal[c] == "holds" != found.get(c)]
        rows.append([title(readings, name), f"{count}", codes(gained), codes(lost)])
    heads = ["reading", f"holds, of {of(readings)}", "gained", "lost"]
    return table(heads, rows)


def different(readings: pd.DataFrame) -> Iterator[str]:
    """For each statement that the literal reading does not give: what does."""
    stated = first_parts(readings[readings["stated"]])
    table = stated.pivot(index="claim", columns="reading", values="claim_verdict")
    missing = [c for c in WORDS if c in table.index and table.loc[c, "literal"] != "holds"]
    lines, never = [], []
    for claim in missing:
        givers = [name for name in table.columns if table.loc[claim, name] == "holds"]
        if givers:
            names = join([f"*{title(readings, name)}*" for name in givers])
            lines.append(f"- {WORDS[claim]} (`{claim}`): given by {names}")
        else:
            never.append(claim)
    yield "Statements that do not hold literally, and the readings that give them:" if lines else ""
    yield "\n".join(lines)
    if never:
        yield (
            f"No reading gives {join([f'`{claim}`' for claim in never])} at the epoch that the "
            "text speaks of."
        )
    everything = [name for name, count in held(readings).items() if count == of(readings)]
    if not everything:
        yield (
            "No single reading gives all statements at once, so the paper's runs differ from each "
            "of them in more than one point, or in one that is not among them."
        )


def spread(row: pd.Series) -> str:
    """The interval, and how many of the draws diverged."""
    if row["seeds"] == 1:
        return ""
    lost = f"; {row['diverged']} of {row['seeds']} diverged" if row["diverged"] else ""
    return f" ({plain(row['low'])} to {plain(row['high'])}{lost})"


def verdict(claims: pd.DataFrame, readings: pd.DataFrame) -> str:
    """The findings in a few sentences, for the first page of the report."""
    return "\n\n".join([summary(claims), later(claims), closest(readings)]) + "\n"


def main(arguments: list[str]) -> None:
    """Write the findings as Markdown and as pages of the report.

    Raises:
        UserError: a table is missing or damaged.
    """
    summary_line = __doc__.split("\n")[0]
    parser = argparse.ArgumentParser(prog="sparsedecay findings", description=summary_line)
    add = parser.add_argument
    add("--claims", required=True, type=Path, help="table of the literal reading, Parquet")
    add("--readings", required=True, type=Path, help="table of all readings, Parquet")
    add("--out", required=True, type=Path, help="folder for findings.md and the pages")
    add("--config", required=True, help="the config, as JSON, for the page on the method")
    add("--results", type=Path, default=Path("results"), help="folder of the results")
    options = parser.parse_args(arguments)
    files = options.claims, options.readings
    tables = [read_table(path, STATEMENTS).to_pandas() for path in files]
    asked = [Statements.model_validate_json(method.about_file(path)["settings"]) for path in files]
    found, tested = (
        text(*tables),
        method.text(tables[0], asked, options.results, json.loads(options.config)),
    )
    for name, content in (
        ("findings.md", found),
        ("findings.html", page(found, "Does it replicate?")),
        ("method.html", page(tested, "How it was tested")),
        ("verdict.html", fragment(verdict(*tables))),
    ):
        write_file(options.out / name, content)
    print(options.out / "findings.md")
