"""HTML pages made from Markdown, which need nothing but themselves.

page(fragment("# Title"), "Title")
"""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem;
  color: #1a1a1a; background: #ffffff; }
h1, h2, h3 { line-height: 1.2; margin: 1.6rem 0 .4rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; display: block; font-size: .9rem; margin: 1rem 0;
  font-variant-numeric: tabular-nums; overflow-x: auto; }
th, td { border-bottom: 1px solid #cccccc; padding: .3rem 1.2rem .3rem 0; text-align: left;
  vertical-align: top; }
th { border-bottom: 2px solid #1a1a1a; white-space: nowrap; }
td.marked { font-weight: 600; color: #8a3b00; }
code { font-size: 90%; white-space: nowrap; }
pre { overflow-x: auto; }
pre code { white-space: pre; }
.pictures { display: flex; gap: 1.5rem; align-items: flex-start; }
figure { margin: 0; flex: 0 1 50%; min-width: 0; }
img { width: 100%; height: auto; border: 1px solid #cccccc; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; }
@media (max-width: 45rem) { .pictures { flex-direction: column; } }
"""
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
