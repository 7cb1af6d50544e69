"""Folders and archives of results, read only as far as they are asked."""

import os
import shutil
import time
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import sparsedecay as sd
from sparsedecay.files.storage import write_table
from sparsedecay.files.tables import SCHEMAS
from tests.api.conftest import SMALL


@pytest.fixture(scope="session")
def measured(folder, tmp_path_factory):
    """The same folder with the tables that the rule `measure` writes, of two milestones."""
    place = tmp_path_factory.mktemp("measured") / "results"
    shutil.copytree(folder, place)
    run = sd.Run(**SMALL)
    for epoch in (100, 200):
        tables = sd.train(run, epoch, results=place, progress=False).tables()
        for name, table in tables.items():
            made = pa.Table.from_pandas(table, schema=SCHEMAS[name], preserve_index=False)
            write_table(place / "measure" / run.id / str(epoch) / f"{name}.parquet", made, {})
    return place


def test_runs_states_and_provenance(folder):
    results = sd.open(folder.parent)
    run = sd.Run(**SMALL)
    assert results.runs.values.tolist() == [[run.id, 200, 2]]
    state = results.state(run)
    assert (state.run, state.epoch) == (run, 200)
    whole = sd.train(run, 200, progress=False)
    pd.testing.assert_frame_equal(state.trajectory, whole.trajectory)
    assert results.state(run.id, 100).epoch == 100
    assert results.provenance(run)["settings"] == run.canonical()
    assert np.array_equal(results.samples(run).X, run.samples.X)


def test_tables_are_filtered(measured):
    results = sd.open(measured)
    run = sd.Run(**SMALL)
    summary = results.summary()
    assert summary.epoch.tolist() == [100, 200]
    assert summary.lam.tolist() == [1e-3, 1e-3]
    assert results.summary(regularizer="path").empty
    assert results.summary(run, epoch=200, lam=[1e-3, 1.0]).epoch.tolist() == [200]
    mse = results.trajectory(run, measure="mse")
    assert mse.epoch.tolist() == [0, 50, 100, 150, 200]
    assert set(results.spectra([run], epoch=100, matrix="A2").epoch) == {100}
    assert len(results.matrices(run, epoch=200)) == 7
    with pytest.raises(TypeError, match=r"did you mean 'lam'"):
        results.summary(lamb=1.0)


def test_what_was_not_measured_is_measured_now(folder, measured):
    for table in ("summary", "trajectory", "spectra", "matrices"):
        here, there = (getattr(sd.open(place), table)() for place in (folder, measured))
        pd.testing.assert_frame_equal(here, there)


def test_in_a_project_of_the_pipeline_only_named_runs_are_measured_now(measured, tmp_path):
    place = tmp_path / "results"
    shutil.copytree(measured, place)
    other = sd.Run(**SMALL, lam=0.5)
    sd.train(other, 100, results=place, progress=False)
    results = sd.open(place)
    assert results.summary().lam.tolist() == [1e-3, 1e-3]
    assert results.summary(other).lam.tolist() == [0.5]


def test_the_joined_table_of_a_sweep_stands_for_its_runs(measured, tmp_path):
    place = tmp_path / "results"
    shutil.copytree(measured, place)
    whole = sd.open(place).summary()
    joined = pa.Table.from_pandas(whole, schema=SCHEMAS["summary"], preserve_index=False)
    write_table(place / "sweep" / "summary.parquet", joined, {})
    files = {
        at: place / "measure" / whole.run[0] / str(at) / "summary.parquet" for at in (100, 200)
    }
    files[100].write_bytes(b"not read")
    os.utime(files[100], (0, 0))
    pd.testing.assert_frame_equal(sd.open(place).summary(), whole)
    again = whole[whole.epoch == 200].assign(mse=7.0)
    made = pa.Table.from_pandas(again, schema=SCHEMAS["summary"], preserve_index=False)
    write_table(files[200], made, {})
    os.utime(files[200], (2**32, 2**32))
    assert sd.open(place).summary().mse.tolist() == [whole.mse[0], 7.0]


def test_an_archive(measured, tmp_path):
    file = tmp_path / "made.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("README.md", "no result")
        for path in measured.rglob("*"):
            if path.is_file() and path.suffix in (".parquet", ".safetensors"):
                archive.write(path, f"results/{path.relative_to(measured)}")
    results = sd.open(file)
    assert results.summary(epoch=200).mse.iloc[0] == pytest.approx(
        sd.train(sd.Run(**SMALL), 200, progress=False).measure()["mse"]
    )
    place = results.folder
    assert place.exists()
    del results
    assert not place.exists()
    for size in (10, 2000):
        cut = tmp_path / "cut.zip"
        cut.write_bytes(file.read_bytes()[:size])
        with pytest.raises(ValueError, match=r"path: .*cut.zip: is damaged or no .zip"):
            sd.open(cut)


def test_bad_places(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match=r"path: .* does not exist"):
        sd.open(tmp_path / "none")
    with pytest.raises(ValueError, match=r"path: .* holds no results"):
        sd.open(tmp_path)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(ValueError, match=r"holds no results"):
        sd.open(tmp_path / "other.zip")
    results = sd.open(folder)
    with pytest.raises(ValueError, match=r"run: there is no 'x' here"):
        results.state("x")
    with pytest.raises(ValueError, match=r"epoch: .* has no milestone at 150; it has 100, 200"):
        results.state(sd.Run(**SMALL), 150)
    with pytest.raises(ValueError, match=r"lam: 'x' is no double"):
        results.summary(lam="x")
    with pytest.raises(FileNotFoundError, match=r"claims"):
        results.claims()
    with pytest.raises(ValueError, match=r"table: there is no 'claim'"):
        results.claims("claim")
    with pytest.raises(FileNotFoundError, match=r"name: there is no figure 'fig2' here"):
        results.figure("fig2")


def test_a_damaged_table(measured, tmp_path):
    place = tmp_path / "results"
    shutil.copytree(measured, place)
    file = next(place.glob("measure/*/200/summary.parquet"))
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"summary\(\): a file is damaged"):
        sd.open(place).summary()


def test_ten_thousand_runs_open_at_once(tmp_path):
    names = [f"representer-eq2-lam0.001-seed{i}-{i:010x}" for i in range(10_000)]
    for name in names:
        (tmp_path / "train" / name / "50000").mkdir(parents=True)
    began = time.perf_counter()
    results = sd.open(tmp_path)
    runs = results.runs
    assert time.perf_counter() - began < 2
    assert len(runs) == 10_000
