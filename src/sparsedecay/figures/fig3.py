"""Figure 3: a panel with |A^(l)| for each network, whose MSE and sparsity stand above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Request, Shown
from sparsedecay.figures.matrices import OfMatrices, TrainedMatrices, training
from sparsedecay.figures.pictures import Scale, bar, largest, picture, sorted_matrices
from sparsedecay.figures.typical import note, typical
from sparsedecay.files.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEFT, BELOW, HEAD, GAP, LINE = 0.42, 0.27, 0.2, 0.13, 0.13
"""Margins, height of the title, gap between panels, height of a line of text, inches."""
BAR = (0.1, 0.09, 0.58)
"""Gap before the colour bar, its width, and its labels, inches."""


class Pictures(OfMatrices):
    """Figure 3: the matrices between two ReLU layers, as pictures.

    Weight matrices between two ReLU layers of trained networks (for *representer*, the architecture
    of Theorem 1, the product **WV**; *dense* is not factorised), rows and columns sorted by
    decreasing l2 norm: brighter is larger, and black are the entries that do not count as nonzero.
    Where nearly all is black, the rest is shown enlarged; a matrix with more than 800 rows has
    several entries to a pixel, which takes the mean of their places on the colour scale.

    Shown is the typical draw: that whose summary (errors, regularizers, sparsities, neurons) lies
    nearest to the median of all draws. The title names its seeds.
    """

    tables = ("matrices", "summary")

    def render(self, request: Request[TrainedMatrices], results: Results) -> Figure:
        """Panels in the order of the networks shown, at most four in a row."""
        assert request.measures
        layer, shown = request.settings.layer, typical(request, results)
        matrices = [sorted_matrices(results, one, layer)[-1] for one in shown]
        scale = Scale(request.measures.threshold, largest(*matrices))

        captions = [caption(results, one, layer) for one in shown]
        above = LINE * max(len(lines) for lines in captions) + 0.05
        rows, columns = style.grid(len(shown), 4)
        side = min(2.4, (style.FULL - LEFT - GAP * (columns - 1) - sum(BAR)) / columns)
        block = above + side + BELOW
        width = LEFT + columns * side + GAP * (columns - 1) + sum(BAR)
        height = rows * block + HEAD
        figure = style.page(width, height)
        title = training(request.settings) + note(request, shown)
        style.heading(figure, LEFT, height - HEAD / 2, title)
        for i, (one, matrix) in enumerate(zip(shown, matrices, strict=True)):
            row, column = divmod(i, columns)
            bottom = (rows - 1 - row) * block + BELOW
            ax = style.place(figure, LEFT + column * (side + GAP), bottom, side, side)
            picture(ax, matrix, scale, results.diverged(*one.milestone))
            ax.set_xlabel(f"column of $\\mathbf{{A}}^{{({layer})}}$", labelpad=-6)
            if column == 0:
                ax.set_ylabel(f"row of $\\mathbf{{A}}^{{({layer})}}$", labelpad=-12)
            else:
                ax.set_yticklabels([])
            for line, text in enumerate(captions[i]):
                y = above - LINE * (line + 0.6)
                style.write(ax, side / 2, y, text, transform=style.from_corner(ax), ha="center")
        bottom = (rows - 1) * block + BELOW
        bar(style.place(figure, width - BAR[1] - BAR[2], bottom, BAR[1], side), scale)
        return figure


def caption(results: Results, shown: Shown, layer: int) -> list[str]:
    """Lines above a panel: the network, sparsity of the matrix, MSE of the network."""
    name = style.network(shown.network, shown.regularizer)
    if results.diverged(*shown.milestone) is not None:
        return [name]
    about = results.rows(*shown.milestone, "matrices", matrix=f"A{layer}").iloc[-1]
    mse, median = style.final_mse(results.table(*shown.milestone, "summary").iloc[-1])
    return [
        name,
        f"sparsity {style.scientific(about['sparsity'], 3)}",
        f"MSE {mse}",
        *([f"(median {median})"] if median else []),
    ]


FIGURE = Pictures()
