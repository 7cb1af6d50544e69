"""What equation 2 does to the matrix between two ReLU layers, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Asked, Declaration, Panel, Request, Shown
from sparsedecay.files import paths
from sparsedecay.files.results import Results
from sparsedecay.science import networks
from sparsedecay.science.initializations.uniform import Uniform
from sparsedecay.science.recorded import LEADING
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Epoch, Interval, Lam, Settings, increasing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT, TOP = 0.62, 0.12, 0.36
"""Margins, and room for the titles, inches."""
GAP, BESIDE = 0.1, 0.24
"""Between two rows, and between two columns, inches."""
PANEL, BELOW = 1.05, 0.36
"""Heights of a panel and of the axis below all, inches."""
SIGMA = ("-", (0, (4, 1.2)), (0, (1, 1)))
"""Lines of the first, second and third singular value."""


class Column(Panel):
    """One trained network, and where it starts."""

    range: Interval
    """Lowest and highest initial value."""

    @model_validator(mode="after")
    def check(self) -> Column:
        increasing(self.range)
        return self


class Collapse(Settings):
    """Singular values, skip connections and neurons against the epoch."""

    lam: Lam
    """Regularization parameter."""
    epoch: Epoch
    """Epoch at which the curves end."""
    layer: Annotated[int, Field(ge=2, le=64)]
    """Which matrix: A^(layer), the weights from ReLU layer - 1 into ReLU layer."""
    columns: Annotated[tuple[Column, ...], Field(min_length=1, max_length=5, strict=False)]
    """The networks, one column each."""


class Fate(Declaration[Collapse]):
    """What equation 2 does to A, epoch by epoch.

    The three largest singular values of the matrix A between two ReLU layers, the Frobenius norm of
    the skip connections past its layer, and the number of neurons of its layer that matter to the
    fit, against the training epoch. Equation 2 charges skip connections linearly and all other
    weights quadratically, so that making A smaller and the skip connections larger pays: where A
    vanishes, the skip connections carry the function.
    """

    section = Collapse

    def rules(self, settings: Collapse, study: Asked) -> Iterator[str]:
        if settings.layer > study.network.L:
            yield (
                f"layer: networks here have {study.network.L} ReLU layers (network.L), so there is "
                f"no A^({settings.layer}); lower it or raise network.L"
            )
        for column in settings.columns:
            if not networks.KINDS[column.network].factorised:
                yield (
                    f"columns: of {column.network} no singular values are recorded, as its A is no "
                    "product; name a network whose A is one"
                )
        if settings.epoch > study.training.epochs:
            yield (
                f"epoch: training ends at epoch {study.training.epochs:,} (training.epochs); lower "
                "it or raise training.epochs"
            )

    def milestones(self, settings: Collapse, study: Asked) -> list[tuple[Run, int]]:
        found = []
        for column in settings.columns:
            run = study.run(column.network, column.regularizer, settings.lam)
            start = Uniform(range=column.range, scale="none", seed=run.initialization.seed)
            found.append((run.model_copy(update={"initialization": start}), settings.epoch))
        return found

    def reads(self, shown: tuple[Shown, ...]) -> Iterator[str]:
        for one in shown:
            yield from (paths.measured(one.run, epoch, "trajectory") for epoch in one.epochs)

    def render(self, request: Request[Collapse], results: Results) -> Figure:
        """A column for each network, a row for each quantity."""
        columns, width = request.settings.columns, style.FULL
        panel = (width - LEFT - RIGHT - BESIDE * (len(columns) - 1)) / len(columns)
        height = TOP + 3 * (PANEL + GAP) + BELOW - GAP
        figure = style.page(width, height)
        rows: list[list[Axes]] = [[], [], []]
        for i, (column, shown) in enumerate(zip(columns, request.shown, strict=True)):
            recorded = trajectories(results, shown)
            look = style.line(shown.network, shown.regularizer) | {"linestyle": "-"}
            for row, curves in enumerate(quantities(recorded, request.settings.layer)):
                bottom = BELOW + (2 - row) * (PANEL + GAP)
                ax = style.place(figure, LEFT + i * (panel + BESIDE), bottom, panel, PANEL)
                for line, curve in zip(SIGMA, curves, strict=False):
                    ax.plot(curve.index, curve, clip_on=True, **look | {"linestyle": line})
                rows[row].append(ax)
            low, high = column.range
            ax = rows[0][-1]
            inches: dict[str, Any] = {"transform": style.from_corner(ax)}
            style.write(ax, 0, 0.22, style.title(column.regularizer), **inches)
            style.write(ax, 0, 0.09, f"from $[{low:g}, {high:g}]$", **inches)
        finish(rows, request)
        figure.align_ylabels([row[0] for row in rows])
        return figure


def trajectories(results: Results, shown: Shown) -> pd.DataFrame:
    """The records of all milestones of a run, each epoch once."""
    import pandas as pd

    tables = [results.table(shown.run, epoch, "trajectory") for epoch in shown.epochs]
    return pd.concat(tables).drop_duplicates(["epoch", "measure", "matrix"], keep="last")


def quantities(recorded: pd.DataFrame, layer: int) -> Iterator[list[pd.Series]]:
    """The curves of each row: singular values, norm of the skip connections, neurons."""

    def curve(measure: str, matrix: str) -> pd.Series:
        chosen = (recorded["measure"] == measure) & (recorded["matrix"] == matrix)
        found: pd.Series = recorded[chosen].set_index("epoch")["value"].sort_index()
        return found

    yield [curve(f"singular_value_{i}", f"A{layer}") for i in range(1, LEADING + 1)]
    yield [curve("frobenius_norm", f"C{layer}")]
    yield [curve("active_neurons", f"h{layer}")]


def finish(rows: list[list[Axes]], request: Request[Collapse]) -> None:
    """Scales, labels and a legend."""
    from matplotlib.ticker import MaxNLocator

    layer = request.settings.layer
    labels = (
        f"singular values\nof $A^{{({layer})}}$",
        f"$\\|C^{{({layer})}}\\|_F$",
        f"neurons of\nlayer {layer}",
    )
    for number, (axes, label) in enumerate(zip(rows, labels, strict=True)):
        tops = [ax.dataLim.y1 for ax in axes]
        for ax in axes:
            style.epochs(ax, request.settings.epoch)
            if number == 0:
                ax.set_yscale("log")
                ax.set(ylim=(1e-5, 3 * max(tops)), yticks=[1e-4, 1e-2, 1, 1e2])
                ax.set_yticks([], minor=True)
            else:
                ax.set_ylim(0, 1.05 * max(*tops, 1e-9))
                ax.yaxis.set_major_locator(MaxNLocator(4))
            if number < 2:
                ax.tick_params(labelbottom=False)
                ax.set_xlabel("")
            if ax is axes[0]:
                ax.set_ylabel(label)
            else:
                ax.tick_params(labelleft=False)
    first = rows[0][0]
    names = ("$\\sigma_1$", "$\\sigma_2$", "$\\sigma_3$")
    first.legend(first.get_lines(), names, loc="lower left", frameon=False, fontsize=style.SMALL)


FIGURE = Fate()
