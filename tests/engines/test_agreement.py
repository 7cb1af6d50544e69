"""After 200,000 epochs the engines agree in distribution over seeds; in bits they cannot."""

from concurrent.futures import ProcessPoolExecutor
from itertools import combinations

import numpy as np
import pytest
import torch

from sparsedecay.engines import prepare
from sparsedecay.science.measures import average_sparsity, rank, singular_values, sparsity
from sparsedecay.science.networks import build
from tests.small import small_run, started

EPOCHS, TAIL = 200_000, 20
MEASURES = ("average sparsity", "log10 of the loss", "rank of A", "log10 of sigma_1 / sigma_2 of A")


def outcome(kind: str, seed: int) -> list[float]:
    """The measures of one run of the paper: representer, eq2, lam = 1e-3."""
    torch.set_num_threads(1)
    prepare()
    run = small_run(
        levels=(0.0, 0.5, 1.0),
        dimension=4,
        K=1296,
        d=16,
        data_seed=seed,
        seed=seed,
        precision="float32",
        learning_rate=1e-3,
    )
    engine, losses = started(kind, run), []
    engine.advance(EPOCHS - TAIL * 250)
    for _ in range(TAIL):  # the loss spikes, so the median of the last records
        engine.advance(250)
        losses.append(float(engine.losses()[0]))
    p = {name: tensor.numpy() for name, tensor in engine.parameters.items()}
    by_matrix = {name: sparsity(p[name], 1e-3) for name in build(run).matrices}
    sigma = singular_values(p["W2"], p["V1"])
    return [
        average_sparsity(by_matrix, ["W", "V"]),
        float(np.log10(np.median(losses))),
        rank(sigma, 1e-3),
        float(np.log10(sigma[0] / max(sigma[1], 1e-9))),
    ]


def chance(one: np.ndarray, two: np.ndarray) -> float:
    """How often a random division of all the values differs as much in its means: exact."""
    values, n = np.concatenate([one, two]), len(one)
    seen = abs(one.mean() - two.mean())
    divisions = [np.isin(np.arange(2 * n), chosen) for chosen in combinations(range(2 * n), n)]
    differences = [abs(values[d].mean() - values[~d].mean()) for d in divisions]
    return float(np.mean(np.array(differences) >= seen - 1e-12))


def test_the_chance_of_a_difference():
    assert chance(np.array([1.0, 2, 3]), np.array([4.0, 5, 6])) == 2 / 20
    assert chance(np.array([1.0, 2, 3]), np.array([1.0, 2, 3])) == 1


@pytest.mark.heavy
def test_compiled_and_fused_agree_in_distribution():
    seeds = 5
    with ProcessPoolExecutor(2) as pool:
        kinds = ["fused"] * seeds + ["compiled"] * seeds
        outcomes = np.array(list(pool.map(outcome, kinds, [*range(seeds)] * 2)))
    for i, measure in enumerate(MEASURES):
        fused, compiled = outcomes[:seeds, i], outcomes[seeds:, i]
        p = chance(fused, compiled)
        print(f"{measure}: fused {fused.round(4)}, compiled {compiled.round(4)}, p = {p:.2f}")
        assert p > 0.01, measure
