"""Medians, spreads and differences, against values worked out by hand."""

import math
import re

import pyarrow as pa
import pytest

from sparsedecay.extras.compare import report
from sparsedecay.extras.compare.comparison import Group, Row, median
from sparsedecay.extras.compare.sides import Milestone
from sparsedecay.files.tables import MATRICES, PARAMETERS, SUMMARY
from tests.extras.compare.made import milestone
from tests.small import small_run

MEASURED = [
    *(column for column in SUMMARY if column.name not in ("run", "epoch", *PARAMETERS)),
    *(column for column in MATRICES if column.name not in ("run", "epoch", "matrix")),
]


def change(*sides):
    """Of replicates with these values of one measure on both sides; None: not made yet."""
    made = [[None if v is None else {"mse_tail_median": v} for v in side] for side in sides]
    groups = [Group({}, 40, [Milestone("r", 40, {}, m) for m in measures]) for measures in made]
    (found,) = Row(*groups).changes
    return found


@pytest.mark.parametrize("column", MEASURED, ids=lambda column: column.name)
def test_every_measured_column_is_compared(projects, compare, status, column):
    """Of both tables, and in all matrices and every place of a list."""
    one, two = projects
    several = pa.types.is_list(column.type)
    base, *others = [[3, 4], [3, 5], [7, 4], None] if several else [3, 4, None]
    if pa.types.is_boolean(column.type):
        base, *others = [True, False, None]
    milestone(one, small_run(), **{column.name: base})
    for other in [base, *others]:
        milestone(two, small_run(), **{column.name: other})
        assert status(one, two) == (other != base), other
    said = compare(one, two)
    before = ["W1 ", "A2 "] if column in MATRICES else [""]
    after = [" 1", " 2"] if several else [""]
    for name in (f"{x}{column.name}{y}" for x in before for y in after):
        assert re.search(rf"\n  {name} +[134] +–", said), name


def test_median_and_spread_over_seeds():
    found = change([3.0, 1.0, 2.0], [5.0, 7.0])
    assert (found.a, found.b) == ((1.0, 2.0, 3.0), (5.0, 7.0))
    assert (median(found.a), median(found.b)) == (2.0, 6.0)
    assert found.difference == 4.0
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
    assert change([math.inf], [math.inf]).difference == 0


def test_what_is_no_number_stays_so_and_what_is_not_made_does_not_count():
    found = change([math.nan, 1.0], [2.0])
    assert math.isnan(median(found.a))
    assert math.isnan(found.difference)
    assert report.difference(found) == "nan"
    assert report.difference(change([0.0], [1.0])) == "+1"
    found = change([1.0, None], [None])
    assert (found.a, found.b, found.difference, found.equal) == ((1.0,), (), None, False)
    assert report.medians(found) == "1 → –"
    # equal digits are told from equal numbers
    assert report.medians(change([0.35621], [0.35622])) == "≈ 0.356"


def test_values_as_a_config_has_them():
    values = [(0.0, 0.5, 1.0), 1e-05, 0.1234567891, True, None, [{"network": "dense"}]]
    texts = ["[0, 0.5, 1]", "1e-5", "0.1234567891", "true", "none", "[{network: dense}]"]
    assert [report.value(x) for x in values] == texts
    assert report.several(tuple(range(10))) == "0, 1, 2, … 9 (10 values)"
