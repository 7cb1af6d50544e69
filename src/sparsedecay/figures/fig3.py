"""Figure 3: the weight matrices between two ReLU layers of trained networks.

Each panel shows |A^(l)|, for a representer network the product W^(l) V^(l-1), with rows and columns
sorted by decreasing l2 norm. Brighter is larger; black are the entries that count as zero.
"""

import math

import numpy as np
from matplotlib.figure import Figure

from sparsedecay.figures import style
from sparsedecay.figures.pictures import Scale, bar, decreasing, largest, picture
from sparsedecay.figures.results import Results
from sparsedecay.settings import Request, Shown

LEFT, BELOW, ABOVE, GAP = 0.42, 0.38, 0.33, 0.17
BAR = (0.12, 0.09, 0.52)
"""Gap before the colour bar, its width, and its labels, inches."""

CAPTION = {"ha": "center", "va": "bottom", "fontsize": style.SMALL}


def draw(request: Request, results: Results) -> Figure:
    """Panels in the order of `request.shown`, at most four in a row."""
    layer, shown = request.settings.layer, request.shown
    matrices = [between(results, one, layer) for one in shown]
    matrices = [a[np.ix_(decreasing(a, 0), decreasing(a, 1))] for a in matrices]
    scale = Scale(request.measures.threshold, largest(*matrices))

    rows = math.ceil(len(shown) / 4)
    columns = math.ceil(len(shown) / rows)
    side = min(2.4, (style.FULL - LEFT - GAP * (columns - 1) - sum(BAR)) / columns)
    block = ABOVE + side + BELOW
    width = LEFT + columns * side + GAP * (columns - 1) + sum(BAR)
    figure = Figure(figsize=(width, rows * block))
    for i, (one, matrix) in enumerate(zip(shown, matrices, strict=True)):
        row, column = divmod(i, columns)
        bottom = (rows - 1 - row) * block + BELOW
        ax = style.place(figure, LEFT + column * (side + GAP), bottom, side, side)
        picture(ax, np.abs(matrix), scale)
        ax.set_xlabel(f"neuron of layer {layer - 1}", labelpad=-4)
        if column == 0:
            ax.set_ylabel(f"neuron of layer {layer}", labelpad=-12)
        else:
            ax.set_yticklabels([])
        ax.set_title(style.network(one.network, one.regularizer), pad=11)
        measured = caption(results, one, layer)
        ax.annotate(measured, (0.5, 1), (0, 2), "axes fraction", "offset points", **CAPTION)
    last = style.place(figure, width - BAR[1] - BAR[2], BELOW, BAR[1], rows * block - BELOW - ABOVE)
    bar(last, scale, f"magnitude of an entry of $\\mathbf{{A}}^{{({layer})}}$")
    return figure


def between(results: Results, shown: Shown, layer: int) -> np.ndarray:
    """A^(layer) of a trained network, (K, K)."""
    network, p = results.trained(shown.run, shown.epochs[-1])
    factors = [p[name] for name in network.factors(layer)]
    return np.linalg.multi_dot(factors) if len(factors) > 1 else factors[0]


def caption(results: Results, shown: Shown, layer: int) -> str:
    """Sparsity of the matrix, and MSE of the network."""
    epoch = shown.epochs[-1]
    sparsity = results.matrix(shown.run, epoch, f"A{layer}")["sparsity"]
    mse = results.table(shown.run, epoch, "summary")["mse"].iloc[-1]
    return f"sparsity {style.scientific(sparsity)}, MSE {style.scientific(mse)}"
