"""A file of one's own in an archive, or left out of it."""

from pathlib import Path

import pytest

from sparsedecay.errors import UserError
from sparsedecay.extras.archive import contents as module
from sparsedecay.extras.archive.contents import Source, config_in
from sparsedecay.study.study import load_study

CONFIG = Path(__file__).parents[3] / "config" / "smoke.yaml"
MINE = """
data: {{kind: file, file: mine.csv, input_columns: [a], output_columns: [b], standardise: true,
  test_fraction: 0.25, seed: 0{pins}}}
archive: {{targets: [all], weights: true, data: {data}}}
claims: null
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text("a,b\n1,2\n3,4\n5,7\n8,1\n")


def asked(data="true", pins=""):
    Path("mine.yaml").write_text(MINE.format(data=data, pins=pins))
    return load_study([CONFIG, Path("mine.yaml")])


def source(*names):
    return Source(Path(), names, None, ())


def test_the_file_must_be_part_of_the_source():
    config = Path("mine.yaml")
    assert config_in(source("mine.yaml", "mine.csv"), config, asked()) == "mine.yaml"
    with pytest.raises(UserError, match=r"mine\.csv: is no part of the source; does git ignore it"):
        config_in(source("mine.yaml"), config, asked())
    Path("elsewhere").mkdir()
    Path("mine.csv").rename("../outside.csv")
    Path("mine.yaml").write_text(MINE.format(data="true", pins="").replace("mine", "../outside"))
    study = load_study([CONFIG, config])
    with pytest.raises(UserError, match="lies outside of the project"):
        config_in(source("mine.yaml"), config, study)


def test_a_large_file_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    told = r"mine\.csv: has \d+ bytes, too much for an archive \(10\); .* archive\.data: false"
    with pytest.raises(UserError, match=told):
        config_in(source("mine.yaml", "mine.csv"), Path("mine.yaml"), asked())


def test_without_its_data_the_config_must_stand_for_them():
    study = asked("false")
    with pytest.raises(UserError, match=r"archive\.data is false") as caught:
        config_in(source("mine.yaml"), Path("mine.yaml"), study)
    told = str(caught.value).splitlines()[1:]
    assert told == [f"  sha256: {study.data.sha256}", "  rows: 3", "  test_rows: 1"]
    pins = ", " + ", ".join(line.strip() for line in told)
    again = asked("false", pins)
    assert config_in(source("mine.yaml"), Path("mine.yaml"), again) == "mine.yaml"
    Path("mine.csv").unlink()
    assert asked("false", pins).runs.keys() == again.runs.keys() == study.runs.keys()
