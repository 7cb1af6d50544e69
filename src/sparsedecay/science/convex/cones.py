"""Branch and bound over simplicial cones, compiled by numba: the inner loops of `separation`."""

from typing import Any

import numpy as np
from numba import njit

SNAP = 1e-12
"""Products of a generator and a row below this times the row's norm count as 0."""
SWEEPS = (20, 12, 60)
"""Of the coordinate descent: in theta alone; in both; in both where no chord is left."""


@njit(cache=True)  # type: ignore[untyped-decorator]
def inverse(r: Any, out: Any, work: Any) -> bool:
    """Inverse of a p x p matrix by Gauss and Jordan with row pivots; False where it is singular."""
    p = len(r)
    work[:, :p] = r
    work[:, p:] = 0.0
    for i in range(p):
        work[i, p + i] = 1.0
    for i in range(p):
        k = i
        for j in range(i + 1, p):
            if abs(work[j, i]) > abs(work[k, i]):
                k = j
        if abs(work[k, i]) < 1e-14:
            return False
        if k != i:
            for j in range(2 * p):
                work[i, j], work[k, j] = work[k, j], work[i, j]
        scale = 1.0 / work[i, i]
        for j in range(2 * p):
            work[i, j] *= scale
        for k in range(p):
            if k != i and work[k, i] != 0.0:
                factor = work[k, i]
                for j in range(2 * p):
                    work[k, j] -= factor * work[i, j]
    out[:, :] = work[:, p:]
    return True


@njit(cache=True)  # type: ignore[untyped-decorator]
def value(A: Any, z: Any, u: Any) -> float:
    """z·relu(A u)."""
    total = 0.0
    for n in range(len(z)):
        s = 0.0
        for k in range(len(u)):
            s += A[n, k] * u[k]
        if s > 0:
            total += z[n] * s
    return total


@njit(cache=True)  # type: ignore[untyped-decorator]
def seen(at_u: float, u: Any, best: Any, level: Any, found: Any, values: Any, count: int) -> int:
    """Remember the value at a point, arguments as of `explore`; the points recorded by then."""
    if at_u > best[0]:
        best[0] = at_u
        best[1:] = u
    if at_u > level[2] and count < len(values):
        found[count] = u
        values[count] = at_u
        count += 1
    return count


@njit(cache=True)  # type: ignore[untyped-decorator]
def explore(
    A: Any,
    z: Any,
    norms: Any,
    R: Any,
    P: Any,
    bounds: Any,
    top: int,
    best: Any,
    level: Any,
    steps: int,
    found: Any,
    values: Any,
) -> tuple[int, int, int]:
    """Settle or divide the cones on the stack, the last first.

    Args:
        A: rows, (N, p); norms: of its rows, (N,).
        z: (N,).
        R: generators of the cones that wait, (S, p, p), a row each; P: their products with the
            rows of A, (S, p, N); bounds: what is known of each, (S,); top: how many there are.
        best: value of the best u, its place follows, (1 + p,): changed.
        level: [factor, target, report, upper]: cones below max(factor·best, target) are settled;
            points above report are recorded; upper is the largest bound of a cone given up:
            changed.
        steps: cones at most.
        found: recorded points, (M, p), and their values, (M,): filled from the start.

    Returns:
        What is left of the stack, of the steps, and the number of points recorded.
    """
    N, p = A.shape
    r, w = np.empty((p, p)), np.empty((p, N))
    B, work = np.empty((p, p)), np.empty((p, 2 * p))
    c, q, u, mu = np.empty(p), np.empty(p), np.empty(p), np.empty(p)
    rows, theta = np.empty(N, np.int64), np.empty(N)
    count = 0
    while top > 0 and steps > 0:
        top -= 1
        steps -= 1
        threshold = max(best[0] * level[0], level[1])
        if bounds[top] <= threshold:
            continue
        r[:, :] = R[top]
        w[:, :] = P[top]
        if not inverse(r, B, work):
            level[3] = max(level[3], bounds[top])
            continue
        c[:] = 0.0
        m = 0
        for n in range(N):
            low, high, middle = w[0, n], w[0, n], w[0, n]
            for i in range(1, p):
                low, high = min(low, w[i, n]), max(high, w[i, n])
                middle += w[i, n]
            if high <= 0.0 or z[n] == 0.0:
                continue
            if z[n] > 0.0:
                for i in range(p):
                    if w[i, n] > 0.0:
                        c[i] += z[n] * w[i, n]
                continue
            on = 1.0
            if low < 0.0:
                on = 1.0 if middle > 0.0 else 0.0
                rows[m] = n
                theta[m] = on
                m += 1
            if on > 0.0:
                for i in range(p):
                    c[i] += z[n] * w[i, n]
        square = 0.0
        for k in range(p):
            s = 0.0
            for i in range(p):
                s += B[k, i] * c[i]
            q[k] = s
            square += s * s
        # Of a narrow cone the inverse is inexact: what q falls short of counts.
        short = 0.0
        for i in range(p):
            s = c[i]
            for k in range(p):
                s -= q[k] * r[i, k]
            short = max(short, s)
        if np.sqrt(square) + np.sqrt(p) * short <= threshold:
            continue
        # Which edge's chords lose most, and where they do.
        edge_i, edge_k, loss, where = 0, 0, 0.0, 0.5
        for i in range(p):
            for k in range(i + 1, p):
                total, largest, at = 0.0, 0.0, 0.5
                for n in range(N):
                    if z[n] > 0.0 and w[i, n] * w[k, n] < 0.0:
                        a, b = abs(w[i, n]), abs(w[k, n])
                        gap = z[n] * a * b / (a + b)
                        total += gap
                        if gap > largest:
                            largest, at = gap, a / (a + b)
                if total > loss:
                    edge_i, edge_k, loss, where = i, k, total, at
        tight = loss <= 1e-9 * threshold
        # Coordinate descent on ||q||: theta of the rows with z < 0, slacks mu of the inequalities.
        mu[:] = 0.0
        bound = bounds[top]
        for phase in range(2):
            before = square
            for _ in range(SWEEPS[phase + (phase == 1 and tight)]):
                for j in range(m):
                    n = rows[j]
                    s = 0.0
                    for k in range(p):
                        s += A[n, k] * q[k]
                    new = theta[j] - s / (z[n] * norms[n] * norms[n])
                    new = min(max(new, 0.0), 1.0)
                    if new != theta[j]:
                        step = (new - theta[j]) * z[n]
                        for k in range(p):
                            q[k] += step * A[n, k]
                        theta[j] = new
                if phase == 1:
                    for i in range(p):
                        s, size = 0.0, 0.0
                        for k in range(p):
                            s += B[k, i] * q[k]
                            size += B[k, i] * B[k, i]
                        new = max(mu[i] - s / size, 0.0)
                        step = new - mu[i]
                        if step != 0.0:
                            for k in range(p):
                                q[k] += step * B[k, i]
                            mu[i] = new
                square = 0.0
                for k in range(p):
                    square += q[k] * q[k]
                if square <= threshold * threshold:
                    break
                if before - square < 1e-3 * (square - threshold * threshold):
                    break
                before = square
            # The bound anew from q and theta, so that no error has added up.
            length = np.sqrt(square)
            c[:] = 0.0
            for n in range(N):
                if z[n] > 0.0:
                    for i in range(p):
                        if w[i, n] > 0.0:
                            c[i] += z[n] * w[i, n]
                elif z[n] < 0.0:
                    low = w[0, n]
                    for i in range(1, p):
                        low = min(low, w[i, n])
                    if low >= 0.0:
                        for i in range(p):
                            c[i] += z[n] * w[i, n]
            for j in range(m):
                for i in range(p):
                    c[i] += theta[j] * z[rows[j]] * w[i, rows[j]]
            short, largest = 0.0, 0.0
            for i in range(p):
                s = c[i]
                largest = max(largest, s)
                for k in range(p):
                    s -= q[k] * r[i, k]
                short = max(short, s)
            bound = min(length + np.sqrt(p) * short, bound)
            # Another q: along the middle of the cone, which is as good as any if that is narrow.
            size = 0.0
            for k in range(p):
                s = 0.0
                for i in range(p):
                    s += r[i, k]
                u[k] = s
                size += s * s
            cosine = 1.0
            for i in range(p):
                s = 0.0
                for k in range(p):
                    s += u[k] * r[i, k]
                cosine = min(cosine, s / np.sqrt(size))
            bound = min(bound, largest / cosine)
            if bound <= threshold:
                break
        if bound <= threshold:
            continue
        if length > 0.0:
            for k in range(p):
                u[k] = q[k] / length
            count = seen(value(A, z, u), u, best, level, found, values, count)
        if bound <= max(best[0] * level[0], level[1]):
            continue
        if top + 2 > len(bounds):
            level[3] = max(level[3], bound)
            continue
        if tight:
            closest = 2.0
            for i in range(p):
                for k in range(i + 1, p):
                    s = 0.0
                    for j in range(p):
                        s += r[i, j] * r[k, j]
                    if s < closest:
                        closest, edge_i, edge_k = s, i, k
            where = 0.5
            if closest > 1.0 - 1e-13:
                level[3] = max(level[3], bound)
                continue
        where = min(max(where, 0.02), 0.98)
        size = 0.0
        for k in range(p):
            u[k] = (1.0 - where) * r[edge_i, k] + where * r[edge_k, k]
            size += u[k] * u[k]
        size = np.sqrt(size)
        for k in range(p):
            u[k] /= size
        for child in range(2):
            R[top] = r
            P[top] = w
            bounds[top] = bound
            out = edge_i if child == 0 else edge_k
            R[top, out] = u
            for n in range(N):
                s = 0.0
                for k in range(p):
                    s += A[n, k] * u[k]
                P[top, out, n] = 0.0 if abs(s) <= SNAP * norms[n] else s
            top += 1
        count = seen(value(A, z, u), u, best, level, found, values, count)
    return top, steps, count
