"""The pipeline's figures, of states that are at hand.

    fig1(L=3)                            the architecture
    fig2([state, …])                     average sparsity against the epoch
    fig3([state, …]), fig4([state, …])   matrices, and their singular values
    collapse([state, …])                 singular values of A, skips, neurons against the epoch
    radon(state)                         neurons in the Radon domain, and the function

Each returns a matplotlib Figure: `figure.savefig("fig.pdf")`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsedecay.api.mistakes import told
from sparsedecay.api.state import MEASURES, State
from sparsedecay.figures import find, style
from sparsedecay.figures.declaration import Request, Shown
from sparsedecay.files.results import Results as Files
from sparsedecay.science import regularizers
from sparsedecay.science import run as science
from sparsedecay.science.data import Samples
from sparsedecay.science.measures import Measures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

States = State | Sequence[State]


class Held(Files):
    """What figures read, of states in memory."""

    def __init__(self, states: Iterable[State]) -> None:
        super().__init__()
        self.states = {(one.run.id, one.epoch): one for one in states}

    def table(self, run: str, epoch: int, name: str) -> pd.DataFrame:
        one = self.states[run, epoch]
        return one.trajectory if name == "trajectory" else one.tables()[name]

    def samples(self, data: str) -> Samples:
        return next(one.samples for one in self.states.values() if one.run.data.id == data)

    def _milestone(self, run: str, epoch: int) -> tuple[science.Run, dict[str, np.ndarray]]:
        one = self.states[run, epoch]
        return one.run, one.p


class Given:
    """States as a figure asks for the runs of a study."""

    def __init__(self, states: Sequence[State]) -> None:
        self.states = states
        first = states[0].run
        self.data, self.network, self.optimizer = first.data, first.shape, first.optimizer
        self.training = SimpleNamespace(epochs=max(one.epoch for one in states))

    def run(self, network: str, regularizer: str, lam: float) -> science.Run:
        weighted = regularizers.KINDS[regularizer].weighted
        for one in self.states:
            run = one.run
            same = (run.network, run.regularizer) == (network, regularizer)
            if same and (run.lam == lam or not weighted):
                return run
        raise ValueError(
            f"states: there is none of {network} with {regularizer} at lam {lam:g}; the figure "
            "shows every regularizer at every lam, so train it or leave others out"
        )


def drawn(name: str, states: Sequence[State], **section: Any) -> Figure:
    """A figure of states by its name and section."""
    figure, given = find(name), Given(states) if states else None
    by_place = {(one.run.id, one.epoch): one for one in states}
    with told(), style.printed():
        settings = figure.section.model_validate(section) if figure.section else None
        shown = []
        if given:
            for rule in figure.rules(settings, given):
                raise ValueError(rule)
            for run, epoch in figure.milestones(settings, given):
                if (run.id, epoch) not in by_place:
                    raise ValueError(
                        f"states: that of {run.id} at epoch {epoch:,} is needed; train it to there"
                    )
                shown.append(one_shown(by_place[run.id, epoch]))
        request = Request(
            figure=name,
            settings=settings,
            measures=Measures.model_validate(MEASURES) if shown else None,
            shown=tuple(shown),
        )
        in_notebooks()
        return figure.render(request, Held(states))


def in_notebooks() -> None:
    """Have IPython show figures as pictures, unless it does already: it learns to only where pyplot
    is imported, which nothing here needs."""
    from matplotlib.figure import Figure

    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell and Figure not in shell.display_formatter.formatters["image/png"].type_printers:
        pylabtools = import_module("IPython.core.pylabtools")
        pylabtools.select_figure_formats(shell, {"retina"})


def one_shown(state: State) -> Shown:
    """A state, as figures are told of it: its trajectory is one table."""
    run = state.run
    return Shown(
        run=run.id,
        network=run.network,
        regularizer=run.regularizer,
        lam=run.lam,
        data=run.data.id,
        seeds=run.seeds,
        epochs=(state.epoch,),
    )


def listed(states: States, same: Sequence[str] = ("epoch",)) -> list[State]:
    """States as a list.

    Raises:
        TypeError: they are none. ValueError: there is none, or they differ in what must agree.
    """
    found = [states] if isinstance(states, State) else list(states)
    if not found or not all(isinstance(one, State) for one in found):
        raise TypeError("states: give a State or a list of them, at least one")
    if "epoch" in same and len({one.epoch for one in found}) > 1:
        raise ValueError("states: they are at different epochs; train all to one")
    return found


def one_lam(states: Sequence[State]) -> float:
    """The lam that all regularized states share.

    Raises:
        ValueError: they differ.
    """
    lams = {one.run.lam for one in states if regularizers.KINDS[one.run.regularizer].weighted}
    if len(lams) > 1:
        raise ValueError("states: this figure shows one lam; give those of one")
    return lams.pop() if lams else 1.0


def panels(states: Sequence[State]) -> list[dict[str, str]]:
    """Network and regularizer of each, once."""
    pairs = dict.fromkeys((one.run.network, one.run.regularizer) for one in states)
    return [{"network": network, "regularizer": name} for network, name in pairs]


def fig1(L: int = 3) -> Figure:
    """Figure 1: the architecture of Theorem 1 with L hidden layers.

    Raises:
        ValueError: L is not from 1 to 8.

    Example:
        >>> import sparsedecay as sd
        >>> figure = sd.fig1(L=2)
    """
    return drawn("fig1", [], L=L)


def fig2(states: States) -> Figure:
    """Figure 2: average sparsity against the epoch, a panel for each lam, a curve for each
    regularizer; every combination must be there (of `none` one).

    Raises:
        TypeError: states are none.
        ValueError: one is missing, or epochs differ.

    Example:
        >>> import sparsedecay as sd
        >>> small = sd.Run(K=20, d=4, stride=100)
        >>> runs = small, small.replace(regularizer="weight_decay")
        >>> states = [sd.train(run, 200, progress=False) for run in runs]
        >>> sd.fig2(states).savefig("fig2.png")
    """
    found = listed(states)
    weighted = [one.run for one in found if regularizers.KINDS[one.run.regularizer].weighted]
    names = list(dict.fromkeys(one.run.regularizer for one in found))
    lams = list(dict.fromkeys(run.lam for run in weighted)) or [1.0]
    return drawn("fig2", found, network=found[0].run.network, lam=lams, regularizers=names)


def fig3(states: States, layer: int = 2) -> Figure:
    """Figure 3: |A^(layer)| of each network as a picture.

    Raises:
        ValueError: states differ in lam or epoch, or have no such matrix.

    Example:
        >>> import sparsedecay as sd
        >>> figure = sd.fig3(sd.train(sd.Run(K=20, d=4, stride=100), 200, progress=False))
    """
    return of_matrices("fig3", states, layer)


def fig4(states: States, layer: int = 2) -> Figure:
    """Figure 4: singular values of A^(layer), and its factors.

    Raises:
        ValueError: as `fig3`.

    Example:
        >>> import sparsedecay as sd
        >>> figure = sd.fig4(sd.train(sd.Run(K=20, d=4, stride=100), 200, progress=False))
    """
    return of_matrices("fig4", states, layer)


def of_matrices(name: str, states: States, layer: int) -> Figure:
    found = listed(states)
    section = {"lam": one_lam(found), "epoch": found[0].epoch, "layer": layer}
    return drawn(name, found, panels=panels(found), **section)


def collapse(states: States, layer: int = 2) -> Figure:
    """What equation 2 does to A: its three largest singular values, the skip connections past it
    and the neurons of its layer, against the epoch; a column for each state.

    Raises:
        ValueError: as `fig3`, or A is no product.

    Example:
        >>> import sparsedecay as sd
        >>> figure = sd.collapse(sd.train(sd.Run(K=20, d=4, stride=100), 200, progress=False))
    """
    found = listed(states)
    columns = [
        {
            "network": one.run.network,
            "regularizer": one.run.regularizer,
            "range": one.run.initialization.column_values()["initial_low"],
        }
        for one in found
    ]
    for column, one in zip(columns, found, strict=True):
        values = one.run.initialization.column_values()
        if "initial_low" not in values or values["initial_scale"] != "none":
            raise ValueError("states: initial values must be uniform and unscaled in this figure")
        column["range"] = [values["initial_low"], values["initial_high"]]
    section = {"lam": one_lam(found), "epoch": found[0].epoch, "layer": layer}
    return drawn("collapse", found, columns=columns, **section)


def radon(states: States, start: bool = True) -> Figure:
    """Neurons of the first layer as points of the Radon domain, and for inputs of one or two
    dimensions the function with its creases; a column for each epoch, a block for each network.

    Args:
        states: one, or several epochs of one or more networks, all at the same epochs.
        start: whether the start of training is shown too.

    Raises:
        ValueError: an epoch of a network is missing, or lam differ.

    Example:
        >>> import sparsedecay as sd
        >>> spline = {"kind": "toy", "formula": "spline", "points": 21, "noise": 0}
        >>> run = sd.Run(data={**spline, "test_points": 0}, L=1, K=60, stride=500)
        >>> figure = sd.radon(sd.train(run, 500, progress=False))
    """
    found = listed(states, same=())
    epochs = sorted({one.epoch for one in found})
    section = {"lam": one_lam(found), "panels": panels(found)}
    return drawn("radon", found, epochs=[0, *epochs] if start else epochs, **section)
