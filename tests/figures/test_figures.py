"""The figures: what is drawn equals what was measured, and the files can be made again."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.image import AxesImage
from matplotlib.text import Text

from sparsedecay.errors import UserError
from sparsedecay.figures import command, fig1, fig2, fig3, fig4, files_read, pictures, style
from sparsedecay.files import paths, provenance
from sparsedecay.files.results import Results
from sparsedecay.files.storage import write_state, write_table
from sparsedecay.files.tables import MATRICES, SPECTRA, SUMMARY, TRAJECTORY
from sparsedecay.science.networks import build
from sparsedecay.study.study import Study
from tests.small import written

K, D = 80, 3
FIGURES = ("fig1", "fig2", "fig3", "fig4")
PANELS = [("representer", "eq2"), ("representer", "weight_decay"), ("dense", "none")]


def study(**figures) -> Study:
    """A small study; `figures` overrides keys of its figures."""
    shown = {
        "lam": 1e-3,
        "epoch": 40,
        "layer": 2,
        "panels": [{"network": network, "regularizer": r} for network, r in PANELS],
    }
    sections = {
        "fig1": {"L": 3},
        "fig2": {"network": "representer", "lam": [0.1, 1e-3], "regularizers": ["eq2", "none"]},
        "fig3": shown,
        "fig4": shown,
    }
    return Study.model_validate(
        {
            "data": {"levels": [0, 1], "dimension": 3, "target_range": [-1, 1], "seed": 0},
            "network": {"L": 2, "K": K, "d": D, "skips": "leap"},
            "objective": {"loss": "mean", "weight_decay": "objective", "decay_biases": True},
            "initialization": {"range": [-1, 1], "scale": "none", "seed": 0},
            "optimizer": {
                "learning_rate": 1e-3,
                "betas": [0.9, 0.999],
                "eps": 1e-8,
                "batches": 1,
            },
            "training": {
                "epochs": 80,
                "stride": 40,
                "record_every": 10,
                "precision": "float32",
                "engine": "compiled",
                "checkpoint_seconds": 60,
            },
            "measures": {
                "threshold": 1e-3,
                "rank_threshold": 1e-3,
                "relative_rank_threshold": 1e-3,
                "average_over": ["W", "V"],
            },
            "figures": {name: {**sections[name], **figures.get(name, {})} for name in FIGURES},
            "claims": {
                "seeds": 2,
                "vary": ["targets", "weights"],
                "milestones": [40, 80],
                "dense_milestones": [40],
                "shallow": {"K": [8, 16], "lam": 1e-3, "epoch": 80},
                "readings": "readings.yaml",
                "reading_seeds": 1,
            },
        },
        strict=False,
    )


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


def put(place: str | Path, rows: list[dict], schema: pa.Schema) -> None:
    write_table(Path(place), pa.Table.from_pylist(rows, schema=schema), {})


@pytest.fixture
def project(results, tmp_path, monkeypatch):
    """A folder with results of every run that the figures show, made the current one."""
    shutil.copytree(results, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """As `project`, made once and left as it is."""
    folder = tmp_path_factory.mktemp("results")
    for run in study(fig2={"lam": [10.0**-i for i in range(1, 6)]}).runs.values():
        for epoch in (40, 80):
            place = {"run": run.id, "epoch": epoch}
            p = weights(run)
            tensors = {name: torch.from_numpy(array) for name, array in p.items()}
            about = {"run": run.canonical(), "epoch": str(epoch)}
            write_state(folder / paths.state(run.id, epoch), tensors, about)
            A = product(p)
            sigma = np.linalg.svd(A, compute_uv=False)[: D if run.network == "representer" else K]
            counts = {
                "matrix": "A2",
                "rows": K,
                "columns": K,
                "sparsity": float(np.mean(A > 1e-3)),
                "rank": int(np.sum(sigma > 1e-3)),
                "relative_rank": int(np.sum(sigma > 1e-3 * sigma[0])),
            }
            put(folder / paths.measured(run.id, epoch, "matrices"), [place | counts], MATRICES)
            spectrum = [
                place | {"matrix": "A2", "index": i, "singular_value": value}
                for i, value in reversed(list(enumerate(sigma.tolist(), start=1)))
            ]
            put(folder / paths.measured(run.id, epoch, "spectra"), spectrum, SPECTRA)
            losses = {"mse": 2.5e-5, "mse_tail_median": 2e-5}
            put(folder / paths.measured(run.id, epoch, "summary"), [place | losses], SUMMARY)
            trajectory = [
                {"run": run.id, "epoch": e, "measure": measure, "matrix": None, "value": value}
                for e in range(epoch - 40 + (10 if epoch > 40 else 0), epoch + 1, 10)
                for measure, value in (("mse", 0.5), ("average_sparsity", sparsity(run.lam, e)))
            ]
            put(folder / paths.measured(run.id, epoch, "trajectory"), trajectory, TRAJECTORY)
    return folder


def sparsity(lam: float, epoch: int) -> float:
    return 1 / (1 + lam * epoch)


def drawn(module, request):
    with style.printed():
        return module.FIGURE.render(request, Results())


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def images(ax) -> list[AxesImage]:
    return [image for image in ax.images if isinstance(image, AxesImage)]


@pytest.mark.parametrize("L", [1, 2, 3, 8])
def test_fig1_has_the_nodes_and_edges_of_theorem_1(L):
    figure = drawn(fig1, study(fig1={"L": L}).request("fig1"))
    (ax,) = figure.axes
    columns = sorted(
        (group.get_offsets()[0, 0], group)
        for group in ax.collections
        if group.get_label() in fig1.COLOURS
    )
    kinds = [group.get_label() for _, group in columns]
    assert kinds == ["input", *["ReLU", "linear"] * L]
    colours = {group.get_label(): to_hex(group.get_facecolor()[0]) for _, group in columns}
    assert colours == {kind: colour.lower() for kind, colour in fig1.COLOURS.items()}
    counts = [len(group.get_offsets()) for _, group in columns]
    assert counts == [3, *[5, 3] * L]
    lines = sum(len(group.get_segments()) for group in ax.collections if group.zorder == 1)
    assert lines == sum(a * b for a, b in pairwise(counts))
    labels = [text.get_text() for text in ax.texts]
    for symbol, first in (("W", 1), ("V", 1), ("x", 0)):
        for layer in range(first, L + 1):
            assert any(f"\\mathbf{{{symbol}}}^{{({layer})}}" in label for label in labels)
    assert [entry.get_text() for entry in ax.get_legend().get_texts()] == [
        "input node",
        "ReLU node",
        "linear node",
    ]
    assert figure.get_figwidth() == (style.COLUMN if L <= 3 else style.FULL)


@pytest.mark.parametrize("lams", [[0.1], [0.1, 1e-3], [1e-1, 1e-2, 1e-3, 1e-4, 1e-5]])
def test_fig2_shows_the_trajectories(project, lams):
    request = study(fig2={"lam": lams}).request("fig2")
    figure = drawn(fig2, request)
    assert len(figure.axes) == len(lams)
    for ax, lam in zip(figure.axes, lams, strict=True):
        assert (ax.get_xlim(), ax.get_ylim()) == ((0, 80), (0, 1))
        curves = [line for line in ax.lines if line.get_transform() == ax.transData]
        assert len(curves) == 2
        for curve, effective in zip(curves, (lam, 0.0), strict=True):
            x, y = curve.get_data()
            assert x.tolist() == list(range(0, 81, 10))
            assert y.tolist() == [sparsity(effective, epoch) for epoch in x]
        assert curves[0].get_linestyle() != curves[1].get_linestyle()
        assert f"$\\lambda={style.parameter(lam)}$" in [text.get_text() for text in ax.texts]
        assert [text.get_text() for text in ax.texts].count("$2.5\\times10^{-5}$") == 2
    assert "median" not in texts(figure)


@pytest.mark.parametrize(("mse", "shown"), [(5.9e-5, False), (6.1e-5, True), (6e-6, True)])
def test_fig2_shows_the_median_beside_a_spike(project, mse, shown):
    request = study().request("fig2")
    run = request.shown[0].run
    row = {"run": run, "epoch": 80, "mse": mse, "mse_tail_median": 2e-5}
    put(paths.measured(run, 80, "summary"), [row], SUMMARY)
    found = [text.get_text() for text in drawn(fig2, request).axes[0].texts]
    assert style.scientific(mse) in found
    assert ("$2.0\\times10^{-5}$" in found) == shown
    assert ("median" in found) == shown


def test_nan_leaves_a_gap(project):
    request = study().request("fig2")
    run = request.shown[0].run
    values = [("average_sparsity", 50, float("nan")), ("average_sparsity", 80, 0.5)]
    rows = [{"run": run, "epoch": e, "measure": m, "value": v} for m, e, v in values]
    put(paths.measured(run, 80, "trajectory"), rows, TRAJECTORY)
    row = {"run": run, "epoch": 80, "mse": float("nan"), "mse_tail_median": None}
    put(paths.measured(run, 80, "summary"), [row], SUMMARY)
    figure = drawn(fig2, request)
    x, y = figure.axes[0].lines[0].get_data()
    assert np.isnan(y[x == 50]).all()
    assert y[x == 80] == 0.5
    assert "–" in texts(figure)
    with style.printed():
        style.save(figure, project / "figures" / "fig2", "with a gap")


def test_fig3_shows_each_matrix_sorted_on_one_scale(project):
    the_study = study()
    request = the_study.request("fig3")
    figure = drawn(fig3, request)
    *panels, bar = figure.axes
    shown = [the_study.runs[one.run] for one in request.shown]
    largest = 0.0
    for ax, run in zip(panels, shown, strict=True):
        A = product(weights(run))
        largest = max(largest, A.max())
        (image,) = images(ax)
        picture = image.get_array().data
        assert np.allclose(np.sort(picture, axis=None), np.sort(A, axis=None), rtol=1e-12, atol=0)
        for axis in (0, 1):
            norms = np.linalg.norm(picture, axis=axis)
            assert (np.diff(norms) <= 1e-12).all()
    assert len({tuple(images(ax)[0].norm.boundaries) for ax in panels}) == 1
    assert images(panels[0])[0].norm.boundaries[-1] == pytest.approx(largest)
    assert bar.get_ylim()[0] < request.measures.threshold < bar.get_ylim()[1]
    assert bar.get_ylim()[1] == pytest.approx(largest)
    found = texts(figure)
    assert "$\\lambda=10^{-3}$, epoch 40" in found
    for name in ("representer, eq. (2)", "representer, weight decay", "dense, no regularizer"):
        assert name in found
    assert "sparsity 0.00766" not in found
    assert f"sparsity {style.scientific(49 / K**2, 3)}" in found


def test_what_is_small_is_enlarged(project):
    figure = drawn(fig3, study().request("fig3"))
    sparse, *full = figure.axes[:-1]
    (inset,) = sparse.child_axes
    (whole,), (part,) = images(sparse), images(inset)
    assert part.get_array().shape == (7, 7)
    assert (part.get_array() == whole.get_array()[:7, :7]).all()
    assert (part.get_array() > 1e-3).all()
    assert not any(ax.child_axes for ax in full)
    assert "enlarged:\n7 × 7" in texts(figure)


def test_colours_tell_zero_from_small_from_large():
    scale = pictures.Scale(1e-3, 5.0)
    with style.printed():
        figure = style.page(1, 1)
        ax = figure.add_axes((0, 0, 1, 1))
        values = [0.0, 1e-3, 1.0001e-3, 0.01, 0.1, 1.0, 5.0, np.nan]
        scale.show(ax, np.array([values]))
        image = images(ax)[0]
        colours = image.to_rgba(image.get_array())[0, :, :3]
    grey = colours @ [0.299, 0.587, 0.114]
    assert grey[:2].tolist() == [0, 0]
    assert (np.diff(grey[1:7]) > 0.03).all()
    assert to_hex(colours[7]) == pictures.MISSING.lower()


def test_all_zero_and_all_missing_matrices_are_drawn():
    for value in (0.0, np.nan):
        matrix = np.full((5, 5), value)
        with style.printed():
            figure = style.page(2, 2)
            ax = figure.add_axes((0, 0, 1, 1))
            pictures.picture(ax, matrix, pictures.Scale(1e-3, pictures.largest(matrix)))
            figure.canvas.draw()
        assert ("all\n$\\leq10^{-3}$" in texts(figure)) == (value == 0)


def test_pooling_is_black_only_where_all_is_and_lies_between(monkeypatch):
    scale = pictures.Scale(1e-3, 1.0)
    magnitudes = np.full((5, 2), 1e-3)
    magnitudes[0, 0] = 0.1  # one entry of the first block
    magnitudes[2:4] = 0.01
    magnitudes[4] = np.nan, 0.5
    assert scale.pooled(magnitudes) is magnitudes
    monkeypatch.setattr(pictures, "PIXELS", 3)
    pooled = scale.pooled(magnitudes)
    expected = [[1e-2, 0], [0.01, 0.01], [np.nan, 0.5]]  # the geometric mean of 0.1 and 1e-3
    assert np.allclose(pooled, expected, equal_nan=True)
    magnitudes[0, 0] = 1.001e-3
    assert scale.pooled(magnitudes)[0, 0] > 1e-3


def test_fig4_shows_the_singular_values_and_ranks(project):
    the_study = study()
    request = the_study.request("fig4")
    figure = drawn(fig4, request)
    ax = figure.axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    curves = ax.lines[: len(PANELS)]
    for curve, one in zip(curves, request.shown, strict=True):
        A = product(weights(the_study.runs[one.run]))
        sigma = np.linalg.svd(A, compute_uv=False)
        length = D if one.network == "representer" else K
        assert curve.get_xdata().tolist() == list(range(1, length + 1))
        assert np.allclose(curve.get_ydata(), sigma[:length], rtol=1e-9, atol=1e-12)
        rank = int(np.sum(sigma > 1e-3))
        assert curve.get_markevery() == [rank - 1]
        assert f"{rank}" in texts(figure)
    assert f"$\\sigma_i=0$ for $i>{D}$" in texts(figure)
    assert {D, K} <= set(ax.get_xticks())
    looks = {(c.get_color(), c.get_marker(), c.get_markerfacecolor()) for c in curves}
    assert len(looks) == len(PANELS)


def test_fig4_factors_are_sorted_alike(project):
    the_study = study()
    figure = drawn(fig4, the_study.request("fig4"))
    pictured = [images(ax)[0].get_array().data for ax in figure.axes[1:-1]]
    assert len(pictured) == 6  # W, V and A of two representer networks
    for W, V, A in (pictured[:3], pictured[3:]):
        assert (W.shape, V.shape, A.shape) == ((K, D), (D, K), (K, K))
        assert np.allclose(W @ V, A, rtol=1e-9)  # the weights of this test are nonnegative
        assert (np.diff(np.linalg.norm(A, axis=1)) <= 1e-12).all()
        share = np.linalg.norm(W, axis=0) * np.linalg.norm(V, axis=1)
        assert (np.diff(share) <= 0).all()
    assert "(b) representer, eq. (2)" in texts(figure)
    assert "(c) representer, weight decay" in texts(figure)


def test_fig4_of_dense_networks_alone_has_spectra_only(project):
    panels = [{"network": "dense", "regularizer": "none"}]
    figure = drawn(fig4, study(fig4={"panels": panels}).request("fig4"))
    assert len(figure.axes) == 1


@pytest.mark.parametrize("name", FIGURES)
def test_text_stays_on_the_page_and_apart(project, name):
    module = {"fig1": fig1, "fig2": fig2, "fig3": fig3, "fig4": fig4}[name]
    request = study(fig1={"L": 8}, fig2={"lam": [1e-1, 1e-2, 1e-3, 1e-4]}).request(name)
    figure = drawn(module, request)
    with style.printed():
        figure.draw_without_rendering()
        hidden = {
            text for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for text in offstage(axis)
        }
        boxes = [
            (text.get_text(), text.get_window_extent())
            for text in figure.findobj(Text)
            if text.get_text().strip() and text.get_visible() and text not in hidden
        ]
    for text, box in boxes:
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1, text
    for (one, here), (two, there) in combinations(boxes, 2):
        across = min(here.x1, there.x1) - max(here.x0, there.x0)
        along = min(here.y1, there.y1) - max(here.y0, there.y0)
        assert across <= 1 or along <= 2, (one, two)  # pixels of 1/100 inch


def offstage(axis) -> list[Text]:
    """Labels of ticks beyond the limits, which are not drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    labels = [label for tick in ticks for label in (tick.label1, tick.label2)]
    return [
        label
        for tick, pair in zip(ticks, zip(labels[::2], labels[1::2], strict=True), strict=True)
        for label in pair
        if not low <= tick.get_loc() <= high
    ]


SCRIPT = """
import sys
from sparsedecay.figures import command
requests, out, results = sys.argv[1:4]
for request in open(requests).read().splitlines():
    command.main(["--request", request, "--out", out, "--results", results])
assert not {"torch", "seaborn", "matplotlib.pyplot"} & set(sys.modules), "imports too much"
"""


def test_figures_are_the_same_bytes_everywhere(project):
    """Another process, folder, hash seed and matplotlib configuration change nothing."""
    (project / "list").write_text(
        "\n".join(
            written(project / "requests" / f"{name}.json", study().request(name))
            for name in FIGURES
        ),
        encoding="utf-8",
    )
    (project / "mine").mkdir()  # matplotlib also looks for its settings in the current folder
    (project / "mine" / "matplotlibrc").write_text("font.size: 20\nfigure.facecolor: red\n")
    mine = {"MATPLOTLIBRC": str(project / "mine")}
    source = str(Path(style.__file__).parents[2])
    folders = []
    for seed, more, cwd in (("1", {}, project), ("2", mine, Path("/"))):
        folder = project / f"figures-{seed}"
        environment = {**os.environ, "PYTHONPATH": source, "PYTHONHASHSEED": seed, **more}
        arguments = [str(project / "list"), str(folder), str(project / "results")]
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        folders.append(folder)
    files = [f"{name}.{ending}" for name in FIGURES for ending in ("json", "pdf", "png", "svg")]
    assert sorted(path.name for path in folders[0].iterdir()) == files
    for name in files:
        first, second = ((folder / name).read_bytes() for folder in folders)
        assert first == second, name
        assert str(project).encode() not in first, name
    check_files(folders[0])
    check_sidecars(folders[0])


def check_files(folder: Path) -> None:
    """One page of the printed width, with text and no dates; the SVG tells its text in comments."""
    for name in FIGURES:
        pdf = (folder / f"{name}.pdf").read_bytes()
        (box,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
        width = float(box[0]) / 72
        assert width == pytest.approx(style.COLUMN) or 4 < width <= style.FULL + 1e-6
        assert re.findall(rb"/Count (\d+)", pdf) == [b"1"]
        assert b"/Type3" not in pdf
        assert b"CreationDate" not in pdf
        svg = (folder / f"{name}.svg").read_text(encoding="utf-8")
        assert "<dc:date>" not in svg
        word = {"fig1": "ReLU node", "fig2": "weight decay", "fig3": "dense", "fig4": "index $i$"}
        assert (word[name] if name != "fig2" else "no regularizer") in svg
        png = (folder / f"{name}.png").read_bytes()
        pixels = int.from_bytes(png[16:20], "big")
        assert pixels == pytest.approx(width * 300, abs=1)


def check_sidecars(folder: Path) -> None:
    """The sidecar names what was read, and hashes are those of the files."""
    for name in FIGURES:
        request = study().request(name)
        told = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        inputs = told["inputs"]
        assert set(inputs) <= set(files_read(request))
        assert name == "fig4" or set(inputs) == set(files_read(request))
        for place, digest in inputs.items():
            assert hashlib.sha256(Path(place).read_bytes()).hexdigest() == digest
        assert told["runs"] == [{"run": s.run, "epoch": s.epochs[-1]} for s in request.shown]
        assert told["code"] == provenance.code(command.STAGE, f"sparsedecay.figures.{name}")
        assert told["environment"] == provenance.versions()
        by_hand = f"sparsedecay figure --request {paths.request(f'figures/{name}')} --out figures"
        assert told["command"]["by_hand"] == by_hand
        assert told["config_hash"] == provenance.sha256(request.canonical())[:16]
        assert told["command"]["workflow"] == f"snakemake figures/{name}.pdf"


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_depends_on_its_own_code(name):
    modules = provenance.closure(command.STAGE, f"sparsedecay.figures.{name}")
    others = {f"sparsedecay.figures.{other}" for other in FIGURES if other != name}
    assert not others & set(modules)
    assert "sparsedecay.measure" not in modules
    assert not any(module.startswith("sparsedecay.train") for module in modules)


DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", ["fig2", "fig3", "fig4"])
def test_a_damaged_file_is_named(project, name, damage):
    request = study().request(name)
    asked = written(Path("request.json"), request)
    for place in files_read(request)[:1] + files_read(request)[-4:-3]:
        whole = Path(place).read_bytes()
        damage(Path(place))
        with pytest.raises(UserError, match=re.escape(place)):
            command.main(["--request", asked, "--out", "figures"])
        Path(place).write_bytes(whole)
    assert not Path("figures").exists()


def sealed(values):
    """A request as it is written, whatever it asks."""
    text = json.dumps(values)
    return json.dumps({"asked": values, "sha256": provenance.sha256(text)})


REQUESTS = {
    "missing": (None, "no such file; make it with: snakemake requests/fig1.json"),
    "cut": ('{"figure": "fig1", ', "is damaged .*again with: snakemake --force"),
    "empty": ("", "is damaged"),
    "another's seal": ('{"asked":{},"sha256":"0"}', "is damaged .*wrong SHA-256"),
    "of another version": (sealed({}), "is no request: figure: Field required"),
    "no text": (b"\xff\xfe", "is damaged"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_bad_request_is_named_with_the_remedy(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    content, told = REQUESTS[name]
    file = Path("requests/fig1.json")
    file.parent.mkdir()
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as caught:
        command.main(["--request", str(file), "--out", "figures"])
    message = str(caught.value)
    assert re.match(f"requests/fig1.json: {told}", message, re.DOTALL), message
    assert not re.search("pydantic|Request|Traceback", message)


@pytest.mark.parametrize("file", ["state", "summary", "matrices"])
def test_another_runs_file_is_refused(project, file):
    request = study().request("fig3")
    places = [
        paths.state(one.run, 40) if file == "state" else paths.measured(one.run, 40, file)
        for one in request.shown[:2]
    ]
    Path(places[0]).write_bytes(Path(places[1]).read_bytes())
    with pytest.raises(UserError, match=re.escape(places[0])):
        drawn(fig3, request)


@pytest.mark.parametrize("file", ["state", "summary", "matrices"])
def test_another_epochs_file_is_refused(project, file):
    request = study().request("fig3")
    run = request.shown[0].run
    good, other = (
        paths.state(run, epoch) if file == "state" else paths.measured(run, epoch, file)
        for epoch in (40, 80)
    )
    Path(good).write_bytes(Path(other).read_bytes())
    with pytest.raises(UserError, match=re.escape(good)):
        drawn(fig3, request)


@pytest.mark.parametrize("name", ["fig3", "fig4"])
def test_a_table_without_the_matrix_is_named(project, name):
    request = study().request(name)
    run = request.shown[0].run
    place = paths.measured(run, 40, "matrices")
    put(place, [{"run": run, "epoch": 40, "matrix": "W1"}], MATRICES)
    with pytest.raises(UserError, match=re.escape(place)):
        drawn({"fig3": fig3, "fig4": fig4}[name], request)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0, "0"),
        (0.3126, "0.31"),
        (0.998, "1.0"),
        (12.4, "12"),
        (0.0144, "0.014"),
        (0.000246, "$2.5\\times10^{-4}$"),
        (1234, "$1.2\\times10^{3}$"),
        (9.99e-6, "$1.0\\times10^{-5}$"),
        (float("nan"), "–"),
        (float("inf"), "$\\infty$"),
    ],
)
def test_numbers_in_print(value, printed):
    assert style.scientific(value) == printed


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.1, "10^{-1}"), (1e-5, "10^{-5}"), (1, "1"), (0.25, "0.25"), (2e-5, "2\\times10^{-5}")],
)
def test_parameters_in_print(value, printed):
    assert style.parameter(value) == printed
