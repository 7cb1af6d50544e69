"""Which networks a figure shows: the typical one of several draws."""

from typing import Any

import numpy as np

from sparsedecay.figures.declaration import Request, Shown
from sparsedecay.files.results import Results


def typical(request: Request[Any], results: Results) -> tuple[Shown, ...]:
    """The networks of the draw whose summary lies nearest to the median of all draws; without
    draws those of the request. Draws in which a network diverged do not count, unless all did.
    """
    if not request.draws:
        return request.shown
    whole = [draw for draw in request.draws if not diverged(draw, results)]
    if not whole:
        return request.draws[0]
    return whole[nearest(np.array([summary(draw, results) for draw in whole]))]


def diverged(draw: tuple[Shown, ...], results: Results) -> bool:
    """Whether any of the networks diverged."""
    return any(results.diverged(*shown.milestone) is not None for shown in draw)


def summary(draw: tuple[Shown, ...], results: Results) -> list[float]:
    """What a draw's networks came to: error, regularizer, sparsity and neurons of each."""
    found = []
    for shown in draw:
        row = results.table(*shown.milestone, "summary").iloc[-1]
        found += [
            np.log10(max(row["mse_tail_median"], 1e-300)),
            np.log10(max(row["regularizer_value"], 1e-300)),
            row["average_sparsity"],
            *row["active_neurons"],
        ]
    return found


def nearest(rows: np.ndarray) -> int:
    """Index of the row nearest to the median row, columns measured by their standard deviation;
    those that are constant do not count."""
    spread = rows.std(axis=0)
    varying = spread > 0
    away = (rows - np.median(rows, axis=0))[:, varying] / spread[varying]
    return int(np.argmin((away**2).sum(axis=1)))


def label(shown: tuple[Shown, ...]) -> str:
    """The seeds of a draw in print."""
    targets, weights = shown[0].seeds
    return f"seed {targets}" if targets == weights else f"seeds {targets} and {weights}"


def note(request: Request[Any], shown: tuple[Shown, ...]) -> str:
    """Which draw is shown, for the title of a figure; nothing without draws."""
    if not request.draws:
        return ""
    return f"; {label(shown)}, the typical one of {len(request.draws)} draws"
