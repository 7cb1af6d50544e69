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
from sparsedecay.claims.markdown import codes, limits, plain, table
from sparsedecay.claims.networks import Statements
from sparsedecay.claims.statements import CLAIMS
from sparsedecay.files.html import fragment, page
from sparsedecay.files.storage import read_table, write_file
from sparsedecay.files.tables import STATEMENTS
from sparsedecay.words import count, joined

WORDS = {claim.id: claim.statement for claim in CLAIMS}
SIGNS = {"holds": "✓ holds", "fails": "✗ fails", "undecided": "? undecided"}


def text(claims: pd.DataFrame, readings: pd.DataFrame) -> str:
    """The findings as Markdown."""
    paragraphs = [
        "# Does it replicate?",
        summary(claims),
        later(claims),
        statements(claims),
        "## Readings of the text",
        closest(readings),
        table_of_readings(readings),
        "## What must have been different",
        *different(readings),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def first_parts(table: pd.DataFrame, stated: bool = True) -> pd.DataFrame:
    """One row for each statement and reading, at the epoch that the text speaks of or at others."""
    return table[(table["part"] == 1) & (table["stated"] == stated)]


def with_verdict(table: pd.DataFrame, verdict: str) -> list[str]:
    return list(table[table["claim_verdict"] == verdict]["claim"])


def verb(n: int, word: str) -> str:
    """A verb whose subject is so many things."""
    return f"{word}s" if n == 1 else word


def summary(claims: pd.DataFrame) -> str:
    """Of the literal reading: how many statements hold, and which do not."""
    stated = first_parts(claims)
    draws, coverage = int(claims["seeds"].max()), claims["coverage"].max()
    sure = f" ({100 * coverage:.0f} % intervals)" if coverage else ""
    found = {verdict: with_verdict(stated, verdict) for verdict in SIGNS}
    held, failed, undecided = (len(names) for names in found.values())
    lines = [
        f"Read literally, trained from {count(draws, 'draw')}{sure}, and "
        f"tested at the epoch that the text speaks of, **{held} of {len(stated)} statements "
        f"{verb(held, 'hold')}**, {failed} {verb(failed, 'fail')}, and {undecided} "
        f"{'is' if undecided == 1 else 'are'} undecided."
    ]
    for verdict, words in (("fails", "What fails"), ("undecided", "Undecided")):
        if found[verdict]:
            lines.append(f"{words}: {'; '.join(WORDS[claim] for claim in found[verdict])}.")
    lost = claims[claims["stated"] & (claims["diverged"] > 0)]
    if hit := lost["claim"].nunique():
        lines.append(
            f"Networks diverged, which {count(hit, 'statement')} {verb(hit, 'need')}: their "
            f"draws, up to {lost['diverged'].max()} of {draws}, count against these."
        )
    return " ".join(lines)


def later(claims: pd.DataFrame) -> str:
    """Statements whose verdict is another at another epoch."""
    sentences = []
    own = first_parts(claims).set_index("claim")["claim_verdict"]
    for epoch, rows in first_parts(claims, stated=False).groupby("epoch"):
        for verdict, word in (("holds", "hold"), ("fails", "fail")):
            found = with_verdict(rows, verdict)
            changed = [f"`{claim}`" for claim in found if own.get(claim, verdict) != verdict]
            if changed:
                told = verb(len(changed), word)
                sentences.append(f"At epoch {epoch:,} instead, {joined(changed)} {told}.")
    return " ".join(sentences)


def statements(claims: pd.DataFrame) -> str:
    """A table of all numbers of the literal reading."""
    rows = []
    for _, parts in claims.groupby(["claim", "part"], sort=False):
        for _, row in parts[parts["stated"]].iterrows():
            at_others = "; ".join(
                f"{plain(other['value'])} at {other['epoch']:,} ({other['verdict']})"
                for _, other in parts[~parts["stated"]].iterrows()
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
    return table([*heads, "at another epoch"], rows)


def holds(readings: pd.DataFrame) -> pd.DataFrame:
    """Whether a statement (rows) holds in a reading (columns) at the epoch the text speaks of."""
    stated = first_parts(readings)
    verdicts = stated.pivot(index="claim", columns="reading", values="claim_verdict")
    rows = [claim for claim in WORDS if claim in verdicts.index]
    return verdicts.loc[rows, stated["reading"].unique()] == "holds"


def titles(readings: pd.DataFrame) -> dict[str, str]:
    return dict(zip(readings["reading"], readings["title"], strict=True))


def closest(readings: pd.DataFrame) -> str:
    """Which reading gives most statements."""
    held, draws = holds(readings), int(readings["seeds"].max())
    tallies, literal = held.sum(), held["literal"].sum()
    best = tallies.index[tallies == tallies.max()]
    sentence = f"What the text leaves open was read in {count(len(tallies) - 1, 'other way')}, "
    sentence += f"each trained from {count(draws, 'draw')}. "
    if "literal" in best:
        return sentence + (
            f"None gives more statements than the literal reading, which gives {literal} of "
            f"{len(held)}."
        )
    names = joined([f"*{titles(readings)[name]}*" for name in best])
    return (
        sentence + f"Closest to all statements at once {verb(len(best), 'come')} "
        f"{names}, with {tallies.max()} of {len(held)}; the literal reading gives {literal}."
    )


def table_of_readings(readings: pd.DataFrame) -> str:
    """For each reading what holds and what changes against the literal one."""
    held, names, rows = holds(readings), titles(readings), []
    literal = held["literal"]
    for name, found in held.items():
        gained, lost = held.index[found & ~literal], held.index[literal & ~found]
        rows.append([names[name], f"{found.sum()}", codes(gained), codes(lost)])
    return table(["reading", f"holds, of {len(held)}", "gained", "lost"], rows)


def different(readings: pd.DataFrame) -> Iterator[str]:
    """For each statement that the literal reading does not give: what does."""
    held, names = holds(readings), titles(readings)
    lines, never = [], []
    for claim in held.index[~held["literal"]]:
        if givers := [f"*{names[name]}*" for name in sorted(held.columns[held.loc[claim]])]:
            lines.append(f"- {WORDS[claim]} (`{claim}`): given by {joined(givers)}")
        else:
            never.append(f"`{claim}`")
    yield "Statements that do not hold literally, and the readings that give them:" if lines else ""
    yield "\n".join(lines)
    if never:
        yield f"No reading gives {joined(never)} at the epoch that the text speaks of."
    if not held.all().any():
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
    short = "\n\n".join([summary(claims), later(claims), closest(readings)]) + "\n"
    for name, content in (
        ("findings.md", found),
        ("findings.html", page(fragment(found), "Does it replicate?")),
        ("method.html", page(fragment(tested), "How it was tested")),
        ("verdict.html", fragment(short)),
    ):
        write_file(options.out / name, content)
    print(options.out / "findings.md")
