"""Command `sparsedecay search`: readings by how far they are from what the paper reports.

    sparsedecay search --screen results/claims/screen.parquet --keep 5 --out kept.json
    sparsedecay search --screen … --search results/claims/search.parquet --out search.md

Of a statement with several parts the farthest counts, of a reading the mean over its statements.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from sparsedecay.claims.markdown import plain, table
from sparsedecay.files.storage import read_table, write_file
from sparsedecay.files.tables import STATEMENTS
from sparsedecay.words import count

SHOWN = (
    ("stable rank, eq. 2", "eq2-rank-one", 1),
    ("alive", "eq2-rank-one", 2),
    ("nodes, eq. 2", "eq2-one-pattern", 1),
    ("rank, weight decay", "wd-low-rank", 1),
    ("nodes / patterns", "wd-low-rank", 2),
    ("rank, dense", "dense-wd-rank", 1),
    ("largest entry of A", "max-entry", 1),
    ("sparsity, eq. 2 / weight decay", "eq2-sparser", 1),
    ("MSE / mean square", "interpolation", 1),
)
"""Numbers that the ranking tells: a title, statement and part."""


def ranked(found: pd.DataFrame, stated: bool = True) -> pd.DataFrame:
    """A row for each reading, the closest first: its title, `distance` from what the paper reports,
    and how many of how many statements hold (`holds`, `tested`).

    Args:
        found: a table of statements.
        stated: whether only numbers count that were measured at the epoch that the text speaks of.
    """
    counted = found[found["counted"] & (found["stated"] | (not stated))]
    claims = counted.groupby(["reading", "claim"], sort=False).agg(
        title=("title", "first"),
        distance=("distance", "max"),
        verdict=("claim_verdict", "first"),
    )
    claims["holds"] = claims["verdict"] == "holds"
    readings = claims.groupby("reading", sort=False).agg(
        title=("title", "first"),
        distance=("distance", "mean"),
        holds=("holds", "sum"),
        tested=("holds", "size"),
    )
    return readings.sort_values("distance", kind="stable")


def ranking(found: pd.DataFrame, stated: bool = True) -> str:
    """The same as a table in Markdown, with the numbers of `SHOWN`."""
    chosen = found[found["stated"] | (not stated)]
    values = chosen.groupby(["reading", "claim", "part"])["value"].first()
    present = [one for one in SHOWN if one[1:] in values.droplevel(0).index]
    rows = []
    for reading, row in ranked(found, stated).iterrows():
        numbers = (values.get((reading, *where)) for _, *where in present)
        told = ["–" if value is None else plain(value) for value in numbers]
        held = f"{row['holds']} of {row['tested']}"
        rows.append([row["title"], f"{row['distance']:.3f}", held, *told])
    return table(["reading", "distance", "hold", *(title for title, *_ in present)], rows)


def text(screen: pd.DataFrame, search: pd.DataFrame) -> str:
    """What the search found, as Markdown."""
    draws = [count(int(found["seeds"].max()), "draw") for found in (screen, search)]
    epoch = screen["epoch"].max()
    return (
        "# Readings by distance from what the paper reports\n\n"
        "The distance of a number is 0 within the limits of its statement, and beyond them its "
        "factor as a power of ten, at most 1. Of a statement the farthest part counts, of a "
        "reading the mean over its statements.\n\n"
        f"## Those that came closest, with all networks\n\n{draws[1]} each, every statement at "
        f"the epoch that the text speaks of.\n\n{ranking(search)}\n\n"
        f"## All, by the networks of figure 3 that are not dense\n\nMedians of {draws[0]}, at "
        f"epoch {epoch:,}. The numbers that need other networks are left out.\n\n"
        f"{ranking(screen, stated=False)}\n"
    )


def main(arguments: list[str]) -> None:
    """Choose the readings that go on, or rank all.

    Raises:
        UserError: a table is missing or damaged.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay search", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--screen", required=True, type=Path, help="table of statements of the screen, Parquet")
    add("--search", type=Path, help="the same of the readings that were kept")
    add("--keep", type=int, help="write the names of so many readings, the closest")
    add("--out", required=True, type=Path, help="JSON or Markdown file to write")
    options = parser.parse_args(arguments)
    screen = read_table(options.screen, STATEMENTS).to_pandas()
    if options.search is None:
        kept = ranked(screen, stated=False).index[: options.keep]
        write_file(options.out, json.dumps(list(kept), indent=1) + "\n")
    else:
        search = read_table(options.search, STATEMENTS).to_pandas()
        write_file(options.out, text(screen, search))
    print(options.out)
