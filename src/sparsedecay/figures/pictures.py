"""Matrices as pictures, for figures 3 and 4: bright where an entry is large, black where it counts
as zero.

All pictures of a figure share one `Scale`. Rows and columns are sorted by decreasing l2 norm, as in
the paper, so what is not zero gathers at the upper left; where that is a small part of the
matrix, it is shown enlarged inside the black rest.
"""

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap

from sparsedecay.figures import style

COLOURS = 24
"""Steps of the scale: fewer than the eye can tell apart, so that a matrix full of noise, which
cannot be compressed, still makes a small file."""
PIXELS = 1400
"""A matrix with more rows or columns is drawn with the largest magnitude of neighbours."""
ENLARGED = 0.35
"""Fraction of the rows or columns up to which those that are not zero are enlarged."""
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
    def colours(self) -> ListedColormap:
        # Lightness grows along the whole map, so that it reads in grey too. Its darkest part is
        # left out: the smallest entry that counts shall stand out from black.
        shades = mpl.colormaps["inferno"](np.linspace(0.2, 1, COLOURS))
        return ListedColormap(shades).with_extremes(under="black", bad=MISSING)

    def show(self, ax: Axes, magnitudes: np.ndarray) -> None:
        """Draw magnitudes (m, n) on axes that count rows and columns from 1."""
        m, n = magnitudes.shape
        ax.imshow(
            pooled(magnitudes),
            cmap=self.colours,
            norm=BoundaryNorm(self.levels, COLOURS, extend="neither"),
            aspect="auto",
            extent=(0.5, n + 0.5, m + 0.5, 0.5),
            interpolation_stage="rgba",
        )


def largest(*matrices: np.ndarray) -> float:
    """Largest finite magnitude, 0 if there is none."""
    return max(float(np.max(np.abs(a), where=np.isfinite(a), initial=0)) for a in matrices)


def decreasing(matrix: np.ndarray, axis: int) -> np.ndarray:
    """Order of the rows (axis 0) or columns (axis 1) by decreasing l2 norm; NaN comes last."""
    return np.argsort(-np.linalg.norm(matrix, axis=1 - axis), kind="stable")


def pooled(magnitudes: np.ndarray) -> np.ndarray:
    """At most `PIXELS` rows and columns: the largest magnitude of each block of neighbours."""
    for axis, size in enumerate(magnitudes.shape):
        block = -(-size // PIXELS)
        if block > 1:
            starts = np.arange(0, size, block)
            magnitudes = np.maximum.reduceat(magnitudes, starts, axis=axis)
    return magnitudes


def extent(counts: np.ndarray) -> tuple[int, int]:
    """Rows and columns of the upper left part outside of which no entry counts, (m, n) bool."""
    rows, columns = (np.flatnonzero(counts.any(axis=1 - axis)) for axis in (0, 1))
    return (int(rows[-1]) + 1, int(columns[-1]) + 1) if len(rows) else (0, 0)


def picture(ax: Axes, magnitudes: np.ndarray, scale: Scale) -> None:
    """A sorted matrix (m, n), with its part that is not zero enlarged where that is small."""
    m, n = magnitudes.shape
    scale.show(ax, magnitudes)
    ax.set(xticks=[1, n], yticks=[1, m])
    ax.tick_params(length=1.5)
    ax.spines[:].set_visible(True)
    rows, columns = extent(~(magnitudes <= scale.threshold))
    if rows == 0:
        text = f"no entry above ${style.parameter(scale.threshold)}$"
        ax.text(0.5, 0.5, text, color="white", ha="center", va="center", transform=ax.transAxes)
        return
    down, right = (
        size > 64 and used <= ENLARGED * size for used, size in ((rows, m), (columns, n))
    )
    if not (down or right):
        return
    rows, columns = rows if down else m, columns if right else n
    box = (0.42 * right, 0, 1 - 0.42 * right, 1 - 0.45 * down)
    inset = ax.inset_axes(box)
    scale.show(inset, magnitudes[:rows, :columns])
    inset.set(xticks=[], yticks=[])
    inset.spines[:].set(visible=True, color="white", linewidth=0.8)
    ax.indicate_inset_zoom(inset, edgecolor="white", alpha=1, linewidth=0.5)


def bar(ax: Axes, scale: Scale, label: str) -> None:
    """The colours' meaning, upright, with the threshold marked."""
    levels, shades = scale.levels, scale.colours(np.arange(COLOURS))
    below = levels[0] * (levels[0] / levels[-1]) ** 0.12
    ax.bar(0, levels[0] - below, bottom=below, width=1, color="black")
    ax.bar(np.zeros(COLOURS), np.diff(levels), bottom=levels[:-1], width=1, color=shades)
    ax.set(xlim=(-0.5, 0.5), xticks=[], yscale="log", ylim=(below, levels[-1]))
    ax.spines[:].set_visible(True)
    ax.yaxis.tick_right()
    ax.yaxis.set_label_position("right")
    ax.set_ylabel(label)
    ax.axhline(scale.threshold, color="white", linewidth=0.8)
