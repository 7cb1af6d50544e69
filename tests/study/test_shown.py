"""Which runs a config asks for, and what its figures show and read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsedecay.files import paths
from sparsedecay.science.run import chain, predecessor
from sparsedecay.study.plan import load_plan
from sparsedecay.study.study import load_study
from tests.study.made import PAPER, TEXT, document, load

RUNS = [
    "representer-eq2-lam0.1-seed0-3f02423502",
    "representer-weight_decay-lam0.1-seed0-a3830a71f2",
    "representer-none-seed0-4bcf4ad948",
    "representer-eq2-lam0.001-seed0-05b41b0bbf",
    "representer-weight_decay-lam0.001-seed0-b13b01e1cc",
    "representer-eq2-lam1e-05-seed0-8605e34154",
    "representer-weight_decay-lam1e-05-seed0-db60d9966b",
    "dense-weight_decay-lam0.001-seed0-a170b546c5",
    "dense-none-seed0-431ec8cb0a",
]
"""Another name for one of them would make hours of training out of date."""


def test_the_papers_runs_keep_their_names(paper, plan):
    assert list(paper.runs) == RUNS
    assert list(plan.runs)[: len(RUNS)] == RUNS
    assert {run.data.id for run in paper.runs.values()} == {paper.data.id}
    assert [data.seed for data in plan.data_sets.values()] == [*range(10), 0], "one for each draw"
    assert next(iter(plan.data_sets)) == paper.data.id


def test_names_do_not_depend_on_how_the_file_is_written():
    def turned(value):
        if isinstance(value, dict):
            return {name: turned(value[name]) for name in reversed(value)}
        return value

    without_comments = re.sub(r" *#.*", "", TEXT)
    assert set(load(turned(document())).runs) == set(load(document()).runs)
    for whole in (without_comments, TEXT.replace("\n", "\n\n").replace(": ", ":   ")):
        assert set(load(whole).runs) == set(RUNS)
    text = TEXT.replace("[0, 0.5, 1]", "[0.0, 5e-1, 1.0]").replace("1.0e-3", "0.001")
    assert list(load(text).runs) == RUNS


def test_two_values_that_change_places_make_other_runs():
    swaps = [
        ({"data": {"seed": 3}}, {"initialization": {"seed": 3}}),
        ({"network": {"K": 5, "d": 7}}, {"network": {"K": 7, "d": 5}}),
        ({"optimizer": {"betas": [0.5, 0.9]}}, {"optimizer": {"betas": [0.9, 0.5]}}),
        ({"data": {"target_range": [-2, 2]}}, {"initialization": {"range": [-2, 2]}}),
        ({"data": {"levels": [0, 1]}}, {"data": {"levels": [1, 0]}}),
    ]
    for one, other in swaps:
        first, second = load_study([PAPER], one), load_study([PAPER], other)
        assert not first.runs.keys() & second.runs.keys()


def test_another_lam_renames_no_run_and_none_does_not_depend_on_it(paper):
    more = load_study([PAPER], {"figures": {"fig2": {"lam": [0.1, 0.05, 1e-3, 1e-5]}}})
    assert set(RUNS) < set(more.runs)
    assert len(more.runs) == len(RUNS) + 2, "eq2 and weight_decay, but no other run without"
    assert paper.run("dense", "none", 0.1) == paper.run("dense", "none", 5)


def test_what_each_figure_shows(paper):
    assert paper.milestones("fig1") == []
    shown = [(run.regularizer, run.lam, epoch) for run, epoch in paper.milestones("fig2")]
    assert shown == [
        (regularizer, 0 if regularizer == "none" else lam, 200_000)
        for lam in (0.1, 1e-3, 1e-5)
        for regularizer in ("eq2", "weight_decay", "none")
    ]
    for name in ("fig3", "fig4"):
        shown = [(run.network, run.regularizer, run.lam, e) for run, e in paper.milestones(name)]
        assert shown == [
            ("representer", "eq2", 1e-3, 50_000),
            ("representer", "weight_decay", 1e-3, 50_000),
            ("dense", "weight_decay", 1e-3, 50_000),
            ("dense", "none", 0, 50_000),
        ]
    shown = [(run.regularizer, epoch) for run, epoch in paper.milestones("radon")]
    epochs = (50_000, 100_000, 200_000)
    assert shown == [(name, epoch) for name in ("eq2", "weight_decay") for epoch in epochs]
    assert len(paper.shown) == 7 + 4 + 2, "two at 100,000; the others are figures 2 and 3's"
    assert len(set(paper.shown)) == len(paper.shown)


@pytest.mark.parametrize("figure", ["fig1", "fig2", "fig3", "fig4"])
def test_a_request_holds_what_the_figure_draws_and_survives_json(paper, figure):
    request = paper.request(figure)
    assert request.figure == figure
    assert request.settings == getattr(paper.figures, figure)
    assert type(request).model_validate_json(request.canonical()) == request
    pairs = [(shown.run, shown.epochs[-1]) for shown in request.shown]
    assert pairs == [(run.id, epoch) for run, epoch in paper.milestones(figure)]


def test_the_files_that_figures_read(paper):
    read = {name: paper.request(name).files for name in paper.figures.names}
    assert read["fig1"] == []
    assert len(read["fig2"]) == 7 * (1 + 4), "a summary, and the trajectory over 4 milestones"
    assert paths.measured(RUNS[0], 200_000, "summary") in read["fig2"]
    assert paths.measured(RUNS[0], 50_000, "trajectory") in read["fig2"]
    assert paths.measured(RUNS[0], 50_000, "summary") not in read["fig2"]
    for name, tables in (("fig3", ["summary"]), ("fig4", ["spectra", "summary"])):
        assert len(read[name]) == 4 * (2 + len(tables))
        for run in (RUNS[3], RUNS[4], RUNS[7], RUNS[8]):
            assert {
                paths.state(run, 50_000),
                paths.measured(run, 50_000, "matrices"),
                *(paths.measured(run, 50_000, table) for table in tables),
            } <= set(read[name])
    for files in read.values():
        assert len(files) == len(set(files))


def test_figures_of_several_draws_and_of_statements(paper, plan):
    """They read what the figure reads for every draw, and all summaries, which tell the typical
    draw."""
    own = ["fig1", "fig2", "fig3", "fig4", "radon"]
    seeds = [f"replicate/{name}" for name in own[1:4]]
    assert plan.figures == [*own, *seeds, "claims", "readings"]
    assert plan.replicated == [*seeds, "claims"]
    for name, of_one in zip(seeds, own[1:4], strict=True):
        request, files = plan.request(name), paper.request(of_one).files
        assert request.name == name
        assert len(request.draws) == 10
        assert request.draws[0] == request.shown == paper.request(of_one).shown
        assert request.draws[3][0].seeds == (3, 3)
        read = request.files
        assert len(read) == len(set(read)) == 10 * len(files)
        assert set(files) < set(read)
        for shown in (shown for draw in request.draws for shown in draw):
            assert paths.measured(shown.run, shown.epochs[-1], "summary") in read
    for name in ("claims", "readings"):
        assert plan.request(name).files == [f"results/claims/{name}.parquet"]


def without(*figures):
    """The plan of the paper's config without statements and some figures."""
    return load_plan([PAPER], {"claims": None, "figures": dict.fromkeys(figures)})


def test_figures_without_statements():
    plan = without()
    assert plan.figures == ["fig1", "fig2", "fig3", "fig4", "radon"]
    assert plan.replicated == []
    assert plan.variations == []
    assert [*plan.chosen("claims"), *plan.chosen("readings")] == []
    assert plan.runs == plan.study.runs
    assert without("fig2", "fig3").figures == ["fig1", "fig4", "radon"]


def test_a_figure_that_is_left_out_is_not_replicated():
    plan = load_plan([PAPER], {"figures": {"fig4": None}})
    assert "replicate/fig4" not in plan.figures
    assert plan.replicated == ["replicate/fig2", "replicate/fig3", "claims"]


@pytest.mark.parametrize(
    ("epoch", "stride", "milestones"),
    [
        (200, 50, [50, 100, 150, 200]),
        (50, 50, [50]),
        (30, 50, [30]),
        (120, 50, [50, 100, 120]),
        (51, 50, [50, 51]),
        (3, 1, [1, 2, 3]),
    ],
)
def test_the_milestones_on_the_way(epoch, stride, milestones):
    assert chain(epoch, stride) == milestones
    assert [predecessor(step, stride) for step in milestones] == [0, *milestones[:-1]]


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 10**6))
def test_an_epoch_off_the_grid_is_nobodys_predecessor(epoch, other, stride):
    epoch, other = epoch % (50 * stride) + 1, other % (50 * stride) + 1
    assert predecessor(epoch, stride) % stride == 0
    assert predecessor(epoch, stride) < epoch
    low, high = sorted((epoch, other))
    assert set(chain(low, stride)) - {low} <= set(chain(high, stride))
