"""A run at an epoch: weights, what was recorded on the way, and what is measured of both."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sparsedecay.api.mistakes import matrix, told, unknown
from sparsedecay.api.prune import pruned
from sparsedecay.api.run import Run, listing
from sparsedecay.api.trained import Trained
from sparsedecay.engines.state import State as Raw
from sparsedecay.files.storage import read_state, read_table
from sparsedecay.files.tables import LOSS, MAGNITUDES, SCHEMAS
from sparsedecay.measure.command import measured
from sparsedecay.science import run as science
from sparsedecay.science.data import Data, Samples
from sparsedecay.science.measures import Measures
from sparsedecay.science.measures.rows import ended, trajectory
from sparsedecay.science.networks import build
from sparsedecay.train import states
from sparsedecay.train.loop import about
from sparsedecay.words import number

if TYPE_CHECKING:
    import pandas as pd

    from sparsedecay.train.records import Records

MEASURES: dict[str, Any] = {
    "threshold": 1e-3,
    "rank_threshold": 1e-3,
    "relative_rank_threshold": 1e-3,
    "average_over": ("W", "V"),
}
"""The section `measures` of config/config.yaml."""


@dataclass(frozen=True)
class Recorded:
    """What was written down between two milestones: in memory, or as files."""

    records: Records | None = None
    files: tuple[Path, Path] | None = None

    @cached_property
    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Losses and magnitudes, as `files.tables` has them."""
        if self.files:
            return read_table(self.files[0], LOSS), read_table(self.files[1], MAGNITUDES)
        assert self.records
        with tempfile.TemporaryDirectory() as folder:
            places = Path(folder, "loss.parquet"), Path(folder, "magnitudes.parquet")
            self.records.write(*places, {})
            return read_table(places[0]), read_table(places[1])


class State(Trained):
    """A run after some epochs, as `train`, `open` and `State.load` give it.

    Call it on inputs (N, d_0) for outputs (N, D); `parameters`, `matrix("A2")`, `measure()`,
    `trajectory`, `prune()`, `to_torch()`, `save(path)`.

    Example:
        >>> import sparsedecay as sd
        >>> state = sd.train(sd.Run(K=20, d=4, stride=100), 200, progress=False)
        >>> state.epoch, state.matrix("A2").shape
        (200, (20, 20))
        >>> state(state.run.samples.X).shape
        (81, 1)
    """

    def __init__(
        self, run: science.Run, raw: Raw, recorded: Sequence[Recorded] = (), engine: str = ""
    ) -> None:
        self.run = Run.of(run)
        self.epoch = raw.epoch
        self.diverged = raw.diverged
        """The epoch at which loss or weights were found not to be finite; None if they are."""
        self.engine = engine
        self.raw = raw
        """With the optimizer's moments, as torch tensors: what training goes on from."""
        self.recorded = tuple(recorded)
        arrays = {name: t.numpy(force=True).copy() for name, t in raw.parameters.items()}
        super().__init__(build(self.run), arrays)

    @cached_property
    def samples(self) -> Samples:
        """The data it was trained on, and test rows: X (N, d_0), y (N, D), test_X, test_y.

        Raises:
            ValueError: they come from a file that is not here.
        """
        return self.run.samples

    def measure(self, **definitions: Any) -> pd.Series:
        """Errors, objective, sparsity and neurons: the row of the table `summary`, whose columns
        `sparsedecay.files.tables` tells with their units.

        Args:
            definitions: `threshold`, `rank_threshold`, `relative_rank_threshold`, `average_over`,
                where they differ from the paper's 1e-3 and W, V.

        Raises:
            ValueError: a definition is not allowed, or the data are in a file that is not here.
        """
        row: pd.Series = self.tables(**definitions)["summary"].iloc[0]
        return row

    @cached_property
    def trajectory(self) -> pd.DataFrame:
        """Losses, sparsities, norms and singular values by epoch: columns epoch, measure, matrix,
        value; see the pivot in docs/python.md.

        Raises:
            ValueError: the state was loaded alone, without what was recorded.
        """
        if not self.recorded:
            raise ValueError(
                "trajectory: this state was loaded without its tables; open the folder that it "
                "lies in with sparsedecay.open"
            )
        measures = Measures.model_validate(MEASURES)
        with told():
            parts = [one.tables for one in self.recorded]
        rows = [
            r
            for loss, sizes in parts
            for r in trajectory(loss.to_pylist(), sizes.to_pylist(), measures)
        ]
        if self.diverged is not None:
            rows.append(ended(self.run, self.epoch, self.diverged))
        return frame(rows, "trajectory")

    def curve(self, measure: str, matrix: str | None = None) -> pd.Series:
        """One quantity of the trajectory against the epoch.

        Args:
            measure: `mse`, `regularizer`, `objective`, `average_sparsity`; or with a matrix (`W1`,
                `A2`, …) `sparsity`, `max_abs`, `frobenius_norm`, `singular_value_1`, …; with `h1`,
                `h2`, … `active_neurons`.

        Raises:
            ValueError: it was not recorded.
        """
        found = self.trajectory
        chosen = found["measure"] == measure
        chosen &= found["matrix"].isna() if matrix is None else found["matrix"] == matrix
        if not chosen.any():
            pairs = found[["measure", "matrix"]].drop_duplicates().itertuples(index=False)
            known = sorted(m if n is None else f"{m} of {n}" for m, n in pairs)
            raise ValueError(f"measure, matrix: no such record; there are {', '.join(known)}")
        series: pd.Series = found[chosen].set_index("epoch")["value"].rename(measure)
        return series

    @property
    def spectra(self) -> pd.DataFrame:
        """Singular values of all matrices: columns matrix, index, singular_value."""
        return self.tables()["spectra"]

    @property
    def matrices(self) -> pd.DataFrame:
        """Sparsity, norms and ranks, a row for each matrix."""
        return self.tables()["matrices"]

    def tables(self, **definitions: Any) -> dict[str, pd.DataFrame]:
        """All measured tables, as the pipeline writes them.

        Raises:
            ValueError: as `measure`.
        """
        if not definitions and self._measured is not None:
            return self._measured
        unknown("measure()", list(definitions), list(MEASURES))
        with told():
            measures = Measures.model_validate({**MEASURES, **definitions})
            loss, magnitudes = self.recorded[-1].tables if self.recorded else NOTHING
        at = self.run, self.epoch, self.p, self.samples
        rows = measured(*at, loss, magnitudes, measures, self.diverged)
        found = {name: frame(rows[name], name) for name in SCHEMAS}
        if not definitions:
            self._measured = found
        return found

    _measured: dict[str, pd.DataFrame] | None = None

    def prune(self, X: Any = None) -> Trained:
        """The same function on the data with fewer neurons: without those that no data point
        activates, and with one in the place of those that are active on the same points and feed
        what comes next in the same proportions. With one number out of a neuron, as in the last
        layer of networks with one output, at most two of each pattern stay. Neurons below that
        feed several in different proportions compute what no single one does, and stay.

        Args:
            X: inputs (N, d_0) on which the function stays as it is; None for those of training.

        Raises:
            ValueError: the run has diverged, or X does not fit.

        Example:
            >>> import sparsedecay as sd
            >>> state = sd.train(sd.Run(K=20, d=4, stride=100), 200, progress=False)
            >>> small = state.prune()
            >>> abs(small(state.run.samples.X) - state(state.run.samples.X)).max().item() < 1e-9
            True
        """
        if self.diverged is not None:
            raise ValueError(f"prune(): the run has diverged at epoch {self.diverged:,}; lower lam")
        rows = self.samples.X if X is None else matrix(X, "X", self.network.d_in)
        return pruned(self.network, self.p, rows)

    def save(self, path: str | Path) -> None:
        """Write it as safetensors, as the pipeline writes milestones; `sparsedecay certify` and
        `State.load` read it. Tables are not in it: train with `results=` to keep these.

        Raises:
            ValueError: it cannot be written.
        """
        with told():
            states.save(Path(path), self.run, self.raw, about(self.run, self.engine))

    @classmethod
    def load(cls, path: str | Path, data: Any = None) -> State:
        """A state that `save` or the pipeline wrote.

        Args:
            path: the file, safetensors.
            data: what the run was trained on, if that was a table in memory: `table(X, y)` with
                the same arguments.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is damaged, no state, or one of a run on other data.
        """
        run = stored_run(Path(path))
        if data is not None:
            run = with_data(run, data)
        with told():
            raw, _, said = states.load(Path(path), run)
        return cls(run, raw, engine=said.get("engine", ""))

    def __repr__(self) -> str:
        return f"State({self.run.id}, epoch {self.epoch:,})"

    def _repr_html_(self) -> str:
        if self.diverged is not None:
            return listing(self.run.id, [("diverged", f"at epoch {self.diverged:,}")])
        rows = [("epoch", f"{self.epoch:,}"), ("data", self.run.data.about)]
        with suppress(ValueError):
            found = self.measure()
            rows += [
                ("mean squared error", number(found["mse"], 3)),
                ("objective", number(found["objective"], 3)),
                ("average sparsity", number(found["average_sparsity"], 3)),
                ("active neurons", ", ".join(map(str, found["active_neurons"]))),
                ("distinct neurons", ", ".join(map(str, found["distinct_neurons"]))),
            ]
        return listing(self.run.id, rows)


def frame(rows: list[dict[str, Any]], table: str) -> pd.DataFrame:
    """Rows with the types of a measured table."""
    return pa.Table.from_pylist(rows, schema=SCHEMAS[table]).to_pandas()


NOTHING = LOSS.empty_table(), MAGNITUDES.empty_table()


def stored_run(path: Path) -> science.Run:
    """The run of a file with a state.

    Raises:
        FileNotFoundError, ValueError: as `State.load`.
    """
    with told():
        _, said = read_state(path)
    try:
        return science.Run.model_validate_json(said["run"])
    except (KeyError, ValueError):
        raise ValueError(f"path: {path} is no state of a run; give a state.safetensors") from None


def with_data(run: science.Run, data: Data) -> science.Run:
    """A run with its data in memory.

    Raises:
        ValueError: it was trained on others.
    """
    if not isinstance(data, Data):
        raise TypeError("data: give what sparsedecay.table makes of X and y")
    if data.canonical() != run.data.canonical():
        raise ValueError(f"data: {run.id} was trained on others, {run.data.about}; give those")
    return run.model_copy(update={"data": data})
