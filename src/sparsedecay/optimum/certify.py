"""Command `sparsedecay certify`: how far a trained shallow network is from the global optimum.

sparsedecay certify results/train/RUN/EPOCH/state.safetensors        solves for the bound
    sparsedecay certify STATE --network best.safetensors           and writes the best network
sparsedecay certify … --optimum results/optimum/PROBLEM/optimum.parquet --out TABLE.parquet
sparsedecay certify results/optimum/PROBLEM/optimum.parquet          checks a stored proof
"""

import argparse
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.files import fingerprint
from sparsedecay.files.provenance import metadata
from sparsedecay.files.samples import made
from sparsedecay.files.storage import (
    again,
    misplaced,
    read_state,
    read_table,
    write_state,
    write_table,
)
from sparsedecay.files.tables import CERTIFICATES, OPTIMA
from sparsedecay.science import regularizers
from sparsedecay.science.convex import deep
from sparsedecay.science.convex.bound import lower, refuted
from sparsedecay.science.convex.finite import Cells, merged, moved
from sparsedecay.science.convex.optimum import optimum
from sparsedecay.science.convex.problem import Neurons, Posed, Problem
from sparsedecay.science.convex.sparsest import fewer
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run

PARTS = ("imbalance", "merging", "moving", "missing")
"""What the distance from the optimum is made of (`files.tables.CERTIFICATES`)."""
PROVABLE, GAP = 6, 1e-4
"""Dimensions in which the optimum of a last block is looked for, and its gap."""
SMALL = 1e-6
"""Neurons with a smaller fraction of the largest norm are not in use."""


def trained(path: Path) -> tuple[Run, int, dict[str, np.ndarray]]:
    """The run, epoch and parameters of a milestone, in float64.

    Raises:
        UserError: it is damaged, no milestone, or of a run that has diverged.
    """
    tensors, about = read_state(path, "np")
    try:
        run = Run.model_validate_json(about["run"])
        epoch = int(about["epoch"])
        p = {name: tensors[name].astype(np.float64) for name in build(run).shapes}
    except (KeyError, ValueError):
        raise DamagedFile(f"{path}: is no state of training.\n{again(path)}") from None
    if "diverged" in about:
        raise UserError(f"{path}: {run.id} has diverged at epoch {int(about['diverged']):,}.")
    return run, epoch, p


def proof(path: Path) -> tuple[Posed, float, np.ndarray]:
    """The problem, bound and dual point of a stored optimum.

    Raises:
        DamagedFile: it cannot be read.
    """
    table = read_table(path, OPTIMA)
    settings = (table.schema.metadata or {}).get(b"settings", b"")
    try:
        posed = Posed.model_validate_json(settings)
    except ValueError:
        raise DamagedFile(f"{path}: does not tell its problem.\n{again(path)}") from None
    return posed, float(table["bound"][0].as_py()), np.array(table["z"][0].as_py())


def stored(path: Path, posed: Posed) -> dict[str, Any]:
    """What a table of an optimum tells of a problem, as columns of a certificate.

    Raises:
        DamagedFile: it cannot be read, or is about another problem.
    """
    if proof(path)[0] != posed:
        raise misplaced(path, f"the optimum of {posed.id}")
    row = read_table(path, OPTIMA).to_pylist()[0]
    return {
        "bound": row["bound"],
        "optimum": row["objective"],
        "optimum_neurons": row["neurons"],
        "sparsest_neurons": row["sparsest"],
    }


def drawn(posed: Posed) -> Problem:
    """The problem on its data."""
    found = made(posed.data)
    return posed.problem(found.X, found.y)


def parts(problem: Problem, neurons: Neurons, objective: float, bound: float) -> dict[str, float]:
    """Where the distance between a network's objective and a bound comes from; they add up."""
    balanced = problem.objective(neurons)
    joined = problem.objective(merged(problem, neurons))
    best = min(problem.objective(moved(problem, merged(problem, neurons))), joined)
    steps = objective, balanced, joined, best, bound
    return {name: one - two for name, (one, two) in zip(PARTS, pairwise(steps), strict=True)}


def check(path: Path) -> None:
    """Check a stored proof, all of it anew.

    Raises:
        UserError: it does not prove what it says.
    """
    posed, bound, z = proof(path)
    reason = refuted(drawn(posed), z, bound)
    if reason:
        raise UserError(f"{path}: its bound {bound:.9g} is not proved: {reason}.\n{again(path)}")
    print(f"{path}: proved, no network has an objective below {bound:.9g}")


def save(path: Path, run: Run, epoch: int, neurons: Neurons, problem: Problem) -> None:
    """Write a network as a state of a run, which `sparsedecay measure` reads.

    Raises:
        UserError: it does not fit into the run's width.
    """
    import torch

    try:
        p = neurons.parameters(run.shape.K, problem.form.biases)
    except ValueError as error:
        raise UserError(f"{path}: not written: {error} (network.K).") from None
    precision = getattr(torch, run.precision)
    tensors = {name: torch.from_numpy(array).to(precision) for name, array in p.items()}
    write_state(path, tensors, {"run": run.canonical(), "epoch": str(epoch)})


def deep_report(run: Run, epoch: int, p: dict[str, np.ndarray], seconds: float) -> Iterator[str]:
    """What is known of a network with several ReLU layers, a line each.

    Raises:
        UserError: nothing is.
    """
    X, y, *_ = made(run.data)
    asked, blocks = deep.parts(run)
    objective, kappa = trained_objective(run, p, X, y), 1 / run.terms(len(X))
    yield f"{run.id}, epoch {epoch:,}"
    yield f"  objective     {objective:.9g}"
    if not asked.biases and not asked.squares:
        bound = deep.smoothness(X, y[:, 0], run.penalty, kappa, blocks)
        yield f"  lower bound   {bound:.4g}, from how smooth cheap networks are; the optimum is not"
        yield "                known: with several ReLU layers there is no certificate of it"
    else:
        yield "  lower bound   none: with several ReLU layers there is no certificate"
    stationary = deep.stationarity(run, p, X, y)
    for number, (balance, rest) in enumerate(
        zip(deep.balance(run, p), stationary, strict=True), start=1
    ):
        yield f"  block {number}       imbalance {balance:.1e}, distance from stationary {rest:.1e}"
    problem, neurons = deep.last_block(run, p, X, y)
    dimensions, reached = problem.rows[0].shape[1], problem.objective(neurons)
    yield f"  last block    {reached:.9g}, given what comes into it in {dimensions} dimensions;"
    if dimensions <= PROVABLE:
        best = optimum(problem, neurons, GAP, seconds)
        bound, reached = best.bound.value, best.objective
        yield f"                its optimum lies between {bound:.9g} and {reached:.9g}, proved"
    else:
        own = lower(problem, problem.residual(neurons), seconds=0.0).value
        yield f"                a lower bound is {own:.3g}, proved without a search over neurons,"
        yield "                which would take too long in so many dimensions"


def trained_objective(run: Run, p: dict[str, np.ndarray], X: np.ndarray, y: np.ndarray) -> float:
    """loss + lam * regularizer, in float64."""
    error = build(run).forward(p, X, lambda z: np.maximum(z, 0.0)) - y
    value = float(regularizers.build(run).value(build(run), p))
    return float((error**2).sum()) / run.terms(len(X)) + run.penalty * value


def main(arguments: list[str]) -> None:
    """Certify a milestone, or check a proof.

    Raises:
        UserError: a file is damaged or about something else, or there is no certificate for it.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay certify", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("file", type=Path, help="state of a milestone, safetensors; or an optimum, Parquet")
    add("--optimum", type=Path, help="the optimum of its problem, Parquet (default: solve for it)")
    add("--gap", type=float, default=GAP, help=f"relative gap to prove (default: {GAP:g})")
    add("--seconds", type=float, default=120.0, help="how long that may take (default: 120)")
    add("--network", type=Path, help="safetensors file for the best network, as a state of the run")
    add(
        "--slack", type=float, help="with --network: the sparsest that loses no more than this part"
    )
    add("--out", type=Path, help="Parquet file to write")
    options = parser.parse_args(arguments)
    if options.file.suffix == ".parquet":
        check(options.file)
        return
    run, epoch, p = trained(options.file)
    if options.network and options.optimum:
        parser.error("--network is what is solved for without --optimum")
    if options.slack is not None and not (options.network and options.slack > 0):
        parser.error("--slack is a positive number that goes with --network")
    if run.shape.L > 1:
        if options.out or options.optimum or options.network:
            parser.error("--optimum, --out and --network are for networks with one ReLU layer")
        for line in deep_report(run, epoch, p, options.seconds):
            print(line, flush=True)
        return
    posed, neurons = Posed.of(run), Neurons.of(p)
    problem = drawn(posed)
    objective = trained_objective(run, p, problem.X, problem.y[:, None])
    own = lower(problem, problem.residual(neurons), 1e-3, seconds=options.seconds)
    if options.optimum:
        known, how = stored(options.optimum, posed), ""
    else:
        left = max(options.seconds - own.found.seconds, 0.0)
        best = optimum(problem, neurons, options.gap, left, print)
        if options.network:
            limit = best.objective * (1 + (options.slack or 0.0))
            few = fewer(problem, best.neurons, limit, tell=print) if options.slack else best.neurons
            save(options.network, run, epoch, few, problem)
        known = {
            "bound": max(best.bound.value, own.value),
            "optimum": best.objective,
            "optimum_neurons": len(best.neurons.v),
        }
        how = f"; {best.cones:,} cones, {best.seconds:.0f} s"
        if not best.bound.found.complete:
            how += "\n  The search over neurons was cut short: the bound is proved, but not tight."
    norms = problem.norms(neurons)
    active = neurons.only(norms > SMALL * norms.max(initial=0.0))
    values = {
        "run": run.id,
        "epoch": epoch,
        "problem": posed.id,
        "K": run.shape.K,
        "objective": objective,
        "gap": (objective - known["bound"]) / objective,
        "own_bound": own.value,
        **parts(problem, neurons, objective, known["bound"]),
        "active": len(active.v),
        "cells": len(Cells.of(problem, active)[0]),
        "points": len(problem.y),
        **known,
    }
    if options.out:
        note = metadata(posed.canonical(), fingerprint.code("optimum.certify"))
        write_table(options.out, pa.Table.from_pylist([values], schema=CERTIFICATES), note)
    shares = ", ".join(f"{name} {values[name]:.1e}" for name in PARTS)
    print(
        f"{run.id}, epoch {epoch:,}\n"
        f"  objective    {objective:.9g}\n"
        f"  lower bound  {values['bound']:.9g}, proved; {own.value:.9g} by its own residual\n"
        f"  gap          {values['gap']:.1e} of the objective ({shares})\n"
        f"  neurons      {values['active']} of {run.shape.K} in {values['cells']} cells\n"
        f"  optimum      at most {values['optimum']:.9g}, {values['optimum_neurons']} neurons{how}"
    )
