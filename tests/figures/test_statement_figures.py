"""The figures of statements, and the choice of a typical draw."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from sparsedecay.claims.command import part_row
from sparsedecay.claims.statements import CLAIMS
from sparsedecay.claims.verdict import worst
from sparsedecay.figures import claims, fig2, readings, style, typical, verdicts
from sparsedecay.figures.declaration import Request, Shown
from sparsedecay.figures.fig2 import Figure2
from sparsedecay.files import paths
from sparsedecay.files.results import Results
from sparsedecay.files.storage import write_table
from sparsedecay.files.tables import STATEMENTS, SUMMARY, TRAJECTORY
from sparsedecay.study.sections import Measures

ANY = Request(figure="claims", settings=None, measures=None, shown=())


def within(part):
    """A number with which a part holds."""
    if np.isinf(part.low):
        return part.high * 0.9
    return part.low * 1.1 if np.isinf(part.high) else (part.low + part.high) / 2


def rows(reading="literal", numbers=None, epochs=(50_000, 200_000)):
    """Rows of a table of statements, all of which hold but for the given numbers."""
    found = []
    for claim in CLAIMS:
        stated = 50_000 if claim.epoch == "fig3" else 200_000
        for epoch in epochs:
            values = (numbers or {}).get((claim.id, epoch), [])
            parts = [
                part_row(i + 1, part, values[i] if values else [within(part)] * 3)
                for i, part in enumerate(claim.parts)
            ]
            about = {
                "reading": reading,
                "title": f"reading {reading}",
                "claim": claim.id,
                "statement": claim.statement,
                "place": claim.place,
                "quote": claim.quote,
                "epoch": epoch,
                "stated": epoch == stated,
                "seeds": 3,
                "claim_verdict": worst([part["verdict"] for part in parts]),
            }
            found += [about | part for part in parts]
    return found


def results(folder, **tables):
    for name, found in tables.items():
        table = pa.Table.from_pylist(found, schema=STATEMENTS)
        write_table(folder / paths.statements(name), table, {})
    return Results(folder / "results")


def texts(figure):
    with style.printed():
        figure.canvas.draw()
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def marks(figure):
    """Verdicts that are marked on the first axes, without the legend's."""
    by_marker = {marker: verdict for verdict, marker in verdicts.MARKERS.items()}
    found = [by_marker[line.get_marker()] for line in figure.axes[0].lines
             if line.get_marker() in by_marker]  # fmt: skip
    return found[: -len(by_marker)]


def test_claims_have_a_row_and_a_verdict_each(tmp_path):
    numbers = {
        ("eq2-rank-one", 50_000): [[8.0, 8.5, 7.5]],
        ("max-entry", 200_000): [[0.15, 0.5, 0.9]],
    }
    with style.printed():
        figure = claims.FIGURE.render(ANY, results(tmp_path, claims=rows(numbers=numbers)))
    said = texts(figure)
    parts = sum(len(claim.parts) for claim in CLAIMS)
    assert len(figure.axes) == 1 + parts
    for claim in CLAIMS:
        assert said.count(claim.id) == 1
        assert all(part.quantity in said for part in claim.parts)
    found = marks(figure)
    assert len(found) == 2 * parts
    assert found.count("fails") == 1
    assert found.count("undecided") == 1
    assert "8" in said
    assert "3 draws, 75 % interval" in said


def test_the_draws_lie_where_their_numbers_are(tmp_path):
    numbers = {("eq2-rank-one", 50_000): [[8.0, 8.5, 7.5]]}
    with style.printed():
        figure = claims.FIGURE.render(ANY, results(tmp_path, claims=rows(numbers=numbers)))
    strips = [ax for ax in figure.axes[1:] if any(np.isin(8.5, line.get_xdata())
              for line in ax.lines)]  # fmt: skip
    (strip,) = strips
    points = next(line for line in strip.lines if line.get_marker() == "o")
    assert sorted(points.get_xdata()) == [7.5, 8.0, 8.5]
    assert to_hex(points.get_color()).upper() == verdicts.COLOURS["fails"]
    shaded = strip.patches[0].get_extents().transformed(strip.transData.inverted())
    assert shaded.x1 == pytest.approx(1.1)


def test_an_epoch_that_nothing_was_trained_for_has_a_dash(tmp_path):
    found = [row for row in rows() if row["stated"] or row["claim"] != "dense-wd-rank"]
    with style.printed():
        figure = claims.FIGURE.render(ANY, results(tmp_path, claims=found))
    assert texts(figure).count("–") == 1


def test_readings_have_a_column_each_and_their_tally(tmp_path):
    other = {("eq2-rank-one", 50_000): [[1.0, 1.0, 1.0]], ("max-entry", 200_000): [[0.9] * 3]}
    literal = {("eq2-rank-one", 50_000): [[8.0, 8.5, 7.5]]}
    found = rows(numbers=literal) + rows("fan-in", other) + rows("wild")
    with style.printed():
        figure = readings.FIGURE.render(ANY, results(tmp_path, readings=found))
    said = texts(figure)
    n = len(CLAIMS)
    assert [text for text in said if re.fullmatch(r"\d+ of \d+", text)] == [
        f"{n - 1} of {n}", f"{n - 1} of {n}", f"{n} of {n}", *[f"{n} of {n}"] * 3
    ]  # fmt: skip
    assert "reading fan-in" in said
    assert marks(figure).count("fails") == 2
    assert len(marks(figure)) == 3 * 2 * n


@pytest.mark.parametrize("module", [claims, readings])
def test_no_text_leaves_the_page_or_covers_another(tmp_path, module):
    found = rows() + [row | {"reading": f"r{i}"} for i in range(9) for row in rows()]
    table = "claims" if module is claims else "readings"
    chosen = rows() if module is claims else found
    with style.printed():
        figure = module.FIGURE.render(ANY, results(tmp_path, **{table: chosen}))
        figure.canvas.draw()
        page = figure.bbox
        boxes = [
            (text.get_window_extent(), text.get_text())
            for text in figure.axes[0].texts
            if text.get_text() and not text.get_rotation()
        ]
    for box, text in boxes:
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
        assert page.y0 <= box.y0, text
        assert box.y1 <= page.y1, text
    for i, (one, text) in enumerate(boxes):
        for other, another in boxes[i + 1 :]:
            assert not one.shrunk(0.9, 0.6).overlaps(other.shrunk(0.9, 0.6)), (text, another)


@pytest.mark.parametrize(
    ("value", "printed"),
    [(741.0, "741"), (1.0, "1"), (0.0043, "0.0043"), (0.97, "0.97"), (8.189, "8.2"),
     (1295.5, "1296"), (12.34, "12.3"), (3e-7, r"$3.0\times10^{-7}$")],
)  # fmt: skip
def test_numbers_in_print(value, printed):
    assert verdicts.number(value) == printed


def test_the_deciding_part_is_the_first_with_the_verdict():
    table = pd.DataFrame(
        {"part": [1, 2, 3], "verdict": ["holds", "fails", "fails"], "claim_verdict": "fails"}
    )
    assert verdicts.deciding(table)["part"] == 2


def test_the_nearest_row_by_hand():
    assert typical.nearest(np.array([[0.0, 5.0], [1.0, 5.0], [10.0, 5.0]])) == 1
    # medians 1 and 100: the second row is off in the second column only, by less
    assert typical.nearest(np.array([[0.0, 100.0], [1.0, 110.0], [5.0, 0.0]])) == 1
    assert typical.nearest(np.array([[3.0, 4.0]])) == 0


DRAWS = {"a": (0.1, 0.2), "b": (1e-4, 0.5), "c": (2e-4, 0.6)}
"""For each draw its error and its sparsity; b is nearest to the median of all."""


def several(folder):
    """A request for figure 2 of three draws, and its results."""
    draws = []
    for seed, (name, (mse, sparsity)) in enumerate(DRAWS.items()):
        shown = Shown(run=name, network="representer", regularizer="eq2", lam=0.1,
                      seeds=(seed, seed + 7), epochs=(20,))  # fmt: skip
        draws.append((shown,))
        empty = dict.fromkeys(SUMMARY.names)
        row = empty | {"run": name, "epoch": 20, "mse": mse, "mse_tail_median": mse,
                       "regularizer_value": 1.0, "average_sparsity": sparsity,
                       "active_neurons": [3, 4]}  # fmt: skip
        write_table(folder / paths.measured(name, 20, "summary"),
                    pa.Table.from_pylist([row], schema=SUMMARY), {})  # fmt: skip
        trajectory = [
            {"run": name, "epoch": epoch, "measure": "average_sparsity", "matrix": None,
             "value": sparsity * (1 - epoch / 40)}
            for epoch in (0, 10, 20)
        ]  # fmt: skip
        write_table(folder / paths.measured(name, 20, "trajectory"),
                    pa.Table.from_pylist(trajectory, schema=TRAJECTORY), {})  # fmt: skip
    settings = Figure2(network="representer", lam=[0.1], regularizers=["eq2"])
    measures = Measures(threshold=1e-3, rank_threshold=1e-3, relative_rank_threshold=1e-3,
                        average_over=["W", "V"])  # fmt: skip
    request = Request(figure="fig2", settings=settings, measures=measures, shown=draws[0],
                      draws=tuple(draws))  # fmt: skip
    return request, Results(folder / "results")


def test_the_typical_draw_is_shown_and_named(tmp_path):
    request, found = several(tmp_path)
    assert typical.typical(request, found)[0].run == "b"
    assert typical.note(request, typical.typical(request, found)) == (
        "; seeds 1 and 8, the typical one of 3 draws"
    )
    assert request.name == "replicate/fig2"


def test_figure_2_shows_the_typical_run_and_the_spread_of_all(tmp_path):
    request, found = several(tmp_path)
    with style.printed():
        figure = fig2.FIGURE.render(request, found)
    above, below = figure.axes
    single = next(line for line in above.lines if len(line.get_xdata()) == 3)
    np.testing.assert_allclose(single.get_ydata(), [0.5, 0.375, 0.25])
    median = next(line for line in below.lines if len(line.get_xdata()) == 3)
    np.testing.assert_allclose(median.get_ydata(), [0.5, 0.375, 0.25])
    (band,) = [c for c in below.collections if isinstance(c, PolyCollection)]
    ys = band.get_paths()[0].vertices[:, 1]
    assert ys.max() == pytest.approx(0.55)  # upper quartile of 0.2, 0.5, 0.6
    assert not above.collections
    heads = [text.get_text() for text in figure.texts]
    assert heads == ["(a) seeds 1 and 8, the typical one of 3 draws",
                     "(b) median of 3 draws, and the range of the middle half"]  # fmt: skip
