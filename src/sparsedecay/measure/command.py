"""Command `sparsedecay measure`: sparsity, spectrum, rank, neurons and losses of one milestone.

sparsedecay measure --run … --measures … --state … --out results/measure/RUN/EPOCH
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from sparsedecay.errors import DamagedFile
from sparsedecay.files import fingerprint
from sparsedecay.files.provenance import kernels, metadata
from sparsedecay.files.samples import load
from sparsedecay.files.storage import read_state, read_table, write_table
from sparsedecay.files.tables import LOSS, MAGNITUDES, SCHEMAS
from sparsedecay.science.data import Samples
from sparsedecay.science.measures import TAIL, Measures
from sparsedecay.science.measures.rows import (
    Tables,
    described,
    ended,
    matrices,
    summary,
    trajectory,
    without_numbers,
)
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run


def measured(
    run: Run,
    epoch: int,
    p: Mapping[str, np.ndarray],
    samples: Samples,
    loss: pa.Table,
    magnitudes: pa.Table,
    measures: Measures,
    lost: int | None,
) -> Tables:
    """Rows of all tables of a milestone.

    Args:
        p: parameters, float64.
        loss, magnitudes: what was recorded, as `train.records` writes it.
        lost: the epoch at which the run diverged, if it did.
    """
    row = described(run, epoch, samples.y, lost)
    rows: Tables = {
        "summary": [row],
        "trajectory": trajectory(loss.to_pylist(), magnitudes.to_pylist(), measures),
    }
    if lost is not None:
        rows["trajectory"].append(ended(run, epoch, lost))
        return rows | without_numbers(run, epoch)
    row |= summary(run, p, samples, loss["mse"].to_numpy()[-TAIL:], measures)
    return rows | matrices(run, epoch, p, samples.X, measures)


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
    samples = load(options.data)
    loss = read_table(options.loss, LOSS)
    magnitudes = read_table(options.magnitudes, MAGNITUDES)

    lost = int(about["diverged"]) if "diverged" in about else None
    rows = measured(run, options.epoch, p, samples, loss, magnitudes, measures, lost)
    (row,) = rows["summary"]
    code = fingerprint.measuring(run)
    note = metadata(measures.canonical(), code, run=run.canonical(), kernels=kernels())
    for name, schema in SCHEMAS.items():
        table = pa.Table.from_pylist(rows[name], schema=schema)
        write_table(options.out / f"{name}.parquet", table, note)
    if lost is None:
        found = f"mse {row['mse']:.3g}, average sparsity {row['average_sparsity']:.4f}"
    else:
        found = f"diverged at epoch {lost:,}"
    print(f"{run.id}: epoch {options.epoch:,}, {found}")
