"""Command `sparsedecay verify`: is an archive whole, and does it give its figures?

    sparsedecay verify sparsedecay-0.1.0.zip                  every file against its SHA-256
    sparsedecay verify sparsedecay-0.1.0.zip --rerender       draw all figures again, and compare
    sparsedecay verify sparsedecay-0.1.0.zip --retrain RUN    train a run again, and compare

The first runs nothing that is in the archive. The other two run its Snakefile and its code, in an
empty folder; if that is not the code of this copy of sparsedecay, they ask for --trust.

With the machine and the versions that made the archive, a run trained again must have the same
bits. Where another kernel of the linear algebra measures, its tables may differ by rounding; where
another engine or processor trains, after some thousand epochs the trajectory is another one: then
its numbers must lie where other draws of targets and weights lie. Figures may be packed by another
zlib, so they are compared as pictures if their bytes differ.

Exit status: 0; 1 if something is not as it should be; 2 if the archive cannot be used at all.
"""

import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sparsedecay.errors import UserError
from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.content import farthest, same_picture
from sparsedecay.extras.archive.history import History
from sparsedecay.extras.archive.made import made_by, packers, unlike
from sparsedecay.extras.archive.opening import Archive, opened
from sparsedecay.files import paths
from sparsedecay.files.project import CLONE, PROJECT
from sparsedecay.files.provenance import file_digest
from sparsedecay.files.tables import MEASURED
from sparsedecay.science.run import Run
from sparsedecay.study.check import find
from sparsedecay.study.plan import load_plan

HARMLESS = (
    *("docs/", "tests/", "config/", ".github/", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"),
    *("mkdocs.yml", "requirements-docs.lock", ".snakemake-workflow-catalog.yml"),
)
"""Source that is not run when figures are drawn or networks trained."""
ROUNDING = 1e-9
"""Of the largest number of a column: what another order of sums may change of what is measured, in
float64, on the same weights."""
DRAWS = 4
"""Draws, the archive's among them, with whose spread the new numbers are compared."""
# whether it diverged is asked first, a spike comes and goes, parameters are none of training's
MEASURES = [name for name in MEASURED if name not in ("diverged", "on_spike", "parameters")]


def main(arguments: list[str]) -> None:
    """Verify an archive.

    Raises:
        UserError: it cannot be opened, is refused, or is no archive of sparsedecay.
    """
    parser = argparse.ArgumentParser(
        prog="sparsedecay verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("archive", type=Path)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--rerender", action="store_true", help="draw all figures again, and compare")
    only.add_argument("--retrain", metavar="RUN", help="train this run again, and compare")
    add("--folder", type=Path, help="unpack there, and leave it (default: a temporary folder)")
    add("--cores", default="all", help="for the workflow (default: all)")
    add("--trust", action="store_true", help="run the archive's code though it is not this one's")
    options = parser.parse_args(arguments)
    with opened(options.archive) as archive:
        label = manifest.whole(archive)
        if not (options.rerender or options.retrain):
            return
        if not options.trust:
            same_code(archive)
        with TemporaryDirectory(prefix="sparsedecay-") as temporary:
            folder = (options.folder or Path(temporary)).resolve()
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise UserError(f"--folder {options.folder}: is not empty; name a new one")
            archive.unpack(folder)
            print(f"unpacked in {folder}", flush=True)
            workflow = Workflow(folder, label.config, options.cores)
            if options.rerender:
                right = rerender(label, workflow)
            else:
                right = retrain(archive, label, workflow, options.retrain)
    sys.exit(0 if right else 1)


def same_code(archive: Archive) -> None:
    """Check that the code of the archive is that of this copy.

    Raises:
        UserError: it is not, or this copy has no sources to compare with.
    """
    if not CLONE:
        raise UserError(
            f"{archive.path}: its code would be run, and only a clone of the project can tell "
            "whether it is the project's; call this there, or, if you trust whoever made it, add "
            "--trust"
        )
    here = PROJECT
    other = [
        name
        for name in archive.names
        if manifest.kind(name) == "source"
        and not name.startswith(HARMLESS)
        and not ((here / name).is_file() and archive.digest(name) == file_digest(here / name))
    ]
    if other:
        raise UserError(
            f"{archive.path}: its code is not that of this copy of sparsedecay ({other[0]}"
            f"{f' and {len(other) - 1} more files' if other[1:] else ''}), and it would be run. "
            "If you trust whoever made it, add --trust"
        )


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


def rerender(label: manifest.Label, workflow: Workflow) -> bool:
    """Whether Snakemake finds nothing to be done in an unpacked archive, and renders the same
    figures again from its tables: the same bytes, or the same pictures packed otherwise.

    Raises:
        UserError: Snakemake fails.
    """
    said = workflow.snakemake(*label.targets, "--dry-run", shown=False)
    if "Nothing to be done" not in said:
        print(said, file=sys.stderr)
        print("Snakemake would do the jobs above, though everything should be there")
        return False
    print("Snakemake finds nothing to be done", flush=True)
    folder = workflow.folder
    listed = manifest.read_sums((folder / manifest.SUMS).read_bytes(), manifest.SUMS)
    names, figures = [], 0
    for job in (job for job in History(folder).all if job.rule == "figure"):
        if listed.keys() >= {name for name in job.inputs if manifest.is_made(name)}:
            figures += 1
            # by the manifest, as records of strangers may name anything
            names += [n for n in job.outputs if n in listed and manifest.kind(n) == "figures"]
        else:
            print(f"{job.name}: not drawn, as it shows weights or data that the archive lacks")
    before = {name: (folder / name).read_bytes() for name in names}
    for name in names:
        (folder / name).unlink()
    workflow.snakemake(*names)
    others = [name for name in names if file_digest(folder / name) != listed[name]]
    same = [
        name for name in others if same_picture(name, before[name], (folder / name).read_bytes())
    ]
    differ = [name for name in others if name not in same]
    print(f"{len(names) - len(others)} of {len(names)} files of {figures} figures: the same bytes")
    if same:
        print(f"{len(same)} more: the same pictures, packed into other bytes, as {same[0]}")
    if differ:
        print("differ:", *differ, sep="\n  ")
    if others:
        other = [f"packed with {one}" for one in unlike(label.versions, packers())]
        print(*(other or ["though machine and versions are those of the archive"]), sep="\n")
    return not differ


def retrain(archive: Archive, label: manifest.Label, workflow: Workflow, name: str) -> bool:
    """Whether a run of an unpacked archive gives the same tables when it is trained again, bit for
    bit, but for rounding, or within the spread of other draws; says which.

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
    recorded = [table for e in epochs for table in (paths.loss(name, e), paths.magnitudes(name, e))]
    before = {table: pq.read_table(folder / table) for table in (*tables, *recorded)}
    there = made_by(folder, name, epochs[-1])
    build(workflow)
    for room in ("train", "measure", "checkpoints"):
        shutil.rmtree(folder / "results" / room / name, ignore_errors=True)
    workflow.snakemake(*(paths.measured(name, epoch, "summary") for epoch in epochs))
    here = made_by(folder, name, epochs[-1])
    after = {table: pq.read_table(folder / table) for table in before}
    other = [table for table in tables if not after[table].equals(before[table])]
    if not other:
        print(f"{name}: {len(tables)} tables at {len(epochs)} milestones are the same bit for bit")
        return True
    print(f"{name}: {len(other)} of {len(tables)} tables differ, the first {other[0]}")
    elsewhere = unlike(there, here)
    if not elsewhere:
        print("Machine, engine and versions are those that made the archive, so this is an error.")
        return False
    print("That may be, as the archive was made with", "; ".join(elsewhere), sep="\n  ")
    trained = all(weights(before[name]).equals(weights(after[name])) for name in recorded)
    apart = max(farthest(before[table], after[table]) for table in other)
    if trained:
        right = apart <= ROUNDING
        print(
            "The weights are the same bit for bit, by what was recorded of them, and numbers "
            f"measured on them differ by {apart:.1g} of the largest of their column at most, "
            + (f"which is rounding ({ROUNDING:.0e} is allowed)." if right else "which is an error.")
        )
        return right
    if there["engine"] == here["engine"] == "compiled":
        print("But the compiled engine gives the same bits on each processor, so this is an error.")
        return False
    summary = paths.measured(name, epochs[-1], "summary")
    draws = [before[summary].to_pylist()[0], *other_draws(workflow, run, epochs[-1])]
    return within(after[summary].to_pylist()[0], draws)


def weights(recorded: pa.Table) -> pa.Table:
    """Of a table that training records what has other bits only if weights have: not what linear
    algebra of other people makes of them."""
    if "matrix" not in recorded.schema.names:
        return recorded.select(["epoch", "mse", "regularizer"])
    of_neurons = pc.starts_with(recorded["matrix"], "h")
    return recorded.filter(pc.invert(of_neurons)).select(
        ["epoch", "matrix", "max_abs", "exceeding"]
    )


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


def other_draws(workflow: Workflow, run: Run, epoch: int) -> Iterator[dict[str, Any]]:
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


def within(new: dict[str, Any], draws: list[dict[str, Any]]) -> bool:
    """Whether each number lies between the least and the largest of the draws, or no farther
    outside than these lie apart; prints a line for each that does not. A run may diverge if a draw
    did, and has to if all did."""
    whole = [draw for draw in draws if draw.get("diverged") is None]
    lost = new.get("diverged") is not None
    if lost or not whole:
        words = "diverged" if lost else "did not diverge"
        print(f"  it {words} here; {len(draws) - len(whole)} of {len(draws)} draws did")
        return lost and len(whole) < len(draws)
    inside = 0
    # what no run has, such as a test error where there are no test rows, is no measure
    names = [name for name in MEASURES if any(one.get(name) is not None for one in (new, *whole))]
    for name in names:
        values = np.array([np.ravel(draw[name]) for draw in whole], dtype=float)
        low, high = values.min(axis=0), values.max(axis=0)
        margin = high - low + 1e-9 * np.abs(high)
        number = np.ravel(new[name]).astype(float)
        if np.all((number >= low - margin) & (number <= high + margin)):
            inside += 1
        else:
            print(f"  {name}: {new[name]}, draws {', '.join(str(draw[name]) for draw in whole)}")
    print(
        f"{inside} of {len(names)} measures lie within the spread of {len(whole)} draws "
        "(between them, or no farther outside than they lie apart)"
    )
    return inside == len(names)
