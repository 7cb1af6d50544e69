"""A table of one's own: CSV, TSV or Parquet."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from sparsedecay.science.data import MOST_POINTS, SHARED, Data, Samples, stream
from sparsedecay.science.settings import Seed
from sparsedecay.words import count

if TYPE_CHECKING:
    import pyarrow as pa

Columns = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200)], ...],
    Field(min_length=1, max_length=1000, strict=False),
]
ENDINGS = (".csv", ".tsv", ".parquet")
NAMES = 12
"""Columns that a message lists."""
YES = {"true", "1", "test", "yes"}
NO = {"false", "0", "train", "no", ""}


class File(Data):
    """A table of one's own: a CSV, TSV or Parquet file with named columns.

    A run is tied to the bytes of the file, not to its name: where it is moved or touched nothing
    is out of date, and where a byte changes its runs are other runs.
    """

    title = "file"
    order = 7
    columns = {
        **SHARED,
        "file_sha256": ("string", "SHA-256 of the file"),
        "input_columns": ("list of string", "columns that are inputs"),
        "output_columns": ("list of string", "columns that are targets"),
        "standardised": ("bool", "whether each column has mean 0 and deviation 1"),
        "test_fraction": ("float64", "of the rows that are test rows"),
    }

    unvaried = ("file", "sha256", "rows", "test_rows")

    kind: Literal["file"]
    """What kind of data set it is."""
    seed: Seed
    """Seed of the choice of test rows, where they are a fraction. It is independent of the seed of
    the weights."""
    # excluded from what names runs: the place of a file decides nothing
    file: Annotated[str, Field(min_length=1, max_length=1000, exclude=True)] = ""
    """The file, from the folder of the config: its ending tells whether it is `.csv`, `.tsv` or
    `.parquet`."""
    input_columns: Columns
    """Names of the columns that are inputs, d_0 of them."""
    output_columns: Columns
    """Names of the columns that are targets, D of them."""
    standardise: bool
    """Whether each input and target is shifted and scaled so that it has mean 0 and standard
    deviation 1 over the rows of training. Errors are then in standard deviations."""
    test_fraction: Annotated[float, Field(ge=0, lt=1)]
    """Fraction of the rows, drawn at random, that no training sees and that measure the error; 0
    for none."""
    test_column: Annotated[str, Field(min_length=1, max_length=200)] = ""
    """Name of a column that tells test rows instead: true, 1 or `test` are, false, 0 or `train`
    are not."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]*$", min_length=64, max_length=64)] = ""
    """SHA-256 of the file. Given, another content is refused; and with the numbers of rows it
    stands for a file that is not there, so that results can be used without it."""
    rows: Annotated[int, Field(ge=0, le=MOST_POINTS)] = 0
    """Number of rows of training. It is counted; write it with `sha256` only."""
    test_rows: Annotated[int, Field(ge=0, le=MOST_POINTS)] = 0
    """Number of test rows. It is counted; write it with `sha256` only."""

    @model_validator(mode="after")
    def check(self) -> "File":
        """The same with what is known of the file's content.

        Raises:
            ValueError: it cannot be read, or holds no data.
        """
        if self.test_fraction and self.test_column:
            raise ValueError("test_fraction, test_column: give one of both")
        named = [*self.input_columns, *self.output_columns]
        if twice := {name for name in named if named.count(name) > 1}:
            raise ValueError(f"input_columns, output_columns: {min(twice)!r} may stand only once")
        if self.test_column in named:
            raise ValueError("test_column: it is an input or a target; name another column")
        if not self.file or (self.pinned and not Path(self.file).exists()):
            if not self.pinned:
                raise ValueError("file: is missing; write the name of a CSV, TSV or Parquet file")
            return self
        plain = self.model_copy(update={"sha256": "", "rows": 0, "test_rows": 0})
        digest, rows, tests = counted(plain, self.marks())
        if self.sha256 and digest != self.sha256:
            raise ValueError(
                f"sha256: {self.file} is another file, its SHA-256 is {digest}; name the right "
                "file, or leave sha256, rows and test_rows out to take this one"
            )
        return self.model_copy(update={"sha256": digest, "rows": rows, "test_rows": tests})

    def at(self, file: str) -> "File":
        return self.model_copy(update={"file": file})

    @property
    def pinned(self) -> bool:
        """Whether all is known that decides runs."""
        return bool(self.sha256 and self.rows)

    @property
    def points(self) -> int:
        return self.rows

    @property
    def d_in(self) -> int:
        return len(self.input_columns)

    @property
    def d_out(self) -> int:
        return len(self.output_columns)

    @property
    def tests(self) -> int:
        return self.test_rows

    def marks(self) -> tuple[int, int, int]:
        """Size, time and number of the file: what changes with its content.

        Raises:
            ValueError: it cannot be read.
        """
        try:
            found = os.stat(self.file)
        except OSError as error:
            raise unreadable(self.file, error) from None
        return found.st_size, found.st_mtime_ns, found.st_ino

    def content(self) -> bytes:
        """The bytes of the file.

        Raises:
            ValueError: it is missing, cannot be read, or changes meanwhile.
        """
        before = self.marks()
        try:
            whole = Path(self.file).read_bytes()
        except OSError as error:
            raise unreadable(self.file, error) from None
        if self.marks() != before or len(whole) != before[0]:
            raise ValueError(
                f"file: {self.file} changed while it was read; wait until it is complete"
            )
        return whole

    def samples(self) -> Samples:
        whole = self.content()
        if self.sha256 and hashlib.sha256(whole).hexdigest() != self.sha256:
            raise ValueError(
                f"file: {self.file} has changed since the workflow was planned; start it again"
            )
        return self.samples_in(whole)

    def samples_in(self, content: bytes) -> Samples:
        """What the bytes of a file hold."""
        table = parsed(content, self.file)
        here = table.column_names
        wanted = {"input_columns": self.input_columns, "output_columns": self.output_columns}
        if self.test_column:
            wanted["test_column"] = (self.test_column,)
        for key, names in wanted.items():
            for name in names:
                if here.count(name) != 1:
                    raise ValueError(f"{key}: {self.file} {lacks(name, here)}")
        X = np.stack(
            [numbers(table, name, self.file, "input_columns") for name in self.input_columns],
            axis=1,
        )
        y = np.stack(
            [numbers(table, name, self.file, "output_columns") for name in self.output_columns],
            axis=1,
        )
        test = self.test_mask(table)
        kept = int((~test).sum())
        if kept < 2:
            raise ValueError(
                f"file: {self.file} has {count(kept, 'row')} of training and "
                f"{count(int(test.sum()), 'test row')}; "
                "at least two of training are needed"
            )
        if max(kept, int(test.sum())) > MOST_POINTS:
            raise ValueError(
                f"file: {self.file} has {len(X):,} rows; full-batch training can take "
                f"{MOST_POINTS:,}: write a sample of them into a file of its own, or raise "
                "test_fraction"
            )
        if self.standardise:
            X, y = standardised(X, ~test), standardised(y, ~test)
        return Samples(X[~test], y[~test], X[test], y[test])

    def test_mask(self, table: "pa.Table") -> np.ndarray:
        """Which rows are test rows, (rows,) bool."""
        if not self.test_column:
            mask = np.zeros(table.num_rows, dtype=bool)
            count = round(self.test_fraction * table.num_rows)
            mask[stream(self.seed, "test rows").permutation(table.num_rows)[:count]] = True
            return mask
        values = [str(v).strip().lower() for v in table[self.test_column].to_pylist()]
        for row, value in enumerate(values, start=1):
            if value not in YES | NO:
                raise ValueError(
                    f"test_column: {self.file}, row {row:,}: {value!r} is neither test (true, 1) "
                    "nor train (false, 0)"
                )
        return np.array([value in YES for value in values], dtype=bool)

    @property
    def remarks(self) -> tuple[str, ...]:
        if not self.file or not Path(self.file).exists():
            return (f"the file is not here; results stand for SHA-256 {self.sha256[:16]}…",)
        found = self.samples()
        said = []
        if clashes := contradictions(found.X, found.y):
            said.append(
                f"{clashes:,} rows have the inputs of another row and other targets, so no network "
                "can interpolate them"
            )
        constant = [
            name for name, x in zip(self.input_columns, found.X.T, strict=True) if np.ptp(x) == 0
        ]
        if constant:
            said.append(f"the same in all rows of training: {', '.join(constant[:NAMES])}")
        return tuple(said)

    @property
    def about(self) -> str:
        tested = f", {count(self.tests, 'test row')}" if self.tests else ""
        scaled = ", standardised" if self.standardise else ""
        return (
            f"{Path(self.file).name or 'a file'}: {count(self.points, 'row')}, "
            f"{count(self.d_in, 'input')}, {count(self.d_out, 'target')}{tested}{scaled}"
        )

    @property
    def slug(self) -> str:
        return f"file-{self.d_in}d-seed{self.seed}"

    def own_values(self) -> dict[str, Any]:
        return {
            "file_sha256": self.sha256,
            "input_columns": list(self.input_columns),
            "output_columns": list(self.output_columns),
            "standardised": self.standardise,
            "test_fraction": self.test_fraction,
        }


@lru_cache(maxsize=64)
def counted(file: File, marks: tuple[int, int, int]) -> tuple[str, int, int]:
    """SHA-256 of a file, its rows of training and its test rows. It is read once, as long as it
    stays as it is: a study asks for each of its variants.

    Raises:
        ValueError: as `File.content` and `File.samples_in`.
    """
    whole = file.content()
    found = file.samples_in(whole)
    return hashlib.sha256(whole).hexdigest(), len(found.X), len(found.test_X)


def unreadable(path: str, error: OSError) -> ValueError:
    """That a file cannot be read, and what to do."""
    return ValueError(
        f"file: {path} cannot be read: {error.strerror or type(error).__name__}; name a CSV, TSV "
        "or Parquet file, from the folder of the config"
    )


def parsed(content: bytes, path: str) -> "pa.Table":
    """The table in a file, by its ending.

    Raises:
        ValueError: it is none.
    """
    import pyarrow as pa
    from pyarrow import csv, parquet

    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"file: {path} is none of {', '.join(ENDINGS)}; save it as one of them")
    try:
        if ending == ".parquet":
            return parquet.read_table(pa.BufferReader(content))
        separated = csv.ParseOptions(delimiter="\t" if ending == ".tsv" else ",")
        # a number may stand in quotes; no text stands for one that is missing
        missing = csv.ConvertOptions(null_values=[], strings_can_be_null=False)
        return csv.read_csv(
            pa.BufferReader(content), parse_options=separated, convert_options=missing
        )
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise ValueError(f"file: {path} is no {ending[1:]} file: {reason}") from None


def lacks(name: str, here: list[str]) -> str:
    """That a column is missing, or stands more than once."""
    if name in here:
        return f"has {here.count(name)} columns {name!r}; give them different names"
    listed = ", ".join(map(repr, here[:NAMES])) + (", …" if here[NAMES:] else "")
    hint = ""
    if len(here) == 1 and any(mark in here[0] for mark in ";\t|"):
        hint = "; separate columns by commas (.csv) or tabs (.tsv)"
    return f"has no column {name!r}; its columns are {listed}{hint}"


def numbers(table: "pa.Table", name: str, path: str, key: str) -> np.ndarray:
    """A column as finite float64.

    Raises:
        ValueError: it holds something else; the message names the row, counted from 1 below the
            names.
    """
    import pyarrow as pa

    column = table[name].combine_chunks()
    kind = column.type
    plain = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    if plain or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        found = np.array(column.to_pandas(), dtype=np.float64)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        found = np.array([number(value) for value in column.to_pylist()])
    else:
        raise ValueError(f"{key}: {path}: {name!r} holds {kind}, no numbers; convert it")
    wrong = np.flatnonzero(~np.isfinite(found))
    if len(wrong):
        value = column[int(wrong[0])].as_py()
        told = "no value" if value in (None, "") else f"{value!r}"
        more = f", and {len(wrong) - 1:,} more rows" if len(wrong) > 1 else ""
        raise ValueError(
            f"{key}: {path}, row {wrong[0] + 1:,}: {name!r} is {told}, no finite number{more}; "
            "fill it in or leave such rows out"
        )
    return found


def number(text: Any) -> float:
    """A number as text; NaN for what is none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")


def standardised(values: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and standard deviation 1 over the rows of training; those that are
    constant there are only shifted."""
    mean, deviation = values[training].mean(0), values[training].std(0)
    found: np.ndarray = (values - mean) / np.where(deviation > 0, deviation, 1.0)
    return found


def contradictions(X: np.ndarray, y: np.ndarray) -> int:
    """Rows whose inputs stand in another row too, with other targets."""
    _, group = np.unique(X, axis=0, return_inverse=True)
    group = group.reshape(-1)
    size = int(group.max()) + 1
    low, high = np.full((size, y.shape[1]), np.inf), np.full((size, y.shape[1]), -np.inf)
    np.minimum.at(low, group, y)
    np.maximum.at(high, group, y)
    clash: np.ndarray = np.any(low < high, axis=1)
    return int(clash[group].sum())
