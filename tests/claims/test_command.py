"""`sparsedecay claims`: the table of statements."""

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sparsedecay.claims.command import main
from sparsedecay.claims.rows import rows
from sparsedecay.claims.statements import CLAIMS
from sparsedecay.errors import UserError
from sparsedecay.files.results import Results
from sparsedecay.files.storage import read_table
from sparsedecay.files.tables import STATEMENTS
from tests.claims.made import DECAY, EARLY, EQ2, LATE, NONE, asked, draw, reading
from tests.small import written


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("project") / "results"


@pytest.fixture(scope="module")
def request_of_two(folder):
    """The literal reading with three draws, another with one."""
    draws = [draw(folder), draw(folder), draw(folder, {(*NONE, 0.0): {"sparsity": 0.5}})]
    other = reading(draws[:1], "skips", "skips counted too", ("W", "V", "C"))
    return asked(reading(draws), other)


def made(folder, request, name="claims"):
    """The table that the command writes."""
    out = folder / "claims" / f"{name}.parquet"
    asked = written(folder / "requests" / f"{name}.json", request)
    main(["--request", asked, "--out", str(out), "--results", str(folder)])
    return out


def test_the_table_has_its_schema_and_says_what_was_asked(folder, request_of_two):
    table = read_table(made(folder, request_of_two), STATEMENTS)
    assert table.schema.names == STATEMENTS.names
    for field in STATEMENTS:
        assert table.schema.field(field.name).metadata == field.metadata
    about = table.schema.metadata
    assert about[b"settings"].decode() == request_of_two.canonical()
    assert b"claims.statements=" in about[b"code"]
    optional = {"limit_low", "limit_high"}
    for name in set(STATEMENTS.names) - optional:
        assert table[name].null_count == 0, name


def test_every_part_of_every_statement_stands_once(folder, request_of_two):
    frame = read_table(made(folder, request_of_two)).to_pandas()
    assert not frame.duplicated(["reading", "claim", "part", "epoch"]).any()
    for _, some in frame[frame["stated"]].groupby("reading"):
        keys = list(zip(some["claim"], some["part"], strict=True))
        assert keys == [(c.id, n) for c in CLAIMS for n in range(1, len(c.parts) + 1)]
    parts = {(claim.id, n): part for claim in CLAIMS for n, part in enumerate(claim.parts, 1)}
    for _, row in frame.iterrows():
        part = parts[row["claim"], row["part"]]
        for limit, name in ((part.low, "limit_low"), (part.high, "limit_high")):
            assert row[name] == limit or (abs(limit) == float("inf") and row[name] != row[name])
        assert len(row["values"]) == row["seeds"] == {"literal": 3, "skips": 1}[row["reading"]]
        assert row["coverage"] == {"literal": 0.75, "skips": 0}[row["reading"]]


def test_stated_is_the_epoch_that_the_text_speaks_of(folder, request_of_two):
    epochs = {claim.id: claim.epoch for claim in CLAIMS}
    for row in rows(request_of_two, Results(folder)):
        spoken = {"fig2": LATE, "fig3": EARLY, "shallow": LATE}[epochs[row["claim"]]]
        assert row["stated"] == (row["epoch"] == spoken)
    moved = {"fig2": EARLY, "fig3": LATE, "shallow": LATE}
    request = request_of_two.model_copy(update={"epochs": moved})
    stated = {row["claim"]: row["epoch"] for row in rows(request, Results(folder))
              if row["stated"]}  # fmt: skip
    assert stated["dense-without"] == EARLY
    assert stated["eq2-rank-one"] == LATE
    assert "dense-none-rank" not in stated, "no dense network was trained so far"


def test_a_reading_averages_over_what_it_says(folder):
    """W and V have a sparsity of 0.5, C of 0.125 in layers 1 and 2."""
    changes = {(*NONE, 0.0): {"sparsity": 0.5, "skips": 0.125}}
    readings = [
        reading([draw(folder, changes)], "".join(kinds), "some", kinds)
        for kinds in (("W", "V"), ("W", "V", "C"), ("C",))
    ]
    values = {
        row["reading"]: row["value"]
        for row in rows(asked(*readings), Results(folder))
        if row["claim"] == "dense-without" and row["stated"]
    }
    assert values == {"WV": 0.5, "WVC": 0.375, "C": 0.125}


def test_the_same_table_twice_is_the_same_file(folder, request_of_two):
    one, other = (made(folder, request_of_two, name) for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


def test_readings_keep_their_order_and_do_not_mix(folder, request_of_two):
    frame = pq.read_table(made(folder, request_of_two)).to_pandas()
    assert list(dict.fromkeys(frame["reading"])) == ["literal", "skips"]
    assert set(frame[frame["reading"] == "skips"]["title"]) == {"skips counted too"}
    row = frame[(frame["claim"] == "dense-without") & frame["stated"]].set_index("reading")
    assert list(row.loc["literal", "values"]) == [1.0, 1.0, 0.5]
    assert row.loc["literal", "claim_verdict"] == "undecided"
    # W and V are dense, C is 0.75 dense
    assert list(row.loc["skips", "values"]) == [pytest.approx((4 + 2 * 0.75) / 6)]


def test_the_verdicts_are_told(folder, request_of_two, capsys):
    made(folder, request_of_two)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * len(CLAIMS)
    assert "literal, dense-without: undecided" in lines
    assert "skips, dense-without: holds" in lines


def test_a_network_that_is_not_there_is_told(folder, tmp_path, request_of_two):
    with pytest.raises(UserError, match=r"(summary|matrices|trajectory)\.parquet: no such file"):
        made(tmp_path, request_of_two)
    assert not list(tmp_path.glob("**/claims.parquet"))


def test_a_table_of_another_network_is_refused(folder, tmp_path):
    """Two folders that changed places."""
    moved = tmp_path / "results"
    one = draw(moved)[0]
    other = draw(moved, {(*EQ2, 0.1): {"mse": 0.3}})[0]
    assert one.run != other.run
    a, b = (moved / "measure" / run for run in (one.run, other.run))
    a.rename(tmp_path / "aside")
    b.rename(a)
    with pytest.raises(UserError, match=f"does not hold epoch .* of {one.run}"):
        made(moved, asked(reading([draw(moved)])))


def test_a_draw_that_diverged_counts_against_what_needs_its_network(folder):
    """Weight decay with lam = 1e-3 diverges between the two epochs, in one of two draws."""
    lost = draw(folder, {(*DECAY, 1e-3): {"diverged": 100}})
    request = asked(reading([draw(folder), lost]), reading([lost], "other", "only this"))
    table = read_table(made(folder, request, "lost"), STATEMENTS)
    frame = table.to_pandas().set_index(["reading", "claim", "part", "epoch"]).sort_index()
    early = frame.xs(EARLY, level="epoch")
    assert (early["diverged"] == 0).all()
    assert (early["claim_verdict"] == "holds").all()

    stated = frame[frame["stated"]].droplevel("epoch")
    needs = {("interpolation", 1), ("sparser-over-time", 1), ("eq2-sparser", 1)}
    needs |= {("max-entry", 1), ("max-entry", 3)}
    for (which, claim, part), row in stated.iterrows():
        hit = (claim, part) in needs
        assert row["diverged"] == hit, (claim, part)
        assert [pd.isna(value) for value in row["values"]] == (
            [hit] if which == "other" else [False, hit]
        )
        verdict = {(False, False): "holds", (False, True): "holds"}.get((hit, which == "other"))
        assert row["verdict"] == (verdict or ("fails" if which == "other" else "undecided"))
        assert pd.isna(row["value"]) == hit
    values = table["values"].to_pylist()
    assert [None in row for row in values] == [n > 0 for n in table["diverged"].to_pylist()]
    assert (stated.loc["other"].loc["interpolation", "claim_verdict"] == "fails").all()


def test_only_the_readings_that_were_kept_are_tested(folder, request_of_two, tmp_path):
    kept, out = tmp_path / "kept.json", tmp_path / "search.parquet"
    kept.write_text('["skips"]')
    asked = written(folder / "requests" / "search.json", request_of_two)
    main(["--request", asked, "--kept", str(kept), "--out", str(out), "--results", str(folder)])
    assert set(read_table(out)["reading"].to_pylist()) == {"skips"}
    for text in ("", '{"skips": 1}', "[1]"):
        kept.write_text(text)
        with pytest.raises(UserError, match=r"kept\.json: is no list of readings.\nMake it again"):
            main(["--request", asked, "--kept", str(kept), "--out", str(out)])
