"""The page of all runs and the film: what they show, read back."""

import base64
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sparsedecay.extras import film
from sparsedecay.extras.explore import command, views
from sparsedecay.extras.explore.views import View
from sparsedecay.files import paths
from sparsedecay.files.results import Results
from sparsedecay.files.samples import table
from sparsedecay.files.storage import write_table
from sparsedecay.measure import command as measure
from sparsedecay.science.networks import build
from sparsedecay.study.plan import Plan
from sparsedecay.study.study import load_study
from sparsedecay.train.loop import train
from sparsedecay.train.stretch import Stretch
from tests.figures.made import SMOKE
from tests.small import written

PANELS = [
    {"network": "representer", "regularizer": "eq2"},
    {"network": "dense", "regularizer": "weight_decay"},
]
TOY = {"kind": "toy", "points": 12, "noise": 0.1, "test_points": 5, "seed": 3}


def plan(learning_rate=0.01, **data) -> Plan:
    section = {"lam": 1e-3, "epochs": [0, 40], "panels": PANELS}
    changes = {
        "network": {"K": 6, "d": 2},
        "optimizer": {"learning_rate": learning_rate},
        "training": {"epochs": 40, "stride": 20},
        "figures": {"fig2": None, "fig3": None, "fig4": None, "radon": section},
        "claims": None,
        "data": data or {"levels": [0, 1], "dimension": 3},
    }
    return Plan(load_study([SMOKE], changes), [])


def trained(asked: Plan) -> None:
    """Everything of the plan's runs, made in the current folder."""
    for run in asked.study.runs.values():
        data = Path(paths.data(run.data.id))
        write_table(data, table(run.data.samples()), {"settings": run.data.canonical()})
        previous = None
        for epoch in (20, 40):
            made = (paths.state, paths.loss, paths.magnitudes)
            files = [Path(place(run.id, epoch)) for place in made]
            train(Stretch(run, epoch, data, previous, *files))
            previous = files[0]
            measure.main(
                ["--run", run.canonical(), "--epoch", str(epoch), "--data", str(data),
                 "--measures", asked.study.measures.canonical(),
                 "--state", str(files[0]), "--loss", str(files[1]), "--magnitudes", str(files[2]),
                 "--out", str(Path(paths.measured(run.id, epoch, "summary")).parent)]
            )  # fmt: skip


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def content(asked: Plan) -> dict:
    request = written(Path("explore.json"), asked.asked("explore"))
    command.main(["--request", request, "--out", "explore.html"])
    whole = Path("explore.html").read_text("utf-8")
    assert "@DATA@" not in whole
    (data,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', whole, re.S)
    return json.loads(data.replace("<\\/", "</"))


@pytest.mark.parametrize(
    ("data", "lines"),
    [({}, 2), ({**TOY, "formula": "spline"}, 1), ({**TOY, "formula": "bump"}, 0)],
    ids=["3d", "1d", "2d"],
)
def test_the_page_holds_every_milestone(data, lines):
    asked = plan(**data)
    trained(asked)
    runs = content(asked)["runs"]
    assert [run["id"] for run in runs] == list(asked.study.runs)
    for shown, run in zip(runs, asked.study.runs.values(), strict=True):
        assert [one["epoch"] for one in shown["milestones"]] == [20, 40]
        epochs, values = shown["curves"]["mse"]
        assert epochs[0] == 0
        assert epochs[-1] == 40
        last = shown["milestones"][-1]
        assert values[-1] == pytest.approx(last["summary"]["mse"], rel=1e-4)
        assert (last["summary"]["test_mse"] is None) == (not data)
        of_A = "singular_value_1" if run.network == "representer" else "sparsity"
        assert f"{of_A} of A2" in shown["curves"]
        network, p = Results().trained(run.id, 40)
        assert set(last["matrices"]) == {*network.matrices, "A2"}
        assert sum(last["neurons"]["count"]) <= 6
        assert len(last["function"].get("lines", [])) == lines
        if lines == 1:
            f = network.forward(p, np.array(last["function"]["x"])[:, None], views.relu)[:, 0]
            np.testing.assert_allclose(last["function"]["lines"][0], f, rtol=1e-3, atol=1e-3)
        if data.get("formula") == "bump":
            function = last["function"]
            at = np.array([[function["x"][3], function["y"][7]]])
            value = network.forward(p, at, views.relu)[0, 0]
            assert function["z"][7][3] == pytest.approx(value, rel=1e-3, abs=1e-3)


def test_a_matrix_is_made_small_on_a_logarithmic_scale():
    view = View(Results(), 0.01)
    matrix = np.array([[0.0, 0.01], [1.0, 0.1]])
    found = view.matrix(matrix)
    cells = np.frombuffer(base64.b64decode(found["cells"]), dtype=np.uint8).reshape(2, 2)
    assert cells.tolist() == [[255, 128], [0, 0]], "the largest row first"
    large = np.full((200, 144), 1.0)
    found = view.matrix(large)
    assert found["shape"] == [72, 72]
    assert (found["rows"], found["columns"], found["largest"]) == (200, 144, 1.0)
    assert set(base64.b64decode(found["cells"])) == {255}
    assert set(base64.b64decode(view.matrix(large * 1e-3)["cells"])) == {0}


def test_what_diverged_is_said_and_numbers_are_json():
    assert views.number(math.nan) is None
    assert views.number(None) is None
    assert views.thinned({1: 0.5, 0: math.inf}) == [[0, 1], [None, 0.5]]
    many = views.thinned(dict.fromkeys(range(5000), 1.0))
    assert len(many[0]) == 400
    assert (many[0][0], many[0][-1]) == (0, 4999)
    asked = plan(learning_rate=1e25)
    trained(asked)
    (run, *_) = content(asked)["runs"]
    assert run["milestones"][-1] == {"epoch": 40, "diverged": True}


@pytest.mark.parametrize("data", [{}, {**TOY, "formula": "spline"}], ids=["3d", "1d"])
def test_the_film_ends_with_the_neurons_of_the_last_milestone(data, capsys):
    asked = plan(**data)
    trained(asked)
    request = written(Path("film.json"), asked.asked("film"))
    film.main(["--request", request, "--out", "figures/radon.gif"])
    with Image.open("figures/radon.gif") as moving:
        count = moving.n_frames
        moving.seek(count - 1)
        assert moving.info["duration"] > 1000, "the last one is held"
    assert 2 < count <= len(film.moments(40))
    assert film.moments(40)[0] == 0
    assert film.moments(40)[-1] == 40
    run = next(iter(asked.study.runs.values()))
    found = run.data.samples()
    X, y = (torch.tensor(a, dtype=torch.float32) for a in (found.X, found.y))
    *_, last = film.trained(run, X, y, 40, "compiled")
    network, p = Results().trained(run.id, 40)
    expected = views.atoms(network, p, X.double().numpy())
    np.testing.assert_array_equal(last.mass, expected.mass)
    np.testing.assert_array_equal(last.offsets, expected.offsets)
    assert build(run).d_in == found.X.shape[1]
    capsys.readouterr()


def test_a_film_of_a_run_that_diverges_stays_at_its_last_frame():
    asked = plan(learning_rate=1e25)
    trained(asked)
    request = written(Path("film.json"), asked.asked("film"))
    film.main(["--request", request, "--out", "figures/radon.gif"])
    assert Path("figures/radon.gif").stat().st_size > 1000
