"""From numbers to a verdict: the interval for the median, by hand and against its definition."""

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsedecay.claims.verdict import CONFIDENCE, Interval, interval, judge, judged, worst

NUMBERS = st.lists(st.floats(allow_nan=False, width=32), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("n", "k", "coverage"),
    [
        (1, 1, 0.0),
        (2, 1, 0.5),
        (5, 1, 1 - 2 / 32),  # less than 95 %, but there is no wider one
        (6, 1, 0.96875),
        (8, 1, 1 - 2 / 256),
        (9, 2, 1 - 2 * 10 / 512),
        (10, 2, 0.978515625),
        (20, 6, 1 - 2 * (1 + 20 + 190 + 1140 + 4845 + 15504) / 2**20),
    ],
)
def test_the_interval_by_hand(n, k, coverage):
    numbers = [10.0 * i for i in range(1, n + 1)]
    random.Random(0).shuffle(numbers)
    found = interval(numbers)
    assert found == Interval(10.0 * (n + 1) / 2, 10.0 * k, 10.0 * (n + 1 - k), coverage)


def test_no_number_and_none_that_is_a_number():
    for numbers in ([], [math.nan], [1.0, math.nan, 2.0], [math.nan] * 10):
        found = interval(numbers)
        assert all(math.isnan(value) for value in (found.median, found.low, found.high))
        assert found.coverage == 0
        assert judge(found, -math.inf, math.inf) == "undecided"


def inside(n: int, k: int) -> Fraction:
    """Chance that k or more of n draws lie below the median and k or more above it: counted over
    all 2^n ways to lie below or above, without the formula of a sum of two tails."""
    return Fraction(sum(math.comb(n, below) for below in range(k, n - k + 1)), 2**n)


@given(NUMBERS)
def test_the_interval_holds_the_median_and_its_coverage_is_exact(numbers):
    found = interval(numbers)
    n, ordered = len(numbers), sorted(numbers)
    assert found.low <= found.median <= found.high
    k = max([1, *(k for k in range(1, n // 2 + 1) if inside(n, k) >= CONFIDENCE)])
    assert (found.low, found.high) == (ordered[k - 1], ordered[n - k])
    assert found.coverage == pytest.approx(float(inside(n, k)), abs=1e-12)
    assert found.coverage >= CONFIDENCE or n < 6


@given(NUMBERS, st.randoms())
def test_the_order_of_the_draws_does_not_matter(numbers, chance):
    shuffled = list(numbers)
    chance.shuffle(shuffled)
    assert interval(shuffled) == interval(numbers)


@given(NUMBERS)
def test_ends_are_draws_and_turn_over_with_the_sign(numbers):
    found, turned = interval(numbers), interval([-value for value in numbers])
    assert {found.low, found.high} <= set(numbers)
    assert (turned.low, turned.high) == (-found.high, -found.low)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0, 5, "holds"),
        (2, 4, "holds"),  # limits belong to what holds
        (2, math.inf, "holds"),
        (-math.inf, 4, "holds"),
        (4.01, math.inf, "fails"),
        (-math.inf, 1.99, "fails"),
        (5, 6, "fails"),
        (4, 5, "undecided"),  # the interval's end touches the limit
        (-math.inf, 2, "undecided"),
        (3, math.inf, "undecided"),
        (2.5, 3.5, "undecided"),  # the interval encloses the limits
    ],
)
def test_an_interval_from_2_to_4(low, high, verdict):
    assert judge(Interval(3.0, 2.0, 4.0, 0.97), low, high) == verdict


def test_a_single_number_is_never_undecided():
    for value in (0.0, 0.99, 1.0, 1.01, math.inf):
        expected = "holds" if value <= 1 else "fails"
        assert judge(interval([value]), -math.inf, 1.0) == expected
    below = math.nextafter(1, 0)
    assert judge(interval([1.0]), -math.inf, below) == "fails"
    assert judge(interval([below]), -math.inf, below) == "holds"


def test_a_statement_is_as_good_as_its_worst_part():
    assert worst(["holds"]) == worst(["holds", "holds"]) == "holds"
    assert worst(["holds", "undecided"]) == worst(["undecided", "holds"]) == "undecided"
    assert worst(["undecided", "fails", "holds"]) == worst(["holds", "fails"]) == "fails"


INF = math.inf


@pytest.mark.parametrize(
    ("numbers", "lost", "low", "high", "verdict", "ends"),
    [
        # of ten draws the interval goes from the second to the ninth
        ([0.5] * 9, 1, -INF, 1, "holds", (0.5, 0.5, 0.5)),
        ([0.5] * 8, 2, -INF, 1, "undecided", (0.5, 0.5, None)),
        ([0.5] * 5, 5, -INF, 1, "undecided", (None, 0.5, None)),
        ([0.5] * 2, 8, -INF, 1, "undecided", (None, 0.5, None)),
        ([0.5] * 1, 9, -INF, 1, "fails", (None, None, None)),
        ([0.5] * 8, 2, 0.1, INF, "undecided", (0.5, None, 0.5)),
        ([0.5] * 1, 9, 0.1, INF, "fails", (None, None, None)),
        ([0.5] * 9, 1, 0.1, 1, "holds", (0.5, 0.5, 0.5)),
        ([0.5] * 8, 2, 0.1, 1, "undecided", (0.5, None, None)),
        ([0.5] * 1, 9, 0.1, 1, "fails", (None, None, None)),
        ([2.0] * 9, 1, -INF, 1, "fails", (2.0, 2.0, 2.0)),
        ([2.0] * 8, 2, 0.1, 1, "undecided", (2.0, None, None)),
        ([], 1, -INF, 1, "fails", (None, None, None)),
        ([], 1, 0.1, 1, "fails", (None, None, None)),
        ([0.5], 1, -INF, 1, "undecided", (None, 0.5, None)),
    ],
)
def test_draws_that_diverged_lie_beyond_the_limits(numbers, lost, low, high, verdict, ends):
    for values in ([*numbers, *[None] * lost], [*[None] * lost, *numbers]):
        found, judgement = judged(values, low, high)
        assert judgement == verdict
        told = (found.median, found.low, found.high)
        assert tuple(None if math.isnan(end) else end for end in told) == ends
        assert found.coverage == interval([0.0] * len(values)).coverage


LIMITS = st.tuples(st.floats(-10, 10), st.floats(0, 10)).flatmap(
    lambda place: st.sampled_from(
        [(place[0], INF), (-INF, place[0]), (place[0], place[0] + place[1])]
    )
)
VALUES = st.lists(st.one_of(st.none(), st.floats(-20, 20)), min_size=1, max_size=20)


@given(NUMBERS, LIMITS)
def test_without_such_draws_the_interval_alone_decides(numbers, limits):
    found = interval(numbers)
    assert judged(numbers, *limits) == (found, judge(found, *limits))


@given(VALUES, LIMITS, st.data())
def test_such_a_draw_never_speaks_for_a_statement(values, limits, drawn):
    """What holds with it holds with a number within the limits; what fails with any number in its
    place does not hold with it."""
    low, high = (max(-30.0, limits[0]), min(30.0, limits[1]))
    verdict = judged(values, *limits)[1]
    within = [drawn.draw(st.floats(low, high)) if v is None else v for v in values]
    anything = [drawn.draw(st.floats(-30, 30)) if v is None else v for v in values]
    if verdict == "holds":
        assert judged(within, *limits)[1] == "holds"
        assert judged(anything, *limits)[1] == "holds"
    if judged(within, *limits)[1] == "fails":
        assert verdict == "fails"
