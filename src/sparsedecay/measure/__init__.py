"""Measures of one milestone: sparsity, spectrum, rank, active neurons, loss.

    sparsedecay measure --run … --measures … --state … --out results/measure/RUN/EPOCH

Everything is computed in float64 from the stored weights, whatever the precision of the training.
Of a run that has diverged there is what was recorded before, and nulls.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sparsedecay import data
from sparsedecay.errors import DamagedFile
from sparsedecay.files.provenance import metadata
from sparsedecay.files.storage import read_state, read_table, write_table
from sparsedecay.files.tables import MATRICES, SPECTRA, SUMMARY, TRAJECTORY
from sparsedecay.science import regularizers
from sparsedecay.science.networks import Dense, Network, build
from sparsedecay.science.recorded import LADDER, LOSS, MAGNITUDES
from sparsedecay.science.run import Run, columns
from sparsedecay.study.sections import Measures

STAGE = "sparsedecay.measure"
Tables = dict[str, list[dict[str, Any]]]
"""Rows by table."""
PARALLEL = 0.99
"""Cosine above which two neurons count as one."""
TAIL = 20
"""Records whose median stands for the loss at the end, where one epoch may sit on a spike."""


def sparsity(matrix: np.ndarray, threshold: float) -> float:
    """Fraction of entries with |a| > threshold: 1 is dense (Section 3)."""
    return float(np.mean(np.abs(matrix) > threshold))


def singular_values(*factors: np.ndarray) -> np.ndarray:
    """Singular values of a matrix, or of the product of two, in decreasing order.

    Of a product W (m, d) times V (d, n) there are min(d, m, n): the others are exactly 0, and the
    small ones would drown in rounding if the product were formed.
    """
    if len(factors) == 1:
        return np.linalg.svd(factors[0], compute_uv=False)
    W, V = factors
    # numpy's types do not know that mode "r" gives an array
    left: np.ndarray = np.linalg.qr(W, mode="r")  # type: ignore[assignment]
    right: np.ndarray = np.linalg.qr(V.T, mode="r")  # type: ignore[assignment]
    return np.linalg.svd(left @ right.T, compute_uv=False)


def rank(sigma: np.ndarray, threshold: float) -> int:
    """Number of singular values above the threshold."""
    return int(np.sum(sigma > threshold))


def relative_rank(sigma: np.ndarray, fraction: float) -> int:
    """Number of singular values above a fraction of the largest; 0 for the zero matrix."""
    return int(np.sum(sigma > fraction * sigma[0])) if sigma[0] > 0 else 0


def stable_rank(sigma: np.ndarray) -> float:
    """||A||_F^2 / ||A||_2^2, at most the rank; 0 for the zero matrix.
    (Rudelson & Vershynin 2007)"""
    return float(np.sum(sigma**2) / sigma[0] ** 2) if sigma[0] > 0 else 0.0


def linear_nodes(W: np.ndarray, V: np.ndarray, threshold: float) -> int:
    """Inner dimensions j of the product W (m, d) times V (d, n) whose own term w_j v_j^T has a
    singular value, ||w_j|| ||v_j||, above the threshold. More of them than the product's rank means
    that several learned the same pattern (Section 3, figure 4c)."""
    terms = np.linalg.norm(W, axis=0) * np.linalg.norm(V, axis=1)
    return int(np.sum(terms > threshold))


def active_neurons(
    network: Network, p: Mapping[str, np.ndarray], X: np.ndarray, threshold: float
) -> list[np.ndarray]:
    """For each ReLU layer the neurons that matter to the fit, as indices: on some data point the
    neuron's activation times its largest outgoing weight exceeds the threshold."""
    found = []
    for hidden, outgoing in zip(network.layers(p, X, relu), network.outgoing, strict=False):
        largest = np.max([np.abs(p[name]).max(axis=0) for name in outgoing], axis=0)  # (K,)
        found.append(np.flatnonzero(hidden.max(axis=0) * largest > threshold))
    return found


def distinct_neurons(
    network: Network, p: Mapping[str, np.ndarray], active: Sequence[np.ndarray]
) -> list[int]:
    """For each ReLU layer the active neurons that compute different features: those whose weights
    and bias are parallel could be merged into one without changing the network, nor what weight
    decay costs. Counted greedily, the longest first; parallel is a cosine above `PARALLEL`."""
    counts = []
    for layer, ((into, _), neurons) in enumerate(
        zip(network.neurons, active, strict=True), start=1
    ):
        parts = [p[into], p[f"b{layer}"][:, None]]
        if isinstance(network, Dense) and f"C{layer - 1}" in p:
            parts.append(p[f"C{layer - 1}"])  # the skip into this layer
        features = np.hstack(parts)[neurons]
        lengths = np.linalg.norm(features, axis=1)
        features = (features / lengths[:, None])[np.argsort(-lengths, kind="stable")]
        count = 0
        while len(features):
            features = features[features @ features[0] <= PARALLEL]
            count += 1
        counts.append(count)
    return counts


def relu(z: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(z, 0))


def average_sparsity(by_matrix: Mapping[str, float], kinds: Sequence[str]) -> float:
    """Mean over the weight matrices of the given kinds, each matrix counted once whatever its size.
    A dense network's A counts as W: it holds weights into ReLU neurons."""
    chosen = [s for name, s in by_matrix.items() if name[0].replace("A", "W") in kinds]
    return float(np.mean(chosen))


def matrices(run: Run, epoch: int, p: Mapping[str, np.ndarray], measures: Measures) -> Tables:
    """Rows of the tables `matrices` and `spectra`: trained matrices, and A^(l) = W^(l) V^(l-1)."""
    network = build(run)
    factors = {name: [p[name]] for name in network.matrices}
    for layer in range(2, network.L + 1):
        factors.setdefault(f"A{layer}", [p[name] for name in network.factors(layer)])
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
    for layer in range(2, network.L + 1):
        shapes.setdefault(f"A{layer}", (network.K, network.K))
    rows = [
        {"run": run.id, "epoch": epoch, "matrix": name, "rows": m, "columns": n}
        for name, (m, n) in shapes.items()
    ]
    spectra = [{"run": run.id, "epoch": epoch, "matrix": name} for name in shapes]
    return {"matrices": rows, "spectra": spectra}


def trajectory(loss: pa.Table, magnitudes: pa.Table, measures: Measures) -> list[dict[str, Any]]:
    """Rows of the table `trajectory`: what training recorded, measured."""
    rung = LADDER.index(measures.threshold)
    by_epoch: dict[int, dict[str, float]] = {}
    rows = []
    for r in magnitudes.to_pylist():
        value = r["exceeding"][rung] / (r["rows"] * r["columns"])
        by_epoch.setdefault(r["epoch"], {})[r["matrix"]] = value
        place = {"run": r["run"], "epoch": r["epoch"], "matrix": r["matrix"]}
        rows.append({**place, "measure": "sparsity", "value": value})
        rows.append({**place, "measure": "max_abs", "value": r["max_abs"]})
    for r in loss.to_pylist():
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
    loss: pa.Table,
    measures: Measures,
) -> dict[str, Any]:
    """What the table `summary` tells of the weights."""
    network = build(run)
    mse = float(np.mean((network.forward(p, X, relu) - y) ** 2))
    value = float(regularizers.of(run, network, p))
    tail = loss["mse"].to_numpy()[-TAIL:]
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


def main(arguments: list[str]) -> None:
    """Command `sparsedecay measure`."""
    parser = argparse.ArgumentParser(prog="sparsedecay measure", description=__doc__)
    add = parser.add_argument
    add("--run", required=True, help="the run as JSON")
    add("--epoch", required=True, type=int, help="the milestone")
    add("--measures", required=True, help="the section `measures` of a config, as JSON")
    add("--data", required=True, type=Path, help="data set, Parquet")
    add("--state", required=True, type=Path, help="state of the milestone, safetensors")
    add("--loss", required=True, type=Path, help="loss by epoch, Parquet")
    add("--magnitudes", required=True, type=Path, help="weights' magnitudes by epoch, Parquet")
    add("--out", required=True, type=Path, help="folder for the tables")
    options = parser.parse_args(arguments)
    run = Run.model_validate_json(options.run)
    measures = Measures.model_validate_json(options.measures)
    tensors, about = read_state(options.state, "np")
    if about.get("run") != run.canonical() or about.get("epoch") != str(options.epoch):
        raise DamagedFile(
            f"{options.state}: is not epoch {options.epoch} of {run.id}.\n"
            f"Make it again with: snakemake --force {options.state}"
        )
    p = {name: tensors[name].astype(np.float64) for name in build(run).shapes}
    X, y = data.load(options.data)
    loss = read_table(options.loss, LOSS)
    magnitudes = read_table(options.magnitudes, MAGNITUDES)

    lost = int(about["diverged"]) if "diverged" in about else None
    row = described(run, options.epoch, y, lost)
    rows: Tables = {"summary": [row], "trajectory": trajectory(loss, magnitudes, measures)}
    if lost is None:
        row |= summary(run, p, X, y, loss, measures)
        rows |= matrices(run, options.epoch, p, measures)
    else:
        rows["trajectory"].append(ended(run, options.epoch, lost))
        rows |= without_numbers(run, options.epoch)
    note = metadata(measures.canonical(), STAGE, run=run.canonical())
    schemas = {"trajectory": TRAJECTORY, "spectra": SPECTRA, "matrices": MATRICES}
    for name, schema in {**schemas, "summary": SUMMARY}.items():
        table = pa.Table.from_pylist(rows[name], schema=schema)
        write_table(options.out / f"{name}.parquet", table, note)
    if lost is None:
        found = f"mse {row['mse']:.3g}, average sparsity {row['average_sparsity']:.4f}"
    else:
        found = f"diverged at epoch {lost:,}"
    print(f"{run.id}: epoch {options.epoch:,}, {found}")
