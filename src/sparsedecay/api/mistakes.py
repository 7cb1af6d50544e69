"""Mistakes of people who call: a ValueError, TypeError or FileNotFoundError of one sentence."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import numpy as np
from pydantic import ValidationError

from sparsedecay.errors import UserError
from sparsedecay.files.storage import problem
from sparsedecay.science.data import MOST_POINTS
from sparsedecay.words import count, joined


@contextmanager
def told(prefix: str = "") -> Iterator[None]:
    """Turns what is wrong with files and settings into built-in exceptions of one sentence.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: all else.
    """
    try:
        yield
    except ValidationError as error:
        said = problem(error).replace("\n", "; ").removeprefix("Value error, ")
        raise ValueError(prefix + said.replace(": Value error, ", ": ")) from None
    except UserError as error:
        said = prefix + " ".join(str(error).split())
        if "no such file" in said:
            raise FileNotFoundError(said) from None
        raise ValueError(said) from None


def unknown(argument: str, given: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a name that is none of those known.

    Raises:
        TypeError: there is one; the message says which was meant, or all.
    """
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f"did you mean {near[0]!r}?" if near else f"it takes {joined(known)}"
            raise TypeError(f"{argument} takes no {name!r}; {meant}")


def matrix(values: Any, argument: str, columns: int | None = None) -> np.ndarray:
    """Numbers as float64, (N, columns).

    Args:
        columns: how many there must be; None for any number.

    Raises:
        TypeError: they are no numbers.
        ValueError: NaN, infinite, of another shape, or none.
    """
    if hasattr(values, "to_numpy") and not hasattr(values, "columns"):
        values = values.to_numpy()
    try:
        found = np.asarray(values)
        if found.dtype.kind not in "biuf":
            found = np.asarray(values, dtype=np.float64) if numeric(found) else refuse(argument)
    except (TypeError, ValueError):
        refuse(argument)
    if found.ndim == 1 and columns in (None, 1):
        found = found[:, None]
    if found.ndim != 2:
        raise ValueError(
            f"{argument}: it has {found.ndim} dimensions; give a table of two, (points, columns)"
        )
    if columns is not None and found.shape[1] != columns:
        raise ValueError(
            f"{argument}: it has {count(found.shape[1], 'column')}; {columns} are needed"
        )
    if 0 in found.shape:
        raise ValueError(f"{argument}: it is empty, {found.shape}; give at least one number a row")
    found = np.ascontiguousarray(found, dtype=np.float64)
    wrong = np.argwhere(~np.isfinite(found))
    if len(wrong):
        row, column = wrong[0].tolist()
        raise ValueError(
            f"{argument}: row {row}, column {column} is {found[row, column]}, no finite number; "
            "fill it in or leave such rows out"
        )
    return found


def numeric(found: np.ndarray) -> bool:
    """Whether objects are numbers, and not texts that look like them."""
    return found.dtype == object and not any(isinstance(x, str | bytes) for x in found.ravel())


def refuse(argument: str) -> Any:
    raise TypeError(f"{argument}: it holds something else than numbers; convert it to float first")


def enough(points: int, argument: str) -> None:
    """Whether so many points can be trained on.

    Raises:
        ValueError: they are too few or too many.
    """
    if points < 2:
        raise ValueError(f"{argument}: it has {count(points, 'row')}; at least two are needed")
    if points > MOST_POINTS:
        raise ValueError(
            f"{argument}: it has {points:,} rows; full-batch training can take {MOST_POINTS:,}: "
            "give a sample of them"
        )
