"""Small maps of coloured cells that share a scale, with marks for what a colour cannot say.

A cell is the median of several draws. Everything is drawn as paths, so that a PDF has no pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsedecay.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Colour = tuple[float, float, float, float]
EMPTY, NOTHING = "#FFFFFF", "#D4D4D4"
"""Of a cell without a number, and of one whose number is 0 on a logarithmic scale."""
DIFFER = 2
"""Draws whose largest number exceeds the smallest by more than this factor differ."""
DARK = 0.5
"""Luminance below which marks are white."""


class Fate(Enum):
    """What became of most draws of a cell; the value is its mark in print."""

    FITS = ""
    MISSES = "/"
    DIED = "†"
    DIVERGED = "×"


@dataclass(frozen=True)
class Scale:
    """Steps of colour."""

    label: str
    edges: tuple[float, ...]
    """Increasing numbers; between two of them a colour holds, and beyond them the last one."""
    colours: str
    """Name of a colour map."""
    middle: float | None = None
    """The edge at which a colour map of two sides has its middle; None if it has one side."""
    logarithmic: bool = True
    ticks: Mapping[float, str] = field(default_factory=dict)
    """Numbers that are written at the bar, in print."""

    def colour(self, value: float) -> Colour | str:
        """That of a number; what is 0 or less has a grey of its own, NaN none."""
        import matplotlib as mpl

        if math.isnan(value):
            return EMPTY
        if value <= 0:
            return NOTHING
        steps = len(self.edges) - 1
        step = int(np.clip(np.searchsorted(self.edges, value, side="right") - 1, 0, steps - 1))
        red, green, blue, alpha = mpl.colormaps[self.colours](self.place(step))
        return float(red), float(green), float(blue), float(alpha)

    def place(self, step: int) -> float:
        """Where on the colour map a step lies, from 0 to 1."""
        count = len(self.edges) - 1
        if self.middle is None:
            return step / max(count - 1, 1)
        below = self.edges.index(self.middle)
        if step < below:
            return (step + 0.5) / below / 2
        return 0.5 + (step - below + 0.5) / (count - below) / 2


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: a number of each draw that has one, and what became of all."""

    values: tuple[float, ...]
    fate: Fate
    note: str = ""
    """Written in the cell, in the place of the mark for what does not fit."""

    @property
    def median(self) -> float:
        """NaN without a number."""
        return float(np.median(self.values)) if self.values else math.nan

    @property
    def differs(self) -> bool:
        """Whether the draws differ much."""
        return bool(self.values) and max(self.values) > DIFFER * min(self.values)


def steps(low: float, high: float, count: int) -> tuple[float, ...]:
    """Edges of so many steps of equal factors."""
    return tuple(float(edge) for edge in np.geomspace(low, high, count + 1))


def show(ax: Axes, cells: Sequence[Sequence[Cell]], scale: Scale) -> None:
    """A map of cells, rows from below, columns from the left; one unit each."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            lost = cell.fate is Fate.DIVERGED
            face = EMPTY if lost else scale.colour(cell.median)
            look: dict[str, Any] = {"facecolor": face, "edgecolor": "white", "linewidth": 0.4}
            ax.add_patch(Rectangle((j, i), 1, 1, **look))
            bright = float(np.dot((0.2126, 0.7152, 0.0722), to_rgb(face)))
            mark(ax, j, i, cell, "white" if bright < DARK else "black")
    ax.set(xlim=(0, len(cells[0])), ylim=(0, len(cells)), xticks=[], yticks=[])
    ax.spines[:].set(visible=True, linewidth=0.4, color="#808080")


def mark(ax: Axes, j: float, i: float, cell: Cell, colour: str) -> None:
    """The marks of the cell whose lower left corner is at (j, i)."""
    thin: dict[str, Any] = {"color": colour, "linewidth": 0.5, "solid_capstyle": "butt"}
    if cell.fate is Fate.MISSES and not cell.note:
        ax.plot([j + 0.1, j + 0.9], [i + 0.1, i + 0.9], **thin)
    if cell.fate is Fate.DIVERGED:
        ax.plot([j + 0.25, j + 0.75], [i + 0.25, i + 0.75], **thin)
        ax.plot([j + 0.25, j + 0.75], [i + 0.75, i + 0.25], **thin)
    if cell.fate is Fate.DIED:
        write(ax, j + 0.5, i + 0.5, cell.fate.value, colour)
    elif cell.note:
        write(ax, j + 0.42, i + 0.52, cell.note, colour)
    if cell.differs:
        dot: dict[str, Any] = {"color": colour, "markersize": 1.3, "markeredgewidth": 0}
        ax.plot([j + 0.78], [i + 0.25], "o", **dot)


def write(ax: Axes, x: float, y: float, text: str, colour: str) -> None:
    """Type within a cell."""
    look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 6, "color": colour}
    ax.text(x, y, text, **look)


def border(ax: Axes, inside: np.ndarray) -> None:
    """The line around the cells (rows, columns) that belong to a set, where it passes between
    cells."""
    rows, columns = inside.shape
    for colour, linewidth in (("white", 1.9), ("black", 0.9)):  # the white shows on dark cells
        look: dict[str, Any] = {"color": colour, "linewidth": linewidth}
        look["solid_capstyle"] = "projecting"
        for i, j in np.ndindex(rows, columns):
            if j + 1 < columns and inside[i, j] != inside[i, j + 1]:
                ax.plot([j + 1, j + 1], [i, i + 1], **look)
            if i + 1 < rows and inside[i, j] != inside[i + 1, j]:
                ax.plot([j, j + 1], [i + 1, i + 1], **look)


def bar(ax: Axes, scale: Scale) -> None:
    """What the colours mean, upright, its numbers to the right."""
    edges = np.array(scale.edges)
    shades = [scale.colour(float(edge)) for edge in (edges[:-1] + edges[1:]) / 2]
    seamless: dict[str, Any] = {"color": shades, "edgecolor": shades, "linewidth": 0.3}
    ax.bar(np.zeros(len(shades)), np.diff(edges), bottom=edges[:-1], width=1, **seamless)
    ax.set(xlim=(-0.5, 0.5), xticks=[])
    if scale.logarithmic:
        ax.set_yscale("log")
    ax.set_ylim(edges[0], edges[-1])
    ax.set_yticks([], minor=True)
    ax.set_yticks([*scale.ticks], [*scale.ticks.values()], fontsize=6)
    ax.spines[:].set_visible(True)
    ax.yaxis.tick_right()
    ax.tick_params(length=1.5, pad=1.5)
    ax.yaxis.set_label_position("right")
    ax.set_ylabel(scale.label, fontsize=style.SMALL, linespacing=1.1)
