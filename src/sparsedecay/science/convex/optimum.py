"""The global optimum by column generation.

The best network over some cells is found (`finite`), its residual is a dual point, and the search
over all neurons (`separation`) either proves that it is feasible, and with it the optimum, or finds
neurons whose cells are added. It ends, as there are finitely many cells.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np

from sparsedecay.science.convex.bound import Bound, lower
from sparsedecay.science.convex.finite import Cells, merged, moved, slack, solve, used
from sparsedecay.science.convex.problem import Neurons, Problem
from sparsedecay.science.convex.sparsest import basic

NEW = 150
"""Cells that are added at once, at most."""
NEAR = 3
"""Data points in which a new cell must differ from those added with it, unless these are few."""
LOOKED = 20_000
"""Points that are looked at for new cells."""
ZERO = 1e-9
"""Objectives below so much of that of the function 0 are not told from 0."""
ROUNDS = 100
BELOW = 1e-6
"""How far below the level a neuron may lie that is worth a cell."""


@dataclass(frozen=True)
class Optimum:
    """A network, a bound that belongs to it, and the way to both."""

    neurons: Neurons
    objective: float
    scale: float
    """Below this an objective counts as 0."""
    bound: Bound
    """The best lower bound of all rounds."""
    rounds: int
    cones: int
    """Cones visited by the searches of all rounds."""
    seconds: float

    @property
    def gap(self) -> float:
        """(objective - bound) / objective: the optimum lies between both."""
        between = self.objective - self.bound.value
        return max(between, 0.0) / max(self.objective, self.scale)


def optimum(
    problem: Problem,
    start: Neurons | None = None,
    gap: float = 1e-4,
    seconds: float = np.inf,
    tell: Callable[[str], None] = lambda line: None,
) -> Optimum:
    """The optimum within a relative gap that is proved, or as far as the time allows.

    Args:
        start: a network whose cells are the first; if None the best linear function is.
        gap: relative distance of objective and bound at which to stop.
        seconds: how long it may take.
        tell: called with a line after each round.
    """
    began = monotonic()
    cells = Cells(np.zeros((0, len(problem.X)), bool), np.zeros(0, int))
    if start:
        cells = Cells.of(problem, merged(problem, start))[0]
    best: Optimum | None = None
    bound: Bound | None = None
    scale = ZERO * problem.kappa * float(problem.y @ problem.y)
    visited, fine, stuck = 0, 1e-2, False
    for number in range(1, ROUNDS + 1):
        neurons = solve(problem, cells)
        neurons = basic(problem, neurons.only(used(problem, neurons)))
        if len(neurons.v):
            neurons = moved(problem, neurons)
        objective = problem.objective(neurons)
        left = seconds - (monotonic() - began)
        if not stuck:
            fine = min(max((best.gap if best else 1.0) / 30, 0.7 * gap), 1e-2)
        tested = lower(problem, problem.residual(neurons), fine, 1 + BELOW, max(left, 0.0))
        visited += tested.found.cones
        if bound is None or tested.value > bound.value:
            bound = tested
        now = monotonic() - began
        better = best is None or objective < best.objective
        kept = (neurons, objective) if better or best is None else (best.neurons, best.objective)
        best = Optimum(*kept, scale, bound, number, visited, now)
        tell(
            f"round {number}: {len(cells)} cells, {len(neurons.v)} neurons, objective "
            f"{objective:.9g}, bound {bound.value:.9g}, gap {best.gap:.1e}"
        )
        if best.gap <= gap or now > seconds:
            break
        old = Cells.of(problem, neurons)[0]
        cells = old + violated(problem, tested)
        if len(cells) == len(old):  # what is left is the tolerance of the search
            if stuck:
                break
            stuck, fine = True, gap / 10
    assert best is not None
    return best


def violated(problem: Problem, bound: Bound) -> Cells:
    """Cells of the points that a search found to exceed the level, the worst first; of those that
    differ in few data points one."""
    points = bound.found.points
    active = np.zeros((NEW, len(problem.X)), dtype=bool)
    signs = np.zeros(NEW, dtype=int)
    count = 0
    for index, sign, u in zip(points.matrix[:LOOKED], points.sign, points.u, strict=False):
        w, b = problem.neuron(int(index), u)
        on = problem.X @ w - b > slack(problem.X, w[None], np.array([b]))
        apart = (active[:count] ^ on).sum(axis=1) + NEAR * (signs[:count] != sign)
        if count and apart.min() < NEAR:
            continue
        active[count], signs[count] = on, sign
        count += 1
        if count == NEW:
            break
    return Cells(active[:count], signs[:count])
