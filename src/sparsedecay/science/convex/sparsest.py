"""Few neurons that do as well: a basic solution, then fewer within a slack.

By Caratheodory's theorem an optimum needs at most N neurons: with the outputs at the data fixed,
the least sum of norms is a linear program, and a vertex of it has at most one positive entry for
each equation. A simplex solver (HiGHS) ends at a vertex.
"""

from collections.abc import Callable
from time import monotonic

import numpy as np

from sparsedecay.science.convex.finite import merged, moved
from sparsedecay.science.convex.problem import Neurons, Problem

WORSE = 1e-6
"""What a basic solution may lose, relatively, by the tolerance of its solver."""
TOLERANCES = (1e-10, 1e-9, 1e-8, 1e-7)
"""Of the linear program: the next one where the solver gives up."""
TRIED = 8
"""Neurons, the smallest ones, without which a network is tried before it counts as sparsest."""
REWEIGHTED = 12
"""Rounds of reweighting."""


def basic(problem: Problem, neurons: Neurons) -> Neurons:
    """The same outputs at the data by at most N of the neurons, with the least sum of norms."""
    from scipy.optimize import linprog

    norms = problem.norms(neurons)
    chosen = norms > 0
    if not chosen.any():
        return neurons.only(chosen)
    u, sign = neurons.u[chosen] / norms[chosen, None], np.sign(neurons.v[chosen])
    X, d = problem.X, problem.X.shape[1]
    atoms = np.maximum(X @ u[:, :d].T - u[:, d], 0.0) * sign  # (N, K), of norm 1 each
    columns, costs = [atoms], [np.full(atoms.shape[1], problem.level)]
    target = atoms @ norms[chosen]
    if not problem.form.squares:  # C and c0 may change as well
        columns += [X, -X, np.ones((len(X), 1)), -np.ones((len(X), 1))]
        free = np.zeros(1)
        costs += [np.full(2 * d, problem.lam), free, free]
        target = target + X @ neurons.C + neurons.c0
    scale = max(float(np.abs(target).max()), 1e-300)
    for tolerance in TOLERANCES:
        options = {f"{name}_feasibility_tolerance": tolerance for name in ("primal", "dual")}
        result = linprog(
            np.concatenate(costs) / problem.lam,
            A_eq=np.column_stack(columns),
            b_eq=target / scale,
            method="highs-ds",
            options=options,
        )
        if result.x is not None:
            break
    if result.x is None:
        return neurons.only(chosen)
    x, K = result.x * scale, len(u)
    C, c0 = neurons.C, neurons.c0
    if not problem.form.squares:
        C = x[K : K + d] - x[K + d : K + 2 * d]
        c0 = float(x[K + 2 * d] - x[K + 2 * d + 1])
    some = x[:K] > 0
    masses = x[:K][some, None]
    found = Neurons(u[some, :d] * masses, u[some, d] * masses[:, 0], sign[some], C, c0)
    # A solver's tolerance must not make the network worse.
    limit = problem.objective(neurons) * (1 + WORSE)
    return found if problem.objective(found) <= limit else neurons.only(chosen)


def fewer(
    problem: Problem,
    neurons: Neurons,
    limit: float,
    seconds: float = np.inf,
    tell: Callable[[str], None] = lambda line: None,
) -> Neurons:
    """As few neurons as two heuristics find whose objective does not exceed a limit: the norms
    reweighted by 1 / (norm + eps), which stands for their logarithm (Candes, Wakin and Boyd 2008),
    then one neuron after the other left out, the smallest first. All are moved within their cells
    after each step.
    """
    began = monotonic()
    best = neurons

    for _ in range(REWEIGHTED):
        best = merged(problem, best)
        norms = problem.norms(best)
        weights = 1 / (norms + 0.01 * norms.max())
        found = moved(problem, moved(problem, best, weights / weights.mean()))
        worse = problem.objective(found) > limit or len(found.v) >= len(best.v)
        if worse or monotonic() - began > seconds:
            break
        best = found
    tell(f"reweighted: {len(best.v)} neurons")
    tried = 0
    while len(best.v) > 1 and tried < min(TRIED, len(best.v)) and monotonic() - began < seconds:
        order = np.argsort(problem.norms(best), kind="stable")
        found = moved(problem, best.only(np.delete(order, tried)))
        if problem.objective(found) <= limit:
            best, tried = found, 0
        else:
            tried += 1
    tell(f"one by one: {len(best.v)} neurons, objective {problem.objective(best):.9g}")
    return best
