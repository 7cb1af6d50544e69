"""A sweep, as users run it: on the smoke experiment, whose draws it shares."""

import re

import pandas as pd
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.workflow
SWEEP = """
sweep:
  seeds: 2
  vary: [targets, weights]
  networks: [{network: representer, regularizer: eq2}]
  lam: [1.0e-3]
  settings: {network.d: [3, 2]}
  milestones: [1000]
"""
RUN = "representer-eq2-lam0.001"


@pytest.fixture
def swept(study):
    """A project with all draws and readings, and a sweep in its config."""
    study.config.write_text(study.config.read_text() + SWEEP)
    return study


def table(project, name):
    return project.folder / f"results/sweep/{name}.parquet"


def test_a_sweep_trains_what_is_new_and_joins_all(swept):
    jobs = swept.jobs("sweep")
    # the runs with d = 3 are there already
    new = {f"train {RUN} 1000", f"measure {RUN} 1000"}
    assert jobs == {"request sweep", "join sweep summary", "join sweep matrices"} | new
    assert swept.jobs("sweep", "all", "replicate", "readings") == set()
    summary = pq.read_table(table(swept, "summary")).to_pandas()
    assert list(summary["d"]) == [3, 3, 2, 2]
    assert list(summary["weight_seed"]) == [1, 2, 1, 2]
    assert pq.ParquetFile(table(swept, "summary")).num_row_groups == 2
    for run, rows in summary.groupby("run"):
        measured = swept.folder / f"results/measure/{run}/1000/summary.parquet"
        pd.testing.assert_frame_equal(rows.reset_index(drop=True), pd.read_parquet(measured))
    matrices = pq.read_table(table(swept, "matrices"), filters=[("d", "==", 2)]).to_pandas()
    assert set(matrices["run"]) == set(summary[summary["d"] == 2]["run"])

    swept.edit("config/config.yaml", "settings: {network.d: [3, 2]}", "settings: {network.d: [3]}")
    assert swept.jobs("sweep") == {"request sweep", "join sweep summary", "join sweep matrices"}
    assert list(pd.read_parquet(table(swept, "summary"))["d"]) == [3, 3]


def test_a_bad_sweep_is_told_before_any_job_starts(swept):
    swept.edit("config/config.yaml", "network.d: [3, 2]", "network.K: [24, 0]")
    told = r"config/config.yaml:\d+: network.K: 0 is not allowed"
    assert re.search(told, swept.refused("sweep"))


def test_an_unknown_run_of_thousands_is_told_briefly(built, tmp_path):
    many = tmp_path / "many.yaml"
    many.write_text(SWEEP.replace("seeds: 2", "seeds: 2000"))
    unknown = "results/measure/representer-eq2-lam7/1000/summary.parquet"
    done = built.snakemake("-n", unknown, "--configfile", str(built.config), str(many))
    said = done.stdout + done.stderr
    assert "representer-eq2-lam7: no run of this config. Its runs are:" in said
    assert re.search(r"… and [34],\d{3} more", said)
    assert len(said.splitlines()) < 80


def test_requests_of_many_draws_fit(built, tmp_path):
    """A command line holds 128 KiB, a request of 100 draws 250."""
    many = tmp_path / "many.yaml"
    many.write_text("claims: {seeds: 100, shallow: {K: [8, 24]}}\n")
    names = "figures/replicate/fig2", "statements/claims"
    files = [f"results/requests/{name}.json" for name in names]
    configs = ["--configfile", str(built.config), str(many)]
    built.said("--cores", "1", "--directory", str(tmp_path), *files, *configs)
    for file in files:
        assert (tmp_path / file).stat().st_size > 50_000
