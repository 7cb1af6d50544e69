"""Figure 1: a column of nodes for the inputs, then one of ReLU and one of linear nodes a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Declaration, Request
from sparsedecay.files.results import Results
from sparsedecay.science.networks.representer import Representer
from sparsedecay.science.settings import Settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

DRAWN = {"d_in": 3, "d_out": 3, "K": 5, "d": 3}
"""Nodes drawn for the inputs, the outputs, the ReLU neurons of a layer, the functional width."""
COLOURS = {"input": "#000000", "ReLU": "#3A86D0", "linear": "#B8B8B8"}
EDGE = "#9A9A9A"
HEIGHT, MIDDLE = 1.75, 0.96
"""Of the figure, and of the middle of its columns, inches."""
STEP = 0.22
"""Distance of two nodes in a column, inches."""


class Figure1(Settings):
    """The architecture of Theorem 1, drawn."""

    L: Annotated[int, Field(ge=1, le=8)]
    """Hidden layers in the drawing."""


class Architecture(Declaration[Figure1]):
    """Figure 1: the architecture.

    Architecture of the network of Theorem 1: input nodes black, ReLU nodes blue, linear nodes gray;
    bias nodes and skip connections are left out for clarity. The dots stand for nodes that are not
    drawn.
    """

    section = Figure1

    def render(self, request: Request[Figure1], results: Results) -> Figure:
        L = request.settings.L
        network = Representer(L=L, **DRAWN)
        columns = [("input", network.d_in, "\\mathbf{x}=\\mathbf{x}^{(0)}", "d_0")]
        for layer in range(1, L + 1):
            K, d = network.shapes[f"W{layer}"][0], network.shapes[f"V{layer}"][0]
            columns.append(("ReLU", K, "", f"K^{{({layer})}}"))
            columns.append(("linear", d, f"\\mathbf{{x}}^{{({layer})}}", f"d_{{{layer}}}"))

        width = style.COLUMN if L <= 3 else style.FULL
        figure, ax = style.canvas(width, HEIGHT)
        ax.set_ylim(0, HEIGHT)
        pitch = min(0.75, (width - 0.55) / (len(columns) - 1))
        xs = width / 2 + pitch * (np.arange(len(columns)) - (len(columns) - 1) / 2)
        heights = [MIDDLE + STEP * spread(count) for _, count, _, _ in columns]
        drawn = {}
        for i, (kind, _, name, size) in enumerate(columns):
            drawn[kind] = nodes(ax, xs[i], heights[i], kind)
            style.write(ax, xs[i], 0.27, f"${size}$", ha="center")
            if name:
                ax.text(xs[i], heights[i][0] + 0.09, f"${name}$", ha="center", va="bottom")
            if i:
                matrix = f"\\mathbf{{{'V' if kind == 'linear' else 'W'}}}^{{({(i + 1) // 2})}}"
                edges(ax, xs[i - 1 : i + 1], heights[i - 1 : i + 1])
                between = (xs[i - 1] + xs[i]) / 2
                ax.text(between, HEIGHT - 0.03, f"${matrix}$", ha="center", va="top")
        ax.legend(
            drawn.values(),
            [f"{kind} node" for kind in drawn],
            loc="lower center",
            ncols=len(drawn),
            frameon=False,
            borderpad=0,
            borderaxespad=0.2,
            handletextpad=0.1,
            columnspacing=1.5,
        )
        return figure


def spread(count: int) -> np.ndarray:
    """Heights of the nodes of a column around 0, in steps, from above; before the last a gap."""
    depths = np.append(np.arange(count - 1), count)
    return np.asarray(depths[-1] / 2 - depths)


def nodes(ax: Axes, x: float, heights: np.ndarray, kind: str) -> PathCollection:
    """A column of nodes, with dots in the gap above the lowest."""
    dots = (heights[-1] + heights[-2]) / 2 + np.array([-0.05, 0, 0.05])
    ax.scatter(np.full(3, x), dots, s=2.2, color="black", linewidth=0, zorder=3, label="dots")
    look: dict[str, Any] = {"color": COLOURS[kind], "edgecolor": "black", "linewidth": 0.5}
    return ax.scatter(np.full(len(heights), x), heights, s=30, zorder=3, label=kind, **look)


def edges(ax: Axes, xs: np.ndarray, heights: Sequence[np.ndarray]) -> None:
    """A line from each node of a column to each of the next: one for each entry of the matrix."""
    from matplotlib.collections import LineCollection

    lines = [[(xs[0], a), (xs[1], b)] for a in heights[0] for b in heights[1]]
    ax.add_collection(LineCollection(lines, colors=EDGE, linewidths=0.35, zorder=1))


FIGURE = Architecture()
