"""A folder of results, or an archive of one: its tables, states and figures."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sparsedecay.api.figures import in_notebooks
from sparsedecay.api.mistakes import told, unknown
from sparsedecay.api.run import Run
from sparsedecay.api.state import Recorded, State, stored_run
from sparsedecay.errors import UserError
from sparsedecay.figures import find, style
from sparsedecay.figures.declaration import Request
from sparsedecay.files import paths
from sparsedecay.files.results import Results as Files
from sparsedecay.files.samples import load
from sparsedecay.files.storage import read_request, read_state
from sparsedecay.files.tables import SCHEMAS
from sparsedecay.science.data import Samples
from sparsedecay.science.run import chain
from sparsedecay.train import states

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

STAGES = ("train", "measure")
Names = str | Run | Sequence["str | Run"] | None
"""Runs, or their ids."""


class Results:
    """What `open` gives: `runs`, `summary()`, `trajectory()`, `spectra()`, `matrices()`, `claims()`
    as DataFrames, `state(run)`, `figure(name)`, `provenance(run)`. Files are read when they are
    asked for.

    Example:
        >>> import sparsedecay as sd
        >>> run = sd.Run(K=20, d=4, stride=100)
        >>> state = sd.train(run, 200, "results", progress=False)
        >>> results = sd.open("results")
        >>> results.runs[["epoch", "milestones"]].values.tolist()
        [[200, 2]]
        >>> results.provenance(run)["engine"] in ("compiled", "fused")
        True
    """

    def __init__(self, folder: Path, kept: Any = None) -> None:
        self.folder = folder
        self._kept = kept  # the folder of an archive, which goes when this goes

    @cached_property
    def milestones(self) -> dict[str, tuple[int, ...]]:
        """Epochs at which runs were stored or measured, by run; from the names of folders."""
        found: dict[str, set[int]] = {}
        for stage in STAGES:
            for run in folders(self.folder / stage):
                found.setdefault(run, set()).update(
                    int(epoch) for epoch in folders(self.folder / stage / run) if epoch.isdigit()
                )
        return {run: tuple(sorted(found[run])) for run in sorted(found) if found[run]}

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each run: its id, its last epoch, and how many milestones there are. What the
        runs are is told by `summary()`."""
        import pandas as pd

        rows = [(run, epochs[-1], len(epochs)) for run, epochs in self.milestones.items()]
        return pd.DataFrame(rows, columns=["run", "epoch", "milestones"])

    def summary(self, run: Names = None, *, epoch: int | None = None, **equal: Any) -> pd.DataFrame:
        """One row for each run and milestone: all values of the run, errors, neurons. Columns and
        units are those of `sparsedecay.files.tables.SUMMARY`. Runs of which the pipeline has
        measured nothing are measured now, by the paper's definitions, where they are named or
        the folder holds no measured run at all.

        Args:
            run: a run, its id, or several; None for all. epoch: a milestone; None for all.
            equal: what other columns must hold, a value or a list, such as `regularizer="eq2"`,
                `lam=[1e-3, 1e-5]`; only matching rows are read.

        Raises:
            TypeError: there is no such column.
            ValueError: there is no such run or epoch, or a file is damaged.
        """
        return self._table("summary", run, epoch, equal)

    def trajectory(
        self, run: Names = None, *, epoch: int | None = None, **equal: Any
    ) -> pd.DataFrame:
        """What was recorded: columns run, epoch, measure, matrix, value.

        Args:
            run, equal: as `summary`; `measure="mse"` reads that alone. epoch: a recorded one.

        Raises:
            TypeError, ValueError: as `summary`.
        """
        found = self._table("trajectory", run, epoch, equal)
        # a milestone off the grid repeats what the one after it holds
        return found.drop_duplicates(["run", "epoch", "measure", "matrix"], ignore_index=True)

    def spectra(self, run: Names = None, *, epoch: int | None = None, **equal: Any) -> pd.DataFrame:
        """Singular values: columns run, epoch, matrix, index, singular_value.

        Args and Raises: as `summary`.
        """
        return self._table("spectra", run, epoch, equal)

    def matrices(
        self, run: Names = None, *, epoch: int | None = None, **equal: Any
    ) -> pd.DataFrame:
        """Sparsity, norms and ranks of each matrix of each milestone.

        Args and Raises: as `summary`.
        """
        return self._table("matrices", run, epoch, equal)

    def claims(self, table: str = "claims") -> pd.DataFrame:
        """The paper's statements and what the tests found: `claims`, `readings`, `search`.

        Raises:
            FileNotFoundError: they were not tested here.
            ValueError: the file is damaged.
        """
        known = ("claims", "readings", "screen", "search")
        if table not in known:
            raise ValueError(f"table: there is no {table!r}; there are {', '.join(known)}")
        with told():
            return Files(self.folder).statements(table)

    def samples(self, run: str | Run) -> Samples:
        """The data of a run, as its networks saw them: X (N, d_0), y (N, D), test_X, test_y.

        Raises:
            FileNotFoundError, ValueError: there is no such run, or no data of it here.
        """
        known = stored_run(self._state_file(*self._milestone(run, None)))
        with told():
            return load(self._place(paths.data(known.data.id)))

    def state(self, run: str | Run, epoch: int | None = None) -> State:
        """A run at a milestone, with its trajectory as far as that is here.

        Args:
            epoch: None for the last that is stored.

        Raises:
            ValueError: there is no such run or milestone, or a file is damaged.
        """
        name, at = self._milestone(run, epoch)
        file = self._state_file(name, at)
        known = stored_run(file)
        with told():
            raw, _, said = states.load(file, known)
        recorded = [
            Recorded(
                files=(self._place(paths.loss(name, e)), self._place(paths.magnitudes(name, e)))
            )
            for e in chain(at, known.stride)
        ]
        here = all(file.exists() for one in recorded for file in one.files or ())
        found = State(known, raw, recorded if here else (), said.get("engine", ""))
        table = self._place(paths.data(known.data.id))
        if known.data.name == "file" and table.exists():
            # the file itself need not be here
            with told():
                found.samples = load(table)
        return found

    def provenance(self, run: str | Run, epoch: int | None = None) -> dict[str, str]:
        """What made a state: settings, code, versions, engine and processor, as its file says.

        Raises:
            ValueError: as `state`.
        """
        with told():
            return read_state(self._state_file(*self._milestone(run, epoch)), "np")[1]

    def figure(self, name: str) -> Figure:
        """A figure of the pipeline, drawn anew from what its workflow asked for.

        Raises:
            ValueError: there is no such figure. FileNotFoundError: it was not asked for here.
        """
        asked = self._place(paths.request(f"figures/{name}"))
        if not asked.exists():
            known = sorted(
                str(p.relative_to(asked.parent).with_suffix(""))
                for p in asked.parent.rglob("*.json")
            )
            raise FileNotFoundError(
                f"name: there is no figure {name!r} here; there are {', '.join(known) or 'none'}"
            )
        with told(), style.printed():
            request = read_request(asked, Request)
            in_notebooks()
            return find(request.figure).render(request, Files(self.folder))

    def _place(self, inside: str) -> Path:
        return self.folder / Path(inside).relative_to("results")

    def _state_file(self, run: str, epoch: int) -> Path:
        file = self._place(paths.state(run, epoch))
        if not file.exists():
            raise ValueError(f"run: the weights of {run} at epoch {epoch:,} are not here; train it")
        return file

    def _milestone(self, run: str | Run, epoch: int | None) -> tuple[str, int]:
        """A run's id and an epoch of it.

        Raises:
            ValueError: there is none.
        """
        name = run if isinstance(run, str) else run.id
        if name not in self.milestones:
            raise ValueError(f"run: there is no {name!r} here; `runs` lists those that there are")
        epochs = self.milestones[name]
        if epoch is None:
            stored = [e for e in epochs if self._place(paths.state(name, e)).exists()]
            return name, (stored or epochs)[-1]
        if epoch not in epochs:
            told_ = ", ".join(f"{e:,}" for e in epochs)
            raise ValueError(f"epoch: {name} has no milestone at {epoch:,}; it has {told_}")
        return name, epoch

    def _wanted(self, run: Names, epoch: int | None) -> list[tuple[str, int]]:
        """The milestones that are asked for."""
        names: Iterable[str] = self.milestones
        if run is not None:
            asked = [run] if isinstance(run, str | Run) else run
            names = [self._milestone(one, None)[0] for one in asked]
        return [
            (name, at)
            for name in names
            for at in self.milestones[name]
            if epoch is None or at == epoch
        ]

    def _table(
        self, table: str, run: Names, epoch: int | None, equal: dict[str, Any]
    ) -> pd.DataFrame:
        """Rows of a measured table, filtered while they are read."""
        import pyarrow.dataset as ds

        schema = SCHEMAS[table]
        unknown(f"{table}()", list(equal), schema.names)
        chosen = ds.scalar(True)
        if epoch is not None:
            chosen = chosen & (ds.field("epoch") == epoch)
        for column, value in equal.items():
            values = value if isinstance(value, list | tuple) else [value]
            try:
                known = pa.array(values, type=schema.field(column).type)
            except pa.ArrowException:
                kind = schema.field(column).type
                raise ValueError(
                    f"{column}: {value!r} is no {kind}; the column holds these"
                ) from None
            chosen = chosen & ds.field(column).isin(known)
        wanted = self._wanted(run, None if table == "trajectory" else epoch)
        with damaged(table):
            joined, covered = self._joined(table, wanted, chosen)
        files, found = [], [joined]
        measured = set(folders(self.folder / "measure")) | {name for name, _ in covered}
        # what a project of the pipeline did not ask for would take minutes
        asked = run is not None or not measured
        unmeasured = {name for name, _ in wanted} - measured if asked else set()
        for name, at in wanted:
            file = self._measured(name, at, table)
            if (name, at) in covered:
                continue
            if os.path.exists(file):
                files.append(file)
            elif name in unmeasured and self._place(paths.state(name, at)).exists():
                rows = self.state(name, at).tables()[table]
                found.append(pa.Table.from_pandas(rows, schema=schema, preserve_index=False))
        if files:
            with damaged(table):
                read = ds.dataset(files, schema=schema, format="parquet").to_table(filter=chosen)
                found.append(read)
        whole = pa.concat_tables([one.cast(schema) for one in found])
        return (
            whole.filter(chosen).sort_by([("run", "ascending"), ("epoch", "ascending")]).to_pandas()
        )

    def _measured(self, run: str, epoch: int, table: str) -> str:
        return f"{self.folder}/measure/{run}/{epoch}/{table}.parquet"

    def _joined(
        self, table: str, wanted: list[tuple[str, int]], chosen: Any
    ) -> tuple[pa.Table, set[tuple[str, int]]]:
        """Rows out of the joined table of a sweep, which takes a thousandth of the time, and the
        milestones that it covers: those that were not measured again since."""
        import pyarrow.dataset as ds

        file, schema = self._place(paths.swept(table)), SCHEMAS[table]
        if not file.exists():
            return schema.empty_table(), set()
        whole = ds.dataset([str(file)], format="parquet")
        there = whole.to_table(columns=["run", "epoch"]).to_pydict()
        pairs = set(zip(there["run"], there["epoch"], strict=True)) & set(wanted)
        made = file.stat().st_mtime_ns
        covered = {pair for pair in pairs if not newer(self._measured(*pair, table), made)}
        rows = whole.to_table(columns=schema.names, filter=chosen)
        places = zip(rows["run"].to_pylist(), rows["epoch"].to_pylist(), strict=True)
        return rows.filter(pa.array([place in covered for place in places], pa.bool_())), covered

    def __repr__(self) -> str:
        return f"Results({self.folder}, {len(self.milestones):,} runs)"


def newer(file: str, than: int) -> bool:
    """Whether a file was written after a time, nanoseconds; not if it is missing."""
    try:
        return os.stat(file).st_mtime_ns > than
    except FileNotFoundError:
        return False


@contextmanager
def damaged(table: str) -> Iterator[None]:
    """Tells that a table cannot be read.

    Raises:
        ValueError: so it is.
    """
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{table}(): a file is damaged: {reason}; make it again") from None


def folders(place: Path) -> list[str]:
    """Names of the folders in a place; none if it is missing."""
    try:
        with os.scandir(place) as found:
            return [one.name for one in found if one.is_dir()]
    except FileNotFoundError:
        return []


def open_results(path: str | Path) -> Results:
    """Results to look at: a folder `results`, one that holds it, or an archive of `snakemake
    archive`. Nothing is read but the names of folders; an archive is unpacked beside.

    Raises:
        FileNotFoundError: there is no such place.
        ValueError: it holds no results, or the archive is cut short, damaged or refused.

    Example:
        >>> import sparsedecay as sd
        >>> state = sd.train(sd.Run(K=20, d=4, stride=100), 100, "results", progress=False)
        >>> sd.open("results").state(state.run).epoch
        100
    """
    place = Path(path)
    if not place.exists():
        raise FileNotFoundError(f"path: {place} does not exist; name a folder or an archive")
    if place.is_file():
        return from_archive(place)
    for folder in (place, place / "results"):
        if any((folder / stage).is_dir() for stage in STAGES):
            return Results(folder)
    raise ValueError(
        f"path: {place} holds no results, neither train nor measure; name the folder results, one "
        "that holds it, or an archive"
    )


def from_archive(file: Path) -> Results:
    """The results in an archive, in a folder that goes with them."""
    from sparsedecay.extras.archive.opening import opened

    kept = tempfile.TemporaryDirectory(prefix="sparsedecay-")
    with told("path: "), opened(file) as archive:
        names = [name for name in archive.names if name.startswith("results/")]
        if not names:
            raise UserError(f"{file}: holds no results; name an archive that sparsedecay made")
        archive.unpack(Path(kept.name), names)
    return Results(Path(kept.name) / "results", kept)
