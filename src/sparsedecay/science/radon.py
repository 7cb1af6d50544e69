"""The Radon domain: each ReLU neuron of the first layer as a point with a mass.

    found = atoms(network, p, X)         neurons that matter, those that coincide as one
    found.directions, found.offsets      (M, d_0), (M,)
    found.mass, found.sign               (M,), (M,)

A neuron v relu(w·x - b) has its crease where γ·x = t, with the direction γ = w / ||w|| and the
offset t = b / ||w||. It adds v ||w|| relu(γ·x - t), so its mass is ||v|| ||w|| (Parhi and Nowak
2021, "Banach space representer theorems for neural networks and ridge splines").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sparsedecay.science.networks import Network

NEGLIGIBLE = 1e-3
"""Atoms with a smaller fraction of the heaviest one's mass are left out."""
SAME = 0.999
"""Cosine above which two neurons coincide, between (γ, t) with the data's mean as the origin and
their radius as the unit of length."""


@dataclass(frozen=True)
class Atoms:
    """Neurons that coincide, as one."""

    directions: np.ndarray
    """γ, (M, d_0), of length 1."""
    offsets: np.ndarray
    """t, (M,)."""
    weights: np.ndarray
    """The sum of v ||w|| over the neurons, (M, D): one number for each of what they feed."""
    neurons: np.ndarray
    """How many neurons, (M,)."""
    axis: np.ndarray
    """Direction in which most of the weights lie, (D,): what signs are counted along."""

    @property
    def mass(self) -> np.ndarray:
        """||v|| ||w||, (M,)."""
        found: np.ndarray = np.linalg.norm(self.weights, axis=1)
        return found

    @property
    def sign(self) -> np.ndarray:
        """1 or -1, (M,): of v where it is one number, else of its part along `axis`."""
        found: np.ndarray = np.where(self.weights @ self.axis >= 0, 1, -1)
        return found


def atoms(network: Network, p: Mapping[str, np.ndarray], X: np.ndarray) -> Atoms:
    """Neurons of the first ReLU layer that are active on some data point, the heaviest first.

    Args:
        p: parameters, float64.
        X: inputs, (N, d_0).
    """
    W, b = p["W1"], p["b1"]
    V = np.vstack([p[name] for name in network.outgoing[0]])  # (D, K)
    length = np.linalg.norm(W, axis=1)
    alive = (length > 0) & ((X @ W.T - b).max(axis=0) > 0)
    W, b, length = W[alive], b[alive], length[alive]
    weights = V[:, alive].T * length[:, None]
    directions, offsets = W / length[:, None], b / length
    groups = coinciding(directions, offsets, np.linalg.norm(weights, axis=1), X)
    found = [joined(directions[g], offsets[g], weights[g]) for g in groups]
    if not found:
        D = len(V)
        nothing = np.zeros((0, W.shape[1])), np.zeros(0), np.zeros((0, D)), np.zeros(0, dtype=int)
        return Atoms(*nothing, axis=np.ones(D))
    directions, offsets, weights = map(np.array, zip(*found, strict=True))
    neurons = np.array([len(g) for g in groups])
    mass = np.linalg.norm(weights, axis=1)
    order = np.argsort(-mass, kind="stable")
    order = order[mass[order] > NEGLIGIBLE * mass.max()]
    axis = leading(weights)[0] if weights.shape[1] > 1 else np.ones(1)
    return Atoms(directions[order], offsets[order], weights[order], neurons[order], axis)


def coinciding(
    directions: np.ndarray, offsets: np.ndarray, mass: np.ndarray, X: np.ndarray
) -> list[np.ndarray]:
    """Groups of neurons with nearly the same crease, as indices; counted greedily, the heaviest
    first. Neurons without mass belong to none."""
    center = X.mean(0)
    radius = np.linalg.norm(X - center, axis=1).max() or 1.0
    lifted = np.column_stack([directions, (offsets - directions @ center) / radius])
    lifted /= np.linalg.norm(lifted, axis=1, keepdims=True)
    left = [k for k in np.argsort(-mass, kind="stable") if mass[k] > 0]
    waiting, groups = np.array(left, dtype=int), []
    while len(waiting):
        near = lifted[waiting] @ lifted[waiting[0]] > SAME
        groups.append(waiting[near])
        waiting = waiting[~near]
    return groups


def joined(
    directions: np.ndarray, offsets: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray]:
    """One atom for a group: its weights are the sum, its place is the mean by mass."""
    mass = np.linalg.norm(weights, axis=1)
    direction = mass @ directions
    length = np.linalg.norm(direction)
    return direction / length, float(mass @ offsets / length), weights.sum(axis=0)


def leading(vectors: np.ndarray, count: int = 1) -> np.ndarray:
    """Orthonormal axes that hold most of the squares of some vectors (M, d), (count, d). The
    largest component of each is positive."""
    _, _, axes = np.linalg.svd(vectors, full_matrices=True)
    axes = axes[:count]
    largest = np.argmax(np.abs(axes), axis=1)
    found: np.ndarray = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    return found


def plane(found: Sequence[Atoms], dimension: int) -> tuple[np.ndarray, float]:
    """Two axes (2, d_0) that directions are seen in, and the part of the mass's squares that lies
    in them: the coordinates themselves in two dimensions; in more the leading axes of all atoms. Of
    one variable the single axis, (1, 1)."""
    if dimension <= 2:
        return np.eye(dimension), 1.0
    heavy = [one.directions * one.mass[:, None] for one in found]
    whole = np.vstack([*heavy, np.zeros((1, dimension))])
    axes = leading(whole, 2)
    total = float((whole**2).sum())
    return axes, float(((whole @ axes.T) ** 2).sum()) / total if total else 1.0


def angles(directions: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Angles of directions (M, d_0) in a plane, degrees from -180 to 180."""
    along = directions @ axes.T
    found: np.ndarray = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    return found
