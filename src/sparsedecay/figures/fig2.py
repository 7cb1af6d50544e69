"""Figure 2: a panel for each regularization parameter, a curve for each regularizer.

The curve of a run that has diverged ends with a cross.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Asked, Declaration, Draw, Request, Shown
from sparsedecay.figures.typical import label, typical
from sparsedecay.files import paths
from sparsedecay.files.results import Results
from sparsedecay.science import regularizers
from sparsedecay.science.networks import NetworkName
from sparsedecay.science.regularizers import RegularizerName
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Lam, Settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT, GAP = 0.54, 0.12, 0.18
"""Margins and the gap between two panels, inches."""
PANEL, BELOW, LINE = 1.3, 0.36, 0.13
"""Heights of a panel, of its axis, and of a line of the table above it, inches."""


@dataclass(frozen=True)
class Curve:
    """One network's average sparsity by epoch, or the median of several draws with quartiles.

    `ended`: the MSE at the end and its median in print; `lost`: whether it diverged, or all draws
    did; `note`: this in words.
    """

    shown: Shown
    average: pd.Series
    quartiles: tuple[pd.Series, pd.Series] | None
    ended: tuple[str, str]
    lost: bool = False
    note: str = ""


class Figure2(Settings):
    """Average sparsity of the weight matrices against the epoch."""

    network: NetworkName
    """The network that is trained: that of Theorem 1 or, `dense`, that of footnote 1."""
    lam: Annotated[tuple[Lam, ...], Field(min_length=1, max_length=12, strict=False)]
    """Regularization parameters, one panel each."""
    regularizers: Annotated[
        tuple[RegularizerName, ...],
        Field(min_length=1, max_length=len(regularizers.KINDS), strict=False),
    ]
    """One curve each. `none` does not depend on `lam`: one run stands in all panels."""

    @model_validator(mode="after")
    def check(self) -> Figure2:
        for name in ("lam", "regularizers"):
            if len(set(getattr(self, name))) != len(getattr(self, name)):
                raise ValueError(f"{name}: each value may stand only once")
        return self


class Sparsity(Declaration[Figure2]):
    """Figure 2: average sparsity of the weight matrices against the epoch.

    Average sparsity of the weight matrices against the training epoch, for each regularization
    parameter and regularizer, with the MSE at the last epoch above each panel. Where that epoch
    lies off the last recorded ones by more than a factor of three, as on a spike of the loss, their
    median stands beside it.

    Above the typical draw of targets and initial weights, below the median of all draws and the
    range of their middle half.
    """

    section = Figure2
    replicated = True

    def milestones(self, settings: Figure2, study: Asked) -> list[tuple[Run, int]]:
        return [
            (study.run(settings.network, regularizer, lam), study.training.epochs)
            for lam in settings.lam
            for regularizer in settings.regularizers
        ]

    def reads(self, shown: tuple[Shown, ...]) -> Iterator[str]:
        for one in shown:
            yield paths.measured(*one.milestone, "summary")
            yield from (paths.measured(one.run, epoch, "trajectory") for epoch in one.epochs)

    def render(self, request: Request[Figure2], results: Results) -> Figure:
        """Panels in the order of `request.settings.lam`, at most three in a row. Of several draws
        the typical one, and below it the median and the quartiles of all."""
        assert request.measures
        shown = typical(request, results)
        groups: list[tuple[str, Sequence[Draw]]] = [("", [shown])]
        if request.draws:
            draws = f"{len(request.draws)} draws"
            groups = [
                (f"(a) {label(shown)}, the typical one of {draws}", [shown]),
                (f"(b) median of {draws}, and the range of the middle half", request.draws),
            ]
        lams, each = request.settings.lam, len(request.settings.regularizers)
        rows, columns = style.grid(len(lams), 3)
        width = style.COLUMN if columns == 1 else style.FULL
        block = LINE * (each + 1) + 0.12 + PANEL + BELOW
        title = 0.2 if request.draws else 0
        part = rows * block + title
        height = len(groups) * part
        figure = style.page(width, height)
        panel = (width - LEFT - RIGHT - GAP * (columns - 1)) / columns
        last = max(one.epochs[-1] for one in shown)
        for number, (heading, of_draws) in enumerate(groups):
            base = (len(groups) - 1 - number) * part
            style.heading(figure, 0.1, base + part - title / 2, heading)
            make = median if of_draws is request.draws else single
            for i, lam in enumerate(lams):
                curves = [
                    make(results, networks(of_draws, kind, lam))
                    for kind in request.settings.regularizers
                ]
                row, column = divmod(i, columns)
                bottom = base + (rows - 1 - row) * block + BELOW
                ax = style.place(figure, LEFT + column * (panel + GAP), bottom, panel, PANEL)
                for one in curves:
                    plot(ax, one)
                axes(ax, last)
                table(ax, lam, curves)
                if column == 0:
                    threshold = style.parameter(request.measures.threshold)
                    words = f"average sparsity\n(fraction with $|a|>{threshold}$)"
                    ax.set_ylabel(words, linespacing=1.15)
                else:
                    ax.tick_params(labelleft=False)
        return figure


def networks(draws: Sequence[Draw], kind: RegularizerName, lam: float) -> Draw:
    """A panel's network with this regularizer in each draw; one that does not depend on lam, whose
    own is 0, stands in all panels."""
    same = [[one for one in draw if one.regularizer == kind] for draw in draws]
    return tuple(next(one for one in draw if one.lam in (lam, 0)) for draw in same)


def plot(ax: Axes, curve: Curve) -> None:
    look = style.line(curve.shown.network, curve.shown.regularizer)
    if curve.quartiles:
        low, high = curve.quartiles
        ax.fill_between(low.index, low, high, color=look["color"], alpha=0.3, linewidth=0)
    ax.plot(curve.average.index, curve.average, clip_on=False, zorder=3, **look)
    if curve.lost and len(curve.average):
        end = {"marker": "x", "markersize": 5, "markeredgewidth": 1.2, "linestyle": "none"}
        last = curve.average.iloc[[-1]]
        ax.plot(last.index, last, clip_on=False, zorder=4, **look | end)


def single(results: Results, draws: Draw) -> Curve:
    """The curve of one network."""
    (shown,) = draws
    lost, average = results.diverged(*shown.milestone), trajectory(results, shown)
    if lost is not None:
        return Curve(shown, average, None, ("", ""), lost=True, note=f"diverged at {lost:,}")
    summary = results.table(*shown.milestone, "summary").iloc[-1]
    return Curve(shown, average, None, style.final_mse(summary))


def median(results: Results, draws: Draw) -> Curve:
    """The median of the same network in several draws, as long as they have not diverged; its MSE
    is the median of medians of the others."""
    import pandas as pd

    by_draw = pd.concat([trajectory(results, shown) for shown in draws], axis=1).sort_index()
    low, middle, high = (by_draw.quantile(part, axis=1) for part in (0.25, 0.5, 0.75))
    ends = [results.table(*one.milestone, "summary").iloc[-1] for one in draws]
    found = [end["mse_tail_median"] for end in ends if math.isnan(end["diverged"])]
    mse = style.scientific(float(np.median(found))) if found else ""
    lost = len(draws) - len(found)
    note = f"{lost if found else 'all'} diverged" if lost else ""
    return Curve(draws[0], middle, (low, high), (mse, ""), lost=not found, note=note)


def trajectory(results: Results, shown: Shown) -> pd.Series:
    """Average sparsity by epoch, over all milestones of a run, as far as it had not diverged."""
    import pandas as pd

    parts = []
    for epoch in shown.epochs:
        table = results.table(shown.run, epoch, "trajectory")
        if not (table["measure"] == "diverged").any():  # otherwise it may have no such row
            table = results.rows(shown.run, epoch, "trajectory", measure="average_sparsity")
        parts.append(table[table["measure"] == "average_sparsity"])
    return pd.concat(parts).groupby("epoch")["value"].last()


def axes(ax: Axes, last: int) -> None:
    """Epochs 0 … last, and sparsity 0 … 1."""
    style.epochs(ax, last)
    ax.set(ylim=(0, 1), yticks=[0, 0.25, 0.5, 0.75, 1])
    ax.set_yticklabels(["0", "", "0.5", "", "1"])


def table(ax: Axes, lam: float, curves: Sequence[Curve]) -> None:
    """Above a panel: lam, and for each curve its line, its name and the MSE at the end."""
    figure = ax.get_figure(root=True)
    assert figure
    width = figure.get_figwidth() * ax.get_position().width
    medians = any(curve.ended[1] for curve in curves)
    shift = 0.56 if medians or any(curve.note and curve.ended[0] for curve in curves) else 0
    inches: dict[str, Any] = {"transform": style.from_corner(ax)}
    right, top = inches | {"ha": "right"}, 0.1 + LINE * len(curves)
    style.write(ax, width - shift, top, "MSE", **right)
    style.write(ax, width, top, "median" if medians else "", **right)
    title = f"$\\lambda={style.parameter(lam)}$"
    style.write(ax, 0, top, title, fontsize=style.TEXT, **inches)
    for row, curve in enumerate(curves, start=1):
        y, (mse, tail) = 0.1 + LINE * (len(curves) - row), curve.ended
        style.write(ax, width - shift, y, mse, **right)
        style.write(ax, width, y, tail or curve.note, **right)
        one = curve.shown
        look = style.line(one.network, one.regularizer)
        ax.plot([0, 0.2], [y, y], clip_on=False, **inches, **look)
        style.write(ax, 0.25, y, style.title(one.regularizer), **inches)


FIGURE = Sparsity()
