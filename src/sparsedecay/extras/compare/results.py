"""Reads milestones from a results folder, of this or an older version.

results = Results(Path("results"))
results.milestone(run, epoch)             Milestone
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from sparsedecay.errors import DamagedFile
from sparsedecay.extras.compare.sides import (
    ABSENT,
    DEFINITIONS,
    PARAMETERS,
    Milestone,
    hashable,
    renamed,
)
from sparsedecay.files import paths
from sparsedecay.files.storage import read_table
from sparsedecay.files.tables import MATRICES, SUMMARY

# What a table must have; other columns may be missing, as in those of an older version.
NEEDED = {
    "summary": [SUMMARY.field(n) for n in ("run", "epoch", "network", "regularizer", "lam")],
    "matrices": [MATRICES.field(n) for n in ("run", "epoch", "matrix")],
    "claims": [],
}
SCHEMAS = {"summary": SUMMARY, "matrices": MATRICES}
BETWEEN_LAYERS = re.compile(r"A\d+")
OF_MATRICES = ("sparsity", "rank", "relative_rank", "stable_rank")


@dataclass(frozen=True)
class Results:
    """A results folder, and how messages name it."""

    folder: Path
    alias: tuple[str, str] = ("", "")

    def listed(self) -> list[tuple[str, int]]:
        """Run and epoch of every milestone that has a table."""
        found = (self.folder / "measure").glob("*/*/*.parquet")
        pairs = {(file.parent.parent.name, file.parent.name) for file in found}
        return sorted((run, int(epoch)) for run, epoch in pairs if epoch.isdecimal())

    def has(self, run: str, epoch: int) -> bool:
        """Whether a milestone has been measured."""
        return self._path(run, epoch, "summary").exists()

    def milestone(self, run: str, epoch: int) -> Milestone:
        """A milestone as its tables tell it.

        Raises:
            DamagedFile: a table cannot be read, lacks what it needs, or is about another run.
        """
        about, (row,) = self._rows(run, epoch, "summary")
        if None in (row["network"], row["regularizer"], row["lam"]):
            path = self._path(run, epoch, "summary")
            raise self._damaged(path, f"{path}: does not say network, regularizer and lam.")
        has_matrices = self._path(run, epoch, "matrices").exists()
        matrices = self._rows(run, epoch, "matrices")[1] if has_matrices else []
        parameters = {name: hashable(row.get(name, ABSENT)) for name in PARAMETERS}
        parameters |= definitions(about.get("settings", ""))
        return Milestone(run, epoch, parameters, dict(measures(row, matrices)), made_by(about))

    def claims(self) -> list[dict[str, Any]] | None:
        """Rows of the claims, with the columns that are there; None if there is no such table.

        Raises:
            DamagedFile: it cannot be read.
        """
        path = self.folder / "claims" / "claims.parquet"
        return self._table(path, "claims").to_pylist() if path.exists() else None

    def _path(self, run: str, epoch: int, table: str) -> Path:
        return self.folder / Path(paths.measured(run, epoch, table)).relative_to("results")

    def _rows(self, run: str, epoch: int, name: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
        """A table's metadata, and its rows with those columns that are as in this version."""
        path = self._path(run, epoch, name)
        table = self._table(path, name)
        whose = set(zip(table["run"].to_pylist(), table["epoch"].to_pylist(), strict=True))
        if whose != {(run, epoch)} or (name == "summary" and len(table) != 1):
            raise self._damaged(path, f"{path}: does not hold epoch {epoch} of {run}.")
        about = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        there = {field.name: field.type for field in table.schema}
        known = [field.name for field in SCHEMAS[name] if there.get(field.name) == field.type]
        return about, table.select(known).to_pylist()

    def _table(self, path: Path, name: str) -> pa.Table:
        try:
            return read_table(path, pa.schema(NEEDED[name]), sealed=False)
        except DamagedFile as error:
            raise self._damaged(path, str(error).splitlines()[0]) from None

    def _damaged(self, path: Path, message: str) -> DamagedFile:
        place = Path("results") / path.relative_to(self.folder)
        return DamagedFile(
            f"{renamed(message, self.alias)}\n"
            f"Make it again, in the project that it comes from, with: snakemake --force {place}"
        )


def measures(
    row: Mapping[str, Any], matrices: list[dict[str, Any]]
) -> Iterator[tuple[str, float | None]]:
    """What is compared of a milestone, by name; None where the tables do not have it, and NaN where
    the run had diverged."""
    lost = row.get("diverged")
    if lost is not None:
        yield "diverged", lost
        row = {name: math.nan if value is None else value for name, value in row.items()}
        matrices = [{k: math.nan if v is None else v for k, v in m.items()} for m in matrices]
    for name in ("mse_tail_median", "average_sparsity"):
        yield name, row.get(name)
    neurons = row.get("active_neurons")
    for layer, count in enumerate(neurons if isinstance(neurons, list) else [], start=1):
        yield f"active_neurons {layer}", count
    for matrix in matrices:
        if BETWEEN_LAYERS.fullmatch(matrix["matrix"] or ""):
            for name in OF_MATRICES:
                yield f"{matrix['matrix']} {name}", matrix.get(name)


def definitions(settings: str) -> dict[str, Any]:
    """The definitions of measures that a table's metadata tells."""
    told = from_json(settings)
    return {
        name: hashable(told.get(name.removeprefix("measures."), ABSENT)) for name in DEFINITIONS
    }


def made_by(about: Mapping[str, str]) -> dict[str, str]:
    """Versions of libraries, and digests of modules as `code NAME`, from a table's metadata."""
    versions = {name: str(value) for name, value in from_json(about.get("versions", "")).items()}
    parts = (part.partition("=") for part in about.get("code", "").split())
    return versions | {f"code {name}": digest for name, _, digest in parts}


def from_json(text: str) -> dict[str, Any]:
    """An object written as JSON; empty if it is not one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
