"""Functions, their creases and their neurons, for the Radon picture and its film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsedecay.science.measures import relu
from sparsedecay.science.networks import Network, Parameters
from sparsedecay.science.radon import Atoms, angles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIGNS = {1: "#D55E00", -1: "#0072B2"}
"""Colours of positive and negative neurons."""
FAINT = "#E2E2E2"
INK = 800.0
"""Area of all atoms of a panel together, square points."""
BEYOND = 1.5
"""Offsets are drawn up to so many radii of the data, as seen in the plane."""
LINES, DOTS = 48, 400
"""Data points whose lines, or dots, are drawn; of more an even choice."""
MANY = 60
"""Creases on a map from which on they grow fainter."""
MARGIN = 0.08
"""Around the data, as a fraction of their extent."""
FINE = 400, 80
"""Points that a function is drawn at: of one variable, and along each of two."""


@dataclass(frozen=True)
class Window:
    """What all panels of a network share: the data, and scales."""

    X: np.ndarray
    """Inputs, (N, d_0)."""
    y: np.ndarray
    """Targets, (N, D)."""
    heaviest: float
    """The largest mass of an atom."""
    axes: np.ndarray
    """The plane that directions are seen in, (2, d_0)."""
    share: float
    """Part of the squared mass that lies in it."""

    @classmethod
    def of(
        cls, X: np.ndarray, y: np.ndarray, atoms: Sequence[Atoms], axes: np.ndarray, share: float
    ) -> Window:
        """That of several epochs together."""
        heaviest = max((one.mass.max(initial=0.0) for one in atoms), default=0.0)
        return cls(X, y, float(heaviest) or 1.0, axes, share)

    @property
    def dimension(self) -> int:
        return int(self.X.shape[1])

    @property
    def center(self) -> np.ndarray:
        """Mean of the data, (d_0,)."""
        found: np.ndarray = self.X.mean(0)
        return found

    @property
    def box(self) -> list[tuple[float, float]]:
        """Lowest and highest of each input, with a margin."""
        low, high = self.X.min(0), self.X.max(0)
        wide = np.where(high > low, high - low, 1.0) * MARGIN
        return list(zip((low - wide).tolist(), (high + wide).tolist(), strict=True))


def some(X: np.ndarray, most: int) -> np.ndarray:
    """Indices of at most so many rows, evenly chosen."""
    return np.unique(np.linspace(0, len(X) - 1, min(most, len(X))).astype(int))


def stems(ax: Axes, atoms: Atoms, window: Window) -> None:
    """Neurons: of one variable stems of their mass where the function bends, else directions
    against offsets with the data's lines."""
    colors = [SIGNS[int(sign)] for sign in atoms.sign]
    if window.dimension == 1:
        places = (atoms.offsets * atoms.directions[:, 0]).tolist()
        heights = (atoms.mass * atoms.sign).tolist()
        ax.axhline(0, color="#808080", linewidth=0.5)
        for x in window.X[some(window.X, LINES), 0]:
            ax.axvline(x, color=FAINT, linewidth=0.5, zorder=0)
        ax.vlines(places, 0, heights, colors=colors, linewidth=0.8)
        for way, marker in ((1, ">"), (-1, "<")):
            chosen = np.flatnonzero(atoms.directions[:, 0] * way > 0)
            ax.scatter(
                [places[i] for i in chosen],
                [heights[i] for i in chosen],
                s=9,
                c=[colors[i] for i in chosen],
                marker=marker,
                linewidths=0,
                zorder=2,
            )
        ax.set_xlim(*window.box[0])
        ax.set_ylim(-1.12 * window.heaviest, 1.12 * window.heaviest)
        return
    theta = np.radians(np.linspace(-180, 180, 73))
    flat = (window.X - window.center) @ window.axes.T  # (N, 2)
    flat = np.unique(np.round(flat, 9), axis=0)
    lines = flat[some(flat, LINES)] @ np.stack([np.cos(theta), np.sin(theta)])
    ax.plot(np.degrees(theta), lines.T, color=FAINT, linewidth=0.5, zorder=0)
    offsets = atoms.offsets - atoms.directions @ window.center
    ax.scatter(
        angles(atoms.directions, window.axes),
        offsets,
        s=INK * atoms.mass / (atoms.mass.sum() or 1.0),
        c=colors,
        alpha=0.75,
        edgecolors="white",
        linewidths=0.3,
        zorder=2,
    )
    ax.set(xlim=(-180, 180), xticks=[-180, -90, 0, 90, 180])
    reach = BEYOND * (float(np.linalg.norm(flat, axis=1).max()) or 1.0)
    ax.set_ylim(-reach, reach)
    first, *_, last = ax.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")


def curve(
    ax: Axes, network: Network, p: Parameters, atoms: Atoms, window: Window, first: bool = True
) -> None:
    """A function of one variable, where it bends, and the data."""
    low, high = window.box[0]
    places = atoms.offsets * atoms.directions[:, 0]
    bends = places[(places > low) & (places < high)]
    x = np.sort(np.concatenate([np.linspace(low, high, FINE[0]), bends]))
    f = network.forward(p, x[:, None], relu)
    shown = some(window.X, DOTS)
    for output in range(f.shape[1]):
        color = f"C{output}" if f.shape[1] > 1 else "black"
        ax.plot(x, f[:, output], color=color, linewidth=1)
        at_bends = np.interp(bends, x, f[:, output])
        ax.plot(bends, at_bends, "o", color="white", markeredgecolor=color, markersize=3, zorder=3)
        dots = window.X[shown, 0], window.y[shown, output]
        ax.plot(*dots, ".", color=color if f.shape[1] > 1 else "#D55E00", markersize=3, zorder=2)
    ax.set_xlim(low, high)
    below, above = window.y.min(), window.y.max()
    wide = (above - below or 1.0) * 0.2
    ax.set_ylim(below - wide, above + wide)
    if not ((f > below - wide) & (f < above + wide)).any():
        ax.text(0.5, 0.97, "$f$ lies beyond", ha="center", va="top", transform=ax.transAxes)
    ax.set_xlabel("$x$")
    if first:
        ax.set_ylabel("$f(x)$ and data")
    else:
        ax.tick_params(labelleft=False)


def crease_map(
    ax: Axes, network: Network, p: Parameters, atoms: Atoms, window: Window, first: bool = True
) -> None:
    """A function of two variables as shades, its creases by mass, and the data; of several outputs
    the first."""
    from matplotlib.colors import Normalize

    (left, right), (low, high) = window.box
    across, up = np.linspace(left, right, FINE[1]), np.linspace(low, high, FINE[1])
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    f = network.forward(p, points, relu)[:, 0].reshape(FINE[1], FINE[1])
    shades = Normalize(window.y[:, 0].min(), window.y[:, 0].max())
    look: dict[str, Any] = {"cmap": "PuOr", "norm": shades}
    ax.imshow(f, origin="lower", extent=(left, right, low, high), aspect="auto", **look)
    lines = zip(atoms.directions, atoms.offsets, atoms.mass, strict=True)
    alpha = 0.5 * min(1.0, MANY / max(len(atoms.mass), 1))
    for (g0, g1), t, mass in lines:
        width = 0.2 + 0.8 * float(mass) / float(atoms.mass[0])
        ends = crease(g0, g1, t, (left, right), (low, high))
        ax.plot(*ends, color="black", linewidth=width, alpha=alpha, zorder=1)
    shown = some(window.X, DOTS)
    ax.scatter(
        window.X[shown, 0],
        window.X[shown, 1],
        c=window.y[shown, 0],
        s=7,
        edgecolors="black",
        linewidths=0.3,
        zorder=2,
        **look,
    )
    ax.set(xlim=(left, right), ylim=(low, high), xlabel="$x_1$")
    ax.spines[:].set_visible(True)
    if first:
        ax.set_ylabel("$x_2$")
    else:
        ax.tick_params(labelleft=False)


def crease(
    g0: float, g1: float, t: float, across: tuple[float, float], up: tuple[float, float]
) -> tuple[list[float], list[float]]:
    """Two points of the line g0 x + g1 y = t, at opposite sides of a box."""
    if abs(g1) >= abs(g0):
        return list(across), [(t - g0 * x) / g1 for x in across]
    return [(t - g1 * y) / g0 for y in up], list(up)
