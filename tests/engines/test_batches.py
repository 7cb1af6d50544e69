"""Minibatches: every sample once an epoch, in an order that belongs to the epoch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedecay.engines import batches as minibatches
from sparsedecay.engines.batches import batches, sizes, steps
from tests.small import small_run

THREE = small_run(levels=(0.0, 0.5, 1.0), dimension=4, batches=3)  # the paper's 81 points


@settings(max_examples=60, deadline=None)
@given(
    dimension=st.integers(1, 4),
    count=st.integers(1, 16),
    epoch=st.integers(0, 10**9),
    seed=st.integers(0, 2**63 - 1),
)
def test_every_epoch_takes_each_sample_once_in_sizes_as_equal_as_can_be(
    dimension, count, epoch, seed
):
    count = min(count, 2**dimension)
    run = small_run(dimension=dimension, batches=count, seed=seed)
    made = batches(run, epoch)
    assert len(made) == count
    assert sorted(np.concatenate(made).tolist()) == list(range(2**dimension))
    lengths = [len(batch) for batch in made]
    assert min(lengths) >= 1
    assert max(lengths) - min(lengths) <= 1
    assert sizes(run) == set(lengths)


@pytest.mark.parametrize(
    ("count", "lengths"),
    [(1, [8]), (2, [4, 4]), (3, [3, 3, 2]), (5, [2, 2, 2, 1, 1]), (8, [1] * 8)],
)
def test_sizes_by_hand(count, lengths):
    run = small_run(batches=count)  # 8 points
    assert [len(batch) for batch in batches(run, 4)] == lengths
    assert sizes(run) == set(lengths)


def orders(run, epochs):
    return [tuple(np.concatenate(batches(run, epoch)).tolist()) for epoch in epochs]


def test_the_order_belongs_to_the_epoch_and_the_seed_of_the_weights():
    first = orders(THREE, range(50))
    assert len(set(first)) == 50, "shuffled anew every epoch"
    assert orders(THREE, reversed(range(50))) == first[::-1], "whatever was asked for before"
    for change in ({"seed": 1}, {"data_seed": 1}, {"lam": 1.0}):
        other = small_run(levels=(0.0, 0.5, 1.0), dimension=4, batches=3, **change)
        same = orders(other, range(50)) == first
        assert same == ("seed" not in change), change


def test_the_shuffle_favours_no_sample():
    """Over 300 epochs each of 81 samples is in the first of 3 batches about 100 times."""
    counts = np.zeros(81)
    for epoch in range(300):
        counts[batches(THREE, epoch)[0]] += 1
    assert counts.sum() == 300 * 27
    assert abs(counts - 100).max() < 5 * np.sqrt(300 * 2 / 9)


def test_steps_are_the_inputs_and_targets_of_the_batches():
    X, y = torch.arange(162.0).reshape(81, 2), torch.arange(81.0)[:, None]
    made = list(steps(THREE, 7, X, y))
    for (inputs, targets), batch in zip(made, batches(THREE, 7), strict=True):
        assert targets[:, 0].tolist() == batch.tolist()
        assert inputs.equal(X[batch])


def test_full_batch_takes_the_data_as_they_are(monkeypatch):
    monkeypatch.setattr(minibatches, "stream", None)  # nothing is drawn
    X, y = torch.rand(8, 3), torch.rand(8, 1)
    ((inputs, targets),) = steps(small_run(batches=1), 3, X, y)
    assert inputs is X
    assert targets is y
