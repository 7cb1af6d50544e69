"""One side of a comparison: its milestones with parameters and measures, figures and verdicts.

side.milestones[0].parameters             {"network": "representer", …, "measures.threshold": 0.001}
side.milestones[0].measures               {"mse_tail_median": 0.0016, …, "A2 rank": 1}
Folder(Path("results")).milestone(run, epoch)             Milestone, from tables of any version
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from sparsedecay.errors import DamagedFile
from sparsedecay.files import paths
from sparsedecay.files.storage import read_table
from sparsedecay.files.tables import MATRICES, MEASURED, PARAMETERS, SCHEMAS, SUMMARY
from sparsedecay.science.measures import Measures
from sparsedecay.study.entries import escape

ABSENT = "–"
"""Stands for a value that the tables of another version do not have."""
PICTURES = (".png", ".pdf", ".svg")
NEEDED = {
    "summary": [SUMMARY.field(n) for n in ("run", "epoch", "network", "regularizer", "lam")],
    "matrices": [MATRICES.field(n) for n in ("run", "epoch", "matrix")],
    "claims": [],
}
"""What a table must have; other columns may be missing, as in those of an older version."""
OF_NETWORK = [SUMMARY.field(name) for name in MEASURED]
OF_MATRIX = [c for c in MATRICES if c.name != "epoch" and not pa.types.is_string(c.type)]
"""Columns that tell what was measured."""


@dataclass(frozen=True)
class Milestone:
    """A run at an epoch."""

    run: str
    epoch: int
    parameters: Mapping[str, Any]
    """As `parameters` makes them."""
    measures: Mapping[str, float | None] | None
    """What is compared, by name; None if the milestone is not made yet."""
    made_by: Mapping[str, str] = field(default_factory=dict)
    """Versions of what measured it: libraries, and modules of this package as `code NAME`."""


@dataclass(frozen=True)
class Side:
    """What A or B stands for."""

    name: str
    """As messages call it."""
    kind: str
    milestones: list[Milestone]
    figures: Mapping[str, Mapping[str, Path]] | None = None
    """By name and ending; None for a config, which has none of its own."""
    claims: list[dict[str, Any]] | None = None
    """Rows of claims.parquet; None if there is none."""
    config: Mapping[str, Any] | None = None
    """The config as nested sections, if it is one."""
    remedy: str = ""
    """What makes the milestones that are not made yet."""
    notes: tuple[str, ...] = ()
    alias: tuple[str, str] = ("", "")
    """Beginning of its files' paths, and what stands for it in the output."""

    @property
    def missing(self) -> list[Milestone]:
        return [milestone for milestone in self.milestones if milestone.measures is None]

    def shown(self, path: Path) -> str:
        """A file of this side as the output names it."""
        return escape(str(path).replace(*self.alias))


@dataclass(frozen=True)
class Folder:
    """A results folder, and how messages name it."""

    path: Path
    alias: tuple[str, str] = ("", "")

    def listed(self) -> list[tuple[str, int]]:
        """Run and epoch of every milestone that has a table."""
        found = (self.path / "measure").glob("*/*/*.parquet")
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
        there = self._path(run, epoch, "matrices").exists()
        matrices = self._rows(run, epoch, "matrices")[1] if there else []
        told = parameters(row, from_json(about.get("settings", "")))
        return Milestone(run, epoch, told, dict(measures(row, matrices)), made_by(about))

    def claims(self) -> list[dict[str, Any]] | None:
        """Rows of the claims, with the columns that are there; None if there is no such table.

        Raises:
            DamagedFile: it cannot be read.
        """
        path = self.path / "claims" / "claims.parquet"
        return self._table(path, "claims").to_pylist() if path.exists() else None

    def figures(self) -> dict[str, dict[str, Path]]:
        """The pictures beside the folder, by name and ending."""
        # a folder of another name is a copy; what lies beside it need not belong to it
        home = self.path if self.path.name == "results" else self.path.resolve()
        found: dict[str, dict[str, Path]] = {}
        if home.name == "results":
            for path in sorted(home.parent.glob("figures/*")):
                if path.suffix in PICTURES:
                    found.setdefault(path.stem, {})[path.suffix] = path
        return found

    def _path(self, run: str, epoch: int, table: str) -> Path:
        return self.path / Path(paths.measured(run, epoch, table)).relative_to("results")

    def _rows(self, run: str, epoch: int, name: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
        """A table's metadata, and its rows with those columns that are as in this version."""
        path = self._path(run, epoch, name)
        table = self._table(path, name)
        whose = set(zip(table["run"].to_pylist(), table["epoch"].to_pylist(), strict=True))
        if whose != {(run, epoch)} or (name == "summary" and len(table) != 1):
            raise self._damaged(path, f"{path}: does not hold epoch {epoch} of {run}.")
        about = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        types = dict(zip(table.schema.names, table.schema.types, strict=True))
        known = [c.name for c in SCHEMAS[name] if types.get(c.name) == c.type]
        return about, table.select(known).to_pylist()

    def _table(self, path: Path, name: str) -> pa.Table:
        try:
            return read_table(path, pa.schema(NEEDED[name]), sealed=False)
        except DamagedFile as error:
            raise self._damaged(path, str(error).splitlines()[0]) from None

    def _damaged(self, path: Path, message: str) -> DamagedFile:
        place = Path("results") / path.relative_to(self.path)
        return DamagedFile(
            f"{message.replace(*self.alias)}\n"
            f"Make it again, in the project that it comes from, with: snakemake --force {place}"
        )


def measures(
    row: Mapping[str, Any], matrices: list[dict[str, Any]]
) -> Iterator[tuple[str, float | None]]:
    """Every measure of a milestone, by name: columns of the summary and of each of its matrices,
    with an entry for each index of a list. None where the tables do not have it, and NaN where the
    run had diverged."""
    lacking = None if row.get("diverged") is None else math.nan
    parts = [("", OF_NETWORK, row), *((f"{m['matrix']} ", OF_MATRIX, m) for m in matrices)]
    for before, columns, values in parts:
        for column in columns:
            name, value = before + column.name, values.get(column.name)
            if pa.types.is_list(column.type):
                yield from ((f"{name} {i}", x) for i, x in enumerate(value or (), start=1))
            else:
                yield name, lacking if value is None else value


def parameters(columns: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """What tells runs apart, and how they were measured as `measures.NAME`; ABSENT where that is
    not told. All can be hashed."""
    values = {name: columns.get(name, ABSENT) for name in PARAMETERS}
    values |= {f"measures.{n}": definitions.get(n, ABSENT) for n in Measures.model_fields}
    return {name: hashable(value) for name, value in values.items()}


def hashable(value: Any) -> Any:
    """A value with tuples in place of lists, and text in place of sections."""
    if isinstance(value, list | tuple):
        return tuple(map(hashable, value))
    return str(value) if isinstance(value, dict) else value


def made_by(about: Mapping[str, str]) -> dict[str, str]:
    """Versions of libraries, and digests of modules as `code NAME`, from a table's metadata."""
    versions = {name: str(value) for name, value in from_json(about.get("versions", "")).items()}
    parts = (f"code {part}".partition("=") for part in about.get("code", "").split())
    return versions | {name: digest for name, _, digest in parts}


def from_json(text: str) -> dict[str, Any]:
    """An object written as JSON; empty if it is not one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
