"""Numbers and values as the report writes them.

number(1.5e-05)              "1.5e-5"
number(1269)                 "1,269"
value((0.0, 0.5))            "[0, 0.5]"
"""

import math
from typing import Any

from sparsedecay.extras.compare.changes import Change, Spread
from sparsedecay.extras.compare.sides import ABSENT

ARROW = " → "
ABOUT = "≈ "
MOST = 6
"""Values of a parameter that are listed."""


def number(x: float, sign: str = "", digits: int = 4) -> str:
    """A measure or a difference, to some digits; `sign` is "+" where it is always shown."""
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return f"{x:{sign}}"
    if float(x).is_integer() and abs(x) < 1e15:
        return f"{int(x):{sign},}" if x else "0"
    text = f"{x:{sign},.1f}" if 1000 <= abs(x) < 1e7 else f"{x:{sign}.{digits}g}"
    return short(text)


def short(text: str) -> str:
    """A number without zeros that fill up its exponent."""
    mantissa, e, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if e else text


def value(x: Any) -> str:
    """A parameter as a config would have it."""
    match x:
        case None:
            return "none"
        case bool():
            return str(x).lower()
        case float():
            exact = f"{x:g}"
            return short(exact if float(exact) == x else repr(x)) if math.isfinite(x) else str(x)
        case dict():
            return "{" + ", ".join(f"{k}: {value(v)}" for k, v in x.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(value, x)) + "]"
    return str(x)


def several(values: tuple[Any, ...]) -> str:
    """The values of a parameter on one side."""
    texts = [value(x) for x in values]
    if len(texts) <= MOST:
        return ", ".join(texts)
    return f"{', '.join(texts[:3])}, … {texts[-1]} ({len(texts)} values)"


def spread(side: Spread | None) -> str:
    """Median, with the lowest and highest of several."""
    if side is None:
        return ABSENT
    low, high = side.values[0], side.values[-1]
    if low == high or side.n == 1:
        return number(side.median)
    # without spaces, so that it stays together in a narrow column
    median, least, most = (number(x, digits=3) for x in (side.median, low, high))
    return f"{median} ({least}–{most})"


def arrow(a: str, b: str) -> str:
    """From A to B, or what both are."""
    return a if a == b else a + ARROW + b


def medians(change: Change | None) -> str:
    """The medians of both sides, or the one that both have, or have to as many digits."""
    if change is None:
        return ABSENT
    sides = change.a, change.b
    a, b = (number(side.median, digits=3) if side else ABSENT for side in sides)
    if change.equal or (all(sides) and change.difference == 0):
        return a
    # equal digits do not make equal numbers
    return ABOUT + a if a == b else a + ARROW + b


def difference(change: Change) -> str:
    """B - A, for errors with their ratio."""
    if change.difference is None:
        return ABSENT
    text = number(change.difference, "+", 3)
    ratio = change.ratio if change.name.startswith("mse") and not change.equal else None
    if ratio is not None and math.isfinite(ratio):
        text += f" (×{number(ratio, digits=3)})"
    return text


def count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'s' * (n != 1)}"
