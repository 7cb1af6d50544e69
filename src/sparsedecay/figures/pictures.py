"""Matrices as pictures, for figures 3 and 4: bright where an entry is large, black where it counts
as zero.

All pictures of a figure share one `Scale`. Rows and columns are sorted by decreasing l2 norm, as in
the paper, so what is not zero gathers at the upper left; where that is a small part of the
matrix, it is shown enlarged inside the black rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Shown
from sparsedecay.files.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

COLOURS = 24
"""Steps of the scale, fewer than a matrix has values, so that files stay small."""
PIXELS = 800
"""A matrix with more rows or columns has several to a pixel. At the size of the figures
this is more than a printer resolves, and noise, which cannot be compressed, makes large files."""
ENLARGED, START = 0.2, 0.45
"""If what is not zero takes at most the first fraction of the rows or of the columns, it is shown
enlarged in the rest of the picture, which begins at the second."""
FEW = 64
"""Rows or columns up to which all are wide enough to be seen."""
MISSING = "#00B6C8"
"""Colour of an entry that is no number."""


@dataclass(frozen=True)
class Scale:
    """Logarithmic colours from the threshold of sparsity, below which all is black."""

    threshold: float
    largest: float

    @property
    def levels(self) -> np.ndarray:
        """Magnitudes (COLOURS + 1,) between which a colour holds; entries at the threshold are
        black, as they count as zero."""
        top = max(self.largest, 10 * self.threshold)
        levels = np.geomspace(self.threshold, top, COLOURS + 1)
        levels[0] = np.nextafter(self.threshold, np.inf)
        return levels

    @property
    def colours(self) -> Colormap:
        import matplotlib as mpl
        from matplotlib.colors import ListedColormap

        # Lightness grows along the whole map, so that it reads in grey too. Its darkest part is
        # left out: the smallest entry that counts shall stand out from black.
        shades = mpl.colormaps["inferno"](np.linspace(0.2, 1, COLOURS))
        return ListedColormap(shades).with_extremes(under="black", bad=MISSING)

    def pooled(self, magnitudes: np.ndarray) -> np.ndarray:
        """Magnitudes (m, n) in at most `PIXELS` rows and columns. A pixel has the mean of its
        entries' places on the scale, and is black only if all of them are."""
        blocks = [-(-size // PIXELS) for size in magnitudes.shape]
        if blocks == [1, 1]:
            return magnitudes
        places = np.log(np.maximum(magnitudes / self.threshold, 1))  # 0 is black
        for axis, block in enumerate(blocks):
            starts = np.arange(0, places.shape[axis], block)
            sizes = np.diff(np.append(starts, places.shape[axis]))
            sums = np.add.reduceat(places, starts, axis=axis)
            places = sums / np.expand_dims(sizes, 1 - axis)
        return np.where(places == 0, 0, self.threshold * np.exp(places))

    def show(self, ax: Axes, magnitudes: np.ndarray) -> None:
        """Put magnitudes (m, n) on axes that count rows and columns from 1."""
        from matplotlib.colors import BoundaryNorm

        m, n = magnitudes.shape
        ax.imshow(
            self.pooled(magnitudes),
            cmap=self.colours,
            norm=BoundaryNorm(self.levels, COLOURS, extend="neither"),
            aspect="auto",
            extent=(0.5, n + 0.5, m + 0.5, 0.5),
            interpolation_stage="rgba",
        )


def largest(*matrices: np.ndarray) -> float:
    """Largest finite magnitude, 0 if there is none."""
    found = (np.max(np.abs(a), where=np.isfinite(a), initial=0) for a in matrices)
    return float(max(found, default=0))


def sorted_matrices(results: Results, shown: Shown, layer: int) -> list[np.ndarray]:
    """A^(layer) of a trained network (K, K), last; before it its factors W^(layer) (K, d) and
    V^(layer - 1) (d, K) if it has any. ReLU neurons are sorted by their row's or column's l2 norm
    in A, the linear nodes between by their share in it."""
    network, p = results.trained(*shown.milestone)
    factors = [p[name] for name in network.factors(layer)]
    A = factors[0] @ factors[1] if network.factorised else factors[0]
    rows, columns = decreasing(A, 0), decreasing(A, 1)
    found = [A[np.ix_(rows, columns)]]
    if network.factorised:
        W, V = factors
        share = np.argsort(-np.linalg.norm(W, axis=0) * np.linalg.norm(V, axis=1), kind="stable")
        found = [W[np.ix_(rows, share)], V[np.ix_(share, columns)], *found]
    return found


def decreasing(matrix: np.ndarray, axis: int) -> np.ndarray:
    """Order of the rows (axis 0) or columns (axis 1) by decreasing l2 norm; NaN comes last."""
    return np.argsort(-np.linalg.norm(matrix, axis=1 - axis), kind="stable")


def extent(counts: np.ndarray) -> tuple[int, int]:
    """Rows and columns of the upper left part that holds all entries that count, (m, n) bool."""
    rows, columns = (np.flatnonzero(counts.any(axis=1 - axis)) for axis in (0, 1))
    return (int(rows[-1]) + 1, int(columns[-1]) + 1) if len(rows) else (0, 0)


def frame(ax: Axes, m: int, n: int) -> None:
    """The edges of a picture, with the first and last row and column named."""
    ax.set(xticks=[1, n], yticks=[1, m])
    ax.tick_params(length=1.5)
    for label, side in zip(ax.get_xticklabels(), ("left", "right"), strict=False):
        label.set(horizontalalignment=side)  # so that neighbouring pictures' labels stay apart
    ax.spines[:].set_visible(True)


def picture(ax: Axes, matrix: np.ndarray, scale: Scale, diverged: int | None = None) -> None:
    """A sorted matrix (m, n), with its part that is not zero enlarged where that is small; of a
    network that has diverged the epoch at which it did."""
    m, n = matrix.shape
    if diverged is not None:
        ax.set(xlim=(0.5, n + 0.5), ylim=(m + 0.5, 0.5), facecolor="#E4E4E4")
        frame(ax, m, n)
        if m == n:  # a thin factor beside a product has no room for words
            centred(ax, f"diverged\nat epoch {diverged:,}")
        return
    magnitudes = np.abs(matrix)
    scale.show(ax, magnitudes)
    frame(ax, m, n)
    rows, columns = extent(~(magnitudes <= scale.threshold))
    if rows == 0:
        centred(ax, f"all\n$\\leq{style.parameter(scale.threshold)}$", color="white")
        return
    used = [rows / m if m > FEW else 1, columns / n if n > FEW else 1]
    if min(used) > ENLARGED:
        return
    down, right = (part < START - 0.05 for part in used)
    rows, columns = rows if down else m, columns if right else n
    inset = ax.inset_axes((START * right, 0, 1 - START * right, 1 - START * down))
    scale.show(inset, magnitudes[:rows, :columns])
    inset.set(xticks=[], yticks=[])
    inset.spines[:].set(visible=True, color="white", linewidth=0.8)
    zoomed = ax.indicate_inset_zoom(inset, edgecolor="white", alpha=1, linewidth=0.5)
    # The text stands in the black: above the enlarged part, or between it and what it enlarges.
    x, y = (0.97, 0.97) if down and right else (0.33, 0.5) if right else (0.5, 0.67)
    across, along = ("right", "top") if down and right else ("center", "center")
    if not (down and right):
        for connector in zoomed.connectors or ():
            connector.set_visible(False)  # they would run along the picture's edge
    look = {"ha": across, "va": along, "color": "white", "linespacing": 1}
    style.write(ax, x, y, f"enlarged:\n{rows} × {columns}", transform=ax.transAxes, **look)


def centred(ax: Axes, text: str, color: str = "black") -> None:
    """Words in the middle of a picture."""
    ax.text(0.5, 0.5, text, color=color, ha="center", va="center", transform=ax.transAxes)


def bar(ax: Axes, scale: Scale) -> None:
    """The colours' meaning, upright, with the threshold marked."""
    levels, shades = scale.levels, scale.colours(np.arange(COLOURS))
    below = levels[0] * (levels[0] / levels[-1]) ** 0.12
    ax.bar(0, levels[0] - below, bottom=below, width=1, color="black")
    seamless: dict[str, Any] = {"color": shades, "edgecolor": shades, "linewidth": 0.3}
    ax.bar(np.zeros(COLOURS), np.diff(levels), bottom=levels[:-1], width=1, **seamless)
    ax.set(xlim=(-0.5, 0.5), xticks=[], yscale="log", ylim=(below, levels[-1]))
    ax.spines[:].set_visible(True)
    ax.yaxis.tick_right()
    ax.yaxis.set_label_position("right")
    zero = f"black: at most ${style.parameter(scale.threshold)}$"
    ax.set_ylabel(f"magnitude of an entry\n({zero})", fontsize=style.SMALL, linespacing=1.2)
    ax.axhline(scale.threshold, color="white", linewidth=0.8)
