"""Made-up studies, results and tables of statements for figures, and what figures show of them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from matplotlib.image import AxesImage
from matplotlib.text import Text

from sparsedecay.claims.rows import written
from sparsedecay.claims.statements import CLAIMS
from sparsedecay.figures import find, style, verdicts
from sparsedecay.figures.declaration import Request
from sparsedecay.files import paths
from sparsedecay.files.results import Results
from sparsedecay.files.storage import write_state, write_table
from sparsedecay.files.tables import MATRICES, SPECTRA, STATEMENTS, SUMMARY, TRAJECTORY
from sparsedecay.science.networks import build
from sparsedecay.study.study import Study, load_study
from tests.claims.made import reading as of_reading

SMOKE = Path(__file__).parents[2] / "config" / "smoke.yaml"
K, D = 80, 3
FIGURES = ("fig1", "fig2", "fig3", "fig4")
PANELS = [("representer", "eq2"), ("representer", "weight_decay"), ("dense", "none")]


def study(**figures) -> Study:
    """A small study, trained to epoch 80; `figures` overrides keys of its figures."""
    panels = [{"network": network, "regularizer": regularizer} for network, regularizer in PANELS]
    sections = {name: figures.get(name, {}) for name in dict.fromkeys([*FIGURES, *figures])}
    for name in ("fig3", "fig4"):
        sections[name] = {"epoch": 40, "panels": panels} | sections[name]
    changes = {
        "network": {"K": K, "d": D},
        "training": {"epochs": 80, "stride": 40},
        "figures": sections,
    }
    return load_study([SMOKE], changes | {"claims": None})


def weights(run) -> dict[str, np.ndarray]:
    """Nonnegative float32 weights: with eq2 of rank 1 and few neurons, otherwise of full rank."""
    rng = np.random.default_rng(len(run.id))
    p = {name: rng.uniform(0.1, 1, shape) for name, shape in build(run).shapes.items()}
    if run.regularizer == "eq2":
        for name, axis in (("W2", 1), ("V1", 0)):
            neurons, nodes = rng.permutation(K)[:7], slice(1, 2)
            kept = np.zeros_like(p[name])
            place = (neurons, nodes) if axis == 1 else (nodes, neurons)
            kept[place] = p[name][place]
            p[name] = kept
    return {name: array.astype(np.float32) for name, array in p.items()}


def product(p: dict[str, np.ndarray]) -> np.ndarray:
    p = {name: array.astype(np.float64) for name, array in p.items()}
    return p["A2"] if "A2" in p else p["W2"] @ p["V1"]


def sparsity(run, epoch: int) -> float:
    return 1 / (1 + (run.lam + run.data.seed / 10) * epoch)


def put(place: str | Path, rows: list[dict], schema: pa.Schema) -> None:
    write_table(Path(place), pa.Table.from_pylist(rows, schema=schema), {})


def milestone(run, epoch: int, folder=Path(), diverged: int | None = None, **summary) -> None:
    """Everything that figures read of a milestone of a run, which may have diverged by then."""
    place, lost = {"run": run.id, "epoch": epoch}, diverged is not None and epoch >= diverged
    p = weights(run)
    A = product(p)
    factor = np.float32(np.nan if lost else 1)
    tensors = {name: torch.from_numpy(array * factor) for name, array in p.items()}
    about = {"run": run.canonical(), "epoch": str(epoch)}
    about |= {"diverged": str(diverged)} if lost else {}
    write_state(folder / paths.state(run.id, epoch), tensors, about)

    sigma = np.linalg.svd(A, compute_uv=False)[: D if run.network == "representer" else K]
    matrix = place | {"matrix": "A2", "rows": K, "columns": K}
    spectrum = [place | {"matrix": "A2"}]
    losses = {"mse": 2.5e-5, "mse_tail_median": 2e-5, "regularizer_value": 1.0}
    losses |= {"average_sparsity": 0.5, "active_neurons": [3, 3]}
    if lost:
        losses = {"diverged": diverged}
    else:
        matrix |= {"sparsity": float(np.mean(A > 1e-3)), "rank": int(np.sum(sigma > 1e-3))}
        matrix |= {"relative_rank": int(np.sum(sigma > 1e-3 * sigma[0]))}
        spectrum = [
            spectrum[0] | {"index": i, "singular_value": value}
            for i, value in reversed(list(enumerate(sigma.tolist(), start=1)))
        ]
    recorded = [
        {"run": run.id, "epoch": e, "measure": measure, "value": value}
        for e in range(epoch - 40 + (10 if epoch > 40 else 0), epoch + 1, 10)
        if not lost or e < diverged
        for measure, value in (("mse", 0.5), ("average_sparsity", sparsity(run, e)))
    ]
    recorded += [place | {"measure": "diverged", "value": float(diverged)}] if lost else []
    for table, rows, schema in (
        ("matrices", [matrix], MATRICES),
        ("spectra", spectrum, SPECTRA),
        ("summary", [place | losses | summary], SUMMARY),
        ("trajectory", recorded, TRAJECTORY),
    ):
        put(folder / paths.measured(run.id, epoch, table), rows, schema)


def several(count: int, **values) -> tuple[Request, list]:
    """A request for figure 2 of so many draws, with results in the current folder, and the runs
    with eq2, one a draw. `values` are lists of what stands in the summaries, by column."""
    draws = [study(fig2={"lam": [0.1]}).draw(("targets", "weights"), i) for i in range(count)]
    for i, draw in enumerate(draws):
        for run in draw.runs.values():
            for epoch in (40, 80):
                milestone(run, epoch, **{name: column[i] for name, column in values.items()})
    shown = tuple(draw.request("fig2").shown for draw in draws)
    request = draws[0].request("fig2").model_copy(update={"draws": shown})
    return request, [draw.runs[one[0].run] for draw, one in zip(draws, shown, strict=True)]


def rendered(request: Request, results: Results | None = None):
    with style.printed():
        return find(request.figure).render(request, results or Results())


def texts(parts) -> list[str]:
    """What stands in a figure or in axes."""
    return [text.get_text() for text in parts.findobj(Text) if text.get_text()]


def images(ax) -> list[AxesImage]:
    return [image for image in ax.images if isinstance(image, AxesImage)]


def curves(ax) -> list:
    """Lines at data, not at places of the page."""
    return [line for line in ax.lines if line.get_transform() == ax.transData]


def within(part) -> float:
    """A number with which a part of a statement holds."""
    if np.isinf(part.low):
        return part.high * 0.9
    return part.low * 1.1 if np.isinf(part.high) else (part.low + part.high) / 2


def statements(reading="literal", numbers=None, epochs=(50_000, 200_000)) -> list[dict]:
    """Rows of a table of statements, all of which hold but for the given numbers."""
    found, way = [], of_reading([()] * 3, name=reading, title=f"reading {reading}")
    for claim in CLAIMS:
        stated = 50_000 if claim.epoch == "fig3" else 200_000
        for epoch in epochs:
            usual = [[within(part)] * 3 for part in claim.parts]
            given = (numbers or {}).get((claim.id, epoch), [])
            values = dict(enumerate([*given, *usual[len(given) :]], start=1))
            found += written(claim, way, epoch, epoch == stated, values)
    return found


def shown(folder: Path, figure: str, rows: list[dict]):
    """The figure `claims` or `readings` of a table of statements."""
    put(folder / paths.statements(figure), rows, STATEMENTS)
    request = Request(figure=figure, settings=None, measures=None, shown=())
    return rendered(request, Results(folder / "results"))


def marks(figure) -> list[str]:
    """Verdicts that are marked on the first axes, without the legend's."""
    by_marker = {marker: verdict for verdict, marker in verdicts.MARKERS.items()}
    found = [by_marker.get(line.get_marker()) for line in figure.axes[0].lines]
    return [verdict for verdict in found if verdict][: -len(by_marker)]
