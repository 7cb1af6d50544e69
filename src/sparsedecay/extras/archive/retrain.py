"""Trains one run of an archive again, from nothing, and compares its tables.

With the machine and the versions that made the archive, the bits must be the same. Elsewhere sums
are rounded differently, and after some thousand epochs the trajectory is another one: then the
question is whether the new numbers lie where other draws of targets and weights lie.
"""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.manifest import Label
from sparsedecay.extras.archive.opening import Archive
from sparsedecay.files import paths
from sparsedecay.files.storage import read_table
from sparsedecay.files.tables import MEASURED
from sparsedecay.science.run import Run
from sparsedecay.study.check import find
from sparsedecay.study.plan import load_plan

DRAWS = 4
"""Draws, the archive's among them, with whose spread the new numbers are compared."""
# whether it diverged is asked first, and the number of parameters is none of training's
MEASURES = [name for name in MEASURED if name not in ("diverged", "parameters")]
Row = Mapping[str, Any]
"""What the summary holds of a run at one milestone."""


@dataclass(frozen=True)
class Workflow:
    """Snakemake in an unpacked archive, on the code that lies there."""

    folder: Path
    config: str
    cores: str

    @property
    def environment(self) -> dict[str, str]:
        """Python takes modules from `src/` of the folder, but not from the folder itself."""
        inherited = {k: v for k, v in os.environ.items() if k != "SNAKEMAKE_PROFILE"}
        return {**inherited, "PYTHONPATH": str(self.folder / "src"), "PYTHONSAFEPATH": "1"}

    def snakemake(self, *arguments: str, shown: bool = True) -> str:
        """Call Snakemake, with the display of a user's terminal or else to return what it says.

        Raises:
            UserError: it failed.
        """
        # targets first: --configfile takes all that follows it
        command = [sys.executable, "-m", "snakemake", *arguments, "--cores", self.cores]
        command += ["--configfile", self.config]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=not shown, text=True
        )
        said = "" if shown else done.stdout + done.stderr
        if done.returncode:
            told = f":\n{said}" if said else ""
            raise UserError(f"Snakemake failed in the unpacked archive {self.folder}{told}")
        return said


def retrain(archive: Archive, label: Label, workflow: Workflow, name: str) -> bool:
    """Whether a run of an unpacked archive gives the same tables when it is trained again, bit for
    bit or within the spread of other draws; says which.

    Raises:
        UserError: the archive has no such run, or Snakemake fails.
    """
    folder = workflow.folder
    run = find(load_plan([folder / label.config]), name)
    summaries = re.compile(paths.measured(re.escape(name), r"(\d+)", "summary"))
    epochs = sorted(int(found[1]) for found in map(summaries.fullmatch, archive.names) if found)
    if not epochs:
        print(f"{name}: is a run of {label.config}, but the archive does not hold its tables")
        return False
    tables = [paths.measured(name, e, table) for e in epochs for table in paths.TABLES]
    before = {table: pq.read_table(folder / table) for table in tables}
    there = made_by(folder, name, epochs[-1])
    build(workflow)
    for room in ("train", "measure", "checkpoints"):
        shutil.rmtree(folder / "results" / room / name, ignore_errors=True)
    workflow.snakemake(*(paths.measured(name, epoch, "summary") for epoch in epochs))
    other = [table for table in tables if not pq.read_table(folder / table).equals(before[table])]
    if not other:
        print(f"{name}: {len(tables)} tables at {len(epochs)} milestones are the same bit for bit")
        return True
    print(f"{name}: {len(other)} of {len(tables)} tables differ, the first {other[0]}")
    elsewhere = unlike(there, made_by(folder, name, epochs[-1]))
    if not elsewhere:
        print("Machine, engine and versions are those that made the archive, so this is an error.")
        return False
    print("That may be, as the archive was made with", "; ".join(elsewhere), sep="\n  ")
    summary = paths.measured(name, epochs[-1], "summary")
    draws = [before[summary].to_pylist()[0], *other_draws(workflow, run, epochs[-1])]
    return within(pq.read_table(folder / summary).to_pylist()[0], draws)


def made_by(folder: Path, name: str, epoch: int) -> dict[str, str]:
    """What decides the bits of a stretch of training besides its settings.

    Raises:
        UserError: the stretch does not say.
    """
    file = folder / paths.loss(name, epoch)
    about = read_table(file).schema.metadata
    try:
        engine, versions = about[b"engine"].decode(), json.loads(about[b"versions"])
        found = {"engine": engine, **{key: versions[key] for key in ("machine", "numpy", "torch")}}
        return found if engine == "compiled" else {**found, "processor": about[b"cpu"].decode()}
    except (KeyError, ValueError, TypeError, RecursionError):
        raise UserError(f"{file}: does not say what made it") from None


def unlike(there: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Which versions were others where an archive was made."""
    return [f"{k} {there.get(k)}, here {v}" for k, v in here.items() if there.get(k) != v]


def build(workflow: Workflow) -> None:
    """Put the compiled engine where the archive's code looks for it: this copy's, if its sources
    are the same, or one built there. Without a compiler another engine trains, and says so."""
    there = workflow.folder / "src/sparsedecay/engines/compiled"
    here = Path(__file__).parents[2] / "engines/compiled"
    sources = [file.name for file in there.iterdir() if file.suffix in (".cpp", ".h")]
    if filecmp.cmpfiles(here, there, sources, shallow=False)[0] == sources:
        for library in here.glob("*.so"):
            shutil.copy(library, there)
    if not any(there.glob("*.so")):
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
        env, quiet = workflow.environment, subprocess.DEVNULL
        subprocess.run(command, cwd=workflow.folder, env=env, stdout=quiet)


def other_draws(workflow: Workflow, run: Run, epoch: int) -> Iterator[Row]:
    """The summaries of other draws of a run, which are trained if the archive lacks them.

    Raises:
        UserError: Snakemake fails.
    """
    for i in range(1, DRAWS):
        seeds = {key: getattr(run, key).seed + i for key in ("data", "initialization")}
        parts = {key: getattr(run, key).model_copy(update={"seed": seeds[key]}) for key in seeds}
        summary = paths.measured(run.model_copy(update=parts).id, epoch, "summary")
        if not (workflow.folder / summary).exists():
            print(f"draw {i + 1} of {DRAWS}, for the spread", flush=True)
            more = [f'{section}={{"seed": {seed}}}' for section, seed in seeds.items()]
            workflow.snakemake(summary, "--config", *more)
        yield pq.read_table(workflow.folder / summary).to_pylist()[0]


def within(new: Row, draws: list[Row]) -> bool:
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
    inside = 0
    for name in MEASURES:
        values = np.array([np.ravel(draw[name]) for draw in whole], dtype=float)
        low, high = values.min(axis=0), values.max(axis=0)
        margin = high - low + 1e-9 * np.abs(high)
        number = np.ravel(new[name]).astype(float)
        if np.all((number >= low - margin) & (number <= high + margin)):
            inside += 1
        else:
            print(f"  {name}: {new[name]}, draws {', '.join(str(draw[name]) for draw in whole)}")
    print(
        f"{inside} of {len(MEASURES)} measures lie within the spread of {len(whole)} draws "
        "(between them, or no farther outside than they lie apart)"
    )
    return inside == len(MEASURES)
