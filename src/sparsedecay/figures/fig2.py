"""Figure 2: average sparsity of the weight matrices against the training epoch.

One panel for each regularization parameter, one curve for each regularizer; above each panel the
MSE with which training ended. Where the last epoch sits on a spike of the loss (Adam has such), the
median of the last records stands beside it.
"""

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sparsedecay.figures import style
from sparsedecay.figures.results import Results
from sparsedecay.settings import Request, Shown

LEFT, RIGHT, GAP = 0.54, 0.12, 0.18
"""Margins and the gap between two panels, inches."""
PANEL, BELOW, LINE = 1.3, 0.36, 0.13
"""Heights of a panel, of its axis, and of a line of the table above it, inches."""


def draw(request: Request, results: Results) -> Figure:
    """Panels in the order of `request.settings.lam`, at most three in a row."""
    lams, each = request.settings.lam, len(request.settings.regularizers)
    rows = math.ceil(len(lams) / 3)
    columns = math.ceil(len(lams) / rows)
    width = style.COLUMN if columns == 1 else style.FULL
    head = LINE * (each + 1) + 0.12
    block = head + PANEL + BELOW
    figure = Figure(figsize=(width, rows * block))
    panel = (width - LEFT - RIGHT - GAP * (columns - 1)) / columns

    last = max(shown.epochs[-1] for shown in request.shown)
    for i, lam in enumerate(lams):
        row, column = divmod(i, columns)
        bottom = (rows - 1 - row) * block + BELOW
        ax = style.place(figure, LEFT + column * (panel + GAP), bottom, panel, PANEL)
        shown = request.shown[i * each : (i + 1) * each]
        for one in shown:
            average = trajectory(results, one)
            look = style.line(one.network, one.regularizer)
            ax.plot(average.index, average, clip_on=False, zorder=3, **look)
        axes(ax, last)
        table(ax, lam, shown, [ended(results, one) for one in shown])
        if column == 0:
            threshold = style.parameter(request.measures.threshold)
            ax.set_ylabel(f"average sparsity\n(fraction with $|a|>{threshold}$)", linespacing=1.15)
        else:
            ax.tick_params(labelleft=False)
    return figure


def trajectory(results: Results, shown: Shown) -> pd.Series:
    """Average sparsity by epoch, over all milestones of a run."""
    parts = [
        results.rows(shown.run, epoch, "trajectory", measure="average_sparsity")
        for epoch in shown.epochs
    ]
    return pd.concat(parts).groupby("epoch")["value"].last()


def ended(results: Results, shown: Shown) -> tuple[str, str]:
    """The MSE at the end in print, as `style.final_mse`."""
    summary = results.table(shown.run, shown.epochs[-1], "summary")
    return style.final_mse(summary.iloc[-1])


def axes(ax: Axes, last: int) -> None:
    """Epochs 0 … last, in thousands where there are many, and sparsity 0 … 1."""
    thousands = last >= 10_000
    ax.set(xlim=(0, last), ylim=(0, 1), yticks=[0, 0.25, 0.5, 0.75, 1])
    ax.set_yticklabels(["0", "", "0.5", "", "1"])
    ax.set_xlabel("epoch (thousands)" if thousands else "epoch")
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / (1000 if thousands else 1):g}"))


def table(ax: Axes, lam: float, shown: Sequence[Shown], ends: Sequence[tuple[str, str]]) -> None:
    """Above a panel: lam, and for each curve its line, its name and the MSE at the end."""
    width = ax.figure.get_figwidth() * ax.get_position().width
    medians = any(median for _, median in ends)
    inches = {"transform": style.from_corner(ax)}
    text = inches | {"va": "center", "fontsize": style.SMALL}
    heads = ("MSE", "median" if medians else "")
    for row, (value, median) in enumerate([heads, *ends]):
        y = 0.1 + LINE * (len(shown) - row)
        ax.text(width - (0.56 if medians else 0), y, value, ha="right", **text)
        ax.text(width, y, median, ha="right", **text)
        if row == 0:
            title = f"$\\lambda={style.parameter(lam)}$"
            ax.text(0, y, title, **text | {"fontsize": style.TEXT})
            continue
        one = shown[row - 1]
        look = style.line(one.network, one.regularizer)
        ax.plot([0, 0.2], [y, y], clip_on=False, **inches, **look)
        ax.text(0.25, y, style.REGULARIZERS[one.regularizer], **text)
