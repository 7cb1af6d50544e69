import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsedecay.science.recorded import LADDER, Counter, edges


def test_the_ladder_holds_the_papers_threshold_and_every_one_digit_magnitude():
    assert len(LADDER) == 81
    assert list(LADDER) == sorted(LADDER)
    assert LADDER[0] == 1e-8
    assert LADDER[-1] == 9
    assert 1e-3 in LADDER
    assert 5e-4 in LADDER


@given(st.sampled_from(range(81)), st.integers(-3, 3), st.sampled_from([np.float32, np.float64]))
def test_an_entry_is_above_a_rung_exactly_when_it_is_above_its_edge(rung, steps, dtype):
    """Around each rung, where rounding to float32 could turn > into <=."""
    entry = dtype(LADDER[rung])
    for _ in range(abs(steps)):
        entry = np.nextafter(entry, dtype(np.inf if steps > 0 else -np.inf))
    assert (float(entry) > LADDER[rung]) == bool(entry > edges(dtype)[rung])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_counts_equal_a_direct_count(dtype):
    rng = np.random.default_rng(0)
    edge = edges(dtype)
    near = [edge, np.nextafter(edge, dtype(0)), np.nextafter(edge, dtype(np.inf))]
    ends = [np.array([0.0, 1e-30, np.finfo(dtype).tiny, 9.5, 1e30, np.inf])]
    first = np.concatenate([*near, *ends]).astype(dtype)
    second = np.abs(rng.normal(size=3000) ** 5).astype(dtype)
    largest, counted = Counter(np.dtype(dtype), [first.size, second.size]).count(
        np.concatenate([first, second])
    )
    for matrix, entries in enumerate([first, second]):
        direct = [(entries.astype(np.float64) > rung).sum() for rung in LADDER]
        assert counted[matrix].tolist() == direct
        assert largest[matrix] == entries.max()
