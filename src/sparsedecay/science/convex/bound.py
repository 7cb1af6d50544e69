"""A proved lower bound on the objective of every network, from any residual.

    bound = lower(problem, problem.residual(neurons))
    bound.value <= the optimum

z is scaled by the s that makes the dual largest among the s for which s z is proved to be feasible.
"""

from dataclasses import dataclass
from math import fsum

import numpy as np

from sparsedecay.science.convex.problem import Problem
from sparsedecay.science.convex.separation import Found, largest

ALLOWED = 1e-6
"""Fraction within which a stored bound is checked."""


@dataclass(frozen=True)
class Bound:
    """A lower bound, and how it was proved."""

    value: float
    z: np.ndarray
    """The feasible dual point, (N,)."""
    found: Found
    """The search over neurons, for z before it was scaled."""


def lower(
    problem: Problem,
    z: np.ndarray,
    tolerance: float = 1e-5,
    record: float = np.inf,
    seconds: float = np.inf,
) -> Bound:
    """The dual at the best feasible multiple of z.

    Args:
        z: any vector, (N,); the better it is, the better the bound.
        tolerance: of the search over neurons, relative.
        record: neurons above this times the level are told.
        seconds: how long the search may take.
    """
    z = problem.centred(z)
    found = largest(problem.rows, z, tolerance, record=record * problem.level, seconds=seconds)
    return Bound(*scaled(problem, z, found.proved + problem.unseen(z)), found)


def scaled(problem: Problem, z: np.ndarray, proved: float) -> tuple[float, np.ndarray]:
    """The dual at the best feasible multiple of z, and that multiple. Rounding is taken off.

    Args:
        proved: bound on |z·relu| over all neurons of norm 1.
    """
    X, y, eps = problem.X, problem.y, np.finfo(float).eps
    most = problem.level / proved if proved > 0 else np.inf
    if not problem.form.squares:
        error = 4 * len(z) * eps * (np.abs(X).T @ np.abs(z))
        charged = float((np.abs(X.T @ z) + error).max())
        most = min(most, problem.lam / charged) if charged > 0 else most
    linear, quadratic = fsum(z * y), problem.quadratic(z)
    if quadratic == 0:
        return 0.0, z
    s = float(np.clip(linear / (2 * quadratic), -most, most)) * (1 - 4 * eps)
    error = 8 * len(z) * eps * (abs(s) * float(np.abs(z) @ np.abs(y)) + s * s * quadratic)
    return max(s * linear - s * s * quadratic - error, 0.0), s * z


def refuted(problem: Problem, z: np.ndarray, value: float) -> str | None:
    """Why a dual point does not prove a lower bound, within a fraction `ALLOWED` of it; None if it
    does. The search over neurons is done anew.

    Args:
        z: the dual point, (N,).
        value: the bound that it is said to prove.
    """
    if z.shape != problem.y.shape or not np.isfinite(z).all():
        return f"the dual point is not made of {len(problem.y)} finite numbers"
    z = problem.centred(z)
    found = largest(problem.rows, z, ALLOWED, target=problem.level)
    reached, _ = scaled(problem, z, found.proved + problem.unseen(z))
    if value <= reached * (1 + 2 * ALLOWED):
        return None
    told = f"the dual point proves {reached:.9g}"
    if found.value > problem.level:
        told += f": a neuron reaches {found.value:.9g} on it, more than {problem.level:.9g}"
    return told
