"""Draws, readings and statements, as users run them: on the smoke experiment."""

import json

import pandas as pd
import pytest

from sparsedecay.claims.statements import CLAIMS

pytestmark = pytest.mark.workflow
TARGETS = ("replicate", "readings")


def statements(project, table):
    return pd.read_parquet(project.folder / f"results/claims/{table}.parquet")


def test_all_draws_and_readings_are_tested(replicated):
    claims, readings = (statements(replicated, name) for name in ("claims", "readings"))
    assert set(claims["reading"]) == {"literal"}
    assert set(claims["seeds"]) == {2}
    assert list(dict.fromkeys(readings["reading"])) == [
        "literal", "minibatches", "path", "average-all",
    ]  # fmt: skip
    # the smoke figures have no weight decay in representer networks, so some cannot be tested
    assert set(claims["claim"]) < {claim.id for claim in CLAIMS}
    assert {"dense-without", "eq2-rank-one", "dense-wd-rank", "width-bound"} <= set(claims["claim"])
    assert set(claims["verdict"]) <= {"holds", "fails", "undecided"}
    both = claims[claims["part"] == 1].groupby(["claim", "epoch"]).size()
    assert (both == 1).all()


def test_the_numbers_are_those_of_the_tables(replicated):
    """One number followed by hand from the measured tables of each draw to the verdict."""
    claims = statements(replicated, "claims")
    row = claims[(claims["claim"] == "eq2-rank-one") & (claims["epoch"] == 1000)].iloc[0]
    found = []
    for summary in sorted((replicated.folder / "results/measure").glob("*/1000/summary.parquet")):
        about = pd.read_parquet(summary).iloc[0]
        literal = about["batches"] == 1 and about["lam"] == 1e-3 and about["L"] == 2
        if literal and about["regularizer"] == "eq2" and about["network"] == "representer":
            matrices = pd.read_parquet(summary.with_name("matrices.parquet")).set_index("matrix")
            found.append(matrices.loc["A2", "stable_rank"])
    assert sorted(found) == sorted(row["values"])
    assert len(found) == 2
    assert row["value"] == pytest.approx(sum(found) / 2)


def test_readings_differ_only_in_what_they_change(replicated):
    readings = statements(replicated, "readings").set_index(["claim", "part", "epoch"])
    by_name = {name: rows["value"] for name, rows in readings.groupby("reading")}
    dense = ("dense-wd-rank", 1, 1000)
    assert by_name["average-all"].loc["eq2-rank-one"].equals(by_name["literal"].loc["eq2-rank-one"])
    assert by_name["average-all"].loc[dense] == by_name["literal"].loc[dense]
    minibatches = by_name["minibatches"].loc["eq2-rank-one"]
    assert not minibatches.equals(by_name["literal"].loc["eq2-rank-one"])


def test_the_findings_are_about_these_tables(replicated):
    text = (replicated.folder / "results/claims/findings.md").read_text()
    claims = statements(replicated, "claims")
    stated = claims[claims["stated"] & (claims["part"] == 1)]
    holding = (stated["counted"] & (stated["claim_verdict"] == "holds")).sum()
    assert f"**{holding} of " in text
    for claim in stated["claim"]:
        assert f"`{claim}`" in text


def test_figures_name_the_typical_draw(replicated):
    for name in ("fig2", "fig3", "fig4"):
        picture = (replicated.folder / f"figures/replicate/{name}.svg").read_text()
        assert "the typical one of 2 draws" in picture or "<text" not in picture
        sidecar = json.loads((replicated.folder / f"figures/replicate/{name}.json").read_text())
        draws = {run["run"].split("-seed")[1][0] for run in sidecar["runs"]}
        assert draws == {"1", "2"}
        assert sidecar["command"]["workflow"] == f"snakemake figures/replicate/{name}.pdf"


def test_a_search_screens_all_and_trains_the_closest(study):
    study.snakemake("search")
    screen, search = (statements(study, name) for name in ("screen", "search"))
    names = ["literal", "minibatches", "path", "minibatches+path"]
    assert list(dict.fromkeys(screen["reading"])) == names
    (kept,) = json.loads((study.folder / "results/claims/kept.json").read_text())
    assert set(search["reading"]) == {kept}
    assert set(screen["claim"]) < set(search["claim"]), "the screen trains no dense network"
    ranking = (study.folder / "results/claims/search.md").read_text()
    assert ranking.count("| two minibatches an epoch; eq. (2) in balance |") >= 1
    assert study.jobs("search") == set()


def test_nothing_is_done_twice(study):
    assert study.jobs(*TARGETS, "all") == set()


def test_one_draw_more_trains_that_draw_alone(study):
    study.edit("config/config.yaml", "  seeds: 2", "  seeds: 3")
    jobs = study.jobs(*TARGETS)
    trained = {job for job in jobs if job.startswith("train")}
    assert len(trained) == 9  # runs are told apart but for their seeds and widths
    assert "data 2levels-3d" in jobs
    assert {"statements claims.parquet", "figure claims", "figure replicate/fig2"} <= jobs
    assert not {"statements readings.parquet", "figure readings"} & jobs
    assert set(statements(study, "claims")["seeds"]) == {3}


def test_a_fixed_target_keeps_its_data_set(study):
    study.edit("config/config.yaml", "vary: [targets, weights]", "vary: [weights]")
    jobs = study.jobs("results/claims/claims.parquet")
    assert not any(job.startswith("data") for job in jobs)
    assert any(job.startswith("train") for job in jobs)


def test_another_reading_trains_what_it_changes_alone(study):
    with open(study.folder / "config/smoke-readings.yaml", "a") as file:
        file.write(
            "\nadam:\n  title: option of Adam\n  changes: {objective: {weight_decay: adam}}\n"
        )
    jobs = study.jobs("readings")
    trained = {job for job in jobs if job.startswith("train")}
    assert trained
    assert all("weight_decay" in job for job in trained)
    assert {"statements readings.parquet", "figure readings", "findings findings.md"} <= jobs
    assert not {"statements claims.parquet", "figure claims"} & jobs


def test_another_threshold_trains_and_measures_nothing(study):
    study.edit("src/sparsedecay/claims/statements.py", "high=1.1", "high=1.2")
    jobs = study.jobs(*TARGETS, "all")
    assert {job.split()[0] for job in jobs} == {"statements", "findings", "figure"}
    assert not {"figure fig2", "figure replicate/fig2"} & jobs


def test_other_words_in_the_findings_redo_them_alone(study):
    study.edit("src/sparsedecay/claims/findings.py", '"# Does it replicate?"', '"# Or not?"')
    jobs = study.jobs(*TARGETS, "all")
    assert {job.split()[0] for job in jobs} == {"findings"}
