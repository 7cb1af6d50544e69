"""After 50,000 epochs the engines agree in distribution over seeds; in bits they cannot.

From the same seeds each engine trains the networks of figures 3 and 4. Another order of sums makes
another trajectory after some thousand epochs, so what is compared are distributions: for each
measure and each two engines an exact test by permutation. With 8 seeds it finds a difference of
POWER standard deviations in 9 cases of 10 (`test_the_power_of_the_comparison`).
"""

from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import combinations

import numpy as np
import pytest
import torch

from sparsedecay.engines import ENGINES, prepare
from sparsedecay.science.measures import average_sparsity, rank, singular_values, sparsity
from sparsedecay.science.networks import build
from tests.small import small_run, started

SEEDS, EPOCHS, TAIL = 8, 50_000, 20
LEVEL = 0.001
"""Chance of a false alarm of one comparison; there are 4 measures of 4 networks, 76 in all."""
POWER = 3.1
"""Standard deviations between two engines that are found in 9 cases of 10."""
MEASURES = ("average sparsity", "log10 of the loss", "rank of A", "log10 of sigma_1 / sigma_2 of A")
ALL = ("fused", "compiled", "autograd", "batched")
CASES = {
    "representer, eq. 2": (("representer", "eq2", 1296), ALL),
    "representer, weight decay": (("representer", "weight_decay", 1296), ALL),
    # `autograd` would take 15 minutes for each of these, so it trains a quarter of the width
    "dense, weight decay": (("dense", "weight_decay", 1296), ("fused", "compiled")),
    "dense, weight decay, K = 324": (("dense", "weight_decay", 324), ALL),
}


def outcome(kind: str, case: str, seed: int) -> list[float]:
    """The measures of one run of the paper, lam = 1e-3."""
    torch.set_num_threads(1)
    prepare()
    network, regularizer, K = CASES[case][0]
    run = small_run(
        network=network,
        regularizer=regularizer,
        levels=(0.0, 0.5, 1.0),
        dimension=4,
        K=K,
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
    p = {name: tensor.detach().numpy() for name, tensor in engine.parameters.items()}
    structure = build(run)
    by_matrix = {name: sparsity(p[name], 1e-3) for name in structure.matrices}
    sigma = singular_values(*(p[name] for name in structure.factors(2)))
    return [
        average_sparsity(by_matrix, ["W", "V"]),
        float(np.log10(np.median(losses))),
        rank(sigma, 1e-3),
        float(np.log10(sigma[0] / max(sigma[1], 1e-9))),
    ]


@cache
def divisions(n: int) -> np.ndarray:
    """Every way to choose n of 2 n values, a row each: 1 for chosen, -1 for others."""
    signs = -np.ones((len(list(combinations(range(2 * n), n))), 2 * n))
    for row, chosen in zip(signs, combinations(range(2 * n), n), strict=True):
        row[list(chosen)] = 1
    return signs


def chance(one: np.ndarray, two: np.ndarray) -> float:
    """How often a random division of all the values differs as much in its means: exact."""
    values, n = np.concatenate([one, two]), len(one)
    seen = abs(one.mean() - two.mean())
    return float(np.mean(np.abs(divisions(n) @ values) / n >= seen - 1e-12))


def test_the_chance_of_a_difference():
    assert chance(np.array([1.0, 2, 3]), np.array([4.0, 5, 6])) == 2 / 20
    assert chance(np.array([1.0, 2, 3]), np.array([1.0, 2, 3])) == 1


def test_the_power_of_the_comparison():
    """Made-up engines that differ by so much are told apart, equal ones are not."""
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((300, 2, SEEDS))
    found = [chance(one, two + POWER) <= LEVEL for one, two in draws]
    false = [chance(one, two) <= LEVEL for one, two in draws]
    assert np.mean(found) >= 0.9
    assert np.mean(false) <= 0.01


@pytest.mark.heavy
@pytest.mark.parametrize("case", CASES)
def test_engines_agree_in_distribution(case):
    kinds = CASES[case][1]
    assert set(kinds) <= ENGINES.keys()
    work = [(kind, case, seed) for kind in kinds for seed in range(SEEDS)]
    with ProcessPoolExecutor(2) as pool:
        found = np.array(list(pool.map(outcome, *zip(*work, strict=True))))
    by_engine = dict(zip(kinds, found.reshape(len(kinds), SEEDS, len(MEASURES)), strict=True))
    chances = {}
    for i, measure in enumerate(MEASURES):
        told = [
            f"{kind} {np.median(values[:, i]):.4g} ({values[:, i].min():.4g} to "
            f"{values[:, i].max():.4g})"
            for kind, values in by_engine.items()
        ]
        for one, two in combinations(kinds, 2):
            p = chances[measure, one, two] = chance(by_engine[one][:, i], by_engine[two][:, i])
            told.append(f"{one} and {two}: p = {p:.2f}")
        print(f"{case}, {measure}: {'; '.join(told)}", flush=True)
    assert not [which for which, p in chances.items() if p <= LEVEL]
