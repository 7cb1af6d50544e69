"""Small runs, and engines on their data."""

from pathlib import Path

import torch

from sparsedecay.engines import ENGINES, Trainer
from sparsedecay.engines.state import State, dtype, initial
from sparsedecay.files.storage import sealed_request
from sparsedecay.science.data.grid import Grid
from sparsedecay.science.initializations.uniform import Uniform
from sparsedecay.science.networks import Shape
from sparsedecay.science.optimizers.adam import Adam
from sparsedecay.science.regularizers import Objective
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Settings


def small_run(
    network="representer",
    regularizer="eq2",
    lam=1e-3,
    levels=(0.0, 1.0),
    dimension=3,
    L=2,
    K=6,
    d=3,
    data_seed=0,
    seed=0,
    precision="float64",
    stride=40,
    record_every=10,
    learning_rate=1e-2,
    betas=(0.9, 0.999),
    skips="leap",
    loss="mean",
    weight_decay="objective",
    decay_biases=True,
    scale="none",
    batches=1,
    optimizer=None,
    initialization=None,
) -> Run:
    """A run of 8 points, L = 2, K = 6, d = 3; any value can be given another."""
    return Run(
        data=Grid(levels=levels, dimension=dimension, target_range=(-1.0, 1.0), seed=data_seed),
        network=network,
        shape=Shape(L=L, K=K, d=d, skips=skips),
        regularizer=regularizer,
        lam=lam,
        objective=Objective(loss=loss, weight_decay=weight_decay, decay_biases=decay_biases),
        initialization=initialization or Uniform(range=(-1.0, 1.0), scale=scale, seed=seed),
        optimizer=optimizer
        or Adam(learning_rate=learning_rate, betas=betas, eps=1e-8, batches=batches),
        precision=precision,
        stride=stride,
        record_every=record_every,
    )


def written(file: Path, request: Settings) -> str:
    """The path of a file that now holds the request, as the rule `request` writes it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(sealed_request(request), encoding="utf-8")
    return str(file)


def beginning(run: Run) -> tuple[torch.Tensor, torch.Tensor, State]:
    """Inputs, targets and the state at epoch 0."""
    found = run.data.samples()
    X, y = (torch.tensor(array, dtype=dtype(run)) for array in (found.X, found.y))
    return X, y, initial(run)


def started(engine: str, run: Run, state: State | None = None) -> Trainer:
    """A run under way, from epoch 0 or from a given state."""
    X, y, begin = beginning(run)
    return ENGINES[engine].start(run, X, y, state or begin)
