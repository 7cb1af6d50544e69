"""From the numbers of several seeds to a verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Verdict = Literal["holds", "fails", "undecided"]
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """The median of some numbers, and an interval for the median of all draws there could be."""

    median: float
    low: float
    high: float
    coverage: float
    """Chance that such an interval holds the true median; 0 for a single number."""


def interval(values: Sequence[float]) -> Interval:
    """Exact, without assumptions on the distribution: the k-th smallest and the k-th largest of n
    numbers enclose the median with the chance 1 - 2 P(Binomial(n, 1/2) < k). (David and Nagaraja
    2003, section 7.1) The largest k that gives 95 %; below six numbers none does, and it is
    all of them with the chance that this has. NaN if a number is NaN.
    """
    n = len(values)
    if not n or any(math.isnan(value) for value in values):
        return Interval(math.nan, math.nan, math.nan, 0.0)
    ordered = np.sort(np.asarray(values, dtype=float))
    outside = np.cumsum([math.comb(n, i) for i in range(n)]) / 2**n  # P(Binomial <= i)
    k = max([1, *(i + 1 for i in range(n // 2) if 1 - 2 * outside[i] >= CONFIDENCE)])
    coverage = max(0.0, float(1 - 2 * outside[k - 1]))
    return Interval(float(np.median(ordered)), ordered[k - 1], ordered[n - k], coverage)


def judged(values: Sequence[float | None], low: float, high: float) -> tuple[Interval, Verdict]:
    """The interval of the numbers of all draws, and whether it lies within low … high.

    A draw that diverged has no number (None) and speaks against the statement: it counts as one
    whose number lies beyond the limits, on the side that is worse for the verdict. An end of the
    interval, or a median, that is no number of a draw is NaN.
    """
    sides = [
        interval([beyond if value is None else value for value in values])
        for beyond, limit in ((-math.inf, low), (math.inf, high))
        if math.isfinite(limit)
    ]
    verdicts = [judge(side, low, high) for side in sides]
    verdict = verdicts[0] if len(set(verdicts)) == 1 else "undecided"
    if None not in values:
        return sides[0], verdict
    ends = zip(*((side.median, side.low, side.high) for side in sides), strict=True)
    median, low, high = (
        end[0] if len(set(end)) == 1 and math.isfinite(end[0]) else math.nan for end in ends
    )
    return Interval(median, low, high, sides[0].coverage), verdict


def judge(found: Interval, low: float, high: float) -> Verdict:
    """Whether the interval lies within low … high, beside it, or partly."""
    if found.low >= low and found.high <= high:
        return "holds"
    if found.high < low or found.low > high:
        return "fails"
    return "undecided"


def distance(value: float, low: float, high: float) -> float:
    """How far a number lies beyond limits: 0 within them, 1 from a factor of ten on, or where there
    is no such factor; at least 0.1 beyond."""
    if low <= value <= high:
        return 0.0
    limit = low if value < low else high
    if not (math.isfinite(value) and value > 0 and limit > 0):
        return 1.0
    return min(1.0, max(0.1, abs(math.log10(value / limit))))


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Of a statement with several parts: it fails with one of them, and holds with all."""
    for verdict in ("fails", "undecided"):
        if verdict in verdicts:
            return verdict
    return "holds"
