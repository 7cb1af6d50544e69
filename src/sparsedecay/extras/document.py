"""Command `sparsedecay document`: writes config/README.md, config/schema.json, part of README.md.

The first two come from the settings classes (docstrings, types, ranges) and from config/config.yaml
(the paper's values), so that they cannot say anything else than what is checked. README.md shows
docs/findings.md, which a rule makes of the tables of statements.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from sparsedecay.errors import UserError
from sparsedecay.study import parse as reading
from sparsedecay.study.entries import Entry, KeyPath, key
from sparsedecay.study.schema import (
    KINDS,
    Schema,
    extent,
    item_of,
    json_schema,
    leaves,
    limits,
    node_at,
)
from sparsedecay.study.study import Study

INTRODUCTION = """\
<!-- Written by `sparsedecay document`: edit the classes in src/sparsedecay, not this file. -->

# The configuration

One file says what is computed. `config.yaml` is the paper's experiment and `smoke.yaml` a small one
that takes less than a minute. For an experiment of your own, copy, change, check and run:

```
cp config/config.yaml config/mine.yaml
nano config/mine.yaml                                      # change what you like
sparsedecay check config/mine.yaml                         # says what is wrong, or what it asks for
snakemake --configfile config/mine.yaml                    # all figures
snakemake figures/fig4.pdf --configfile config/mine.yaml   # one of them
make CONFIG=config/mine.yaml                               # all figures, by way of the Makefile
```

Targets such as `figures/fig4.pdf` must stand before `--configfile`, as Snakemake takes everything
behind it for more config files. More files are really allowed: later ones are laid over earlier
ones, so with `--configfile config/config.yaml config/mine.yaml` yours needs only the keys that
differ, or all keys of a section whose `kind` differs. A single value can be changed without a file:
`snakemake --config 'training={epochs: 400000}'`.

The files are YAML 1.2: `1e-3` is a number, and indentation is by spaces. No key has a default, so
that nothing is chosen silently; only figures, claims, a sweep and an archive may be left out,
and are then not made.
Editors that know JSON Schema complete and check the keys while you type (`schema.json`; the first
line of `config.yaml` points to it).

## Readings of the text

`readings.yaml` (the key `claims.readings`) holds what the paper's text leaves open, each point as a
named variation of the config:

```
loss-sum:
  title: loss summed over the data        # in figures and tables
  changes: {objective: {loss: sum}}       # any keys but figures, claims and measures, …
                                          # … of which average_over alone may change
```

`snakemake readings` trains each and tests the paper's statements on it. Readings share the runs
that they do not affect. With a reading of your own added, only that one is trained.

## Sweeps

The section `sweep` asks for thousands of variants at once, by every combination of its values
(`sweep.yaml` is an example of 10,000 runs, laid over the paper's config):

```
sparsedecay check config/config.yaml config/sweep.yaml     # how many runs, milestones and epochs
snakemake sweep --configfile config/config.yaml config/sweep.yaml
```

`settings` takes keys of the sections `data`, `network`, `objective`, `initialization` and
`optimizer`; all other values are those of the config. What has no effect is trained once: any `lam`
without a regularizer, or `network.d` in dense networks. Draws, values and milestones that are added
later train only what is new, and runs are shared with figures, draws and readings.

`results/sweep/summary.parquet` has a row for each run and milestone, and `matrices.parquet` one for
each of their matrices. Both tell the values of the run, and keep the rows of one setting together
(a row group), so that what is not asked for is not read:

```
import pyarrow.parquet as pq
pq.read_table("results/sweep/matrices.parquet", columns=["run", "matrix", "stable_rank"],
              filters=[("lam", "==", 1e-3), ("d", "==", 4)])
```

## Symbols

| symbol | meaning |
| --- | --- |
| N | number of data points: levels to the power of the dimension |
| d_0 | dimension of the inputs, the key `data.dimension` |
| L | hidden ReLU layers |
| K | ReLU neurons in each of them |
| d | functional width: outputs of each block of the representer network (Theorem 1) but the last |
| lam | λ, the weight of the regularizer in the objective: loss + lam · regularizer |

An epoch is one pass over all data, and with one batch one step of the optimizer. A run is
everything that decides the numbers of one training, and a milestone is a run's state at an epoch,
kept on disk.

## What runs again after an edit

| edit | what runs again |
| --- | --- |
"""

KEYS = """\
## Keys

The column *paper* holds the values of `config.yaml`, where comments say what part of the paper each
comes from. Beside the ranges of single keys there are limits to what a computer can take, such as
1,000,000,000 parameters in a network; `sparsedecay check` tells when one is passed."""

HEADER = """\
| key | type | allowed | paper | meaning |
| --- | --- | --- | --- | --- |"""

EFFECTS = (
    (("training.engine", "training.checkpoint_seconds"), "Nothing."),
    (("figures.fig1",), "Figure 1 is drawn."),
    (
        ("measures",),
        "Nothing is trained. Milestones are measured, tables joined, statements tested, and all "
        "figures but figure 1 drawn.",
    ),
    (
        ("figures.fig2", "figures.fig3", "figures.fig4"),
        "Only runs and milestones that no figure had asked for are trained; the figure is drawn.",
    ),
    (
        ("training.epochs",),
        "Figure 2's runs go on from their last milestone before the new length. If that is a "
        "milestone already, nothing is trained.",
    ),
    (
        ("claims",),
        "Only runs that no statement had asked for are trained; statements are tested and their "
        "figures drawn.",
    ),
    (("archive",), "The archive is packed."),
    (
        ("sweep",),
        "Only runs that no setting had asked for are trained; the sweep's tables are joined.",
    ),
    (("network.skips",), "All dense networks: they are other runs, with other names."),
    (
        ("objective.weight_decay", "objective.decay_biases"),
        "All networks with weight decay: they are other runs, with other names.",
    ),
    (
        (
            "data",
            "network.L",
            "network.K",
            "network.d",
            "objective.loss",
            "initialization",
            "optimizer",
            "training.stride",
            "training.record_every",
            "training.precision",
        ),
        "Everything: these are other runs, with other names. The old results stay, and count again "
        "when you change the value back.",
    ),
)
"""Keys or sections, and what an edit there makes run."""


def readme(schema: Schema, paper: Entry) -> str:
    """The text of config/README.md."""
    effects = [f"| {ticked(names)} | {text} |" for names, text in EFFECTS]
    parts = [INTRODUCTION + "\n".join(effects), KEYS]
    for section, paths in groupby(leaves(schema), section_of):
        rows = [row(schema, paper, path) for path in paths]
        meaning = description(schema, section)
        parts += [f"### {key(section)}", meaning, "\n".join([HEADER, *rows])]
    return "\n\n".join(parts) + "\n"


def section_of(path: KeyPath) -> KeyPath:
    """The section that a key is listed under: each figure has its own."""
    return path[:2] if path[0] == "figures" else path[:1]


def description(schema: Schema, path: KeyPath) -> str:
    """What a key means: its docstring, in one line."""
    return " ".join((node_at(schema, path) or {})["description"].split())


def row(schema: Schema, paper: Entry, path: KeyPath) -> str:
    """A key's line of a table."""
    node = node_at(schema, path)
    assert node is not None
    name = key(path[len(section_of(path)) :]).replace("[0]", "[]")
    if node["type"] == "array":
        item = item_of(schema, node)
        type_, allowed = f"list of {KINDS[item['type']]}s", values(item)
        joint = " of " if "enum" in item else " values, each " if allowed else " values"
        allowed = extent(node) + joint + allowed
    elif "additionalProperties" in node and "properties" not in node:
        type_, allowed = "section", f"{extent(node['additionalProperties'])} values for each key"
    else:
        type_, allowed = KINDS[node["type"]], values(node) or "any"
    unit = f", {node['unit']}" if "unit" in node else ""
    cells = f"`{name}`", type_ + unit, allowed, written(paper, path), description(schema, path)
    return f"| {' | '.join(cells)} |"


def values(node: Schema) -> str:
    """The values that a node allows, in a cell."""
    if "enum" in node:
        return ticked(node["enum"])
    if node["type"] == "boolean":
        return "`true`, `false`"
    return "" if node["type"] == "object" else limits(node)


def written(paper: Entry, path: KeyPath) -> str:
    """The paper's value; of a key that stands in each section of a list, all its values."""
    if path[0] not in paper.value:
        return "–"
    if 0 in path:
        at = path.index(0)
        count = len(paper.at(path[:at]).value)
        entries = [paper.at((*path[:at], i, *path[at + 1 :])) for i in range(count)]
        return ticked(entry.written() for entry in entries)
    entry = paper.at(path)
    if entry is paper.at(path[:-1]):  # a key of another kind than the paper's
        return "–"
    if isinstance(entry.value, list) and isinstance(entry.value[0].value, dict):
        return f"{len(entry.value)} of them"
    return f"`{entry.written()}`"


def ticked(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main(arguments: list[str]) -> None:
    """Write the files, or check that they are what would be written.

    Raises:
        UserError: the folder has no config.yaml, or README.md has no place for the findings.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay document", description=__doc__)
    add = parser.add_argument
    add("--folder", type=Path, default=Path("config"), help="default: config")
    add(
        "--check", action="store_true", help="write nothing; exit status 1 if a file is out of date"
    )
    options = parser.parse_args(arguments)
    schema = json_schema(Study)
    paper = reading.read(options.folder / "config.yaml")
    texts = {
        options.folder / "README.md": readme(schema, paper),
        options.folder / "schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
    }
    project = options.folder.resolve().parent
    readme_file, findings = project / "README.md", project / "docs" / "findings.md"
    if findings.exists() and readme_file.exists():
        shown = with_findings(readme_file.read_text("utf-8"), findings.read_text("utf-8"))
        texts[readme_file] = shown
    stale = [path for path, text in texts.items() if not is_current(path, text)]
    if options.check:
        for path in stale:
            print(f"{path}: is out of date; run: sparsedecay document", file=sys.stderr)
        sys.exit(1 if stale else 0)
    for path in stale:
        path.write_bytes(texts[path].encode())
    print("written:", *stale) if stale else print("nothing to do")


FINDINGS = "<!-- docs/findings.md, put here by `sparsedecay document` -->", "<!-- its end -->"


def with_findings(readme: str, findings: str) -> str:
    """The README with the findings between its two marks, their headings one level lower.

    Raises:
        UserError: a mark is missing.
    """
    before, begin, rest = readme.partition(FINDINGS[0])
    _, end, after = rest.partition(FINDINGS[1])
    if not (begin and end):
        raise UserError(f"README.md: lacks a line {FINDINGS[0] if not begin else FINDINGS[1]}")
    body = "\n".join(
        f"#{line}" if line.startswith("#") else line for line in findings.splitlines()[2:]
    )
    return f"{before}{begin}\n\n{body}\n\n{end}{after}"


def is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() == text.encode()
