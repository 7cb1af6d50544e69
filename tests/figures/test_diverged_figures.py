"""The figures with networks that have diverged: they show what there is, and say so."""

import math

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from sparsedecay.figures import claims, fig2, fig3, fig4, files_read, readings, style, typical
from sparsedecay.files import paths
from sparsedecay.files.results import Results
from sparsedecay.files.storage import write_state
from sparsedecay.files.tables import MATRICES, SPECTRA, SUMMARY, TRAJECTORY
from sparsedecay.science.networks import build
from tests.figures.test_figures import (
    K,
    drawn,
    images,
    project,
    put,
    results,
    sparsity,
    study,
    texts,
)
from tests.figures.test_statement_figures import ANY, rows
from tests.figures.test_statement_figures import results as statements

__all__ = ["project", "results"]  # fixtures


def lose(run, at: int) -> None:
    """Make milestones 40 and 80 of a run those of one that diverged at an epoch."""
    for epoch in (40, 80):
        if epoch < at:
            continue
        place = {"run": run.id, "epoch": epoch}
        nan = {n: torch.full(s, torch.nan) for n, s in build(run).shapes.items()}
        about = {"run": run.canonical(), "epoch": str(epoch), "diverged": str(at)}
        write_state(paths.state(run.id, epoch), nan, about)
        size = {"matrix": "A2", "rows": K, "columns": K}
        put(paths.measured(run.id, epoch, "matrices"), [place | size], MATRICES)
        put(paths.measured(run.id, epoch, "spectra"), [place | {"matrix": "A2"}], SPECTRA)
        put(paths.measured(run.id, epoch, "summary"), [place | {"diverged": at}], SUMMARY)
        recorded = [
            {
                "run": run.id,
                "epoch": e,
                "measure": "average_sparsity",
                "value": sparsity(run.lam, e),
            }
            for e in range(epoch - 40 + (10 if epoch > 40 else 0), min(at, epoch + 1), 10)
        ]
        mark = place | {"measure": "diverged", "value": float(at)}
        put(paths.measured(run.id, epoch, "trajectory"), [*recorded, mark], TRAJECTORY)


@pytest.mark.parametrize(("at", "last"), [(60, 50), (30, 20), (40, 30), (0, None)])
def test_fig2_ends_the_curve_with_a_cross(project, at, last):
    the_study = study()
    request = the_study.request("fig2")
    lose(the_study.runs[request.shown[0].run], at)
    figure = drawn(fig2, request)
    ax, whole = figure.axes
    curves = [line for line in ax.lines if line.get_transform() == ax.transData]
    crosses = [line for line in curves if line.get_marker() == "x"]
    colour = style.line("representer", "eq2")["color"]
    if last is None:
        assert crosses == []
    else:
        (cross,) = crosses
        assert [array.tolist() for array in cross.get_data()] == [[last], [sparsity(0.1, last)]]
        assert to_hex(cross.get_color()) == colour.lower()
    curve = next(line for line in curves if to_hex(line.get_color()) == colour.lower())
    assert curve.get_xdata().tolist() == list(range(0, at, 10))
    other = next(line for line in curves if to_hex(line.get_color()) != colour.lower())
    assert other.get_xdata().tolist() == list(range(0, 81, 10))
    found = [text.get_text() for text in ax.texts]
    assert f"diverged at {at}" in found
    assert found.count("$2.5\\times10^{-5}$") == 1
    assert not any("diverged" in text.get_text() for text in whole.texts)
    assert not any(line.get_marker() == "x" for line in whole.lines)


def test_fig3_and_fig4_say_so_in_place_of_a_picture(project):
    the_study = study()
    lose(the_study.runs[the_study.request("fig3").shown[1].run], 30)
    *panels, _ = drawn(fig3, the_study.request("fig3")).axes
    words = "diverged\nat epoch 30"
    assert [words in [t.get_text() for t in ax.texts] for ax in panels] == [False, True, False]
    assert [len(images(ax)) for ax in panels] == [1, 0, 1]
    assert panels[0].get_position().height == pytest.approx(panels[1].get_position().height)

    figure = drawn(fig4, the_study.request("fig4"))
    spectra, *pictures = figure.axes
    assert texts(figure).count(words) == 1
    assert [len(images(ax)) for ax in pictures[:6]] == [1, 1, 1, 0, 0, 0]
    assert "diverged at 30" in [text.get_text() for text in spectra.texts]
    curves = [line for line in spectra.lines if line.get_transform() == spectra.transData]
    assert sorted(len(line.get_xdata()) for line in curves if len(line.get_xdata()) > 2) == [3, K]
    assert spectra.get_ylim()[0] > 0


@pytest.mark.parametrize("figure", ["fig2", "fig3", "fig4"])
def test_all_networks_may_have_diverged(project, figure):
    """And nothing is read but what Snakemake knows of."""
    the_study = study()
    request = the_study.request(figure)
    for one in request.shown:
        lose(the_study.runs[one.run], 10)
    module = {"fig2": fig2, "fig3": fig3, "fig4": fig4}[figure]
    found = Results()
    with style.printed():
        picture = module.FIGURE.render(request, found)
        style.save(picture, project / "figures" / figure, "all diverged")
    assert set(found.opened) <= set(files_read(request))
    count = sum("diverged" in text for text in texts(picture))
    assert count == {"fig2": 4, "fig3": 3, "fig4": 5}[figure]


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_of_several_draws_the_others_are_shown(project, lost):
    """Networks with different lam stand for draws, of which the first diverge at epoch 60."""
    lams = [0.1, 1e-2, 1e-3]
    every = study(fig2={"lam": lams}).request("fig2")
    alike = [one.model_copy(update={"lam": 0.1 if one.lam else 0.0}) for one in every.shown]
    draws = tuple(tuple(alike[i : i + 2]) for i in (0, 2, 4))
    request = study(fig2={"lam": [0.1]}).request("fig2")
    request = request.model_copy(update={"draws": draws})
    for one in (one for draw in draws for one in draw):
        row = {"run": one.run, "epoch": 80, "mse": 2.5e-5, "mse_tail_median": 2e-5}
        row |= {"regularizer_value": 1.0, "average_sparsity": 0.5, "active_neurons": [3, 3]}
        put(paths.measured(one.run, 80, "summary"), [row], SUMMARY)
    for draw in draws[:lost]:
        lose(study(fig2={"lam": lams}).runs[draw[0].run], 60)

    assert typical.typical(request, Results()) in (draws[lost:] if lost < 3 else draws[:1])
    figure = drawn(fig2, request)
    single, spread = figure.axes
    note = {0: [], 1: ["1 diverged"], 2: ["2 diverged"], 3: ["all diverged"]}[lost]
    assert [text.get_text() for text in spread.texts if "diverged" in text.get_text()] == note
    curves = [line for line in spread.lines if line.get_transform() == spread.transData]
    assert any(line.get_marker() == "x" for line in curves) == (lost == 3)
    epochs, median = curves[0].get_data()
    assert epochs.tolist() == list(range(0, 60 if lost == 3 else 90, 10))
    for epoch, value in zip(epochs, median, strict=True):
        there = lams if epoch < 60 else lams[lost:]
        assert value == pytest.approx(np.median([sparsity(lam, epoch) for lam in there]))
    assert ("diverged at 60" in [text.get_text() for text in single.texts]) == (lost == 3)


def test_statements_without_a_number(tmp_path):
    numbers = {
        ("dense-without", 200_000): [[1.0, None, 1.0]],
        ("max-entry", 200_000): [[None, None, None]],
        ("shallow-neurons", 200_000): [[1.0, None, 0.9], [1.0, 1.2, 1.1]],
    }
    found = statements(tmp_path, claims=rows(numbers=numbers), readings=rows(numbers=numbers))
    with style.printed():
        figure = claims.FIGURE.render(ANY, found)
        style.save(figure, tmp_path / "claims", "statements")
        matrix = readings.FIGURE.render(ANY, found)
    words = texts(figure)
    assert words.count("1 diverged") == 2
    assert words.count("3 diverged") == 1
    assert sum("NaN: networks diverged" in text for text in words) == 1
    assert sum("NaN: networks diverged" in text for text in texts(matrix)) == 1
    assert words.count("NaN") == sum(row["value"] != row["value"] for row in rows(numbers=numbers))
    for ax in figure.axes[1:]:
        for line in ax.lines:
            data = line.get_xdata()
            assert line.get_marker() == "o" or np.isfinite(data).all()
            assert all(math.isfinite(limit) for limit in ax.get_xlim())
    whole = statements(tmp_path / "whole", claims=rows())
    with style.printed():
        assert not any("diverged" in text for text in texts(claims.FIGURE.render(ANY, whole)))
