"""A file of one's own as data: what is read, what is refused, and what its runs are tied to."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from sparsedecay.data import main
from sparsedecay.errors import UserError
from sparsedecay.files.samples import load
from sparsedecay.science.data import AnyData
from sparsedecay.science.data import file as module

TEXT = "a,b,c,use\n0,1,2,train\n3,4,5,test\n6,7,9,train\n6,8,1,train\n"
SECTION = {
    "kind": "file",
    "file": "mine.csv",
    "input_columns": ["a", "b"],
    "output_columns": ["c"],
    "standardise": False,
    "test_fraction": 0,
    "seed": 0,
}


def made(**changes):
    return TypeAdapter(AnyData).validate_python(SECTION | changes, strict=False)


@pytest.fixture(autouse=True)
def mine(tmp_path, monkeypatch):
    """A file in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text(TEXT)
    return Path("mine.csv")


def refused(**changes):
    with pytest.raises(ValidationError) as caught:
        made(**changes)
    (error,) = caught.value.errors()
    return error["msg"].removeprefix("Value error, ")


def test_named_columns_are_read_from_every_format():
    frame = pd.read_csv("mine.csv")
    frame.to_parquet("mine.parquet")
    frame.to_csv("mine.tsv", sep="\t", index=False)
    frame.astype({"a": "Float32"}).to_parquet("floats.PARQUET")
    for file in ("mine.csv", "mine.parquet", "mine.tsv", "floats.PARQUET"):
        X, y, *_ = made(file=file).samples()
        np.testing.assert_array_equal(X, [[0, 1], [3, 4], [6, 7], [6, 8]])
        np.testing.assert_array_equal(y, [[2], [5], [9], [1]])
    several = made(output_columns=["c", "b"], input_columns=["a"])
    assert (several.d_in, several.d_out) == (1, 2)
    np.testing.assert_array_equal(several.samples().y[0], [2, 1])


def test_test_rows_are_those_of_a_column_or_a_fraction():
    X, _, test_X, test_y = made(test_column="use").samples()
    np.testing.assert_array_equal(X[:, 0], [0, 6, 6])
    np.testing.assert_array_equal(test_X, [[3, 4]])
    np.testing.assert_array_equal(test_y, [[5]])
    half = made(test_fraction=0.5)
    assert (half.rows, half.test_rows) == (2, 2)
    found = half.samples()
    rows = np.vstack([found.X, found.test_X])
    assert sorted(rows[:, 1]) == [1, 4, 7, 8]
    splits = {tuple(made(test_fraction=0.5, seed=seed).samples().X[:, 1]) for seed in range(20)}
    assert len(splits) > 1


def test_standardised_are_the_rows_of_training():
    found = made(test_column="use", standardise=True).samples()
    np.testing.assert_allclose(found.X.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(found.X.std(0), 1)
    np.testing.assert_allclose(found.y.std(0), 1)
    mean, deviation = np.mean([0, 6, 6]), np.std([0, 6, 6])
    np.testing.assert_allclose(found.test_X[0, 0], (3 - mean) / deviation)
    Path("mine.csv").write_text("a,b,c\n1,5,0\n2,5,1\n")
    np.testing.assert_array_equal(made(standardise=True).samples().X[:, 1], 0)
    assert made(standardise=True).remarks == ("the same in all rows of training: b",)


def test_runs_are_tied_to_the_bytes_and_not_to_the_place(mine):
    before = made()
    mine.touch()
    assert made().id == before.id
    Path("elsewhere").mkdir()
    mine.rename("elsewhere/other.csv")
    moved = made(file="elsewhere/other.csv")
    assert moved.id == before.id
    assert moved.canonical() == before.canonical()
    Path("elsewhere/other.csv").write_text(TEXT.replace("9", "8"))
    assert made(file="elsewhere/other.csv").id != before.id
    # a run as JSON knows all but the place
    again = type(before).model_validate_json(before.canonical())
    assert (again.points, again.d_in, again.d_out, again.file) == (4, 2, 1, "")


def test_a_file_that_is_not_there_is_stood_for(mine):
    pins = {"sha256": sha256(mine.read_bytes()).hexdigest(), "rows": 4}
    before = made(**pins)
    mine.unlink()
    assert made(**pins).id == before.id
    assert "the file is not here" in made(**pins).remarks[0]
    mine.write_text(TEXT + "1,1,1,train\n")
    assert refused(**pins).startswith("sha256: mine.csv is another file, its SHA-256 is ")


def test_contradictions_are_said(mine):
    mine.write_text("a,b,c\n1,2,3\n1,2,4\n5,6,7\n5,6,7\n")
    (said,) = made().remarks
    assert said.startswith("2 rows have the inputs of another row and other targets")


BAD = {
    "a missing column": ("a,b\n1,2\n3,4\n", "output_columns: mine.csv has no column 'c'; its "),
    "semicolons": ("a;b;c\n1;2;3\n4;5;6\n", "input_columns: mine.csv has no column 'a'; its "),
    "a column twice": ("a,a,b,c\n1,2,3,4\n5,6,7,8\n", "input_columns: mine.csv has 2 columns 'a'"),
    "text": (
        "a,b,c\n1,2,3\n4,five,6\n",
        "input_columns: mine.csv, row 2: 'b' is 'five', no finite",
    ),
    "NaN": ("a,b,c\n1,2,nan\n4,5,6\n", "output_columns: mine.csv, row 1: 'c' is nan, no finite"),
    "infinity": ("a,b,c\n1,2,3\n4,-inf,6\n", "input_columns: mine.csv, row 2: 'b' is -inf, no fin"),
    "nothing": ("a,b,c\n1,2,3\n4,,6\n,8,9\n", "input_columns: mine.csv, row 3: 'a' is no value"),
    "dates": (
        "a,b,c\n1,2,2001-01-01\n1,2,2001-01-02\n",
        "output_columns: mine.csv: 'c' holds date",
    ),
    "a single row": (
        "a,b,c\n1,2,3\n",
        "file: mine.csv has 1 row of training and 0 test rows; at ",
    ),
    "no rows": ("a,b,c\n", "file: mine.csv has 0 rows of training"),
    "an empty file": ("", "file: mine.csv is no csv file: "),
    "ragged rows": ("a,b,c\n1,2,3\n4,5\n", "file: mine.csv is no csv file: CSV parse error"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_content_is_one_clear_line(mine, case):
    text, told = BAD[case]
    mine.write_text(text)
    said = refused()
    assert said.startswith(told)
    assert len(said.splitlines()) == 1
    if case == "semicolons":
        assert said.endswith("separate columns by commas (.csv) or tabs (.tsv)")


def test_bad_keys_and_places_are_one_clear_line(mine):
    assert refused(file="none.csv").startswith("file: none.csv cannot be read: No such file")
    assert refused(file=".").startswith("file: . cannot be read: Is a directory")
    mine.rename("mine.txt")
    assert refused(file="mine.txt").startswith("file: mine.txt is none of .csv, .tsv, .parquet; ")
    Path("broken.parquet").write_bytes(b"PAR1 and no more")
    assert refused(file="broken.parquet").startswith("file: broken.parquet is no parquet file: ")
    both = refused(file="mine.txt", test_fraction=0.5, test_column="use")
    assert both == "test_fraction, test_column: give one of both"
    twice = refused(file="mine.txt", output_columns=["a"])
    assert twice == "input_columns, output_columns: 'a' may stand only once"
    assert refused(file="mine.txt", test_column="a").startswith("test_column: it is an input")


def test_test_rows_that_are_neither_are_told(mine):
    mine.write_text(TEXT.replace("test", "perhaps"))
    said = refused(test_column="use")
    assert said.startswith("test_column: mine.csv, row 2: 'perhaps' is neither test (true, 1) nor")
    mine.write_text(TEXT.replace("train", "test"))
    assert "0 rows of training and 4 test rows" in refused(test_column="use")


def test_more_rows_than_training_can_take_are_refused(mine, monkeypatch):
    monkeypatch.setattr(module, "MOST_POINTS", 3)
    module.counted.cache_clear()
    said = refused()
    assert said.startswith(
        "file: mine.csv has 4 rows; full-batch training can take 3: write a sample"
    )
    module.counted.cache_clear()


def test_a_file_that_changes_while_it_is_read_is_refused(mine, monkeypatch):
    read = Path.read_bytes

    def grows(path):
        whole = read(path)
        with path.open("a") as stream:
            stream.write("1,1,1,train\n")
        return whole

    monkeypatch.setattr(Path, "read_bytes", grows)
    assert refused().startswith("file: mine.csv changed while it was read; wait until it is comp")


def test_the_rule_writes_the_table_and_refuses_a_file_that_has_changed(mine, capsys):
    data = made(test_column="use")
    arguments = ["--data", data.canonical(), "--file", "mine.csv", "--out", "out/data.parquet"]
    main(arguments)
    assert "3 points and 1 test row," in capsys.readouterr().out
    for one, other in zip(load(Path("out/data.parquet")), data.samples(), strict=True):
        np.testing.assert_array_equal(one, other)
    mine.write_text(TEXT.replace("9", "8"))
    Path("out/data.parquet").unlink()
    with pytest.raises(UserError, match=r"^data\.file: mine\.csv has changed since the workflow"):
        main(arguments)
    assert not Path("out/data.parquet").exists()
