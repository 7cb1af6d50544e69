"""Medians, spreads and differences, against values worked out by hand."""

import math

import pytest

from sparsedecay import words
from sparsedecay.extras.compare import report
from sparsedecay.extras.compare.comparison import Change, Row, Spread
from sparsedecay.extras.compare.match import Group
from sparsedecay.extras.compare.sides import Milestone


def group(*values):
    """Replicates with these values of one measure; None: not made yet."""
    made = [{} if v is None else {"mse_tail_median": v} for v in values]
    return Group({}, 40, tuple(Milestone("r", 40, {}, measures or None) for measures in made))


def change(first, second):
    (found,) = Row(group(*first), group(*second)).changes
    return found


def test_median_and_spread_over_seeds():
    found = change([3.0, 1.0, 2.0], [5.0, 7.0])
    assert (found.a.median, found.a.n, found.a.width) == (2.0, 3, 2.0)
    assert (found.b.median, found.difference, found.ratio) == (6.0, 4.0, 3.0)
    assert report.spread(found.a) == "2 (1–3)"
    assert report.difference(found) == "+4 (×3)"


@pytest.mark.parametrize(
    ("first", "second", "beyond"),
    [
        ([1.0], [2.0], None),
        ([1.0, 1.5], [3.0, 4.0], True),  # medians 2.25 apart, spreads 0.5 and 1
        ([1.0, 3.5], [4.0, 5.0], False),  # 2.25 apart, the first spread 2.5
        ([1.0, 3.0], [4.0, 4.0], False),  # as far apart as the spread
        ([1.0], [2.0, 5.0], False),
        ([1.0], [4.0, 5.0], True),
    ],
)
def test_whether_a_difference_lies_beyond_the_spread(first, second, beyond):
    assert change(first, second).beyond is beyond


def test_equal_means_every_value():
    assert change([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]).equal
    assert not change([1.0, 2.0, 3.0], [0.0, 2.0, 4.0]).equal, "only the medians are"
    assert change([math.nan], [math.nan]).equal
    assert not change([math.nan], [1.0]).equal
    assert not change([1.0], [1.0, 1.0]).equal


def test_what_is_no_number_stays_so():
    found = change([math.nan, 1.0], [2.0])
    assert math.isnan(found.a.median)
    assert math.isnan(found.difference)
    assert report.difference(found) == "nan"
    assert change([math.inf], [math.inf]).difference == 0
    assert change([0.0], [1.0]).ratio is None


def test_milestones_that_are_not_made_do_not_count():
    found = change([1.0, None], [None])
    assert (found.a.n, found.b, found.difference, found.equal) == (1, None, None, False)
    assert report.medians(found) == "1 → –"


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1296, "1,296"),
        (1296.0, "1,296"),
        (1234.56, "1,234.6"),
        (0.00012346, "0.0001235"),
        (1.5e-05, "1.5e-5"),
        (1.5e25, "1.5e25"),
        (math.inf, "inf"),
    ],
)
def test_numbers(x, text):
    assert words.number(x) == text


def test_values_as_a_config_has_them():
    assert report.value((0.0, 0.5, 1.0)) == "[0, 0.5, 1]"
    assert report.value(1e-05) == "1e-5"
    assert report.value(0.1234567891) == "0.1234567891"
    assert report.value(True) == "true"
    assert report.value(None) == "none"
    assert report.value([{"network": "dense"}]) == "[{network: dense}]"
    assert report.several(tuple(range(10))) == "0, 1, 2, … 9 (10 values)"


def test_equal_digits_are_told_from_equal_numbers():
    near = Change("mse_tail_median", Spread((0.35621,)), Spread((0.35622,)))
    assert report.medians(near) == "≈ 0.356"
