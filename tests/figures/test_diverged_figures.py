"""The figures with networks that have diverged: they show what there is, and say so."""

import math

import numpy as np
import pytest
from matplotlib.colors import to_hex

from sparsedecay.figures import style, typical
from sparsedecay.files.results import Results
from tests.figures.made import (
    K,
    curves,
    images,
    milestone,
    rendered,
    several,
    shown,
    sparsity,
    statements,
    study,
    texts,
)


def lose(run, at: int) -> None:
    """Make milestones 40 and 80 of a run those of one that diverged at an epoch."""
    for epoch in (40, 80):
        milestone(run, epoch, diverged=at)


@pytest.mark.parametrize(("at", "last"), [(60, 50), (30, 20), (40, 30), (0, None)])
def test_fig2_ends_the_curve_with_a_cross(project, at, last):
    the_study = study()
    run = the_study.run("representer", "eq2", 0.1)
    lose(run, at)
    ax, whole = rendered(the_study.request("fig2")).axes
    crosses = [line for line in curves(ax) if line.get_marker() == "x"]
    colour = style.line("representer", "eq2")["color"].lower()
    ends = [[array.tolist() for array in cross.get_data()] for cross in crosses]
    assert ends == ([] if last is None else [[[last], [sparsity(run, last)]]])
    assert all(to_hex(cross.get_color()) == colour for cross in crosses)
    curve = next(line for line in curves(ax) if to_hex(line.get_color()) == colour)
    assert curve.get_xdata().tolist() == list(range(0, at, 10))
    other = next(line for line in curves(ax) if to_hex(line.get_color()) != colour)
    assert other.get_xdata().tolist() == list(range(0, 81, 10))
    assert f"diverged at {at}" in texts(ax)
    assert texts(ax).count("$2.5\\times10^{-5}$") == 1
    assert not any("diverged" in text for text in texts(whole))
    assert not any(line.get_marker() == "x" for line in whole.lines)


def test_fig3_and_fig4_say_so_in_place_of_a_picture(project):
    the_study = study()
    lose(the_study.runs[the_study.request("fig3").shown[1].run], 30)
    *panels, _ = rendered(the_study.request("fig3")).axes
    words = "diverged\nat epoch 30"
    assert [words in texts(ax) for ax in panels] == [False, True, False]
    assert [len(images(ax)) for ax in panels] == [1, 0, 1]
    assert panels[0].get_position().height == pytest.approx(panels[1].get_position().height)

    figure = rendered(the_study.request("fig4"))
    spectra, *pictures = figure.axes
    assert texts(figure).count(words) == 1
    assert [len(images(ax)) for ax in pictures[:6]] == [1, 1, 1, 0, 0, 0]
    assert "diverged at 30" in texts(spectra)
    lengths = [len(line.get_xdata()) for line in curves(spectra)]
    assert sorted(length for length in lengths if length > 2) == [3, K]
    assert spectra.get_ylim()[0] > 0


@pytest.mark.parametrize(("figure", "count"), [("fig2", 4), ("fig3", 3), ("fig4", 5)])
def test_all_networks_may_have_diverged(project, figure, count):
    """And nothing is read but what Snakemake knows of."""
    the_study = study()
    request = the_study.request(figure)
    for one in request.shown:
        lose(the_study.runs[one.run], 10)
    found = Results()
    picture = rendered(request, found)
    with style.printed():
        style.save(picture, project / "figures" / figure, "all diverged")
    assert set(found.opened) <= set(request.files)
    assert sum("diverged" in text for text in texts(picture)) == count


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_of_several_draws_the_others_are_shown(tmp_path, monkeypatch, lost):
    """The first of three diverge at epoch 60."""
    monkeypatch.chdir(tmp_path)
    request, runs = several(3)
    for run in runs[:lost]:
        lose(run, 60)
    chosen = request.draws[lost:] or request.draws[:1]
    assert typical.typical(request, Results()) in chosen
    single, spread = rendered(request).axes
    note = {0: [], 1: ["1 diverged"], 2: ["2 diverged"], 3: ["all diverged"]}[lost]
    assert [text for text in texts(spread) if "diverged" in text] == note
    lines = curves(spread)
    assert any(line.get_marker() == "x" for line in lines) == (lost == 3)
    epochs, median = lines[0].get_data()
    assert epochs.tolist() == list(range(0, 60 if lost == 3 else 90, 10))
    for epoch, value in zip(epochs, median, strict=True):
        there = runs if epoch < 60 else runs[lost:]
        assert value == pytest.approx(np.median([sparsity(run, epoch) for run in there]))
    assert ("diverged at 60" in texts(single)) == (lost == 3)


def test_statements_without_a_number(tmp_path):
    numbers = {
        ("dense-without", 200_000): [[1.0, None, 1.0]],
        ("max-entry", 200_000): [[None, None, None]],
        ("shallow-neurons", 200_000): [[1.0, None, 0.9]],
    }
    rows = statements(numbers=numbers)
    figure = shown(tmp_path, "claims", rows)
    with style.printed():
        style.save(figure, tmp_path / "claims", "statements")
    words = texts(figure)
    assert words.count("1 diverged") == 2
    assert words.count("3 diverged") == 1
    for told in (words, texts(shown(tmp_path, "readings", rows))):
        assert sum("NaN: diverged, or on a spike" in text for text in told) == 1
    assert words.count("NaN") == sum(row["value"] != row["value"] for row in rows)
    for ax in figure.axes[1:]:
        for line in ax.lines:
            assert line.get_marker() == "o" or np.isfinite(line.get_xdata()).all()
            assert all(math.isfinite(limit) for limit in ax.get_xlim())
    assert not any("diverged" in text for text in texts(shown(tmp_path, "claims", statements())))
