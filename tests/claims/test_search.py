"""`sparsedecay search`: readings by how far they are from what the paper reports."""

import json

import pytest

from sparsedecay.claims import search
from sparsedecay.claims.rows import rows
from sparsedecay.errors import UserError
from sparsedecay.files.results import Results
from sparsedecay.files.storage import write_table
from sparsedecay.files.tables import STATEMENTS
from tests.claims.made import DECAY, EQ2, asked, draw, reading
from tests.claims.test_findings import cells

BOTH = [(*EQ2, 1e-3), (*DECAY, 1e-3)]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Two tables of three readings: all holds; one number is 10 % beyond; one of two is 0."""
    import pyarrow as pa

    folder = tmp_path_factory.mktemp("project") / "results"
    near = draw(folder, {network: {"largest": 0.22} for network in BOTH})
    far = draw(folder, {(*EQ2, 1e-3): {"A": {"alive": False}}})
    ways = [
        reading([far], "far", "the | far one"),
        reading([draw(folder)], "exact", "the exact one"),
        reading([near], "near", "the near one"),
    ]
    found = list(rows(asked(*ways), Results(folder)))
    for name in ("screen", "search"):
        table = pa.Table.from_pylist(found, schema=STATEMENTS)
        write_table(folder / f"{name}.parquet", table, {})
    return folder


def test_readings_are_ranked_by_their_mean_distance(tables):
    from sparsedecay.files.storage import read_table

    found = search.ranked(read_table(tables / "search.parquet", STATEMENTS).to_pandas())
    assert list(found.index) == ["exact", "near", "far"]
    # 13 statements count; a dead A fails four of them by a whole: rank one, one pattern, order …
    assert found["distance"].tolist() == pytest.approx([0, 0.1 / 13, 3 / 13])
    assert found["holds"].tolist() == [13, 12, 10]
    assert set(found["tested"]) == {13}


def test_the_closest_are_kept(tables, tmp_path):
    out = tmp_path / "kept.json"
    screen = ["--screen", str(tables / "screen.parquet")]
    search.main([*screen, "--keep", "2", "--out", str(out)])
    assert json.loads(out.read_text()) == ["exact", "near"]


def test_the_ranking_tells_numbers_of_both_stages(tables, tmp_path):
    out = tmp_path / "search.md"
    files = [f"--{name}={tables / name}.parquet" for name in ("screen", "search")]
    search.main([*files, "--out", str(out)])
    text = out.read_text(encoding="utf-8")
    stages = text.split("## All, ")
    for stage in stages:
        found = cells(stage)
        assert [row[0] for row in found] == ["the exact one", "the near one", "the \\| far one"]
        assert found[0][1:6] == ["0.000", found[0][2], "1", "1", "1"]
    assert [row[2] for row in cells(stages[0])] == ["13 of 13", "12 of 13", "10 of 13"]


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.parquet: no such file"):
        search.main(["--screen", "nowhere.parquet", "--keep", "1", "--out", str(tmp_path / "k")])
