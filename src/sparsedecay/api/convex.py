"""The global optimum of shallow problems, and how far a state is from it (docs/optimum.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsedecay.api.mistakes import told
from sparsedecay.api.run import Run
from sparsedecay.api.state import State
from sparsedecay.api.trained import Trained
from sparsedecay.optimum.certify import GAP, SMALL, parts, trained_objective
from sparsedecay.science import run as science
from sparsedecay.science.convex import optimum as solver
from sparsedecay.science.convex.bound import lower
from sparsedecay.science.convex.finite import Cells
from sparsedecay.science.convex.problem import Neurons, Posed, Problem
from sparsedecay.science.convex.sparsest import fewer
from sparsedecay.science.data import Samples
from sparsedecay.science.networks.representer import Representer


@dataclass(frozen=True)
class Optimum:
    """The optimum over networks of every width, between a network and a proved bound.

    Example:
        >>> import sparsedecay as sd
        >>> line = sd.Run(data=([[0.0], [0.5], [1.0]], [0.0, 1.0, 0.0]), L=1, K=20)
        >>> found = sd.optimum(line)
        >>> found.bound <= found.objective
        True
        >>> found.sparsest.neurons <= found.network.neurons
        True
    """

    objective: float
    """Of `network`, loss + lam * regularizer."""
    bound: float
    """No network of any width has a smaller objective: proved."""
    gap: float
    """(objective - bound) / objective."""
    network: Trained
    """The best network that was found."""
    sparsest: Trained
    """One with few neurons whose objective is larger by at most the slack."""


def posed(run: science.Run, samples: Samples) -> Problem:
    """The convex problem of a run, on its data."""
    with told():
        return Posed.of(run).problem(samples.X, samples.y)


def network(problem: Problem, neurons: Neurons) -> Trained:
    """A network of these neurons."""
    count, d = neurons.W.shape
    found = Representer(d_in=d, d_out=1, L=1, K=count, d=1)
    return Trained(found, neurons.parameters(count, problem.form.biases))


def checked(gap: float, seconds: float, slack: float = 1.0) -> None:
    """Whether these are positive numbers.

    Raises:
        ValueError: one is not.
    """
    for name, value in (("gap", gap), ("seconds", seconds), ("slack", slack)):
        if not value > 0:
            raise ValueError(f"{name}: {value!r} is not above 0; give a positive number")


def optimum(
    run: science.Run, gap: float = GAP, slack: float = 1e-3, seconds: float = 120.0
) -> Optimum:
    """The global optimum of training a run with one ReLU layer and one output, over networks of
    every width, with a proof.

    Args:
        run: what is trained; its width, start and optimizer do not matter.
        gap: relative distance of network and bound at which it ends.
        slack: part of the objective that `sparsest` may lose.
        seconds: how long it may take; the bound is proved then too, but not tight.

    Raises:
        ValueError: the problem is not convex (several ReLU layers or outputs, …), and why.

    Example:
        >>> import sparsedecay as sd
        >>> line = sd.Run(data=([[0.0], [0.5], [1.0]], [0.0, 1.0, 0.0]), L=1, K=20)
        >>> found = sd.optimum(line)
        >>> found.gap < 1e-4
        True
    """
    checked(gap, seconds, slack)
    if not isinstance(run, science.Run):
        raise TypeError(f"run: give a Run, not {type(run).__name__}")
    problem = posed(run, Run.of(run).samples)
    with told():
        best = solver.optimum(problem, gap=gap, seconds=seconds)
        limit = best.objective * (1 + slack)
        few = fewer(problem, best.neurons, limit, seconds - best.seconds)
    networks = network(problem, best.neurons), network(problem, few)
    objective, bound = float(best.objective), float(best.bound.value)
    return Optimum(objective, bound, float(best.gap), *networks)


def certify(state: State, gap: float = GAP, seconds: float = 120.0) -> dict[str, Any]:
    """How far a trained network with one ReLU layer is from the global optimum: `objective`,
    `bound` (proved for networks of every width), `gap` relative to the objective, what it is made
    of, neurons. The values are those of `sparsedecay certify` (files.tables.CERTIFICATES).

    Args:
        gap: relative distance at which the optimum counts as known.
        seconds: how long that may take.

    Raises:
        ValueError: there is no certificate for such networks, and why; or it has diverged.

    Example:
        >>> import sparsedecay as sd
        >>> line = sd.Run(data=([[0.0], [0.5], [1.0]], [0.0, 1.0, 0.0]), L=1, K=20, stride=2000)
        >>> found = sd.certify(sd.train(line, 2000, progress=False))
        >>> found["bound"] <= found["objective"]
        True
    """
    checked(gap, seconds)
    if not isinstance(state, State):
        raise TypeError(f"state: give a State, not {type(state).__name__}")
    if state.diverged is not None:
        raise ValueError(f"state: it has diverged at epoch {state.diverged:,}; lower lam")
    run, p = state.run, state.p
    problem, neurons = posed(run, state.samples), Neurons.of(p)
    objective = trained_objective(run, p, problem.X, problem.y[:, None])
    own = lower(problem, problem.residual(neurons), 1e-3, seconds=seconds)
    left = max(seconds - own.found.seconds, 0.0)
    best = solver.optimum(problem, neurons, gap, left)
    bound = max(best.bound.value, own.value)
    norms = problem.norms(neurons)
    active = neurons.only(norms > SMALL * norms.max(initial=0.0))
    return {
        "run": run.id,
        "epoch": state.epoch,
        "problem": Posed.of(run).id,
        "K": run.shape.K,
        "objective": objective,
        "bound": float(bound),
        "gap": float((objective - bound) / objective),
        "own_bound": own.value,
        **parts(problem, neurons, objective, bound),
        "active": len(active.v),
        "cells": len(Cells.of(problem, active)[0]),
        "points": len(problem.y),
        "optimum": best.objective,
        "optimum_neurons": len(best.neurons.v),
        "complete": bool(np.all(best.bound.found.complete)),
    }
