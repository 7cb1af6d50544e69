"""Rows of the tables of one milestone, from its weights and from what was recorded.

Of a run that has diverged there is what was recorded before, and nulls.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sparsedecay.science import regularizers
from sparsedecay.science.measures import (
    Measures,
    active_neurons,
    average_sparsity,
    distinct_neurons,
    linear_nodes,
    rank,
    relative_rank,
    relu,
    singular_values,
    sparsity,
    stable_rank,
)
from sparsedecay.science.networks import build
from sparsedecay.science.recorded import LADDER
from sparsedecay.science.run import Run, columns

Tables = dict[str, list[dict[str, Any]]]
"""Rows by table."""
Rows = Iterable[Mapping[str, Any]]


def matrices(run: Run, epoch: int, p: Mapping[str, np.ndarray], measures: Measures) -> Tables:
    """Rows of the tables `matrices` and `spectra`: trained matrices, and A^(l) = W^(l) V^(l-1)."""
    network = build(run)
    factors = {name: [p[name]] for name in network.matrices}
    for name, product in network.between.items():
        factors.setdefault(name, [p[factor] for factor in product])
    rows, spectra = [], []
    for name, parts in factors.items():
        matrix = np.linalg.multi_dot(parts) if len(parts) > 1 else parts[0]
        sigma = singular_values(*parts)
        rows.append(
            {
                "run": run.id,
                "epoch": epoch,
                "matrix": name,
                "rows": matrix.shape[0],
                "columns": matrix.shape[1],
                "sparsity": sparsity(matrix, measures.threshold),
                "max_abs": float(np.abs(matrix).max()),
                "frobenius_norm": float(np.sqrt(np.sum(sigma**2))),
                "spectral_norm": float(sigma[0]),
                "rank": rank(sigma, measures.rank_threshold),
                "relative_rank": relative_rank(sigma, measures.relative_rank_threshold),
                "stable_rank": stable_rank(sigma),
                "linear_nodes": linear_nodes(parts[0], parts[1], measures.rank_threshold)
                if len(parts) > 1
                else None,
            }
        )
        spectra += [
            {"run": run.id, "epoch": epoch, "matrix": name, "index": i, "singular_value": value}
            for i, value in enumerate(sigma.tolist(), start=1)
        ]
    return {"matrices": rows, "spectra": spectra}


def without_numbers(run: Run, epoch: int) -> Tables:
    """The same for a run that has diverged: a row for each matrix, with its size."""
    network = build(run)
    shapes = {name: network.shapes[name] for name in network.matrices}
    for name in network.between:
        shapes.setdefault(name, (network.K, network.K))
    rows = [
        {"run": run.id, "epoch": epoch, "matrix": name, "rows": m, "columns": n}
        for name, (m, n) in shapes.items()
    ]
    spectra = [{"run": run.id, "epoch": epoch, "matrix": name} for name in shapes]
    return {"matrices": rows, "spectra": spectra}


def trajectory(loss: Rows, magnitudes: Rows, measures: Measures) -> list[dict[str, Any]]:
    """Rows of the table `trajectory`: what training recorded, measured.

    Args:
        loss, magnitudes: rows of the tables that training writes.
    """
    rung = LADDER.index(measures.threshold)
    by_epoch: dict[int, dict[str, float]] = {}
    rows = []
    for r in magnitudes:
        value = r["exceeding"][rung] / (r["rows"] * r["columns"])
        by_epoch.setdefault(r["epoch"], {})[r["matrix"]] = value
        place = {"run": r["run"], "epoch": r["epoch"], "matrix": r["matrix"]}
        rows.append({**place, "measure": "sparsity", "value": value})
        rows.append({**place, "measure": "max_abs", "value": r["max_abs"]})
    for r in loss:
        place = {"run": r["run"], "epoch": r["epoch"], "matrix": None}
        average = average_sparsity(by_epoch[r["epoch"]], measures.average_over)
        rows.append({**place, "measure": "average_sparsity", "value": average})
        for measure in ("mse", "regularizer", "objective"):
            rows.append({**place, "measure": measure, "value": r[measure]})
    return sorted(rows, key=lambda r: (r["epoch"], r["measure"], r["matrix"] or ""))


def ended(run: Run, epoch: int, diverged: int) -> dict[str, Any]:
    """Row of the table `trajectory` that tells that a run has diverged."""
    place = {"run": run.id, "epoch": epoch, "matrix": None}
    return {**place, "measure": "diverged", "value": float(diverged)}


def described(run: Run, epoch: int, y: np.ndarray, diverged: int | None) -> dict[str, Any]:
    """The one row of the table `summary`, as far as it is known without the weights."""
    return {
        "run": run.id,
        "epoch": epoch,
        **columns(run),
        "target_mean_square": float(np.mean(y**2)),
        "diverged": diverged,
        "parameters": build(run).size,
    }


def summary(
    run: Run,
    p: Mapping[str, np.ndarray],
    X: np.ndarray,
    y: np.ndarray,
    tail: np.ndarray,
    measures: Measures,
) -> dict[str, Any]:
    """What the table `summary` tells of the weights.

    Args:
        p: parameters; X: inputs (N, d_0); y: targets (N, 1).
        tail: the last recorded mean squared errors, at most `TAIL`.
    """
    network = build(run)
    mse = float(np.mean((network.forward(p, X, relu) - y) ** 2))
    value = float(regularizers.build(run).value(network, p))
    by_matrix = {name: sparsity(p[name], measures.threshold) for name in network.matrices}
    active = active_neurons(network, p, X, measures.threshold)
    return {
        "mse": mse,
        "mse_tail_median": float(np.median(tail)) if len(tail) else None,
        "regularizer_value": value,
        "objective": mse * len(y) / run.terms(len(y)) + run.penalty * value,
        "average_sparsity": average_sparsity(by_matrix, measures.average_over),
        "active_neurons": [len(neurons) for neurons in active],
        "distinct_neurons": distinct_neurons(network, p, active),
    }
