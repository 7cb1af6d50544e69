"""Command `sparsedecay explore`: trajectories, matrices, neurons and functions in one page.

sparsedecay explore --request results/requests/explore.json --out results/explore.html
"""

import argparse
import html
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from sparsedecay.extras.explore.views import View
from sparsedecay.figures.declaration import Explored
from sparsedecay.files.results import Results
from sparsedecay.files.storage import read_request, write_file

TITLE = "sparsedecay: runs, epoch by epoch"


def page(content: dict[str, Any]) -> str:
    """The page, with the library that draws and all that it shows inside."""
    from plotly.offline import get_plotlyjs

    part = files("sparsedecay.extras.explore")
    # </ would end the script that holds it
    data = json.dumps(content, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    text = part.joinpath("page.html").read_text("utf-8")
    for name, value in (
        ("TITLE", html.escape(TITLE)),
        ("SCRIPT", part.joinpath("page.js").read_text("utf-8")),
        ("DATA", data),
        ("LIBRARY", get_plotlyjs()),
    ):
        text = text.replace(f"@{name}@", value, 1)
    return text


def main(arguments: list[str]) -> None:
    """Write the page.

    Raises:
        UserError: a file is missing or damaged.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay explore", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--request", required=True, type=Path, help="runs and epochs, JSON file")
    add("--results", type=Path, default=Path("results"), help="folder of the results")
    add("--out", required=True, type=Path, help="page to write")
    options = parser.parse_args(arguments)
    asked = read_request(options.request, Explored)
    view = View(Results(options.results), asked.measures.threshold)
    runs = [view.run(shown) for shown in asked.runs]
    write_file(options.out, page({"runs": runs}).encode())
    print(f"{options.out}: {len(runs)} runs, {options.out.stat().st_size / 1e6:.1f} MB")
