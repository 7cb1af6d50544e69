"""Figure 4: singular values of A^(l), and pictures of its factors W^(l) and V^(l-1).

Singular values of a representer network end at its functional width d, all others are exactly 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Request, Shown
from sparsedecay.figures.matrices import OfMatrices, TrainedMatrices, training
from sparsedecay.figures.pictures import Scale, bar, largest, picture, sorted_matrices
from sparsedecay.figures.typical import note, typical
from sparsedecay.files.results import Results
from sparsedecay.science.measures import Measures
from sparsedecay.science.networks import KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, BELOW, ABOVE = 0.5, 0.36, 0.27
SPECTRA = (3.4, 1.7)
"""Width and height of the axes of (a), inches."""
SIDE, THIN, BETWEEN = 1.95, 0.5, 0.06
"""Of a product; the short sides of its factors; the gap to them, inches."""
HEAD = 0.32
"""Height of the title above the pictures of a network, inches."""
FLOOR = 1e-3
"""Singular values are shown down to this fraction of the threshold of the rank."""


class Ranks(OfMatrices):
    """Figure 4: singular values of these matrices, and of the factors in representer networks.

    Rank of the weight matrices between two ReLU layers: (a) singular values, each curve marked at
    the last one above the threshold (gray line); (b, c, …) the factors **W** (left) and **V**
    (above) of each representer network with their product, colours as in figure 3. ReLU neurons are
    sorted by decreasing l2 norm of their row or column of the product, the linear nodes between by
    their share in it.

    Shown is the typical draw: that whose summary (errors, regularizers, sparsities, neurons) lies
    nearest to the median of all draws. The title names its seeds.
    """

    tables = ("matrices", "spectra", "summary")

    def render(self, request: Request[TrainedMatrices], results: Results) -> Figure:
        """(a) over the width of the page, below it two networks in a row."""
        assert request.measures
        chosen = typical(request, results)
        layer, shown = (
            request.settings.layer,
            [one for one in chosen if KINDS[one.network].factorised],
        )
        rows, columns = style.grid(len(shown), 2)
        block = HEAD + THIN + BETWEEN + SIDE + BELOW
        height = ABOVE + SPECTRA[1] + BELOW + rows * block
        figure = style.page(style.FULL, height)
        ax = style.place(figure, LEFT, height - ABOVE - SPECTRA[1], *SPECTRA)
        spectra(ax, request, chosen, results)
        title = f"(a) singular values, {training(request.settings)}{note(request, chosen)}"
        style.heading(figure, LEFT, height - 0.1, title)

        found = [sorted_matrices(results, one, layer) for one in shown]
        scale = Scale(request.measures.threshold, largest(*(a for three in found for a in three)))
        step = LEFT + THIN + BETWEEN + SIDE
        for i, (one, three) in enumerate(zip(shown, found, strict=True)):
            row, column = divmod(i, columns)
            x, y = LEFT + column * step, (rows - 1 - row) * block + BELOW
            diverged = results.diverged(*one.milestone)
            axes = product(figure, x, y, layer)
            for ax, matrix in zip(axes, three, strict=True):
                picture(ax, matrix, scale, diverged)
            axes[1].set_xticks([])
            axes[2].set_yticks([])
            title = f"({'bcdefghi'[i]}) {style.network(one.network, one.regularizer)}"
            style.heading(figure, x, y + block - BELOW - 0.16, title)
        if shown:
            place = columns * step + 0.12, (rows - 1) * block + BELOW
            bar(style.place(figure, *place, 0.09, THIN + BETWEEN + SIDE), scale)
        return figure


def spectra(
    ax: Axes, request: Request[TrainedMatrices], shown: Sequence[Shown], results: Results
) -> None:
    """(a): singular values against their index, marked at the rank; a table of the ranks."""
    assert request.measures
    measures, layer = request.measures, request.settings.layer
    values, ends, ranks, size = [measures.rank_threshold], [], [], 1
    for one in shown:
        about = results.rows(*one.milestone, "matrices", matrix=f"A{layer}").iloc[-1]
        size = max(size, int(about["rows"]), int(about["columns"]))
        if (diverged := results.diverged(*one.milestone)) is not None:
            ranks.append(("", f"diverged at {diverged:,}"))
            continue
        spectrum = results.rows(*one.milestone, "spectra", matrix=f"A{layer}")
        spectrum = spectrum.sort_values("index")
        sigma, rank = spectrum["singular_value"].to_numpy(), int(about["rank"])
        look = style.marked(one.network, one.regularizer)
        ax.plot(spectrum["index"], sigma, markevery=[rank - 1] if rank else [], zorder=3, **look)
        if len(sigma) < min(about["rows"], about["columns"]):
            ends.append((len(sigma), sigma[-1], look["color"]))
        ranks.append((f"{rank}", f"{about['relative_rank']:.0f}"))
        values += sigma[np.isfinite(sigma) & (sigma > 0)].tolist()

    lowest = max(min(values) / 3, measures.rank_threshold * FLOOR)
    ax.set(xscale="log", yscale="log", xlim=(0.93, size * 1.08), ylim=(lowest, 3 * max(values)))
    ticks = indices(size, [end for end, _, _ in ends])
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.axhline(measures.rank_threshold, color="#7F7F7F", linewidth=0.6)
    for end, value, colour in ends:
        ax.vlines(end, lowest, max(value, lowest), color=colour, linewidth=0.6)
    if ends:
        left = ends[0][0] < size**0.5
        x, side = (ends[0][0] * 1.1, "left") if left else (ends[0][0] / 1.1, "right")
        text = f"$\\sigma_i=0$ for $i>{ends[0][0]}$"
        ax.text(x, 1.5 * lowest, text, ha=side, va="bottom", fontsize=style.SMALL)
    ax.set_xlabel("index $i$")
    ax.set_ylabel(f"singular value $\\sigma_i$ of $\\mathbf{{A}}^{{({layer})}}$")
    table(ax, measures, shown, ranks)


def indices(size: int, ends: Sequence[int]) -> list[int]:
    """Ticks of the index: the first, the last, where spectra end, and powers of ten between."""
    named = {1, size, *ends}
    tens = (10**power for power in range(1, 7))
    return sorted(named | {t for t in tens if t < size and all(abs(t - n) > n / 3 for n in named)})


def table(
    ax: Axes, measures: Measures, shown: Sequence[Shown], ranks: Sequence[tuple[str, str]]
) -> None:
    """Beside (a): for each curve its line, its name and two counts of singular values."""
    inches: dict[str, Any] = {"transform": style.from_corner(ax)}
    left, y = SPECTRA[0] + 0.15, -0.1
    absolute, relative = (
        style.parameter(value)
        for value in (measures.rank_threshold, measures.relative_rank_threshold)
    )
    heads = (f"$\\sigma_i>{absolute}$", f"$\\sigma_i>{relative}\\,\\sigma_1$")
    style.write(ax, left + 2.5, y, "number of singular values with", ha="right", **inches)
    for row, counts in enumerate([heads, *ranks]):
        y -= 0.16
        style.write(ax, left + 1.9, y, counts[0], ha="right", **inches)
        style.write(ax, left + 2.5, y, counts[1], ha="right", **inches)
        if row:
            one = shown[row - 1]
            look = inches | style.marked(one.network, one.regularizer)
            xs = left, left + 0.15, left + 0.3
            ax.plot(xs, [y] * 3, markevery=[1], clip_on=False, **look)
            name = style.network(one.network, one.regularizer)
            style.write(ax, left + 0.38, y, name, **inches)


def product(figure: Figure, x: float, y: float, layer: int) -> tuple[Axes, Axes, Axes]:
    """Axes for W on the left of and V above their product, from a lower left corner in inches."""
    inner = x + (THIN + BETWEEN)
    W = style.place(figure, x, y, THIN, SIDE)
    V = style.place(figure, inner, y + SIDE + BETWEEN, SIDE, THIN)
    A = style.place(figure, inner, y, SIDE, SIDE)
    names = f"\\mathbf{{W}}^{{({layer})}}", f"\\mathbf{{V}}^{{({layer - 1})}}"
    W.set_title(f"${names[0]}$", pad=3)
    V.set_ylabel(f"${names[1]}$", rotation=0, ha="right", va="center", labelpad=0)
    A.set_xlabel(f"$\\mathbf{{A}}^{{({layer})}}={names[0]}{names[1]}$", labelpad=-5)
    return W, V, A


FIGURE = Ranks()
