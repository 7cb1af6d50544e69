"""The figures of statements, and the choice of a typical draw."""

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from sparsedecay.claims.statements import CLAIMS
from sparsedecay.figures import readings, typical, verdicts
from sparsedecay.files.results import Results
from tests.figures.made import curves, marks, rendered, several, shown, sparsity, statements, texts

HIGH_RANK = {("eq2-rank-one", 50_000): [[8.0, 8.5, 7.5]]}


def test_claims_have_a_row_and_a_verdict_each(tmp_path):
    numbers = HIGH_RANK | {("max-entry", 200_000): [[0.15, 0.5, 0.9]]}
    figure = shown(tmp_path, "claims", statements(numbers=numbers))
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
    assert {"8", "3 draws, 75 % interval"} <= set(said)


def test_the_draws_lie_where_their_numbers_are(tmp_path):
    figure = shown(tmp_path, "claims", statements(numbers=HIGH_RANK))
    (strip,) = (
        ax for ax in figure.axes[1:] if any(np.isin(8.5, line.get_xdata()) for line in ax.lines)
    )
    points = next(line for line in strip.lines if line.get_marker() == "o")
    assert sorted(points.get_xdata()) == [7.5, 8.0, 8.5]
    assert to_hex(points.get_color()).upper() == verdicts.COLOURS["fails"]
    shaded = strip.patches[0].get_extents().transformed(strip.transData.inverted())
    assert shaded.x1 == pytest.approx(1.1)


def test_an_epoch_that_nothing_was_trained_for_has_a_dash(tmp_path):
    rows = [row for row in statements() if row["stated"] or row["claim"] != "dense-wd-rank"]
    assert texts(shown(tmp_path, "claims", rows)).count("–") == 1


def test_readings_have_a_column_each_and_their_tally(tmp_path):
    other = {("eq2-rank-one", 50_000): [[1.0, 1.0, 1.0]], ("max-entry", 200_000): [[0.9] * 3]}
    rows = statements(numbers=HIGH_RANK) + statements("fan-in", other) + statements("wild")
    figure = shown(tmp_path, "readings", rows)
    said, n = texts(figure), sum(claim.counted for claim in CLAIMS)  # in the tally
    tallies = [text for text in said if re.fullmatch(r"\d+ of \d+", text)]
    assert tallies == [f"{n - 1} of {n}"] * 2 + [f"{n} of {n}"]
    assert "reading fan-in" in said
    assert marks(figure).count("fails") == 2
    # of the other epochs only where another verdict is given: the two statements that fail once
    assert "at other epochs, where a verdict differs" in said
    assert len(marks(figure)) == 3 * (len(CLAIMS) + 2)


def test_other_epochs_that_tell_nothing_are_left_out(tmp_path):
    figure = shown(tmp_path, "readings", statements() + statements("wild"))
    assert not [text for text in texts(figure) if "other epochs" in text]
    assert len(marks(figure)) == 2 * len(CLAIMS)


def test_a_combined_reading_has_a_line_for_each_part():
    text = "initial values from -0.4 to 0.4; biases not decayed"
    assert readings.wrapped(text) == "initial values from -0.4 to 0.4\nbiases not decayed"
    lines = readings.wrapped("a very long title of a reading, which needs two lines").split("\n")
    assert len(lines) == 2
    assert max(map(len, lines)) <= readings.MOST_LETTERS


def test_the_deciding_part_is_the_first_with_the_verdict():
    table = pd.DataFrame(
        {"part": [1, 2, 3], "verdict": ["holds", "fails", "fails"], "claim_verdict": "fails"}
    )
    assert verdicts.deciding(table)["part"] == 2


@pytest.mark.parametrize(
    ("rows", "nearest"),
    [
        ([[0.0, 5.0], [1.0, 5.0], [10.0, 5.0]], 1),
        # medians 1 and 100: the second row is off in the second column only, by less
        ([[0.0, 100.0], [1.0, 110.0], [5.0, 0.0]], 1),
        ([[3.0, 4.0]], 0),
    ],
)
def test_the_nearest_row_by_hand(rows, nearest):
    assert typical.nearest(np.array(rows)) == nearest


def test_figure_2_shows_the_typical_run_and_the_spread_of_all(tmp_path, monkeypatch):
    """The second draw's error and sparsity are nearest to the median of all."""
    monkeypatch.chdir(tmp_path)
    request, runs = several(3, mse_tail_median=[0.1, 1e-4, 2e-4], average_sparsity=[0.2, 0.5, 0.6])
    assert request.name == "replicate/fig2"
    chosen = typical.typical(request, Results())
    assert chosen == request.draws[1]
    note = "seeds 1 and 2, the typical one of 3 draws"
    assert typical.note(request, chosen) == f"; {note}"

    figure = rendered(request)
    above, below = figure.axes
    for ax, run in ((above, runs[1]), (below, runs[1])):  # whose sparsity is the median, too
        values = [sparsity(run, epoch) for epoch in range(0, 81, 10)]
        np.testing.assert_allclose(curves(ax)[0].get_ydata(), values)
    band = next(part for part in below.collections if isinstance(part, PolyCollection))
    ends = {y for x, y in band.get_paths()[0].vertices if x == 80}
    last = [sparsity(run, 80) for run in runs]
    assert sorted(ends) == pytest.approx(np.quantile(last, [0.25, 0.75]).tolist())
    assert not above.collections
    heads = [text.get_text() for text in figure.texts]
    assert heads == [f"(a) {note}", "(b) median of 3 draws, and the range of the middle half"]
