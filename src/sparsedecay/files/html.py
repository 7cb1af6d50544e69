"""HTML pages made from Markdown, which need nothing but themselves.

page(fragment("# Title"), "Title")
"""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
LINE_BREAK = "<br>"

MARKDOWN = MarkdownIt("js-default", {"html": True, "xhtmlOut": True}).disable("html_block")


def page(body: str, title: str) -> str:
    """A whole page around HTML, well-formed as XML too; it asks no network for anything."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )


def fragment(markdown: str, marked: str = "") -> str:
    """Markdown as HTML. HTML in it is shown, not obeyed, except for `<br>` in a cell of a table.

    Args:
        marked: cells that hold this text stand out, unless it is empty.
    """
    tokens = MARKDOWN.parse(markdown)
    for cell, inside in pairwise(tokens):
        if cell.type == "td_open" and marked and marked in inside.content:
            cell.attrSet("class", "marked")
    return str(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))


def shown(_: object, tokens: Sequence[Token], index: int, *rest: object) -> str:
    """HTML within Markdown, as a text."""
    text = tokens[index].content
    return "<br/>" if text == LINE_BREAK else escape(text)


MARKDOWN.add_render_rule("html_inline", shown)
