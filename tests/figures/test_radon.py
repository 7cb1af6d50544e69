"""The Radon picture, opened and read back."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sparsedecay.errors import UserError
from sparsedecay.figures.functions import crease
from sparsedecay.files import paths
from sparsedecay.files.samples import table
from sparsedecay.files.storage import write_state, write_table
from sparsedecay.science.networks import build
from sparsedecay.study.study import load_study
from tests.figures.made import SMOKE, rendered, texts

SECTION = {
    "lam": 1e-3,
    "epochs": [0, 40, 80],
    "panels": [{"network": "representer", "regularizer": "eq2"}],
}
TOY = {"kind": "toy", "points": 12, "noise": 0, "test_points": 0, "seed": 3}


def asked(**data):
    sections = {"fig2": None, "fig3": None, "fig4": None, "radon": SECTION}
    changes = {
        "network": {"K": 6, "d": 2},
        "training": {"epochs": 80, "stride": 40},
        "figures": sections,
        "claims": None,
    }
    return load_study([SMOKE], changes | ({"data": data} if data else {}))


def place(study, diverged=()):
    """States in which neuron k has its crease at k / 10 along the first input."""
    for run, epoch in study.milestones("radon"):
        network = build(run)
        p = {name: np.zeros(shape, dtype=np.float32) for name, shape in network.shapes.items()}
        p["W1"][:, 0] = 2
        p["b1"][:] = np.arange(6) / 5
        p["V1"][0] = [1, -2, 3, -4, 5, -6] if epoch == 40 else [0, 0, 3, 0, 0, -1]
        if epoch in diverged:
            p["W1"][:] = np.nan
        tensors = {name: torch.from_numpy(array) for name, array in p.items()}
        about = {"run": run.canonical(), "epoch": str(epoch)}
        write_state(Path(paths.state(run.id, epoch)), tensors, about)
        data = Path(paths.data(run.data.id))
        write_table(data, table(run.data.samples()), {})


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_points_are_directions_offsets_and_shares_of_the_mass():
    study = asked()
    place(study)
    figure = rendered(study.request("radon"))
    start, middle, last = figure.axes
    assert [ax.get_title() for ax in figure.axes] == ["epoch 0", "epoch 40", "epoch 80"]
    dots = last.collections[0]
    center = study.data.samples().X.mean(0)[0]
    np.testing.assert_allclose(
        dots.get_offsets(), [[0, 0.2 - center], [0, 0.5 - center]], atol=1e-6
    )
    sizes = dots.get_sizes()
    assert sizes[0] / sizes[1] == pytest.approx(3)
    assert len(middle.collections[0].get_offsets()) == 6
    assert not np.allclose(dots.get_facecolors()[0], dots.get_facecolors()[1])
    words = texts(figure)
    assert "2 in 2 places, mass 8.0" in words
    assert any("plane of the two leading axes" in text for text in words)
    assert 1 < len(last.lines) <= study.data.points, "the data's own lines"
    assert len(start.collections[0].get_offsets()) > 0, "the start, from the seed"


def test_of_one_variable_stems_stand_where_the_function_bends():
    study = asked(formula="spline", **TOY)
    place(study)
    figure = rendered(study.request("radon"))
    above, below = figure.axes[:3], figure.axes[3:]
    marks = np.vstack([c.get_offsets() for c in above[2].collections[1:]])
    np.testing.assert_allclose(marks, [[0.2, 6], [0.5, -2]], atol=1e-6)
    bends = below[2].lines[1]
    np.testing.assert_allclose(bends.get_xdata(), [0.2, 0.5], atol=1e-6)
    data = below[2].lines[2]
    np.testing.assert_allclose(data.get_xdata(), study.data.samples().X[:, 0])
    f = below[2].lines[0]
    run, _ = study.milestones("radon")[-1]
    assert f.get_ydata()[-1] == pytest.approx(f.get_ydata()[0]), (
        "the second layer passes nothing on"
    )
    assert build(run).d_in == 1


def test_of_two_variables_there_is_a_map_with_its_creases():
    study = asked(formula="bump", **TOY)
    place(study)
    figure = rendered(study.request("radon"))
    last = figure.axes[-1]
    assert last.images[0].get_array().shape == (80, 80)
    ends = [line.get_xydata()[:, 0] for line in last.lines]
    np.testing.assert_allclose(ends, [[0.2, 0.2], [0.5, 0.5]], atol=1e-6)
    assert len(last.collections[0].get_offsets()) == 12


def test_several_outputs_are_drawn():
    drawn = {"points": 9, "dimension": 1, "outputs": 2, "target_range": [-1, 1], "seed": 0}
    study = asked(kind="box", range=[0, 1], **drawn)
    place(study)
    below = rendered(study.request("radon")).axes[-1]
    assert len(below.lines) == 6, "function, bends and data of each output"


def test_a_network_that_diverged_says_so():
    study = asked(formula="bump", **TOY)
    place(study, diverged=(80,))
    figure = rendered(study.request("radon"))
    assert "diverged" in texts(figure.axes[2])
    assert "diverged" not in texts(figure.axes[1])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"epochs": [0, 90]}, r"figures\.radon\.epochs: .* lie beyond training\.epochs \(80\)"),
        ({"epochs": [40, 20]}, r"figures\.radon\.epochs: .* must increase"),
        ({"epochs": [0]}, r"figures\.radon\.epochs: .* not end at 0"),
        ({"panels": 2 * SECTION["panels"]}, r"figures\.radon\.panels: .* only once"),
    ],
)
def test_what_cannot_be_shown_is_refused(changes, told):
    figures = {"fig2": None, "fig3": None, "fig4": None, "radon": SECTION | changes}
    training = {"epochs": 80, "stride": 40}
    with pytest.raises(UserError, match=told):
        load_study([SMOKE], {"figures": figures, "training": training, "claims": None})


def test_a_crease_crosses_the_box():
    assert crease(0.0, 1.0, 0.5, (0, 1), (0, 2)) == ([0, 1], [0.5, 0.5])
    assert crease(1.0, 0.0, 0.5, (0, 1), (0, 2)) == ([0.5, 0.5], [0, 2])
    for g0, g1 in ((0.6, 0.8), (0.8, -0.6), (-0.8, 0.6)):
        x, y = (np.array(part) for part in crease(g0, g1, 0.3, (-1, 1), (-2, 2)))
        np.testing.assert_allclose(g0 * x + g1 * y, 0.3)
