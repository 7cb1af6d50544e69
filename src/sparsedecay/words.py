"""Numbers and lists in English.

count(1_200, "row")              "1,200 rows"
joined(["a", "b", "c"])          "a, b and c"
number(1.5e-05)                  "1.5e-5"
number(1269)                     "1,269"
"""

import math
from collections.abc import Sequence


def count(n: int, noun: str) -> str:
    """A number of things, whose plural ends in s."""
    return f"{n:,} {noun}{'s' * (n != 1)}"


def joined(names: Sequence[str]) -> str:
    """Names in a row, the last after "and"; empty if there are none."""
    return " and ".join([*filter(None, [", ".join(names[:-1])]), *names[-1:]])


def number(x: float, digits: int = 4, sign: str = "") -> str:
    """A number to some digits, whole ones exactly; `sign` is "+" where it is always shown."""
    if not math.isfinite(x):
        return "nan" if math.isnan(x) else f"{x:{sign}}"
    if float(x).is_integer() and abs(x) < 1e15:
        return f"{int(x):{sign},}" if x else "0"
    if 1000 <= abs(x) < 1e7:
        return f"{x:{sign},.1f}"
    return short(f"{x:{sign}.{digits}g}")


def short(text: str) -> str:
    """A number without zeros that fill up its exponent."""
    mantissa, e, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if e else text
