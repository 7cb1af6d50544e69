"""What is left of a network, by lam, its width K and the number N of data points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from sparsedecay.figures import heat, style
from sparsedecay.figures.declaration import Asked, Declaration, Proof, Request, Shown, redrawn
from sparsedecay.figures.heat import Cell, Fate, Scale
from sparsedecay.files import paths
from sparsedecay.files.results import Results
from sparsedecay.science import data
from sparsedecay.science.convex.problem import Posed, form
from sparsedecay.science.regularizers import KINDS, RegularizerName
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Epoch, Lam, Positive, Settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT, TOP, BELOW = 0.4, 0.64, 0.36, 0.7
"""Margins, with room for titles above, and for the axis and the marks below, inches."""
GAP, BETWEEN = 0.06, 0.74
"""Between two maps, and between the networks' blocks, inches."""
BAR, BESIDE, SHORTER = 0.07, 0.05, 0.06
"""Width of a bar of colours, its distance from the maps, and what it is shorter by at either end,
inches."""
LARGEST = 0.95
"""Width and height of a map at most, inches."""
SHADES = 16
"""Steps of a scale."""
SHARED = ("active", "distinct", "error")
"""Quantities of all blocks."""
FEWEST = 1 / 8
"""Different neurons per data point from which on they have colours of their own."""


class Phase(Settings):
    """Networks over a grid of lam, width and number of data points."""

    regularizer: RegularizerName
    """The regularizer of all of them."""
    lam: Annotated[tuple[Lam, ...], Field(min_length=1, max_length=6, strict=False)]
    """Regularization parameters, a column of maps each."""
    K: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...],
        Field(min_length=2, max_length=12, strict=False),
    ]
    """Widths, ReLU neurons of each layer, increasing: the columns of a map."""
    points: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...],
        Field(min_length=2, max_length=12, strict=False),
    ]
    """Numbers N of data points, increasing: the rows of a map. They take the place of
    `data.points`."""
    layers: Annotated[
        tuple[Annotated[int, Field(ge=1, le=64)], ...],
        Field(min_length=1, max_length=2, strict=False),
    ]
    """Numbers L of ReLU layers, a block of maps each: 1 is the shallow network."""
    draws: Annotated[int, Field(ge=1, le=100)]
    """Draws of data and initial weights. The first has the seeds of `data` and `initialization`,
    each further one has the next whole number."""
    epoch: Epoch
    """Epoch at which the networks are shown."""
    fits: Annotated[Positive, Field(lt=1)]
    """A network fits if its mean squared error is at most this fraction of the targets' mean
    square."""
    certified: Annotated[int, Field(ge=0, le=1_000_000)]
    """Shallow networks with at most so many data points are held against a proven lower bound of
    their objective; 0 for none. A proof is that of all widths, and takes longer the more points."""
    gap: Annotated[Positive, Field(lt=1)]
    """Relative distance of the best network and the lower bound that is proved."""

    @model_validator(mode="after")
    def check(self) -> Phase:
        for name in ("K", "points"):
            if list(getattr(self, name)) != sorted(set(getattr(self, name))):
                raise ValueError(f"{name}: the numbers must increase")
        for name in ("lam", "layers"):
            if len(set(getattr(self, name))) != len(getattr(self, name)):
                raise ValueError(f"{name}: each value may stand only once")
        return self

    @property
    def proven(self) -> tuple[int, ...]:
        """Numbers of data points for which there is a lower bound."""
        return tuple(N for N in self.points if 1 in self.layers and self.certified >= N)


class Remains(Declaration[Phase]):
    """Phase diagrams over lam, width and data.

    Trained networks with one ReLU layer and with several, over their width K (across) and the
    number N of data points (up), for several lam; right of the black line there are at least as
    many neurons as data. From above: the fraction of the neurons that still matter to the fit; the
    different ones among them, a layer, per data point; the mean squared error, over the mean square
    of the targets; and of shallow networks how far
    the objective lies above a lower bound that is proved for every width, of deeper ones the rank
    of the matrix A between two ReLU layers (the least, if there are several). A cell is the median
    of the draws. Grey: none left. A stroke marks where most draws do not fit, a dagger where no
    neuron is left and the network is affine, a cross where they diverged, a figure how many fit
    where draws
    disagree, and a dot where they differ by more than a factor of two.
    """

    section = Phase
    bounded = True

    def rules(self, settings: Phase, study: Asked) -> Iterator[str]:
        if "points" not in type(study.data).model_fields:
            kinds = [name for name, kind in data.KINDS.items() if "points" in kind.model_fields]
            yield (
                f"points: data of kind {study.data.name} have no number of points to vary; choose "
                f"another data.kind: {', '.join(kinds[:-1])} or {kinds[-1]}"
            )
        elif study.optimizer.batches > settings.points[0]:
            yield (
                f"points: {settings.points[0]:,} data points cannot be cut into optimizer.batches "
                f"({study.optimizer.batches:,}) minibatches; raise them, or lower that"
            )
        if settings.epoch > study.training.epochs:
            yield (
                f"epoch: it lies beyond training.epochs ({study.training.epochs:,}); lower it, or "
                "raise training.epochs"
            )
        kind = KINDS[settings.regularizer]
        if not kind.weighted:
            yield f"regularizer: {settings.regularizer} has no lam to vary; name another one"
        elif settings.proven:
            # as it is by default: a reading may change what no longer has a certificate
            reason = form(kind())
            if isinstance(reason, str):
                yield (
                    f"certified: of {settings.regularizer} the global optimum cannot be certified: "
                    f"{reason}; write 0, or name another regularizer"
                )
            elif study.data.d_out > 1:
                yield (
                    f"certified: these data have {study.data.d_out} outputs, and optima are "
                    "certified for one; write 0"
                )

    def milestones(self, settings: Phase, study: Asked) -> list[tuple[Run, int]]:
        if "points" not in type(study.data).model_fields:
            return []  # a mistake, which the rules tell
        return [(trained(study, settings, *point), settings.epoch) for point in grid(settings)]

    def proofs(self, settings: Phase, study: Asked) -> Iterator[Proof]:
        for lam, N, draw in product(settings.lam, settings.proven, range(settings.draws)):
            run = trained(study, settings, 1, lam, settings.K[0], N, draw)
            yield Proof(Posed.of(run), settings.gap)

    def reads(self, shown: tuple[Shown, ...]) -> Iterator[str]:
        for one in shown:
            yield paths.measured(*one.milestone, "summary")
            yield paths.measured(*one.milestone, "matrices")

    def render(self, request: Request[Phase], results: Results) -> Figure:
        """A block for each network, a row for each quantity, a column for each lam."""
        settings, table = request.settings, measured(request, results)
        columns, blocks = len(settings.lam), len(settings.layers)
        free = style.FULL - LEFT - RIGHT - BETWEEN * (blocks - 1) - GAP * (columns - 1) * blocks
        side = min(free / (columns * blocks), LARGEST)
        shown = {L: scales(request, table, L) for L in settings.layers}
        count = max(map(len, shown.values()))
        height = TOP + count * side + (count - 1) * GAP + BELOW
        block = columns * side + (columns - 1) * GAP
        figure = style.page(LEFT + RIGHT + blocks * block + BETWEEN * (blocks - 1), height)
        for b, L in enumerate(settings.layers):
            left = LEFT + b * (block + BETWEEN)
            style.heading(figure, left, height - 0.1, named(L))
            for row, (name, scale) in enumerate(shown[L].items()):
                bottom = BELOW + (count - 1 - row) * (side + GAP)
                for column, lam in enumerate(settings.lam):
                    x = left + column * (side + GAP)
                    ax = style.place(figure, x, bottom, side, side)
                    chosen = table[(table["L"] == L) & (table["lam"] == lam)]
                    heat.show(ax, cells(chosen, settings, name), scale)
                    heat.border(ax, np.less_equal.outer(settings.points, settings.K))
                    ticks(ax, settings, block=b, first=column == 0, last=row == len(shown[L]) - 1)
                    if row == 0:
                        ax.set_title(
                            f"$\\lambda={style.parameter(lam)}$", pad=2.5, fontsize=style.SMALL
                        )
                if b == blocks - 1 or name not in SHARED:
                    x = left + block + BESIDE
                    tall = side - 2 * SHORTER
                    heat.bar(style.place(figure, x, bottom + SHORTER, BAR, tall), scale)
        key(figure, settings)
        return figure


def grid(settings: Phase) -> Iterator[tuple[int, float, int, int, int]]:
    """L, lam, K, N and draw of each network, in the figure's order."""
    yield from product(
        settings.layers, settings.lam, settings.K, settings.points, range(settings.draws)
    )


def trained(
    study: Asked, settings: Phase, L: int, lam: float, K: int, points: int, draw: int
) -> Run:
    """One of its runs."""
    run = redrawn(study.run("representer", settings.regularizer, lam), draw)
    shape = study.network.model_copy(update={"L": L, "K": K})
    given = run.data.model_copy(update={"points": points})
    return run.model_copy(update={"shape": shape, "data": given}).literal()


def named(L: int) -> str:
    """A network in print."""
    return "one ReLU layer ($L=1$)" if L == 1 else f"{L} ReLU layers ($L={L}$)"


def measured(request: Request[Phase], results: Results) -> pd.DataFrame:
    """A row for each network. Of one that has diverged there are no numbers."""
    import pandas as pd

    bounds = {
        (one.data, one.lam): float(results.optimum(one.problem)["bound"]) for one in request.bounds
    }
    rows = []
    for one, point in zip(request.shown, grid(request.settings), strict=True):
        L, lam, K, N, _ = point
        row: dict[str, Any] = dict(zip(("L", "lam", "K", "points", "draw"), point, strict=True))
        row["diverged"] = results.diverged(*one.milestone) is not None
        if not row["diverged"]:
            summary = results.table(*one.milestone, "summary").iloc[-1]
            active = sum(summary["active_neurons"])
            row["active"] = active / (L * K)
            row["distinct"] = sum(summary["distinct_neurons"]) / (L * N)
            row["error"] = float(summary["relative_mse"])
            row["rank"] = rank(results, one) if L > 1 else math.nan
            row |= {"died": active == 0, "fits": row["error"] <= request.settings.fits}
            bound, objective = bounds.get((one.data, lam), math.nan), float(summary["objective"])
            above = (objective - bound) / objective if L == 1 else math.nan
            # nearer than what is proved is as near as can be told
            row["gap"] = max(above, request.settings.gap) if not math.isnan(above) else math.nan
        rows.append(row)
    names = ("active", "distinct", "error", "gap", "rank", "died", "fits")
    return pd.DataFrame([dict.fromkeys(names, math.nan) | row for row in rows])


def rank(results: Results, one: Shown) -> int:
    """The least rank of the matrices between ReLU layers; 0 where one has died."""
    matrices = results.table(*one.milestone, "matrices")
    between = matrices[matrices["matrix"].str.startswith("A")]
    return int((between["rank"] * between["alive"].astype(int)).min())


def cells(table: pd.DataFrame, settings: Phase, name: str) -> list[list[Cell]]:
    """A map of a quantity: rows for N, columns for K."""
    whole = []
    for N in settings.points:
        row = []
        for K in settings.K:
            draws = table[(table["K"] == K) & (table["points"] == N)]
            fit = int(draws["fits"].eq(True).sum())
            note = str(fit) if name == "error" and 0 < fit < settings.draws else ""
            values = tuple(draws[name].dropna().astype(float))
            row.append(Cell(values, fate(draws, settings.draws), note))
        whole.append(row)
    return whole


def fate(draws: pd.DataFrame, count: int) -> Fate:
    """What became of most draws."""
    for column, found in (("diverged", Fate.DIVERGED), ("died", Fate.DIED), ("fits", Fate.FITS)):
        if 2 * int(draws[column].eq(True).sum()) > count:
            return found
    return Fate.MISSES


def scales(request: Request[Phase], table: pd.DataFrame, L: int) -> dict[str, Scale]:
    """The quantities of a network's block, from above, with what their colours mean: those of all
    blocks, then the gap of the shallow network where it is proved, or the rank of A."""
    most = 2.0 ** max(1, math.ceil(math.log2(max(float(table["distinct"].max()), 1)) - 1e-9))
    found = {
        "active": Scale(
            "active neurons\nof all",
            heat.steps(0.01, 1, SHADES),
            "viridis",
            ticks={0.01: "1 %", 0.1: "10 %", 1: "all"},
        ),
        "distinct": Scale(
            "different ones\nper data point",
            (*heat.steps(FEWEST, 1, SHADES // 2), *heat.steps(1, most, SHADES // 4)[1:]),
            "PuOr_r",
            middle=1.0,
            ticks={FEWEST: f"1/{1 / FEWEST:g}", 1: "1", most: f"{most:g}"},
        ),
        "error": Scale(
            "relative MSE",
            heat.steps(1e-4, 1, SHADES),
            "cividis",
            ticks={1e-4: "$10^{-4}$", 1e-2: "$10^{-2}$", 1: "1"},
        ),
    }
    if L > 1:
        top = int(np.nanmax(table["rank"].to_numpy(dtype=float), initial=1))
        edges = tuple(i + 0.5 for i in range(top + 1))
        ranks = {float(i): str(i) for i in sorted({1, (top + 1) // 2, top})}
        found["rank"] = Scale("rank of A", edges, "viridis", logarithmic=False, ticks=ranks)
    elif request.bounds:
        decades = math.floor(math.log10(request.settings.gap) + 1e-9)
        written = {10.0**i: f"{100 * 10.0**i:g} %" for i in range(decades, 1)}
        low = min(written)
        found["gap"] = Scale("certified gap", heat.steps(low, 1, SHADES), "cividis", ticks=written)
    return found


def ticks(ax: Axes, settings: Phase, *, block: int, first: bool, last: bool) -> None:
    """N at the first column, K below the last row."""
    ax.tick_params(length=1.2, labelsize=6, pad=1)
    if first:
        ax.set_yticks(np.arange(len(settings.points)) + 0.5, [f"{N:,}" for N in settings.points])
        ax.set_ylabel("" if block else "$N$", rotation=0, labelpad=5, va="center")
    if last:
        names = [f"{K:,}" for K in settings.K]
        ax.set_xticks(np.arange(len(settings.K)) + 0.5, names, rotation=90)
        ax.set_xlabel("$K$", labelpad=1)


def key(figure: Figure, settings: Phase) -> None:
    """What the marks mean, below the maps."""
    percent = f"{100 * settings.fits:g} %"
    marks = [
        f"{Fate.MISSES.value}  most draws do not fit (relative MSE above {percent})",
        f"{Fate.DIED.value}  no neuron left",
        f"{Fate.DIVERGED.value}  diverged",
    ]
    more = ["grey: none left", "black line: $K\\geq N$ to its right"]
    if 0 < len(settings.proven) < len(settings.points):
        more.append("white: not certified")
    if settings.draws > 1:
        marks.append(f"•  draws differ by more than a factor of {heat.DIFFER}")
        few = f"1–{settings.draws - 1}" if settings.draws > 2 else "1"
        more.insert(0, f"{few}  so many of {settings.draws} draws fit")
    for i, line in enumerate((marks, more)):
        style.note(figure, 0.2 - 0.13 * i, "     ".join(line))


FIGURE = Remains()
