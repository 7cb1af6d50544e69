"""What the page shows of a run: plain numbers, as JSON."""

import base64
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from sparsedecay.figures.declaration import Shown
from sparsedecay.figures.pictures import decreasing
from sparsedecay.files.results import Results
from sparsedecay.science.measures import relu
from sparsedecay.science.networks import KINDS as NETWORKS
from sparsedecay.science.networks import Network
from sparsedecay.science.radon import Atoms, angles, atoms, plane
from sparsedecay.science.regularizers import KINDS as REGULARIZERS

CELLS = 72
"""Rows and columns of a picture of a matrix, at most."""
RECORDS = 400
"""Points of a curve, at most."""
LINE, MAP = 161, 49
"""Points that a function is drawn at: along a line, and along each side of a map."""
CURVES = ("mse", "objective", "regularizer", "average_sparsity")


class View:
    """Reads results and makes them small."""

    def __init__(self, results: Results, threshold: float) -> None:
        self.results, self.threshold = results, threshold

    def run(self, shown: Sequence[Shown]) -> dict[str, Any]:
        """One run with its milestones, in order."""
        last = shown[-1]
        found = self.results.samples(last.data)
        network, _ = self.results.trained(*last.milestone)
        states = {one.epochs[-1]: self.results.trained(*one.milestone)[1] for one in shown}
        neurons = {
            epoch: atoms(network, p, found.X) for epoch, p in states.items() if finite(p.values())
        }
        d_in = found.X.shape[1]
        axes, share = plane(list(neurons.values())[-1:], d_in)
        milestones = [
            self.milestone(one, network, states[epoch], neurons.get(epoch), found.X, axes)
            for one in shown
            for epoch in [one.epochs[-1]]
        ]
        return {
            "id": last.run,
            "title": title(last),
            "curves": self.curves(last),
            "milestones": milestones,
            "points": (found.X - found.X.mean(0) if d_in > 1 else found.X).dot(axes.T).tolist(),
            "targets": found.y.tolist(),
            "inputs": found.X.tolist() if d_in <= 2 else [],
            "dimension": d_in,
            "share": share,
        }

    def curves(self, shown: Shown) -> dict[str, Any]:
        """What was recorded, by name."""
        tables = [self.results.table(shown.run, epoch, "trajectory") for epoch in shown.epochs]
        by_name: dict[str, dict[int, float]] = {}
        for table in tables:
            rows = table[table["matrix"].isna() | table["matrix"].str.startswith("A")]
            for epoch, measure, matrix, value in zip(
                rows["epoch"], rows["measure"], rows["matrix"], rows["value"], strict=True
            ):
                if isinstance(matrix, str):
                    measure = f"{measure} of {matrix}"
                elif measure not in CURVES:
                    continue
                by_name.setdefault(measure, {})[int(epoch)] = float(value)
        return {name: thinned(points) for name, points in by_name.items()}

    def milestone(
        self,
        shown: Shown,
        network: Network,
        p: dict[str, np.ndarray],
        found: Atoms | None,
        X: np.ndarray,
        axes: np.ndarray,
    ) -> dict[str, Any]:
        """A network at one epoch."""
        epoch = shown.epochs[-1]
        if found is None:
            return {"epoch": epoch, "diverged": True}
        row = self.results.table(shown.run, epoch, "summary").iloc[-1]
        told = ("mse", "relative_mse", "test_mse", "regularizer_value", "average_sparsity")
        parts = {name: [p[name]] for name in network.matrices}
        for name, factors in network.between.items():
            parts[name] = [p[factor] for factor in factors]
        return {
            "epoch": epoch,
            "summary": {name: number(row[name]) for name in told},
            "active": [int(count) for count in row["active_neurons"]],
            "matrices": {
                name: self.matrix(np.linalg.multi_dot(m) if len(m) > 1 else m[0])
                for name, m in sorted(parts.items())
            },
            "neurons": placed(found, X, axes),
            "function": function(network, p, X, axes),
        }

    def matrix(self, matrix: np.ndarray) -> dict[str, Any]:
        """Magnitudes, rows and columns by decreasing norm, on a logarithmic scale from the
        threshold (0) to the largest (255)."""
        sorted_ = np.abs(matrix)[np.ix_(decreasing(matrix, 0), decreasing(matrix, 1))]
        largest = float(sorted_.max())
        top = max(math.log(largest / self.threshold), 1e-9) if largest > self.threshold else 1.0
        places = np.log(np.maximum(sorted_ / self.threshold, 1)) / top
        for axis in (0, 1):
            starts = np.unique(np.linspace(0, places.shape[axis], CELLS + 1).astype(int))[:-1]
            sizes = np.diff(np.append(starts, places.shape[axis]))
            sums = np.add.reduceat(places, starts, axis=axis)
            places = sums / np.expand_dims(sizes, 1 - axis)
        cells = np.ceil(255 * np.clip(places, 0, 1)).astype(np.uint8)
        return {
            "rows": matrix.shape[0],
            "columns": matrix.shape[1],
            "shape": list(cells.shape),
            "largest": largest,
            "threshold": self.threshold,
            "cells": base64.b64encode(cells.tobytes()).decode(),
        }


def title(shown: Shown) -> str:
    """A run in words."""
    network = NETWORKS[shown.network].title
    regularizer = REGULARIZERS[shown.regularizer].title.replace("$", "").replace("\\ell", "l")
    lam = f", lam = {shown.lam:g}" if shown.lam else ""
    data, weights = shown.seeds
    seeds = f"seed {data}" if data == weights else f"seeds {data} and {weights}"
    return f"{network}, {regularizer}{lam}, {seeds}"


def thinned(points: dict[int, float]) -> list[list[Any]]:
    """A curve as epochs and values, with at most `RECORDS` of them."""
    epochs = sorted(points)
    chosen = np.unique(np.linspace(0, len(epochs) - 1, min(RECORDS, len(epochs))).astype(int))
    kept = [epochs[i] for i in chosen]
    return [kept, [number(points[epoch]) for epoch in kept]]


def placed(found: Atoms, X: np.ndarray, axes: np.ndarray) -> dict[str, Any]:
    """Neurons as points: creases of one variable, else directions against offsets."""
    if X.shape[1] == 1:
        x = found.offsets * found.directions[:, 0]
        y = found.mass * found.sign
    else:
        x, y = angles(found.directions, axes), found.offsets - found.directions @ X.mean(0)
    return {
        "x": rounded(x),
        "y": rounded(y),
        "mass": rounded(found.mass),
        "sign": found.sign.tolist(),
        "count": found.neurons.tolist(),
    }


def function(
    network: Network, p: dict[str, np.ndarray], X: np.ndarray, axes: np.ndarray
) -> dict[str, Any]:
    """The outputs: of one variable along it, of two on a map (the first output), of more along two
    lines through the mean of the data, along the axes that neurons are seen in."""
    low, high = X.min(0), X.max(0)
    wide = 0.08 * np.where(high > low, high - low, 1.0)
    low, high, dimension = low - wide, high + wide, X.shape[1]
    if dimension == 2:
        sides = [np.linspace(low[i], high[i], MAP) for i in (0, 1)]
        points = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
        f = network.forward(p, points, relu)[:, 0].reshape(MAP, MAP)
        return {"x": rounded(sides[0]), "y": rounded(sides[1]), "z": [rounded(row) for row in f]}
    if dimension == 1:
        x = np.linspace(low[0], high[0], LINE)
        return {"x": rounded(x), "lines": lines(network, p, x[:, None])}
    radius = float(np.linalg.norm(X - X.mean(0), axis=1).max()) or 1.0
    s = np.linspace(-radius, radius, LINE)
    ways = [X.mean(0) + s[:, None] * axis for axis in axes]
    return {"x": rounded(s), "lines": [line for way in ways for line in lines(network, p, way)]}


def lines(network: Network, p: dict[str, np.ndarray], points: np.ndarray) -> list[list[float]]:
    """Each output along some points."""
    return [rounded(output) for output in network.forward(p, points, relu).T]


def rounded(values: Iterable[float]) -> list[float]:
    """Numbers of five digits."""
    return [float(f"{value:.5g}") for value in values]


def number(value: Any) -> float | None:
    """A number, or None for what JSON has none for."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def finite(arrays: Iterable[np.ndarray]) -> bool:
    return all(np.isfinite(array).all() for array in arrays)
