"""Numbers, tables and pages in Markdown, and their HTML, which needs nothing but itself."""

import math
from html import escape

import pandas as pd
from markdown_it import MarkdownIt

STYLE = """
body { font: 16px/1.5 Georgia, 'Times New Roman', serif; margin: 1.5em auto; max-width: 68em;
  padding: 0 1em; color: #1a1a1a; background: #ffffff; }
table { border-collapse: collapse; font-size: 14px; margin: 1em 0; }
th, td { border-bottom: 1px solid #cccccc; padding: .3em .6em; text-align: left;
  vertical-align: top; }
th { border-bottom: 2px solid #1a1a1a; }
code { font-size: 90%; white-space: nowrap; }
pre { overflow-x: auto; }
pre code { white-space: pre; }
h1, h2 { line-height: 1.2; }
"""


def page(markdown: str, title: str) -> str:
    """A whole HTML page."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{fragment(markdown)}</body>\n</html>\n"
    )


def fragment(markdown: str) -> str:
    """The same without head and style; HTML in the text is shown, not obeyed."""
    return str(MarkdownIt("js-default").render(markdown))


def plain(value: float) -> str:
    """A number in plain text, of three digits or less; NaN is that of a draw that diverged."""
    if math.isnan(value):
        return "diverged"
    if not math.isfinite(value):
        return str(float(value))
    if value == round(value) and abs(value) < 10_000:
        return f"{value:.0f}"
    return f"{value:.3g}"


def limits(row: pd.Series) -> str:
    low, high = row["limit_low"], row["limit_high"]
    if pd.isna(low):
        return f"< {round(high)}" if high != round(high, 6) else f"at most {plain(high)}"
    return f"at least {plain(low)}" if pd.isna(high) else f"{plain(low)} to {plain(high)}"


def codes(claims: list[str]) -> str:
    return ", ".join(f"`{claim}`" for claim in claims) or "–"


def join(names: list[str]) -> str:
    """a, b and c"""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def table(heads: list[str], rows: list[list[str]]) -> str:
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [heads, ["---"] * len(heads), *escaped]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
