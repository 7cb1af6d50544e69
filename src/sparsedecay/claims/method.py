"""How the statements were tested, and what made the networks: a page of the report."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from sparsedecay.claims.markdown import limits, table
from sparsedecay.claims.networks import Statements, Trained
from sparsedecay.errors import UserError
from sparsedecay.files import paths
from sparsedecay.files.storage import read_table
from sparsedecay.words import count


def text(
    claims: pd.DataFrame, asked: Iterable[Statements], results: Path, config: Mapping[str, Any]
) -> str:
    """The page as Markdown: the paper's words and their tests; engines, versions and times."""
    readings = (reading for request in asked for reading in request.readings)
    runs = {one.run: one for reading in readings for draw in reading.draws for one in draw}
    paragraphs = [
        "# How it was tested",
        "Each statement of the paper is tested by one or two numbers. The limits turn words such "
        "as *almost* into numbers:",
        tests(claims),
        "A number is measured for each draw. It holds if an exact, distribution-free interval for "
        "its median over all draws there could be lies within the limits, fails if the interval "
        "lies outside, and is undecided otherwise; of a single draw the number itself decides. "
        "A draw counts as one whose number lies beyond the limits if a network diverged that the "
        "number needs.",
        "# What made the networks",
        *machines(runs, results),
        "# The configuration",
        f"```\n{written(config)}```",
    ]
    return "\n\n".join(paragraphs) + "\n"


def written(config: Mapping[str, Any]) -> str:
    """A config as YAML."""
    stream = StringIO()
    yaml = YAML()
    yaml.default_flow_style = None  # lists in one line
    yaml.dump(config, stream)
    return stream.getvalue()


def tests(claims: pd.DataFrame) -> str:
    """The paper's words, the number that tests them, and why the limits lie where they do."""
    rows = []
    for (claim, _), same in claims.groupby(["claim", "part"], sort=False):
        row = same.iloc[0]
        words = f"`{claim}`, {row['place']}: “{row['quote']}”" if row["part"] == 1 else ""
        rows.append([words, row["quantity"], limits(row), row["why"]])
    return table(["the paper's words", "number", "holds if", "why"], rows)


def machines(runs: Mapping[str, Trained], results: Path) -> Iterator[str]:
    """Engines, kinds of machine and versions; time and memory of the training jobs."""
    made: dict[tuple[str, ...], set[str]] = defaultdict(set)
    jobs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for run, one in runs.items():
        for loss in sorted((results / "train" / run).glob("*/loss.parquet")):
            about = read_table(loss).schema.metadata or {}
            engine, cpu = (about.get(name, b"?").decode() for name in (b"engine", b"cpu"))
            versions = sorted(json.loads(about.get(b"versions", b"{}")).items())
            which = ", ".join(f"{name} {version}" for name, version in versions)
            made[engine, cpu, which].add(run)
            epoch = loss.parent.name
            log = results / Path(paths.benchmark("train", run, epoch)).relative_to("results")
            if log.exists():
                last = json.loads(log.read_text().splitlines()[-1])
                kind = f"{one.network}, {count(one.L, 'hidden layer')}"
                jobs[kind].append((last["s"], last["max_rss"] or 0))
    if not made:
        raise UserError(f"{results / 'train'}: holds none of the runs; name the folder of results")
    heads = ["engine", "instructions of the processor", "versions", "runs"]
    yield table(heads, [[*which, f"{len(ids):,}"] for which, ids in sorted(made.items())])
    rows = []
    for kind, found in sorted(jobs.items()):
        times = pd.Series([time for time, _ in found])
        most = max(memory for _, memory in found)
        spent = f"{times.sum() / 3600:.2f} h", f"{times.median():.0f} s", f"{most:.0f} MB"
        rows.append([kind, f"{len(found):,}", *spent])
    yield table(["network", "training jobs", "time of all", "median time", "most memory"], rows)
