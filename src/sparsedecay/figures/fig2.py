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
SPIKE = 3
"""Ratio of the last MSE to the median of the last records, either way, beyond which the last epoch
does not stand for the end of training."""


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
            ax.plot(average.index, average, clip_on=False, zorder=3, **style.line(one.regularizer))
        axes(ax, last)
        table(ax, lam, shown, [final(results, one) for one in shown])
        if column == 0:
            threshold = style.parameter(request.measures.threshold)
            ax.set_ylabel(f"average sparsity\n(fraction with $|a|>{threshold}$)")
        else:
            ax.tick_params(labelleft=False)
    return figure


def trajectory(results: Results, shown: Shown) -> pd.Series:
    """Average sparsity by epoch, over all milestones of a run."""
    tables = [results.table(shown.run, epoch, "trajectory") for epoch in shown.epochs]
    rows = pd.concat([table[table["measure"] == "average_sparsity"] for table in tables])
    return rows.groupby("epoch")["value"].last()


def final(results: Results, shown: Shown) -> tuple[str, str]:
    """The MSE at the last epoch in print, and the median of the last records if they differ."""
    summary = results.table(shown.run, shown.epochs[-1], "summary").iloc[-1]
    mse, median = summary["mse"], summary["mse_tail_median"]
    spike = mse > SPIKE * median or mse < median / SPIKE
    return style.scientific(mse), style.scientific(median) if spike else ""


def axes(ax: Axes, last: int) -> None:
    """Epochs 0 … last, in thousands where there are many, and sparsity 0 … 1."""
    thousands = last >= 10_000
    ax.set(xlim=(0, last), ylim=(0, 1), yticks=[0, 0.25, 0.5, 0.75, 1])
    ax.set_yticklabels(["0", "", "0.5", "", "1"])
    ax.set_xlabel("epoch (thousands)" if thousands else "epoch")
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / (1000 if thousands else 1):g}"))


def table(
    ax: Axes, lam: float, shown: Sequence[Shown], ends: Sequence[tuple[str, str]]
) -> None:
    """Above a panel: lam, and for each curve its line, its name and the MSE at the end."""
    width, height = ax.figure.get_size_inches() * ax.get_position().size
    medians = any(median for _, median in ends)

    def write(row: int, x: float, text: str, size: float = style.SMALL, **more: str) -> None:
        ax.text(
            x / width, level(row), text, transform=ax.transAxes, va="center", fontsize=size, **more
        )

    def level(row: int) -> float:
        return 1 + (0.1 + LINE * (len(shown) - row)) / height

    write(0, 0, f"$\\lambda={style.parameter(lam)}$", style.TEXT)
    heads = ("MSE", "median" if medians else "")
    for row, (value, median) in enumerate([heads, *ends]):
        write(row, width - (0.56 if medians else 0), value, ha="right")
        write(row, width, median, ha="right")
    for row, one in enumerate(shown, start=1):
        sample = [0, 0.2 / width], [level(row)] * 2
        ax.plot(*sample, transform=ax.transAxes, clip_on=False, **style.line(one.regularizer))
        write(row, 0.25, style.REGULARIZERS[one.regularizer])
