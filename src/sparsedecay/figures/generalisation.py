"""What lam does: errors on both kinds of rows, and what is left of the network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Asked, Declaration, Panels, Request, Shown
from sparsedecay.files import paths
from sparsedecay.files.results import Results
from sparsedecay.science.regularizers import KINDS
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Epoch, Lam, Settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT, TOP, BELOW, BESIDE = 0.5, 0.08, 0.22, 0.72, 0.52
"""Margins, room for axis and legend, and the gap between panels, inches."""
PANEL = 1.45
"""Height of a panel, inches."""


class Generalisation(Settings):
    """Errors and sizes of networks against lam."""

    lam: Annotated[tuple[Lam, ...], Field(min_length=2, max_length=30, strict=False)]
    """Regularization parameters, increasing. Networks with the regularizer `none` are drawn as
    level lines."""
    epoch: Epoch
    """Epoch at which they are compared."""
    layer: Annotated[int, Field(ge=2, le=64)]
    """Which matrix: A^(layer), the weights from ReLU layer - 1 into ReLU layer."""
    panels: Panels
    """The trained networks, a curve each."""

    @model_validator(mode="after")
    def check(self) -> Generalisation:
        if list(self.lam) != sorted(set(self.lam)):
            raise ValueError("lam: the numbers must increase")
        if len(set(self.panels)) != len(self.panels):
            raise ValueError("panels: each network and regularizer may stand only once")
        return self


class Errors(Declaration[Generalisation]):
    """Errors, neurons and rank against lam.

    From left to right: the mean squared error on the rows of training (dotted) and on the test rows
    (solid); the neurons of all layers that matter to the fit; the fraction of entries of the matrix
    A between two ReLU layers that count as nonzero; the stable rank of A, where it is alive.
    Without regularization there is no lam: a level line.
    """

    section = Generalisation

    def rules(self, settings: Generalisation, study: Asked) -> Iterator[str]:
        if settings.epoch > study.training.epochs:
            yield (
                f"epoch: it lies beyond training.epochs ({study.training.epochs:,}); lower it, or "
                "raise training.epochs"
            )
        if settings.layer > study.network.L:
            yield (
                f"layer: networks here have {study.network.L} ReLU layers (network.L), so there is "
                f"no A^({settings.layer}); lower it or raise network.L"
            )

    def milestones(self, settings: Generalisation, study: Asked) -> list[tuple[Run, int]]:
        found = []
        for panel in settings.panels:
            weighted = KINDS[panel.regularizer].weighted
            for lam in settings.lam if weighted else settings.lam[:1]:
                found.append((study.run(panel.network, panel.regularizer, lam), settings.epoch))
        return found

    def reads(self, shown: tuple[Shown, ...]) -> Iterator[str]:
        for one in shown:
            yield paths.measured(*one.milestone, "summary")
            yield paths.measured(*one.milestone, "matrices")

    def render(self, request: Request[Generalisation], results: Results) -> Figure:
        """Four panels in a row."""
        settings, width = request.settings, style.FULL
        table = measured(request, results)
        panel = (width - LEFT - RIGHT - 3 * BESIDE) / 4
        figure = style.page(width, TOP + PANEL + BELOW)
        axes = [
            style.place(figure, LEFT + i * (panel + BESIDE), BELOW, panel, PANEL) for i in range(4)
        ]
        for panel_ in settings.panels:
            network, regularizer = panel_.network, panel_.regularizer
            rows = table[(table["network"] == network) & (table["regularizer"] == regularizer)]
            look = style.marked(network, regularizer)
            for ax, column in zip(axes, ("test_mse", "neurons", "sparsity", "rank"), strict=True):
                line(ax, rows, column, settings, look)
            line(axes[0], rows, "mse", settings, look | {"linestyle": ":", "marker": "None"})
        A = f"$\\mathbf{{A}}^{{({settings.layer})}}$"
        names = "mean squared error", "neurons in use", f"sparsity of {A}", f"stable rank of {A}"
        for ax, name in zip(axes, names, strict=True):
            finish(ax, name, settings)
        legend(figure, settings)
        return figure


def measured(request: Request[Generalisation], results: Results) -> pd.DataFrame:
    """A row for each network; NaN where one has diverged, or where there are no test rows."""
    import pandas as pd

    rows = []
    for one in request.shown:
        summary = results.table(*one.milestone, "summary").iloc[-1]
        row = {"network": one.network, "regularizer": one.regularizer, "lam": one.lam}
        if results.diverged(*one.milestone) is None:
            A = results.rows(*one.milestone, "matrices", matrix=f"A{request.settings.layer}").iloc[
                0
            ]
            row |= {name: float(summary[name]) for name in ("mse", "test_mse")}
            row |= {"neurons": float(sum(summary["active_neurons"]))}
            # a matrix that has vanished has a stable rank too, which says nothing
            rank = float(A["stable_rank"]) if A["alive"] else math.nan
            row |= {"sparsity": float(A["sparsity"]), "rank": rank}
        rows.append(row)
    columns = ["network", "regularizer", "lam", "mse", "test_mse", "neurons", "sparsity", "rank"]
    return pd.DataFrame(rows, columns=columns)


def line(
    ax: Axes, rows: pd.DataFrame, column: str, settings: Generalisation, look: dict[str, Any]
) -> None:
    """One network against lam; without lam, a level line."""
    if (rows["lam"] == 0).all():
        plain = {"color": look["color"], "linestyle": look["linestyle"], "linewidth": 1}
        ax.axhline(rows[column].iloc[0], **plain)
        return
    ax.plot(rows["lam"], rows[column], linewidth=1, **look)


def finish(ax: Axes, name: str, settings: Generalisation) -> None:
    """Scales and labels."""
    from matplotlib.ticker import LogLocator, NullLocator

    ax.set_xscale("log")
    ax.set_xlim(settings.lam[0] / 1.5, settings.lam[-1] * 1.5)
    ax.xaxis.set_major_locator(LogLocator(numticks=5))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("$\\lambda$")
    ax.set_title(name, pad=4)
    ax.set_ylim(bottom=0)


def legend(figure: Figure, settings: Generalisation) -> None:
    """What curves stand for, below the panels."""
    from matplotlib.lines import Line2D

    entries = [
        Line2D(
            [],
            [],
            linewidth=1,
            label=style.network(one.network, one.regularizer),
            **style.marked(one.network, one.regularizer),
        )
        for one in settings.panels
    ]
    entries.append(Line2D([], [], color="#4D4D4D", linestyle=":", label="training"))
    figure.legend(
        handles=entries,
        loc="lower center",
        ncols=min(len(entries), 4),
        frameon=False,
        fontsize=style.SMALL,
        bbox_to_anchor=(0.5, 0.0),
    )


FIGURE = Errors()
