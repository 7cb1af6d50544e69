"""Data in memory, as the pipeline would read them from a file.

table(X, y)                                 arrays
table(frame, "price", standardise=True)     a DataFrame, and which of its columns are targets
"""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import PrivateAttr

from sparsedecay.api.mistakes import enough, matrix, told, unknown
from sparsedecay.files.storage import write_file
from sparsedecay.science.data import Samples
from sparsedecay.science.data.file import File

PLACE = "table.csv"


class Table(File):
    """A table in memory: kind `file`, of the bytes that `write` writes. A run on it is the run of
    a config that names such a file.

    Example:
        >>> import sparsedecay as sd
        >>> data = sd.table([[0.0], [0.5], [1.0]], [0.0, 1.0, 0.0])
        >>> data.points, data.d_in, data.d_out
        (3, 1, 1)
    """

    _content: bytes = PrivateAttr(default=b"")

    def samples(self) -> Samples:
        return self.model_copy(update={"file": PLACE}).samples_in(self._content)

    def write(self, path: str | Path) -> None:
        """Write the file that stands for it in a config, CSV.

        Example:
            >>> import sparsedecay as sd
            >>> data = sd.table([[0.0], [0.5], [1.0]], [0.0, 1.0, 0.0])
            >>> data.write("three.csv")

        Raises:
            ValueError: it cannot be written.
        """
        if Path(path).suffix != ".csv":
            raise ValueError(
                f"path: {path} does not end in .csv; name it so, as its runs are of it"
            )
        with told():
            write_file(Path(path), self._content)


def table(
    X: Any,
    y: Any,
    *,
    standardise: bool = False,
    test_fraction: float = 0.0,
    seed: int = 0,
) -> Table:
    """Arrays or a DataFrame as a data set.

    Args:
        X: inputs, (N, d_0), an array or a DataFrame; columns keep their names.
        y: targets, (N,) or (N, D); or the name of a column of X, or a list of them, and the others
            are inputs.
        standardise: shift and scale each column to mean 0 and standard deviation 1 over the rows
            of training; errors are then in standard deviations.
        test_fraction: of the rows, drawn at random, that no training sees; from 0 to below 1.
        seed: of that draw.

    Raises:
        TypeError: something is no number.
        ValueError: NaN, infinite, of another shape, fewer than two rows of training.

    Example:
        >>> import sparsedecay as sd
        >>> data = sd.table([[0.0, 1.0], [0.5, 0.0], [1.0, 2.0]], [0.0, 1.0, 0.0])
        >>> data.samples().X.shape
        (3, 2)
    """
    names, targets = columns_of(X), None
    if isinstance(y, str) or (isinstance(y, list) and y and all(isinstance(n, str) for n in y)):
        targets = [y] if isinstance(y, str) else y
        if not names:
            raise TypeError("y: it names columns, and X has no names; give X as a DataFrame")
        unknown("y", targets, names)
        X, y = X.drop(columns=targets), X[targets]
        names = columns_of(X)
    inputs, outputs = matrix(X, "X"), matrix(y, "y")
    if len(inputs) != len(outputs):
        raise ValueError(f"X, y: {len(inputs):,} rows and {len(outputs):,}; give as many of each")
    enough(len(inputs), "X")
    names = names or [f"x{i + 1}" for i in range(inputs.shape[1])]
    D = outputs.shape[1]
    targets = targets or columns_of(y) or (["y"] if D == 1 else [f"y{i + 1}" for i in range(D)])
    if clash := set(names) & set(targets):
        targets = [f"target {name}" if name in clash else name for name in targets]
    if len(set(names)) < len(names):
        raise ValueError(f"X: {len(names)} columns share names; give different ones")
    content = as_csv([*names, *targets], np.hstack([inputs, outputs]))
    with told():
        values: dict[str, Any] = {
            "kind": "file",
            "seed": seed,
            "input_columns": tuple(names),
            "output_columns": tuple(targets),
            "standardise": standardise,
            "test_fraction": test_fraction,
            "sha256": hashlib.sha256(content).hexdigest(),
            "rows": len(inputs),
        }
        found = Table.model_validate(values)
    found._content = content
    samples = found.samples()
    return found.model_copy(update={"rows": len(samples.X), "test_rows": len(samples.test_X)})


def columns_of(X: Any) -> list[str]:
    """Names of the columns of a DataFrame, or of a Series; none of arrays."""
    if hasattr(X, "columns"):
        return [str(name) for name in X.columns]
    name = getattr(X, "name", None)
    return [str(name)] if name is not None and hasattr(X, "to_numpy") else []


def as_csv(names: Sequence[str], rows: np.ndarray) -> bytes:
    """CSV that gives the same float64 when it is read."""
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows.tolist())
    return text.getvalue().encode()
