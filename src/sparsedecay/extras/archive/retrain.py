"""Trains one run of an archive again, from nothing, and compares its tables.

With the machine and the versions that made the archive, the bits must be the same. Elsewhere sums
are rounded otherwise, and after some thousand epochs the trajectory is another one: then the
question is whether the new numbers lie where other draws of targets and weights lie.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.opening import Archive
from sparsedecay.extras.archive.settings import Label
from sparsedecay.extras.archive.workflow import Workflow, of
from sparsedecay.files import paths
from sparsedecay.files.storage import read_table
from sparsedecay.files.tables import PARAMETERS, SUMMARY
from sparsedecay.science.run import Run
from sparsedecay.study.check import find
from sparsedecay.study.plan import Plan, load_plan

DRAWS = 4
"""Draws, that of the archive among them, whose spread the new numbers are held against."""
OTHERS = (*PARAMETERS, "run", "epoch", "parameters", "diverged")
MEASURES = [name for name in SUMMARY.names if name not in OTHERS]


def retrain(archive: Archive, label: Label, folder: Path, name: str, cores: str) -> bool:
    """Whether a run of an unpacked archive gives the same tables when it is trained again, bit for
    bit or within the spread of other draws; says which.

    Raises:
        UserError: the archive has no such run, or Snakemake fails.
    """
    config = folder / label.config
    plan = load_plan([config])
    run = find(plan, name)
    places = [PurePosixPath(entry).parts for entry in archive.names]
    epochs = sorted(
        int(parts[3])
        for parts in places
        if parts[:3] == ("results", "measure", name) and parts[-1] == "summary.parquet"
    )
    tables = [paths.measured(name, e, table) for e in epochs for table in paths.TABLES]
    if not epochs:
        print(f"{name}: is a run of {label.config}, but the archive does not hold its tables")
        return False
    before = {table: pq.read_table(folder / table) for table in tables}
    made_by = made(folder, name, epochs[-1])
    build(folder)
    for room in ("train", "measure", "checkpoints"):
        shutil.rmtree(folder / "results" / room / name, ignore_errors=True)
    workflow = Workflow(folder, label.config, cores)
    workflow.make([paths.measured(name, epoch, "summary") for epoch in epochs])
    other = [table for table in tables if not pq.read_table(folder / table).equals(before[table])]
    now = made(folder, name, epochs[-1])
    elsewhere = [
        f"{key} {made_by.get(key)}, here {now[key]}" for key in now if made_by.get(key) != now[key]
    ]
    if not other:
        print(f"{name}: {len(tables)} tables at {len(epochs)} milestones are the same bit for bit")
        return True
    print(f"{name}: {len(other)} of {len(tables)} tables differ, the first {other[0]}")
    if not elsewhere:
        print("Machine, engine and versions are those that made the archive, so this is an error.")
        return False
    print("That may be, as the archive was made with", "; ".join(elsewhere), sep="\n  ")
    summary = paths.measured(name, epochs[-1], "summary")
    first = before[summary].to_pylist()[0]
    draws = [first, *others(workflow, plan, run, epochs[-1])]
    return within(pq.read_table(folder / summary).to_pylist()[0], draws)


def made(folder: Path, name: str, epoch: int) -> dict[str, str]:
    """What decides the bits of a stretch of training beside its settings."""
    file = folder / paths.loss(name, epoch)
    about = read_table(file).schema.metadata
    try:
        versions = json.loads(about[b"versions"])
        return {
            "engine": about[b"engine"].decode(),
            **({} if about[b"engine"] == b"compiled" else {"processor": about[b"cpu"].decode()}),
            **{key: versions[key] for key in ("machine", "numpy", "torch")},
        }
    except (KeyError, ValueError, TypeError, RecursionError):
        raise UserError(f"{file}: does not say what made it") from None


def build(folder: Path) -> None:
    """Put the compiled engine where the archive's code looks for it: this copy's, if its sources
    are the same, or one built there. Without a compiler another engine trains, and says so."""
    there = folder / "src/sparsedecay/engines/compiled"
    here = Path(__file__).parents[2] / "engines/compiled"
    sources = [file for file in there.iterdir() if file.suffix in (".cpp", ".h")]
    ours = {file.name: file.read_bytes() for file in here.iterdir() if file.is_file()}
    if all(ours.get(file.name) == file.read_bytes() for file in sources):
        for library in here.glob("*.so"):
            shutil.copy(library, there)
    if not any(there.glob("*.so")):
        subprocess.run(
            [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
            cwd=folder,
            env={**os.environ, **of(folder)},
            stdout=subprocess.DEVNULL,
            check=False,
        )


def others(workflow: Workflow, plan: Plan, run: Run, epoch: int) -> list[dict[str, Any]]:
    """The summaries of other draws of a run, which are trained if the archive lacks them.

    Raises:
        UserError: Snakemake fails.
    """
    found = []
    for i in range(1, DRAWS):
        seeds = {
            "data": {"seed": run.data.seed + i},
            "initialization": {"seed": run.initialization.seed + i},
        }
        draw = run.model_copy(
            update={
                "data": run.data.model_copy(update=seeds["data"]),
                "initialization": run.initialization.model_copy(update=seeds["initialization"]),
            }
        )
        summary = paths.measured(draw.id, epoch, "summary")
        if not (workflow.folder / summary).exists():
            print(f"draw {i + 1} of {DRAWS}, for the spread", flush=True)
            more = [f"{section}={json.dumps(value)}" for section, value in seeds.items()]
            workflow.make([summary], "--config", *more)
        found.append(pq.read_table(workflow.folder / summary).to_pylist()[0])
    return found


def within(new: Mapping[str, Any], draws: list[dict[str, Any]]) -> bool:
    """Whether each number lies between the least and the largest of the draws, or no farther
    outside than these lie apart; prints a line for each that does not. A run may diverge if a draw
    did, and has to if all did."""
    whole = [draw for draw in draws if draw.get("diverged") is None]
    lost = new.get("diverged") is not None
    if lost or not whole:
        print(
            f"  it {'diverged' if lost else 'did not diverge'} here; "
            f"{len(draws) - len(whole)} of {len(draws)} draws did"
        )
        return lost and len(whole) < len(draws)
    draws = whole
    outside = 0
    for name in MEASURES:
        values = np.array([np.ravel(draw[name]) for draw in draws], dtype=float)
        low, high = values.min(axis=0), values.max(axis=0)
        margin = high - low + 1e-9 * np.abs(high)
        number = np.ravel(new[name]).astype(float)
        if not np.all((number >= low - margin) & (number <= high + margin)):
            outside += 1
            print(f"  {name}: {new[name]}, draws {', '.join(str(draw[name]) for draw in draws)}")
    count = len(MEASURES)
    print(
        f"{count - outside} of {count} measures lie within the spread of {len(draws)} draws "
        "(between them, or no farther outside than they lie apart)"
    )
    return not outside
