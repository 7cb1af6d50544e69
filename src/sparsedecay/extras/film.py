"""Command `sparsedecay film`: how the neurons of a network gather, as an animation.

sparsedecay film --request results/requests/film.json --out figures/radon.gif

Milestones are too few for a film, so each network is trained once more, from its start, and drawn
at epochs that lie close at the beginning. The same engine gives the same frames.
"""

import argparse
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import torch

from sparsedecay import engines
from sparsedecay.engines.state import dtype, initial
from sparsedecay.figures import style
from sparsedecay.figures.functions import Window, stems
from sparsedecay.figures.radon import Film, note
from sparsedecay.files import paths
from sparsedecay.files.samples import load
from sparsedecay.files.storage import read_request, write_file
from sparsedecay.science.networks import build
from sparsedecay.science.radon import Atoms, atoms, plane
from sparsedecay.science.run import Run
from sparsedecay.train.loop import available

FRAMES, PER_SECOND, HELD = 72, 12, 24
"""Frames, how many a second, and how many the last one is held."""
DPI = 110
HEIGHT, LEFT, BELOW, ABOVE, BESIDE = 2.6, 0.55, 0.6, 0.42, 0.3
"""Of the film, its margins, and the gap between panels, inches."""


def moments(last: int) -> list[int]:
    """Epochs of the frames, from 0 to the last."""
    early = np.geomspace(1, last, FRAMES // 2).round().astype(int)
    late = np.linspace(0, last, FRAMES // 2).round().astype(int)
    return sorted({*early.tolist(), *late.tolist()})


def trained(run: Run, X: torch.Tensor, y: torch.Tensor, last: int, asked: str) -> Iterator[Atoms]:
    """Its neurons at each of the moments; none more after it has diverged."""
    network, inputs = build(run), X.double().numpy()
    trainer = engines.ENGINES[available(run, asked)].start(run, X, y, initial(run))
    for epoch in moments(last):
        trainer.advance(epoch - trainer.epoch)
        with torch.no_grad():
            p = {
                name: t.double().numpy(force=True).copy() for name, t in trainer.parameters.items()
            }
        if not all(np.isfinite(array).all() for array in p.values()):
            return
        yield atoms(network, p, inputs)


def frames(film: Film, data: Path, engine: str) -> Iterator[bytes]:
    """The pictures, PNG each."""
    found = load(data)
    kind = dtype(film.runs[0])
    X, y = torch.tensor(found.X, dtype=kind), torch.tensor(found.y, dtype=kind)
    ways = [list(trained(run, X, y, film.epoch, engine)) for run in film.runs]
    d_in = found.X.shape[1]
    windows = [Window.of(found.X, found.y, way, *plane(way[-1:], d_in)) for way in ways]
    for i, epoch in enumerate(moments(film.epoch)):
        # where a network has diverged its last frame stays
        now = [way[min(i, len(way) - 1)] for way in ways]
        yield frame(film, epoch, now, windows)


def frame(film: Film, epoch: int, now: list[Atoms], windows: list[Window]) -> bytes:
    """One picture: a panel for each network."""
    width = style.FULL if len(now) > 1 else style.FULL / 2
    figure = style.page(width, HEIGHT)
    panel = (width - LEFT - 0.1 - BESIDE * (len(now) - 1)) / len(now)
    for i, (run, found, window) in enumerate(zip(film.runs, now, windows, strict=True)):
        left = LEFT + i * (panel + BESIDE)
        ax = style.place(figure, left, BELOW, panel, HEIGHT - BELOW - ABOVE)
        stems(ax, found, window)
        name = style.network(run.network, run.regularizer)
        neurons, places = int(found.neurons.sum()), len(found.mass)
        ax.set_title(f"{name}: {neurons:,} in {places:,} places", pad=3)
        one = window.dimension == 1
        ax.set_xlabel("crease, $x=t\\gamma$" if one else "direction (degrees)")
        if i == 0:
            ax.set_ylabel("mass, with the sign of $v$" if one else "offset of the crease")
    style.heading(figure, LEFT, HEIGHT - 0.1, f"epoch {epoch:,}")
    style.heading(figure, LEFT, 0.1, note(windows[0], windows[0].dimension))
    rendered = BytesIO()
    figure.savefig(rendered, format="png", dpi=DPI)
    return rendered.getvalue()


def main(arguments: list[str]) -> None:
    """Train, draw and write the film.

    Raises:
        UserError: a file is missing or damaged, or no engine can train a run.
    """
    from PIL import Image

    parser = argparse.ArgumentParser(prog="sparsedecay film", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--request", required=True, type=Path, help="runs and epoch, JSON file")
    add("--engine", default="compiled", help="what trains (default: compiled)")
    add("--results", type=Path, default=Path("results"), help="folder of the results")
    add("--out", required=True, type=Path, help="GIF to write")
    options = parser.parse_args(arguments)
    film = read_request(options.request, Film)
    data = options.results / Path(paths.data(film.runs[0].data.id)).relative_to("results")
    engines.prepare()
    with style.printed():
        pictures = [
            Image.open(BytesIO(png)).convert("RGB") for png in frames(film, data, options.engine)
        ]
    # one palette, that of the last frame, so that colours do not flicker
    palette = pictures[-1].quantize(255)
    first, *others = [
        picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures
    ]
    each = 1000 // PER_SECOND
    times = [each] * len(others) + [each * HELD]
    written = BytesIO()
    first.save(written, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    write_file(options.out, written.getvalue())
    print(f"{options.out}: {len(pictures)} frames to epoch {film.epoch:,}")
