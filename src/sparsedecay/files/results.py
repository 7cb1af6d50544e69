"""What a figure reads: the measured tables and the weights of milestones.

results = Results(Path("results"))
results.table(run, epoch, "summary")     DataFrame
results.trained(run, epoch)              Network, {"W1": (K, d_0) array, …}
results.opened                           {"results/measure/…/summary.parquet": SHA-256, …}
"""

# Names pandas for the type checker alone: it comes with the first table that is read, and planning
# reads none (see `sparsedecay.figures`).
from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsedecay.files import paths
from sparsedecay.files.provenance import file_digest
from sparsedecay.files.samples import load
from sparsedecay.files.storage import misplaced, read_state, read_table
from sparsedecay.files.tables import CERTIFICATES, OPTIMA, SCHEMAS, STATEMENTS
from sparsedecay.science.data import Samples
from sparsedecay.science.networks import Network, build
from sparsedecay.science.run import Run

if TYPE_CHECKING:
    import pandas as pd


class Results:
    """A folder of results, and a memory of what was opened in it."""

    def __init__(self, folder: Path = Path("results")):
        self.folder = folder
        self._opened: dict[str, Path] = {}
        self._tables: dict[str, pd.DataFrame] = {}

    def table(self, run: str, epoch: int, name: str) -> pd.DataFrame:
        """A table measured at a milestone, columns as in `sparsedecay.files.tables`; it has rows.

        Raises:
            UserError: the file is missing, damaged, or about another run.
        """
        place = paths.measured(run, epoch, name)
        if place in self._tables:
            return self._tables[place]
        path = self._open(place)
        frame = read_table(path, SCHEMAS[name]).to_pandas()
        if frame.empty or set(frame["run"]) != {run} or frame["epoch"].max() != epoch:
            raise misplaced(path, f"epoch {epoch} of {run}")
        self._tables[place] = frame
        return frame

    def rows(self, run: str, epoch: int, name: str, **wanted: str) -> pd.DataFrame:
        """The rows of a table whose columns hold the given values, at least one.

        Raises:
            UserError: as for `table`, or there is no such row.
        """
        frame = self.table(run, epoch, name)
        for column, value in wanted.items():
            frame = frame[frame[column] == value]
        if frame.empty:
            what = " and ".join(f"{column} = {value}" for column, value in wanted.items())
            raise misplaced(self._open(paths.measured(run, epoch, name)), f"a row with {what}")
        return frame

    def diverged(self, run: str, epoch: int) -> int | None:
        """The epoch at which a run was found to have diverged, at this milestone or before; None if
        it has not.

        Raises:
            UserError: as for `table`.
        """
        found = self.table(run, epoch, "summary")["diverged"].iloc[-1]
        return None if math.isnan(found) else int(found)

    def trained(self, run: str, epoch: int) -> tuple[Network, dict[str, np.ndarray]]:
        """The network of a milestone and its parameters in float64, shapes as in its `shapes`.

        Raises:
            UserError: the file is missing, damaged, or the state of another milestone.
        """
        stored, p = self._milestone(run, epoch)
        return build(stored), p

    def _milestone(self, run: str, epoch: int) -> tuple[Run, dict[str, np.ndarray]]:
        path = self._open(paths.state(run, epoch))
        tensors, about = read_state(path, "np")
        try:
            stored = Run.model_validate_json(about["run"])
            network = build(stored)
            p = {name: tensors[name].astype(np.float64) for name in network.shapes}
        except (KeyError, ValueError):
            raise misplaced(path, f"epoch {epoch} of {run}") from None
        shapes = {name: array.shape for name, array in p.items()}
        if (stored.id, about.get("epoch"), shapes) != (run, str(epoch), network.shapes):
            raise misplaced(path, f"epoch {epoch} of {run}")
        return stored, p

    def start(self, run: str, epoch: int) -> tuple[Network, dict[str, np.ndarray]]:
        """The network of a run and its parameters at epoch 0, float64, as a milestone tells them.

        Raises:
            UserError: as for `trained`.
        """
        stored, _ = self._milestone(run, epoch)
        network = build(stored)
        values = stored.initialization.values(network)
        rounded = {name: a.astype(stored.precision) for name, a in values.items()}
        return network, {name: array.astype(np.float64) for name, array in rounded.items()}

    def samples(self, data: str) -> Samples:
        """A data set by its id.

        Raises:
            UserError: the file is missing or damaged.
        """
        return load(self._open(paths.data(data)))

    def certificate(self, run: str, epoch: int) -> dict[str, Any]:
        """How far a milestone is from the optimum, columns as in `files.tables.CERTIFICATES`.

        Raises:
            UserError: the file is missing, damaged, or about another milestone.
        """
        path = self._open(paths.certificate(run, epoch))
        rows = read_table(path, CERTIFICATES).to_pylist()
        if [(row["run"], row["epoch"]) for row in rows] != [(run, epoch)]:
            raise misplaced(path, f"epoch {epoch} of {run}")
        return dict(rows[0])

    def optimum(self, problem: str) -> dict[str, Any]:
        """A global optimum by the id of its problem, columns as in `files.tables.OPTIMA`.

        Raises:
            UserError: the file is missing, damaged, or about another problem.
        """
        path = self._open(paths.optimum(problem, "optimum.parquet"))
        rows = read_table(path, OPTIMA).to_pylist()
        if [row["problem"] for row in rows] != [problem]:
            raise misplaced(path, f"the optimum of {problem}")
        return dict(rows[0])

    def statements(self, table: str) -> pd.DataFrame:
        """The table of statements `claims` or `readings`.

        Raises:
            UserError: the file is missing or damaged.
        """
        return read_table(self._open(paths.statements(table)), STATEMENTS).to_pandas()

    @property
    def opened(self) -> dict[str, str]:
        """SHA-256 of every file that was opened, by its place in the project."""
        return {place: file_digest(path) for place, path in sorted(self._opened.items())}

    def _open(self, place: str) -> Path:
        """The file that belongs at a place such as `results/measure/…`, wherever the folder is."""
        self._opened[place] = self.folder / Path(place).relative_to("results")
        return self._opened[place]
