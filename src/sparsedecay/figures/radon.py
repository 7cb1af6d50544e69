"""Where the neurons of the first layer lie, and the function that they make, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Asked, Declaration, Panels, Request, Shown
from sparsedecay.figures.functions import Window, crease_map, curve, stems
from sparsedecay.files import paths
from sparsedecay.files.results import Results
from sparsedecay.science.networks import Network, Parameters
from sparsedecay.science.radon import Atoms, atoms, plane
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Epoch, Lam, Settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT, HEAD, TITLE, FOOT, END = 0.55, 0.08, 0.2, 0.2, 0.42, 0.16
"""Margins, heights of a network's name and of an epoch, room for the axis below a panel and for the
note below all, inches."""
BESIDE, GAP = 0.1, 0.42
"""Between two columns, and between two rows of one network, inches."""
PANEL = 1.35
"""Height of a panel, inches."""


class Gathering(Settings):
    """Neurons in the Radon domain at several epochs."""

    lam: Lam
    """Regularization parameter of the regularized networks."""
    epochs: Annotated[
        tuple[
            Annotated[int, Field(ge=0, le=1_000_000_000, json_schema_extra={"unit": "epochs"})], ...
        ],
        Field(min_length=1, max_length=6, strict=False),
    ]
    """Epochs that are shown side by side, increasing; 0 is the start."""
    panels: Panels
    """The trained networks, one below the other."""

    @model_validator(mode="after")
    def check(self) -> Gathering:
        if list(self.epochs) != sorted(set(self.epochs)) or self.epochs[-1] == 0:
            raise ValueError("epochs: they must increase, and not end at 0")
        if len(set(self.panels)) != len(self.panels):
            raise ValueError("panels: each network and regularizer may stand only once")
        return self


class Film(Settings):
    """What an animation of the figure is made from: its runs side by side, and where it ends."""

    runs: Annotated[tuple[Run, ...], Field(min_length=1, max_length=8, strict=False)]
    epoch: Epoch


class Moment(NamedTuple):
    """A network at an epoch."""

    epoch: int
    network: Network
    p: Parameters
    atoms: Atoms | None
    """None if it has diverged."""


class Radon(Declaration[Gathering]):
    """Neurons as points of the Radon domain, and the function that they make.

    Each neuron v relu(w·x - b) of the first layer is a point: the direction of w, as an angle,
    against the offset b / ||w|| of its crease from the mean of the data. The area is its share of
    the epoch's mass, the sum of all ||v|| ||w||; the colour is the sign of v, or, where a neuron
    feeds several, of its part along their leading axis. Neurons that coincide are one point, and
    those that are active on no data point are left out. Faint lines are the data: a crease on such
    a line passes through a data point. In more than two dimensions directions are seen in the plane
    that holds most of the mass. Of one variable, stems stand where the function bends. Where inputs
    have one or two dimensions the function, its creases and the data are drawn below.
    """

    section = Gathering

    def rules(self, settings: Gathering, study: Asked) -> Iterator[str]:
        if settings.epochs[-1] > study.training.epochs:
            yield (
                f"epochs: they lie beyond training.epochs ({study.training.epochs:,}); lower them, "
                "or raise training.epochs"
            )

    def milestones(self, settings: Gathering, study: Asked) -> list[tuple[Run, int]]:
        runs = (study.run(one.network, one.regularizer, settings.lam) for one in settings.panels)
        return [(run, epoch) for run in runs for epoch in settings.epochs if epoch]

    def reads(self, shown: tuple[Shown, ...]) -> Iterator[str]:
        for one in shown:
            yield paths.data(one.data)
            yield paths.state(*one.milestone)

    def render(self, request: Request[Gathering], results: Results) -> Figure:
        """A block for each network, a column for each epoch."""
        settings = request.settings
        blocks = list(by_run(request.shown))
        X, y = results.samples(request.shown[0].data)[:2]
        d_in, columns = X.shape[1], len(settings.epochs)
        rows = 1 if d_in > 2 else 2
        # a map's panel is square
        panel = (style.FULL - LEFT - RIGHT - BESIDE * (columns - 1)) / columns
        below = min(panel, 2.0) if d_in == 2 else PANEL
        block = HEAD + TITLE + PANEL + FOOT + (below + GAP if rows == 2 else 0)
        figure = style.page(style.FULL, END * (d_in > 2) + block * len(blocks))
        for number, shown in enumerate(blocks):
            moments = [moment(results, shown, epoch, X) for epoch in settings.epochs]
            top = END * (d_in > 2) + block * (len(blocks) - number)
            bottom = top - HEAD - TITLE - PANEL
            name = style.network(shown[0].network, shown[0].regularizer)
            lam = f", $\\lambda={style.parameter(shown[0].lam)}$" if shown[0].lam else ""
            style.heading(figure, LEFT, top - HEAD / 2, f"{name}{lam}")
            axes = [
                style.place(figure, LEFT + i * (panel + BESIDE), bottom, panel, PANEL)
                for i in range(columns)
            ]
            known = [one.atoms for one in moments if one.atoms]
            window = Window.of(X, y, known, *plane(known[-1:], d_in))
            for ax, one in zip(axes, moments, strict=True):
                above(ax, one, window, first=ax is axes[0])
            if rows == 2:
                for i, one in enumerate(moments):
                    x, y_below = LEFT + i * (panel + BESIDE), bottom - GAP - below
                    ax = style.place(figure, x, y_below, panel, below)
                    draw = curve if d_in == 1 else crease_map
                    if one.atoms:
                        draw(ax, one.network, one.p, one.atoms, window, first=i == 0)
        style.heading(figure, LEFT, END / 2, note(window, d_in))
        return figure


def by_run(shown: tuple[Shown, ...]) -> Iterator[list[Shown]]:
    """The milestones of each network, in order."""
    for run in dict.fromkeys(one.run for one in shown):
        yield [one for one in shown if one.run == run]


def moment(results: Results, shown: list[Shown], epoch: int, X: np.ndarray) -> Moment:
    """A network at one of the epochs of its milestones, or at the start."""
    if not epoch:
        network, p = results.start(*shown[0].milestone)
        return Moment(0, network, p, atoms(network, p, X))
    one = next(one for one in shown if one.epochs[-1] == epoch)
    network, p = results.trained(*one.milestone)
    finite = all(np.isfinite(array).all() for array in p.values())
    return Moment(epoch, network, p, atoms(network, p, X) if finite else None)


def above(ax: Axes, one: Moment, window: Window, first: bool) -> None:
    """The Radon picture of one epoch."""
    from matplotlib.ticker import MaxNLocator

    ax.set_title(f"epoch {one.epoch:,}", pad=3)
    if one.atoms is None:
        ax.text(0.5, 0.5, "diverged", ha="center", va="center", transform=ax.transAxes)
        ax.set(xticks=[], yticks=[])
        return
    neurons = int(one.atoms.neurons.sum())
    stems(ax, one.atoms, window)
    mass = style.scientific(float(one.atoms.mass.sum()))
    told = f"{neurons:,} in {len(one.atoms.mass):,} places, mass {mass}"
    place = {"transform": ax.transAxes, "ha": "right", "va": "top", "fontsize": 6}
    style.write(ax, 0.985, 0.985, told, bbox=BOX, **place)
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    if not first:
        ax.tick_params(labelleft=False)
    elif window.dimension == 1:
        ax.set_ylabel("mass, with the sign of $v$")
    else:
        ax.set_ylabel("offset of the crease")
    ax.set_xlabel("crease, $x=t\\gamma$" if window.dimension == 1 else "direction (degrees)")


BOX = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}


def note(window: Window, d_in: int) -> str:
    """What must be said of all panels."""
    if d_in <= 2:
        return ""
    share = f"{100 * window.share:.0f} %"
    return (
        f"Directions in {d_in} dimensions, seen in the plane of the two leading axes at the last "
        f"epoch, which holds {share} of the squared mass there."
    )


FIGURE = Radon()
