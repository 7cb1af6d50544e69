"""Command `sparsedecay optimum`: the global optimum of a shallow problem, with a proof.

    sparsedecay optimum --problem '{"data": …, "regularizer": "eq2", "lam": 0.001, …}' \\
        --data results/data/…/data.parquet --gap 1e-4 --slack 1e-3 --out results/optimum/…
"""

import argparse
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa

from sparsedecay.files import fingerprint
from sparsedecay.files.provenance import metadata
from sparsedecay.files.samples import load
from sparsedecay.files.storage import write_state, write_table
from sparsedecay.files.tables import OPTIMA
from sparsedecay.science.convex.optimum import Optimum, optimum
from sparsedecay.science.convex.problem import Neurons, Posed, Problem
from sparsedecay.science.convex.sparsest import fewer

SOLVERS = ("clarabel", "numba", "scipy")
"""What computes it beside numpy; their versions are written down."""


def tell(line: str) -> None:
    print(line, flush=True)


def row(posed: Posed, best: Optimum, few: Neurons, problem: Problem, slack: float) -> pa.Table:
    """The table of an optimum: one row."""
    values = {
        "problem": posed.id,
        "objective": best.objective,
        "bound": best.bound.value,
        "gap": best.gap,
        "proved": best.bound.found.complete,
        "rounds": best.rounds,
        "cones": best.cones,
        "neurons": len(best.neurons.v),
        "slack": slack,
        "sparsest": len(few.v),
        "sparsest_objective": problem.objective(few),
        "z": best.bound.z.tolist(),
    }
    return pa.Table.from_pylist([values], schema=OPTIMA)


def main(arguments: list[str]) -> None:
    """Solve one problem, and write its optimum, a sparse network, and the proof.

    Raises:
        UserError: the data cannot be read, or the problem is not convex.
    """
    import torch

    parser = argparse.ArgumentParser(prog="sparsedecay optimum", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--problem", required=True, help="data, regularizer, lam and objective, as JSON")
    add("--data", required=True, type=Path, help="data set, Parquet")
    add("--gap", type=float, default=1e-4, help="relative gap to prove (default: 1e-4)")
    add("--slack", type=float, default=1e-3, help="what the sparsest may lose (default: 1e-3)")
    add("--seconds", type=float, default=np.inf, help="how long it may take (default: no limit)")
    add("--out", required=True, type=Path, help="folder to write to")
    options = parser.parse_args(arguments)
    posed = Posed.model_validate_json(options.problem)
    found = load(options.data)
    problem = posed.problem(found.X, found.y)
    best = optimum(problem, gap=options.gap, seconds=options.seconds, tell=tell)
    limit = best.objective * (1 + options.slack)
    few = fewer(problem, best.neurons, limit, options.seconds - best.seconds, tell)
    solvers = ", ".join(f"{name} {version(name)}" for name in SOLVERS)
    note = metadata(posed.canonical(), fingerprint.code("optimum.solve"), solvers=solvers)
    for name, neurons in (("optimum", best.neurons), ("sparsest", few)):
        parameters = neurons.parameters(len(neurons.v), problem.form.biases)
        tensors = {key: torch.from_numpy(array) for key, array in parameters.items()}
        write_state(options.out / f"{name}.safetensors", tensors, note)
    table = row(posed, best, few, problem, options.slack)
    write_table(options.out / "optimum.parquet", table, note)
    print(
        f"{posed.id}: objective {best.objective:.9g}, gap {best.gap:.1e}, {len(best.neurons.v)} "
        f"neurons; {len(few.v)} within {options.slack:g}; {best.seconds:.0f} s"
    )
