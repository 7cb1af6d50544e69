"""The problem over finitely many activation patterns: a second-order cone program.

Among the neurons that are active on the same points, and have the same sign of v, the network is
linear in u = |v| (w, b), so that one neuron for each such cell is enough: minimise over u_k in its
cell (active on its points, not on the others) the objective with norms ||u_k||. Solved by Clarabel,
an interior-point method.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsedecay.science.convex.problem import Neurons, Problem

EDGE = 1e-7
"""A neuron is not active on a point where what it receives is a smaller fraction of what it could:
it lies on the edge of its cell, but for the solver's tolerance."""
KEPT = 1e-7
"""Neurons whose norm is a smaller fraction of the largest are 0 but for the solver's tolerance."""


@dataclass(frozen=True)
class Cells:
    """Cells of neurons: on which points they are active, and the sign of v."""

    active: np.ndarray
    """(M, N) bool."""
    sign: np.ndarray
    """(M,), 1 or -1."""

    @classmethod
    def distinct(cls, active: np.ndarray, sign: np.ndarray) -> tuple["Cells", np.ndarray]:
        """Each cell once, in the order given, and which of them each row is, (M,)."""
        places: dict[tuple[bytes, int], int] = {}
        place = np.empty(len(sign), dtype=int)
        for k, (on, s) in enumerate(zip(active, sign.tolist(), strict=True)):
            place[k] = places.setdefault((on.tobytes(), s), len(places))
        first = np.unique(place, return_index=True)[1]
        return cls(active[first], sign[first]), place

    @classmethod
    def of(cls, problem: Problem, neurons: Neurons) -> tuple["Cells", np.ndarray]:
        """Those of the neurons of a network, and which of them each neuron lies in, (K,)."""
        received = problem.X @ neurons.W.T - neurons.b
        active = received > slack(problem.X, neurons.W, neurons.b)
        return cls.distinct(active.T, np.sign(neurons.v).astype(int))

    def __add__(self, other: "Cells") -> "Cells":
        active = np.concatenate([self.active, other.active])
        return Cells.distinct(active, np.concatenate([self.sign, other.sign]))[0]

    def __len__(self) -> int:
        return len(self.sign)


def slack(X: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """What counts as 0 in X W' - b, for each neuron."""
    scale = np.abs(X).max(initial=0.0) * np.linalg.norm(W, axis=1) + np.abs(b)
    found: np.ndarray = EDGE * scale
    return found


def solve(problem: Problem, cells: Cells, weights: np.ndarray | None = None) -> Neurons:
    """The best network whose neurons lie in the given cells, one each, in their order.

    Args:
        weights: factors of the norms of the neurons, (M,); 1 if None.
    """
    import clarabel
    from scipy import sparse

    X, y, form = problem.X, problem.y, problem.form
    (N, d), M = X.shape, len(cells)
    rows = np.column_stack([X, -np.ones(N)])  # of (w, b)
    size = d + 1 if form.biases else d
    # variables: u (M (d + 1)), norms (M), C (d), c0, residual (N), |C| (d) where it is charged so
    u, s, skip, free, error = 0, M * (d + 1), M * (d + 2), M * (d + 2) + d, M * (d + 2) + d + 1
    absolute = error + N
    total = absolute + (0 if form.squares else d)

    quadratic, linear = np.zeros(total), np.zeros(total)
    quadratic[error:absolute] = 2 * problem.kappa
    linear[s:skip] = problem.level * (1.0 if weights is None else weights)
    if form.squares:
        quadratic[skip:free] = 2 * problem.lam
    else:
        linear[absolute:] = problem.lam
    if form.biases:
        quadratic[free] = 2 * problem.lam

    def block(height: int, *parts: tuple[int, Any]) -> Any:
        """A row of blocks: what stands at which column; the rest is 0."""
        found, at = [], 0
        for column, part in parts:
            found += [sparse.csc_matrix((height, column - at)), sparse.csc_matrix(part)]
            at = column + part.shape[1]
        return sparse.hstack([*found, sparse.csc_matrix((height, total - at))], format="csc")

    signed = cells.active[:, :, None] * rows * cells.sign[:, None, None]  # (M, N, d + 1)
    outputs = signed.transpose(1, 0, 2).reshape(N, M * (d + 1))
    inside = [np.where(on, -1.0, 1.0)[:, None] * rows for on in cells.active]
    one = sparse.eye(d)
    blocks = [block(N, (u, outputs), (skip, X), (free, np.ones((N, 1))), (error, sparse.eye(N)))]
    cones = [clarabel.ZeroConeT(N)]
    if M:
        blocks.append(block(M * N, (u, sparse.block_diag(inside))))
        cones.append(clarabel.NonnegativeConeT(M * N))
    if not form.squares:
        blocks += [block(d, (skip, sign * one), (absolute, -one)) for sign in (1.0, -1.0)]
        cones.append(clarabel.NonnegativeConeT(2 * d))
    # (norm_k, u_k) in a second-order cone each
    k = np.arange(M)
    height = 1 + size
    at = np.concatenate([k * height, (k[:, None] * height + 1 + np.arange(size)).ravel()])
    to = np.concatenate([s + k, (k[:, None] * (d + 1) + np.arange(size)).ravel()])
    lengths = (np.full(len(at), -1.0), (at, to))
    blocks.append(sparse.csc_matrix(lengths, shape=(M * height, total)))
    cones += [clarabel.SecondOrderConeT(height)] * M

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs, settings.tol_gap_rel, settings.tol_feas = 1e-12, 1e-10, 1e-10
    stacked = sparse.vstack(blocks, format="csc")
    right = np.zeros(stacked.shape[0])
    right[:N] = y
    # in units of lam: the solver's tolerances are absolute where values are small
    curved, linear = sparse.diags(quadratic / problem.lam).tocsc(), linear / problem.lam
    solution = clarabel.DefaultSolver(curved, linear, stacked, right, cones, settings).solve()
    x = np.array(solution.x)
    if not np.isfinite(x).all():
        raise ArithmeticError(f"the solver ended without a solution: {solution.status}")
    chosen = x[:s].reshape(M, d + 1)
    return Neurons(
        chosen[:, :d], chosen[:, d], cells.sign.astype(float), x[skip:free], float(x[free])
    )


def used(problem: Problem, neurons: Neurons) -> np.ndarray:
    """Which neurons are not 0, (K,) bool."""
    norms = problem.norms(neurons)
    found: np.ndarray = norms > KEPT * norms.max(initial=0.0)
    return found


def merged(problem: Problem, neurons: Neurons) -> Neurons:
    """Neurons of the same cell as one, with v = 1 or -1, without those that are 0: the outputs at
    the data are the same, and the sum of norms is not larger."""
    neurons = neurons.only(problem.norms(neurons) > 0)
    cells, place = Cells.of(problem, neurons)
    u = np.zeros((len(cells), neurons.W.shape[1] + 1))
    np.add.at(u, place, neurons.u)
    return Neurons(u[:, :-1], u[:, -1], cells.sign.astype(float), neurons.C, neurons.c0)


def moved(problem: Problem, neurons: Neurons, weights: np.ndarray | None = None) -> Neurons:
    """The best network whose neurons lie in the cells of those of another; those that are 0 left
    out.

    Args:
        weights: of the cells, in the order in which the neurons first lie in them.
    """
    found = solve(problem, Cells.of(problem, neurons)[0], weights)
    return found.only(used(problem, found))
