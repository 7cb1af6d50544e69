"""Command `sparsedecay figure`: one figure as PDF, PNG and SVG, and what it was made from.

    sparsedecay figure --request results/requests/figures/fig4.json --out figures

The request holds what `Study.request("fig4").canonical()` returns. The sidecar `fig4.json` names
the runs, the files that were read with their SHA-256, code, config and versions, but no time and no
path of this machine: the same inputs give the same bytes.
"""

import argparse
from pathlib import Path
from typing import Any

from sparsedecay.figures import find, style
from sparsedecay.figures.declaration import Request
from sparsedecay.files import paths
from sparsedecay.files.provenance import sha256, versions
from sparsedecay.files.results import Results
from sparsedecay.files.storage import read_request, write_json


def main(arguments: list[str]) -> None:
    """Render one figure and write it with its sidecar."""
    parser = argparse.ArgumentParser(prog="sparsedecay figure", description=__doc__)
    add = parser.add_argument
    add("--request", required=True, type=Path, help="what to show, JSON file")
    add("--out", required=True, type=Path, help="folder for the figure")
    add("--results", type=Path, default=Path("results"), help="folder of the results")
    options = parser.parse_args(arguments)
    request = read_request(options.request, Request)
    results = Results(options.results)
    with style.printed():
        picture = find(request.figure).render(request, results)
        title = f"sparsedecay, figure {request.name.removeprefix('fig')}"
        style.save(picture, options.out / request.name, title)
    write_json(options.out / f"{request.name}.json", sidecar(request, results))
    print(f"{options.out / request.name}.pdf, .png, .svg and .json")


def sidecar(request: Request[Any], results: Results) -> dict[str, Any]:
    """What made the figure, and how to make it again."""
    environment = versions()
    asked = paths.request(f"figures/{request.name}")
    return {
        "figure": request.name,
        "runs": [
            {"run": shown.run, "epoch": shown.epochs[-1]}
            for draw in request.draws or [request.shown]
            for shown in draw
        ],
        "inputs": results.opened,
        "code": request.code,
        "config_hash": sha256(request.canonical())[:16],
        "environment": environment,
        "environment_hash": sha256(repr(sorted(environment.items())))[:16],
        "command": {
            "by_hand": f"sparsedecay figure --request {asked} --out figures",
            "workflow": f"snakemake {paths.figure(request.name, 'pdf')}",
        },
    }
