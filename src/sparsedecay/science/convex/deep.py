"""What can be said of networks with two ReLU layers or more, whose training is not convex.

There is no certificate of the global optimum. What can be computed of a trained network:

    balance        at a minimum ||v_k|| = ||w_k|| for each neuron, in the norms of the regularizer
    stationarity   how far 0 is from the subdifferential of the objective, block by block
    last_block     the last block given what comes into it is a shallow network: convex
    smoothness     a lower bound for all networks with eq. 2, from their Lipschitz constants
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sparsedecay.errors import UserError
from sparsedecay.science import regularizers
from sparsedecay.science.convex.problem import Form, Neurons, Problem, form
from sparsedecay.science.networks import build, role
from sparsedecay.science.regularizers import Term
from sparsedecay.science.run import Run

ZERO = 1e-3
"""Entries below it are taken as 0 where magnitudes are charged, as sparsity counts them."""
KINK, SWEEPS = 1e-3, 50
"""See `stationarity`; and sweeps of coordinate descent for the parts in which data points count."""


def parts(run: Run) -> tuple[Form, int]:
    """The form of a run's regularizer, and its number of blocks.

    Raises:
        UserError: the network is not made of blocks, or the regularizer has no form.
    """
    network, found = build(run), form(regularizers.build(run))
    reason = found if isinstance(found, str) else None
    if "V1" not in network.shapes or f"c0_{network.L}" not in network.shapes:
        reason = "its network is not made of the blocks of Theorem 1"
    elif run.data.d_out != 1:
        reason = f"its data have {run.data.d_out} outputs, and the mathematics here is that of one"
    elif not isinstance(found, str) and found.factor != 2:
        reason = "its regularizer does not charge v and w apart"
    if reason or isinstance(found, str):
        raise UserError(f"{run.id}: nothing to certify: {reason}.")
    return found, network.L


def balance(run: Run, p: Mapping[str, np.ndarray]) -> list[float]:
    """For each block sum (||v_k|| - ||w_k||)^2 / sum (||v_k||^2 + ||w_k||^2): 0 is balanced."""
    asked, blocks = parts(run)
    terms = regularizers.build(run).terms
    found = []
    for layer in range(1, blocks + 1):
        V, W = p[f"V{layer}"], p[f"W{layer}"]
        into = np.column_stack([W, p[f"b{layer}"]]) if asked.biases else W
        one = np.abs(V).sum(0) if terms.V & Term.NEURON_L1_SQUARED else np.linalg.norm(V, axis=0)
        other = np.linalg.norm(into, axis=1)
        whole = float((one**2 + other**2).sum())
        found.append(float(((one - other) ** 2).sum()) / whole if whole else 0.0)
    return found


def inputs(p: Mapping[str, np.ndarray], X: np.ndarray, blocks: int) -> list[np.ndarray]:
    """What comes into each block, (N, d) each."""
    found = [X]
    for layer in range(1, blocks):
        x = found[-1]
        h = np.maximum(x @ p[f"W{layer}"].T - p[f"b{layer}"], 0.0)
        found.append(h @ p[f"V{layer}"].T + x @ p[f"C{layer}"].T + p[f"c0_{layer}"])
    return found


def stationarity(
    run: Run, p: Mapping[str, np.ndarray], X: np.ndarray, y: np.ndarray
) -> list[float]:
    """For each block the distance of 0 from the (Clarke) subdifferential of the objective, over the
    norm of the gradient of the loss: 0 is stationary. Entries below `ZERO` count as 0, and a neuron
    that receives less of what it could than `KINK` of a data point is on its kink.

    Args:
        X: inputs, (N, d_0).
        y: targets, (N, 1).
    """
    import torch

    network, terms, lam = build(run), regularizers.build(run).terms, run.penalty
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in p.items()}
    hidden: list[Any] = []

    def relu(z: Any) -> Any:
        hidden.append(torch.relu(z))
        hidden[-1].retain_grad()
        return hidden[-1]

    error = network.forward(tensors, torch.tensor(X), relu) - torch.tensor(y)
    ((error**2).sum() / run.terms(len(X))).backward()
    found = []
    for layer, x in enumerate(inputs(p, X, network.L), start=1):
        distance, size = 0.0, 0.0
        W, b = p[f"W{layer}"], p[f"b{layer}"]
        charged = np.column_stack([lam * (terms.W != 0) * 2 * W, lam * (terms.biases != 0) * 2 * b])
        into = kinks(x, W, b, hidden[layer - 1].grad.numpy(), charged)
        distance += float((into**2).sum())
        for name in (f"V{layer}", f"C{layer}", f"c0_{layer}"):
            gradient = tensors[name].grad
            assert gradient is not None
            kind = role(name)
            term = terms.biases if kind == "b" else getattr(terms, kind)
            residual = subgradient(p[name], gradient.numpy(), Term(term), lam)
            distance += float((residual**2).sum())
        for name in (f"W{layer}", f"b{layer}", f"V{layer}", f"C{layer}", f"c0_{layer}"):
            gradient = tensors[name].grad
            assert gradient is not None
            size += float((gradient.numpy() ** 2).sum())
        found.append(float(np.sqrt(distance / size)) if size else 0.0)
    return found


def kinks(
    x: np.ndarray, W: np.ndarray, b: np.ndarray, delta: np.ndarray, charged: np.ndarray
) -> np.ndarray:
    """The smallest gradient of the weights into neurons and their biases, (K, d + 1), where a
    neuron on the kink of a data point may count it in part.

    Args:
        x: what comes into the layer, (N, d).
        delta: gradient of the loss by the neurons' outputs, (N, K).
        charged: gradient of what is charged, (K, d + 1).
    """
    rows = np.column_stack([x, -np.ones(len(x))])
    z = x @ W.T - b
    scale = np.linalg.norm(rows, axis=1)[:, None] * np.hypot(np.linalg.norm(W, axis=1), b)
    free = np.abs(z) <= KINK * scale  # (N, K)
    theta = np.where(free, 0.5, z > 0)
    g = charged + (theta * delta).T @ rows
    square = (rows**2).sum(1)
    for _ in range(SWEEPS):
        for n in np.flatnonzero(free.any(axis=1)):
            # along theta_n the gradient of neuron k moves by delta_nk rows_n
            slope = delta[n] ** 2 * square[n]
            step = np.where(slope > 0, -(g @ rows[n]) * delta[n] / np.maximum(slope, 1e-300), 0.0)
            new = np.where(free[n], np.clip(theta[n] + step, 0.0, 1.0), theta[n])
            g += ((new - theta[n]) * delta[n])[:, None] * rows[n]
            theta[n] = new
    return np.asarray(g)


def subgradient(array: np.ndarray, g: np.ndarray, term: Term, lam: float) -> np.ndarray:
    """The smallest element of g plus lam times the subdifferential of a term."""
    found = g + 2 * lam * array if term & Term.SQUARE else g.copy()
    radius = np.zeros_like(array)
    if term & Term.ABSOLUTE:
        radius += lam
    if term & Term.NEURON_L1_SQUARED:  # of V: a column per neuron
        radius += 2 * lam * np.abs(array).sum(0)
    zero = np.abs(array) <= ZERO
    moved = found + radius * np.sign(array)
    least = np.sign(found) * np.maximum(np.abs(found) - radius, 0.0)
    return np.asarray(np.where(zero, least, moved))


def last_block(
    run: Run, p: Mapping[str, np.ndarray], X: np.ndarray, y: np.ndarray
) -> tuple[Problem, Neurons]:
    """The last block given what comes into it, as a shallow problem and its network. Where the
    matrix A before it is of low rank, its inputs span few dimensions.

    Args:
        X: inputs of the network, (N, d_0).
        y: targets, (N, 1).
    """
    asked, blocks = parts(run)
    last: dict[str, Any] = {f"{name}1": p[f"{name}{blocks}"] for name in ("W", "b", "V", "C")}
    neurons = Neurons.of(last | {"c0_1": p[f"c0_{blocks}"]})
    x, kappa = inputs(p, X, blocks)[-1], 1 / run.terms(len(X))
    return Problem(x, y[:, 0], run.penalty, kappa, asked), neurons


def smoothness(
    X: np.ndarray, y: np.ndarray, lam: float, kappa: float, blocks: int, tolerance: float = 1e-3
) -> float:
    """A lower bound on the objective of every network of so many blocks with eq. 2.

    With r_l = sum_k ||v_k||_1 ||w_k||_2 + ||C||_1 of block l its outputs, in the l1 norm, change by
    at most r_l times what its inputs do, in the l2 norm, and the regularizer charges at least r_l.
    So a network that changes by at most c per distance is charged at least L c^(1/L), by the
    inequality of arithmetic and geometric means, and

        objective >= min over c of  F(c) + lam L c^(1/L),

    F(c) the least kappa ||y - f||^2 of values f at the data with |f_i - f_j| <= c ||x_i - x_j||.
    F falls and the charge grows, so that between two values of c the bound is at least the F of the
    larger plus the charge of the smaller.

    Args:
        X: inputs, (N, d_0).
        y: targets, (N,).
        tolerance: what the bound may be short of the minimum, as a fraction of F(0).
    """
    i, k = np.triu_indices(len(X), 1)
    apart = np.linalg.norm(X[i] - X[k], axis=1)
    steep = np.abs(y[i] - y[k]) / np.maximum(apart, 1e-300)
    if (apart == 0).any():
        steep = steep[apart > 0]
    most = float(steep.max(initial=0.0))
    mean = kappa * float(((y - y.mean()) ** 2).sum())
    fits = {0.0: mean, most: 0.0}

    def fit(c: float) -> float:
        if c not in fits:
            fits[c] = smooth_fit(X, y, c, kappa, i, k, apart)
        return fits[c]

    def charge(c: float) -> float:
        return float(lam * blocks * c ** (1 / blocks))

    best = min(mean, charge(most) + (fits[most] if (apart > 0).all() else 0.0))
    waiting = [(0.0, most)] if most else []
    least = best
    while waiting:
        low, high = waiting.pop()
        value = fit(high) + charge(low)
        if value >= best - tolerance * mean or high - low < 1e-6 * most:
            least = min(least, value)
            continue
        middle = (low + high) / 2
        best = min(best, fit(middle) + charge(middle))
        waiting += [(low, middle), (middle, high)]
    return float(least)


def smooth_fit(
    X: np.ndarray, y: np.ndarray, c: float, kappa: float, i: Any, k: Any, apart: np.ndarray
) -> float:
    """A lower bound, up to the solver's tolerance, on F(c): the dual value of a quadratic program
    with those pairs only that turn out to matter."""
    import clarabel
    from scipy import sparse

    N, chosen = len(y), np.zeros(len(i), dtype=bool)
    chosen[apart < np.sort(apart)[min(4 * N, len(apart) - 1)]] = True
    while True:
        at = np.flatnonzero(chosen)
        rows = np.repeat(np.arange(len(at)), 2)
        columns = np.column_stack([i[at], k[at]]).ravel()
        signs = np.tile([1.0, -1.0], len(at))
        D = sparse.csc_matrix((signs, (rows, columns)), shape=(len(at), N))
        settings = clarabel.DefaultSettings()
        settings.verbose, settings.max_threads = False, 1
        limit = c * np.concatenate([apart[at], apart[at]])
        solution = clarabel.DefaultSolver(
            sparse.eye(N, format="csc") * 2 * kappa,
            -2 * kappa * y,
            sparse.vstack([D, -D], format="csc"),
            limit,
            [clarabel.NonnegativeConeT(2 * len(at))],
            settings,
        ).solve()
        f = np.array(solution.x)
        broken = np.abs(f[i] - f[k]) > c * apart * (1 + 1e-7) + 1e-9
        if not (broken & ~chosen).any():
            return float(solution.obj_val_dual + kappa * (y @ y)) * (1 - 1e-7)
        chosen |= broken
