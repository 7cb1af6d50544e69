"""The figures of the paper: what they show equals what was measured."""

from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from sparsedecay.figures import fig1, pictures, style, verdicts
from sparsedecay.files import paths
from sparsedecay.files.tables import SUMMARY, TRAJECTORY
from tests.figures.made import (
    FIGURES,
    PANELS,
    D,
    K,
    curves,
    images,
    milestone,
    product,
    put,
    rendered,
    shown,
    sparsity,
    statements,
    study,
    texts,
    weights,
)


@pytest.mark.parametrize("L", [1, 2, 3, 8])
def test_fig1_has_the_nodes_and_edges_of_theorem_1(L):
    figure = rendered(study(fig1={"L": L}).request("fig1"))
    (ax,) = figure.axes
    groups = [group for group in ax.collections if group.get_label() in fig1.COLOURS]
    groups.sort(key=lambda group: group.get_offsets()[0, 0])
    assert [group.get_label() for group in groups] == ["input", *["ReLU", "linear"] * L]
    for group in groups:
        colour = to_hex(group.get_facecolor()[0])
        assert colour == fig1.COLOURS[group.get_label()].lower()
    counts = [len(group.get_offsets()) for group in groups]
    assert counts == [3, *[5, 3] * L]
    lines = sum(len(group.get_segments()) for group in ax.collections if group.zorder == 1)
    assert lines == sum(a * b for a, b in pairwise(counts))
    labels = [text.get_text() for text in ax.texts]
    for symbol, first in (("W", 1), ("V", 1), ("x", 0)):
        for layer in range(first, L + 1):
            assert any(f"\\mathbf{{{symbol}}}^{{({layer})}}" in label for label in labels)
    assert texts(ax.get_legend()) == ["input node", "ReLU node", "linear node"]
    assert figure.get_figwidth() == (style.COLUMN if L <= 3 else style.FULL)


@pytest.mark.parametrize("lams", [[0.1], [0.1, 1e-3], [1e-1, 1e-2, 1e-3, 1e-4, 1e-5]])
def test_fig2_shows_the_trajectories(project, lams):
    the_study = study(fig2={"lam": lams})
    request = the_study.request("fig2")
    # in whatever order the networks come
    figure = rendered(request.model_copy(update={"shown": request.shown[::-1]}))
    assert len(figure.axes) == len(lams)
    for ax, lam in zip(figure.axes, lams, strict=True):
        assert (ax.get_xlim(), ax.get_ylim()) == ((0, 80), (0, 1))
        lines = curves(ax)
        assert len(lines) == 2
        for line, regularizer in zip(lines, ("eq2", "none"), strict=True):
            run = the_study.run("representer", regularizer, lam)
            x, y = line.get_data()
            assert x.tolist() == list(range(0, 81, 10))
            assert y.tolist() == [sparsity(run, epoch) for epoch in x]
        assert lines[0].get_linestyle() != lines[1].get_linestyle()
        assert f"$\\lambda={style.parameter(lam)}$" in texts(ax)
        assert texts(ax).count("$2.5\\times10^{-5}$") == 2
    assert "median" not in texts(figure)


@pytest.mark.parametrize(("mse", "spike"), [(5.9e-5, False), (6.1e-5, True), (6e-6, True)])
def test_fig2_shows_the_median_beside_a_spike(project, mse, spike):
    the_study = study()
    milestone(the_study.run("representer", "eq2", 0.1), 80, mse=mse)
    found = texts(rendered(the_study.request("fig2")).axes[0])
    assert style.scientific(mse) in found
    assert ("$2.0\\times10^{-5}$" in found) == spike
    assert ("median" in found) == spike


def test_nan_leaves_a_gap(project):
    request = study().request("fig2")
    place = {"run": request.shown[0].run, "epoch": 80}
    about = place | {"measure": "average_sparsity"}
    rows = [about | {"epoch": 50, "value": float("nan")}, about | {"value": 0.5}]
    put(paths.measured(*place.values(), "trajectory"), rows, TRAJECTORY)
    put(paths.measured(*place.values(), "summary"), [place | {"mse": float("nan")}], SUMMARY)
    figure = rendered(request)
    x, y = figure.axes[0].lines[0].get_data()
    assert np.isnan(y[x == 50]).all()
    assert y[x == 80] == 0.5
    assert "–" in texts(figure)
    with style.printed():
        style.save(figure, Path("figures/fig2"), "with a gap")


def test_fig3_shows_each_matrix_sorted_on_one_scale(project):
    the_study = study()
    request = the_study.request("fig3")
    figure = rendered(request)
    *panels, bar = figure.axes
    largest = 0.0
    for ax, one in zip(panels, request.shown, strict=True):
        A = product(weights(the_study.runs[one.run]))
        largest = max(largest, A.max())
        (image,) = images(ax)
        picture = image.get_array().data
        assert np.allclose(np.sort(picture, axis=None), np.sort(A, axis=None), rtol=1e-12, atol=0)
        for axis in (0, 1):
            assert (np.diff(np.linalg.norm(picture, axis=axis)) <= 1e-12).all()
    assert len({tuple(images(ax)[0].norm.boundaries) for ax in panels}) == 1
    assert images(panels[0])[0].norm.boundaries[-1] == pytest.approx(largest)
    assert bar.get_ylim()[0] < request.measures.threshold < bar.get_ylim()[1]
    assert bar.get_ylim()[1] == pytest.approx(largest)
    names = {"representer, eq. (2)", "representer, weight decay", "dense, no regularizer"}
    found = texts(figure)
    assert {"$\\lambda=10^{-3}$, epoch 40", *names} <= set(found)
    assert "sparsity 0.00766" not in found
    assert f"sparsity {style.scientific(49 / K**2, 3)}" in found


def test_what_is_small_is_enlarged(project):
    figure = rendered(study().request("fig3"))
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
        ax = style.page(1, 1).add_axes((0, 0, 1, 1))
        scale.show(ax, np.array([[0.0, 1e-3, 1.0001e-3, 0.01, 0.1, 1.0, 5.0, np.nan]]))
        image = images(ax)[0]
        colours = image.to_rgba(image.get_array())[0, :, :3]
    grey = colours @ [0.299, 0.587, 0.114]
    assert grey[:2].tolist() == [0, 0]
    assert (np.diff(grey[1:7]) > 0.03).all()
    assert to_hex(colours[7]) == pictures.MISSING.lower()


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_all_zero_and_all_missing_matrices_are_shown(value):
    matrix = np.full((5, 5), value)
    with style.printed():
        figure = style.page(2, 2)
        scale = pictures.Scale(1e-3, pictures.largest(matrix))
        pictures.picture(figure.add_axes((0, 0, 1, 1)), matrix, scale)
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
    expected = [[1e-2, 0], [0.01, 0.01], [np.nan, 0.5]]  # the geometric mean of 0.1 and 1e-3
    assert np.allclose(scale.pooled(magnitudes), expected, equal_nan=True)
    magnitudes[0, 0] = 1.001e-3
    assert scale.pooled(magnitudes)[0, 0] > 1e-3


def test_fig4_shows_the_singular_values_and_ranks(project):
    the_study = study()
    request = the_study.request("fig4")
    figure = rendered(request)
    ax = figure.axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    lines = ax.lines[: len(PANELS)]
    for line, one in zip(lines, request.shown, strict=True):
        A = product(weights(the_study.runs[one.run]))
        sigma = np.linalg.svd(A, compute_uv=False)
        length = D if one.network == "representer" else K
        assert line.get_xdata().tolist() == list(range(1, length + 1))
        assert np.allclose(line.get_ydata(), sigma[:length], rtol=1e-9, atol=1e-12)
        rank = int(np.sum(sigma > 1e-3))
        assert line.get_markevery() == [rank - 1]
        assert f"{rank}" in texts(figure)
    assert f"$\\sigma_i=0$ for $i>{D}$" in texts(figure)
    assert {D, K} <= set(ax.get_xticks())
    looks = {(c.get_color(), c.get_marker(), c.get_markerfacecolor()) for c in lines}
    assert len(looks) == len(PANELS)


def test_fig4_factors_are_sorted_alike(project):
    figure = rendered(study().request("fig4"))
    pictured = [images(ax)[0].get_array().data for ax in figure.axes[1:-1]]
    assert len(pictured) == 6  # W, V and A of two representer networks
    for W, V, A in (pictured[:3], pictured[3:]):
        assert (W.shape, V.shape, A.shape) == ((K, D), (D, K), (K, K))
        assert np.allclose(W @ V, A, rtol=1e-9)  # the weights of this test are nonnegative
        assert (np.diff(np.linalg.norm(A, axis=1)) <= 1e-12).all()
        share = np.linalg.norm(W, axis=0) * np.linalg.norm(V, axis=1)
        assert (np.diff(share) <= 0).all()
    names = {"(b) representer, eq. (2)", "(c) representer, weight decay"}
    assert names <= set(texts(figure))


def test_fig4_of_dense_networks_alone_has_spectra_only(project):
    panels = [{"network": "dense", "regularizer": "none"}]
    assert len(rendered(study(fig4={"panels": panels}).request("fig4")).axes) == 1


@pytest.mark.parametrize("name", [*FIGURES, "claims", "readings"])
def test_text_stays_on_the_page_and_apart(project, name):
    if name in FIGURES:
        long = study(fig1={"L": 8}, fig2={"lam": [1e-1, 1e-2, 1e-3, 1e-4]})
        figure = rendered(long.request(name))
    else:
        more = [row | {"reading": f"r{i}"} for i in range(9) for row in statements()]
        figure = shown(project, name, statements() + (more if name == "readings" else []))
    with style.printed():
        figure.draw_without_rendering()
        axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
        hidden = {text for axis in axes for text in offstage(axis)}
        boxes = [
            (text.get_text(), text.get_window_extent())
            for text in figure.findobj(Text)
            if text.get_text().strip() and text.get_visible() and text not in hidden
            if name in FIGURES or not text.get_rotation()
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
    beyond = [tick for tick in ticks if not low <= tick.get_loc() <= high]
    return [label for tick in beyond for label in (tick.label1, tick.label2)]


NUMBERS = {
    style.scientific: {
        0: "0", 0.3126: "0.31", 0.998: "1.0", 12.4: "12", 0.0144: "0.014", np.nan: "–",
        0.000246: "$2.5\\times10^{-4}$", 1234: "$1.2\\times10^{3}$",
        9.99e-6: "$1.0\\times10^{-5}$", np.inf: "$\\infty$",
    },
    style.parameter: {
        0.1: "10^{-1}", 1e-5: "10^{-5}", 1: "1", 0.25: "0.25", 2e-5: "2\\times10^{-5}",
    },
    verdicts.number: {
        741.0: "741", 1.0: "1", 0.0043: "0.0043", 0.97: "0.97", 8.189: "8.2", 1295.5: "1296",
        12.34: "12.3", 3e-7: "$3.0\\times10^{-7}$",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "value", "printed"),
    [(form, value, text) for form, numbers in NUMBERS.items() for value, text in numbers.items()],
)
def test_numbers_in_print(form, value, printed):
    assert form(value) == printed
