import math

import pytest

from sparsedecay.words import count, joined, number


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
        (math.nan, "nan"),
    ],
)
def test_numbers(x, text):
    assert number(x) == text


def test_signs_and_digits():
    assert number(0.123456, 3, "+") == "+0.123"
    assert [number(x, sign="+") for x in (2, -2, 0, math.inf)] == ["+2", "-2", "0", "+inf"]


def test_plurals_and_lists():
    assert [count(n, "row") for n in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]
    assert [joined(list(x)) for x in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
