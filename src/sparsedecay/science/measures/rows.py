"""Rows of the tables of one milestone, from its weights and from what was recorded.

Of a run that has diverged there is what was recorded before, and nulls.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sparsedecay.science import regularizers
from sparsedecay.science.data import Samples
from sparsedecay.science.measures import (
    ALIVE,
    SPIKE,
    Measures,
    active_neurons,
    average_sparsity,
    default_rank,
    distinct_neurons,
    linear_nodes,
    rank,
    recovered,
    relative_rank,
    relu,
    singular_values,
    sparsity,
    stable_rank,
)
from sparsedecay.science.networks import build
from sparsedecay.science.recorded import LADDER, LEADING
from sparsedecay.science.run import Run, columns

Tables = dict[str, list[dict[str, Any]]]
"""Rows by table."""
Rows = Iterable[Mapping[str, Any]]


def matrices(
    run: Run, epoch: int, p: Mapping[str, np.ndarray], X: np.ndarray, measures: Measures
) -> Tables:
    """Rows of the tables `matrices` and `spectra`: trained matrices, and A^(l) = W^(l) V^(l-1)."""
    network = build(run)
    active = active_neurons(network, p, X, measures.threshold)
    factors = {name: [p[name]] for name in network.matrices}
    for name, product in network.between.items():
        factors.setdefault(name, [p[factor] for factor in product])
    rows, spectra = [], []
    for name, parts in factors.items():
        matrix = np.linalg.multi_dot(parts) if len(parts) > 1 else parts[0]
        sigma, largest = singular_values(*parts), float(np.abs(matrix).max())
        used, patterns = linear_nodes(*parts) if len(parts) > 1 else (None, None)
        alive = None
        if name in network.between:
            alive = bool(largest > ALIVE * measures.threshold and len(active[int(name[1:]) - 1]))
        rows.append(
            {
                "run": run.id,
                "epoch": epoch,
                "matrix": name,
                "rows": matrix.shape[0],
                "columns": matrix.shape[1],
                "sparsity": sparsity(matrix, measures.threshold),
                "max_abs": largest,
                "frobenius_norm": float(np.sqrt(np.sum(sigma**2))),
                "spectral_norm": float(sigma[0]),
                "sigma2_ratio": float(sigma[1] / sigma[0]) if len(sigma) > 1 and sigma[0] else 0.0,
                "rank": rank(sigma, measures.rank_threshold),
                "relative_rank": relative_rank(sigma, measures.relative_rank_threshold),
                "default_rank": default_rank(sigma, *matrix.shape),
                "stable_rank": stable_rank(sigma),
                "alive": alive,
                "linear_nodes": used,
                "patterns": patterns,
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
    rows: list[dict[str, Any]] = []

    def add(r: Mapping[str, Any], matrix: str | None, **values: float) -> None:
        place = {"run": r["run"], "epoch": r["epoch"], "matrix": matrix}
        rows.extend({**place, "measure": name, "value": value} for name, value in values.items())

    for r in magnitudes:
        name, above = r["matrix"], r["exceeding"][rung]
        if name[0] == "h":
            add(r, name, active_neurons=above)
            continue
        value = by_epoch.setdefault(r["epoch"], {})[name] = above / (r["rows"] * r["columns"])
        norm = {"frobenius_norm": r["frobenius_norm"]}
        add(r, name, sparsity=value, max_abs=r["max_abs"], **norm)
    for r in loss:
        average = average_sparsity(by_epoch[r["epoch"]], measures.average_over)
        told = {name: r[name] for name in ("mse", "regularizer", "objective")}
        add(r, None, average_sparsity=average, **told)
        for i, sigma in enumerate(r["singular_values"]):
            layer, index = divmod(i, LEADING)
            add(r, f"A{layer + 2}", **{f"singular_value_{index + 1}": sigma})
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
    samples: Samples,
    tail: np.ndarray,
    measures: Measures,
) -> dict[str, Any]:
    """What the table `summary` tells of the weights.

    Args:
        p: parameters; samples: what the run was trained with and is tested on.
        tail: the last recorded mean squared errors, at most `TAIL`.
    """
    network, (X, y, test_X, test_y) = build(run), samples
    mse = float(np.mean((network.forward(p, X, relu) - y) ** 2))
    missed = network.forward(p, test_X, relu) - test_y
    teacher = run.data.teacher
    value = float(regularizers.build(run).value(network, p))
    by_matrix = {name: sparsity(p[name], measures.threshold) for name in network.matrices}
    active = active_neurons(network, p, X, measures.threshold)
    usual, scale = float(np.median(tail)) if len(tail) else mse, float(np.mean(y**2))
    return {
        "mse": mse,
        "mse_tail_median": usual if len(tail) else None,
        "relative_mse": usual / scale if scale else None,
        "on_spike": mse - usual > SPIKE * scale,
        "regularizer_value": value,
        "objective": mse * y.size / run.terms(y.size) + run.penalty * value,
        "average_sparsity": average_sparsity(by_matrix, measures.average_over),
        "active_neurons": [len(neurons) for neurons in active],
        "distinct_neurons": distinct_neurons(network, p, active),
        "test_mse": float(np.mean(missed**2)) if len(test_y) else None,
        "recovered": recovered(teacher, p, active[0]) if teacher else None,
    }
