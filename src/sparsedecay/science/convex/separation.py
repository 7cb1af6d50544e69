"""The separation problem: max over unit vectors u of z·relu(A u), with a proof.

    found = largest(A, z, tolerance=1e-5)
    found.value <= max <= found.proved

The function is piecewise linear and homogeneous, so branch and bound runs over simplicial cones in
R^p, from the orthants on. On a cone with unit generators r_1 … r_p and u = sum of alpha_i r_i, a
row a_n of A that keeps its sign is linear. Where it changes sign, z_n relu(a_n·u) is at most its
chord, the sum of alpha_i z_n relu(a_n·r_i), if z_n > 0, and at most theta z_n a_n·u for every theta
in [0, 1] if z_n < 0. Together that is a linear function with values c_i(theta) at the generators:

    max <= min { ||q|| : q·r_i >= c_i(theta) for all i, theta in [0, 1] }

with equality once no chord is left (duality). Coordinate descent in theta and in the slacks mu of
the inequalities makes ||q|| small; any stop is a bound. A cone that is not settled is divided where
the chords lose most.

Rounding: products a_n·r_i below `SNAP` of ||a_n|| count as 0, and all sums are in float64. As alpha
sums to at most sqrt(p) (generators within an orthant have no negative products), `proved` is larger
than the bound by sqrt(p) (SNAP + 4 (N + p) eps) times the sum of |z_n| ||a_n||.
"""

from dataclasses import dataclass
from itertools import product
from time import monotonic
from typing import NamedTuple

import numpy as np

from sparsedecay.science.convex.cones import SNAP, explore

MOST_DIMENSIONS = 10
"""Above it there are too many orthants to begin with."""
DEPTH = 400
"""Cones that wait beside the orthants; one more is not divided, its bound counts."""
STEPS = 20_000
"""Cones between two looks at the clock."""
RECORDED = 2_000
"""Points that are recorded among so many cones, at most."""


class Points(NamedTuple):
    """Unit vectors u, each with one of the matrices of rows and a sign."""

    value: np.ndarray
    """sign z·relu(A u), (M,)."""
    matrix: np.ndarray
    """Which of the matrices, (M,)."""
    sign: np.ndarray
    """1 or -1, (M,)."""
    u: np.ndarray
    """(M, p)."""

    @classmethod
    def joined(cls, parts: list["Points"], p: int) -> "Points":
        """All of them, the largest value first."""
        if not parts:
            whole = np.zeros(0, dtype=int)
            return cls(np.zeros(0), whole, whole, np.zeros((0, p)))
        value, matrix, sign, u = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(-value, kind="stable")
        return cls(value[order], matrix[order], sign[order], u[order])


@dataclass
class Found:
    """What a search for the largest |z·relu(A u)| found."""

    value: float
    """The largest value that was seen."""
    proved: float
    """None is larger."""
    complete: bool
    """Whether `proved` is within the tolerance of `value`, or of the target."""
    cones: int
    """Cones that were visited."""
    seconds: float
    points: Points
    """Those whose value exceeds what was asked to be recorded, the largest first."""


def rounding(rows: list[np.ndarray], z: np.ndarray) -> float:
    """What `proved` is larger by for the sake of rounding: see above."""
    N, p = rows[0].shape
    relative = SNAP + 4 * (N + p) * np.finfo(float).eps
    sums = [float(np.abs(z) @ np.linalg.norm(A, axis=1)) for A in rows]
    return float(np.sqrt(p) * relative * max(sums))


def spectral(A: np.ndarray, z: np.ndarray) -> float:
    """A bound without a search: relu(t) = (t + |t|) / 2, then the inequality of Cauchy and Schwarz
    for the points with z_n > 0."""
    up = np.maximum(z, 0.0)
    largest = np.linalg.eigvalsh((A.T * up) @ A)[-1]
    return float(np.linalg.norm(A.T @ z) + np.sqrt(max(largest, 0.0) * up.sum())) / 2


def largest(
    rows: list[np.ndarray],
    z: np.ndarray,
    tolerance: float = 1e-5,
    target: float = 0.0,
    record: float = np.inf,
    seconds: float = np.inf,
    least: float = 0.0,
) -> Found:
    """The largest |z·relu(A u)| over unit vectors u and matrices A, with a proved upper bound.

    Args:
        rows: matrices A, (N, p) each.
        z: (N,).
        tolerance: how far, relatively, `proved` may lie above `value`.
        target: a bound that is good enough, although the largest value may lie below it.
        record: points with larger values are told.
        seconds: when to stop; what is left then counts by its bound.
        least: a value that is known to be reached.
    """
    start, p = monotonic(), rows[0].shape[1]
    best = np.zeros(1 + p)
    best[0] = max(least, 0.0)
    level = np.array([1 + tolerance, target, record, 0.0])
    complete, cones, parts = True, 0, []
    if p > MOST_DIMENSIONS:
        bound = max(spectral(A, s * z) for A in rows for s in (1, -1)) + rounding(rows, z)
        seen = ascent(rows, z)
        value_ = max(least, float(seen.value[0]))
        return Found(value_, bound, False, 0, monotonic() - start, seen)
    signs = np.array([np.diag(s) for s in product((1.0, -1.0), repeat=p)])
    places = len(signs) + DEPTH
    R, bounds = np.empty((places, p, p)), np.empty(places)
    points, values = np.empty((RECORDED, p)), np.empty(RECORDED)
    for index, A in enumerate(rows):
        norms = np.linalg.norm(A, axis=1)
        used = norms > 0
        A, norms = np.ascontiguousarray(A[used]), norms[used]
        P = np.empty((places, p, len(A)))
        for sign in (1, -1):
            top = len(signs)
            R[:top], bounds[:top] = signs, np.inf
            P[:top] = signs @ A.T
            if monotonic() - start > seconds:
                level[3] = max(level[3], spectral(A, sign * z[used]))
                complete = False
                continue
            while top:
                top, left, count = explore(
                    A, sign * z[used], norms, R, P, bounds, top, best, level, STEPS, points, values
                )
                cones += STEPS - left
                if count:
                    same = np.full(count, index), np.full(count, sign)
                    parts.append(Points(values[:count].copy(), *same, points[:count].copy()))
                if top and monotonic() - start > seconds:
                    whole = spectral(A, sign * z[used])
                    level[3] = max(level[3], np.minimum(bounds[:top], whole).max())
                    complete, top = False, 0
    settled = max(best[0] * level[0], target)
    complete &= bool(level[3] <= settled * (1 + tolerance))
    proved = max(settled, float(level[3])) + rounding(rows, z)
    took = monotonic() - start
    return Found(float(best[0]), proved, complete, cones, took, Points.joined(parts, p))


def ascent(
    rows: list[np.ndarray], z: np.ndarray, starts: np.ndarray | None = None, steps: int = 60
) -> Points:
    """Unit vectors with large |z·relu(A u)|, the best first, by ascent from some directions. No
    proof.

    Args:
        starts: directions to begin with, (M, p); random ones if None.
    """
    p = rows[0].shape[1]
    if starts is None:
        starts = np.random.default_rng(0).standard_normal((200, p))
    parts = []
    for index, A in enumerate(rows):
        for sign in (1, -1):
            u = starts / np.maximum(np.linalg.norm(starts, axis=1), 1e-300)[:, None]
            reached = sign * (np.maximum(u @ A.T, 0.0) @ z)
            rate = np.ones(len(u))
            for _ in range(steps):
                g = sign * ((u @ A.T > 0) * z) @ A
                g /= np.maximum(np.linalg.norm(g, axis=1), 1e-300)[:, None]
                new = (1 - rate)[:, None] * u + rate[:, None] * g
                new /= np.maximum(np.linalg.norm(new, axis=1), 1e-300)[:, None]
                value_ = sign * (np.maximum(new @ A.T, 0.0) @ z)
                better = value_ > reached
                u[better], reached[better] = new[better], value_[better]
                rate = np.where(better, np.minimum(2 * rate, 1.0), rate / 2)
            same = np.full(len(u), index), np.full(len(u), sign)
            parts.append(Points(reached, *same, u))
    return Points.joined(parts, p)
