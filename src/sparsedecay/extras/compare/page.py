"""Writes a report as one HTML page that holds its pictures and asks no network for anything."""

import base64
import html

from sparsedecay.extras.compare.blocks import Block, Command, Heading, Paragraph, Pictures, Table
from sparsedecay.extras.compare.words import ARROW

STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2430; background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 0.4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block;
  overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 1.4rem 0.25rem 0;
  border-bottom: 1px solid #e3e6ea; }
th { font-weight: 600; border-bottom: 2px solid #9aa4b1; white-space: nowrap; }
td.changed { font-weight: 600; color: #8a3b00; }
.pictures { display: flex; gap: 1.5rem; align-items: flex-start; }
figure { margin: 0; flex: 1 1 0; min-width: 0; max-width: 100%; }
figure.alone { flex: 0 1 50%; }
img { width: 100%; height: auto; border: 1px solid #e3e6ea; }
figcaption { font-size: 0.85rem; color: #56606d; overflow-wrap: anywhere; }
@media (max-width: 45rem) { .pictures { flex-direction: column; } }"""

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write(blocks: list[Block]) -> str:
    """The page of a report."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<title>sparsedecay compare</title>",
            f"<style>\n{STYLE}\n</style>",
            "</head>",
            "<body>",
            "<h1>sparsedecay compare</h1>",
            *map(written, blocks),
            "</body>",
            "</html>\n",
        ]
    )


def written(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{html.escape(text)}</p>"
        case Command(intro, command):
            return f"<p>{html.escape(intro)} <code>{html.escape(command)}</code></p>"
        case Table(header, rows):
            head = "".join(f"<th>{escaped(cell)}</th>" for cell in header)
            body = "\n".join(f"<tr>{''.join(map(data, row))}</tr>" for row in rows)
            return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
        case Pictures(shown):
            alone = ' class="alone"' if len(shown) == 1 else ""
            figures = [
                f'<figure{alone}><img alt="{html.escape(caption)}" '
                f'src="data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}">'
                f"<figcaption>{html.escape(caption)}</figcaption></figure>"
                for caption, path in shown
            ]
            return "\n".join(['<div class="pictures">', *figures, "</div>"])


def data(cell: str) -> str:
    """A cell of a table; one that tells both sides apart stands out."""
    changed = ' class="changed"' if ARROW in cell else ""
    return f"<td{changed}>{escaped(cell)}</td>"


def escaped(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")
