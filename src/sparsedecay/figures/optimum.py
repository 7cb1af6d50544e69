"""How far shallow networks are from the global optimum, and how many neurons they keep."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Asked, Declaration, Proof, Request, Shown, redrawn
from sparsedecay.files import paths
from sparsedecay.files.results import Results
from sparsedecay.science.convex.problem import Posed, form
from sparsedecay.science.regularizers import KINDS, RegularizerName
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Epoch, Lam, Positive, Settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT, TOP = 0.62, 0.1, 0.22
"""Margins, and room for the titles, inches."""
GAP, BESIDE = 0.12, 0.16
"""Between two rows, and between two columns, inches."""
PANEL, BELOW = 1.35, 0.62
"""Heights of a panel, and of the axis and the legend below all, inches."""
FINEST = 1e-4
"""Gaps are drawn from here on, or from what is proved."""


class Optimum(Settings):
    """Shallow networks of several widths, and the global optimum that they train for."""

    K: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...],
        Field(min_length=1, max_length=20, strict=False),
    ]
    """Widths: ReLU neurons of each of these networks."""
    lam: Annotated[tuple[Lam, ...], Field(min_length=1, max_length=6, strict=False)]
    """Regularization parameters, one column each."""
    regularizers: Annotated[
        tuple[RegularizerName, ...], Field(min_length=1, max_length=4, strict=False)
    ]
    """Which regularizers; each must be convex in the neurons (docs/optimum.md)."""
    seeds: Annotated[int, Field(ge=1, le=100)]
    """Draws of targets and initial weights. The first has the seeds of `data` and
    `initialization`, each further one has the next whole number."""
    epoch: Epoch
    """Epoch at which the networks are compared with the optimum."""
    gap: Annotated[Positive, Field(lt=1)]
    """Relative distance of the best network and the lower bound that is proved."""
    slack: Annotated[Positive, Field(lt=1)]
    """What the sparsest network may lose, as a fraction of the objective."""


class Certified(Declaration[Optimum]):
    """Shallow networks against the global optimum.

    Above, how far the objective of trained networks with one hidden layer lies above a lower bound
    that is proved for networks of every width, relatively; below, how many different neurons they
    keep, how many the optimum needs (dashed), and how many a network needs that is nearly as good
    (dotted); against the number K of neurons. Lines are medians of the draws, which are the dots.
    """

    section = Optimum

    def rules(self, settings: Optimum, study: Asked) -> Iterator[str]:
        for regularizer in settings.regularizers:
            # as it is by default: a reading may change what no longer has a certificate
            reason = form(KINDS[regularizer]())
            if isinstance(reason, str):
                yield (
                    f"regularizers: of {regularizer} the global optimum cannot be certified: "
                    f"{reason}; name another one, such as eq2"
                )

    def milestones(self, settings: Optimum, study: Asked) -> list[tuple[Run, int]]:
        return [(shallow(study, settings, *point), settings.epoch) for point in points(settings)]

    def proofs(self, settings: Optimum, study: Asked) -> Iterator[Proof]:
        for run, _ in self.milestones(settings, study):
            yield Proof(Posed.of(run), settings.gap, settings.slack)

    def reads(self, shown: tuple[Shown, ...]) -> Iterator[str]:
        for one in shown:
            yield paths.certificate(*one.milestone)

    def render(self, request: Request[Optimum], results: Results) -> Figure:
        """A column for each lam; gaps above, neurons below."""
        import pandas as pd

        settings, width = request.settings, style.FULL
        rows = [results.certificate(*one.milestone) for one in request.shown]
        names = ("regularizer", "lam", "K", "draw")
        placed = (dict(zip(names, point, strict=True)) for point in points(settings))
        table = pd.DataFrame([row | place for row, place in zip(rows, placed, strict=True)])
        count = len(settings.lam)
        panel = (width - LEFT - RIGHT - BESIDE * (count - 1)) / count
        height = TOP + 2 * PANEL + GAP + BELOW
        figure = style.page(width, height)
        axes: list[list[Axes]] = [[], []]
        for i, lam in enumerate(settings.lam):
            for row in range(2):
                bottom = BELOW + (1 - row) * (PANEL + GAP)
                ax = style.place(figure, LEFT + i * (panel + BESIDE), bottom, panel, PANEL)
                axes[row].append(ax)
            x = LEFT + i * (panel + BESIDE)
            style.heading(figure, x, height - 0.1, f"$\\lambda={style.parameter(lam)}$")
            for regularizer in settings.regularizers:
                chosen = table[(table["lam"] == lam) & (table["regularizer"] == regularizer)]
                gaps(axes[0][i], chosen, regularizer, settings.gap)
                neurons(axes[1][i], chosen, regularizer)
            axes[1][i].axhline(table["points"].iloc[0], color="#B0B0B0", linewidth=0.6, zorder=0)
        finish(axes, settings, int(table["points"].iloc[0]))
        legend(figure, settings)
        figure.align_ylabels([row[0] for row in axes])
        return figure


def points(settings: Optimum) -> Iterator[tuple[RegularizerName, float, int, int]]:
    """Regularizer, lam, K and draw of each network, in the figure's order."""
    yield from product(settings.regularizers, settings.lam, settings.K, range(settings.seeds))


def shallow(
    study: Asked, settings: Optimum, regularizer: RegularizerName, lam: float, K: int, draw: int
) -> Run:
    """A run with one hidden layer."""
    run = redrawn(study.run("representer", regularizer, lam), draw)
    shape = study.network.model_copy(update={"L": 1, "K": K})
    return run.model_copy(update={"shape": shape}).literal()


def spread(ax: Axes, x: pd.Series, y: pd.Series, regularizer: str) -> None:
    """The draws as dots, and the line of their medians."""
    look = style.line("representer", regularizer)
    marker = style.REGULARIZERS[regularizer].marker
    ax.plot(x, y, marker, color=look["color"], markersize=2, markeredgewidth=0, alpha=0.6)
    ax.plot(y.groupby(x.to_numpy()).median(), color=look["color"], linewidth=1)


def gaps(ax: Axes, table: pd.DataFrame, regularizer: str, proved: float) -> None:
    """Relative distances from the lower bound."""
    distance = (table["objective"] / table["bound"] - 1).clip(lower=min(FINEST, proved) / 2)
    spread(ax, table["K"], distance, regularizer)


def neurons(ax: Axes, table: pd.DataFrame, regularizer: str) -> None:
    """Neurons of trained networks, of the optimum, and of the sparsest."""
    spread(ax, table["K"], table["cells"], regularizer)
    color = style.line("representer", regularizer)["color"]
    for name, dashes in (("optimum_neurons", (4, 1.5)), ("sparsest_neurons", (1, 1.2))):
        ax.axhline(table[name].median(), color=color, linewidth=0.9, linestyle=(0, dashes))


def finish(axes: list[list[Axes]], settings: Optimum, points: int) -> None:
    """Scales, ticks and labels."""
    from matplotlib.ticker import NullFormatter, NullLocator

    labels = "objective over\nlower bound $-$ 1", "neurons"
    for row, (panels, label) in enumerate(zip(axes, labels, strict=True)):
        low = min(ax.dataLim.y0 for ax in panels)
        high = max(ax.dataLim.y1 for ax in panels)
        for ax in panels:
            ax.set_xscale("log")
            ax.set_xlim(settings.K[0] / 1.25, settings.K[-1] * 1.25)
            ax.xaxis.set_minor_locator(NullLocator())
            ax.set_xticks(settings.K, [f"{K:,}" for K in settings.K] if row else [])
            ax.set_yscale("log")
            ax.set_ylim(low / 1.6, high * 1.6)
            ax.yaxis.set_minor_formatter(NullFormatter())
            if ax is not panels[0]:
                ax.tick_params(labelleft=False)
            elif row:
                ax.set_yticks([1, 3, 10, 30, 100, 300], ["1", "3", "10", "30", "100", "300"])
                ax.set_ylim(max(low, 1) / 1.6, high * 1.6)
            if row:
                ax.set_xlabel("$K$")
        panels[0].set_ylabel(label)
    first = axes[1][-1]
    place = first.get_yaxis_transform()
    first.text(0.99, points, f"$N={points}$", ha="right", va="bottom", fontsize=6, transform=place)


def legend(figure: Figure, settings: Optimum) -> None:
    """What colours and lines stand for, below the panels."""
    from matplotlib.lines import Line2D

    entries = [
        Line2D(
            [],
            [],
            color=style.line("representer", name)["color"],
            marker=style.REGULARIZERS[name].marker,
            markersize=3,
            label=style.title(name),
        )
        for name in settings.regularizers
    ]
    percent = f"{100 * settings.slack:g} %"
    for label, dashes in (
        ("the optimum", (4, 1.5)),
        (f"the sparsest found within {percent}", (1, 1.2)),
    ):
        entries.append(Line2D([], [], color="#4D4D4D", linestyle=(0, dashes), label=label))
    figure.legend(
        handles=entries,
        loc="lower center",
        ncols=len(entries),
        frameon=False,
        fontsize=style.SMALL,
        bbox_to_anchor=(0.5, 0.0),
    )


FIGURE = Certified()
