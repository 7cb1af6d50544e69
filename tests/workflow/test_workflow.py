"""The workflow as its users see it."""

import json
import re

import pytest

from tests.workflow.project import Project

pytestmark = pytest.mark.workflow


def test_every_rule_says_what_it_does(built):
    listed = built.snakemake("--list-rules").stdout
    rules = "all data train measure join request figure statements findings join_sweep sweep"
    for rule in rules.split():
        assert re.search(rf"^{rule} \(\w.+\.\)$", listed, re.MULTILINE), listed


def test_the_graph_is_dot_and_nothing_else(built):
    graph = built.snakemake("--dag").stdout
    assert graph.startswith("digraph")
    assert graph.rstrip().endswith("}")


def test_each_job_leaves_a_log_and_a_benchmark(built):
    logs = {path.relative_to(built.folder / "results/logs").with_suffix("")
            for path in (built.folder / "results/logs").rglob("*.log")}  # fmt: skip
    folder = built.folder / "results/benchmarks"
    benchmarks = {path.relative_to(folder).with_suffix("") for path in folder.rglob("*.jsonl")}
    assert logs == benchmarks
    assert len([log for log in logs if log.parts[0] == "train"]) == 7
    for path in folder.rglob("*.jsonl"):
        assert json.loads(path.read_text().splitlines()[0])["s"] > 0


def test_nothing_is_left_of_jobs_that_ended(built):
    for room in ("checkpoints", "progress"):
        left = (built.folder / "results" / room).rglob("*")
        assert [path for path in left if path.is_file()] == []


def test_a_figure_builds_only_what_it_needs(built, tmp_path):
    project = Project(tmp_path / "fresh")
    project.folder.mkdir()
    project.clone()
    done = project.snakemake("-n", "figures/fig4.svg")
    counts = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert counts.pop("total") == "7"
    assert counts == {"data": "1", "train": "2", "measure": "2", "request": "1", "figure": "1"}


def test_another_config_needs_no_copy_of_the_workflow(project):
    text = project.config.read_text().replace("lam: [1.0e-1, 1.0e-3]", "lam: [5.0e-1]")
    (project.folder / "config" / "mine.yaml").write_text(text)
    made = project.jobs("figures/fig2.pdf", "--configfile", "config/mine.yaml")
    assert "train representer-eq2-lam0.5 2000" in made
    assert "figure fig2" in made


LEFT = {
    "No log directive defined":
        "`request` is rendered by Snakemake itself and has nothing to say",
    "Specify a conda environment or container for each rule.":
        "one environment serves all rules and Snakemake itself: requirements.lock, environment.yml",
    "Shell command directly uses variable study from outside of the rule":
        "engine and checkpoint_seconds must be no params: they make no result out of date",
}  # fmt: skip


def test_lint_says_only_what_we_have_a_reason_for(built):
    done = built.snakemake("--lint")
    said = set(re.findall(r"^    \* (.+?):$", done.stdout + done.stderr, re.MULTILINE))
    assert said == set(LEFT)


def test_the_report_shows_the_figures(project):
    done = project.snakemake("--report", "report.html")
    assert done.returncode == 0, done.stderr
    page = (project.folder / "report.html").read_text()
    for figure in ("fig1", "fig2", "fig3", "fig4"):
        assert f"figures/{figure}.png" in page


BAD = {
    "misspelt": ("  threshold:", "  treshold:", "measures.treshold", "threshold"),
    "type": ("K: 24", "K: many", "network.K", "many"),
    "range": ("K: 24", "K: 0", "network.K", "0"),
    "beyond": ("    epoch: 1000\n    layer: 2\n    panels:\n      - {network: representer, "
               "regularizer: eq2}\n      - {network: dense, regularizer: weight_decay}\n  fig4",
               "    epoch: 3000\n    layer: 2\n    panels:\n      - {network: representer, "
               "regularizer: eq2}\n  fig4", "figures.fig3.epoch", "3000"),
    "duplicate": ("  K: 24\n", "  K: 24\n  K: 25\n", "config.yaml", "K"),
    "unreadable": ("data:", "data: [", "config.yaml", "line"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_config_is_told_before_any_job_starts(project, name):
    old, new, *told = BAD[name]
    project.edit("config/config.yaml", old, new)
    before = project.files()
    done = project.snakemake("--forceall")
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "Traceback" not in output
    for word in ["config/config.yaml", *told]:
        assert word in output
    assert project.files() == before


def test_a_damaged_result_is_named_with_the_remedy(project):
    state = next((project.folder / "results/train").glob("dense*/1000/state.safetensors"))
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])
    done = project.snakemake("figures/fig3.pdf")
    name = str(state.relative_to(project.folder))
    assert done.returncode != 0
    assert f"{name}: is damaged" in done.stderr
    assert f"snakemake --force {name}" in done.stderr
    assert "Traceback" not in done.stderr
    assert project.snakemake("--force", name).returncode == 0
    assert state.read_bytes() == whole
    assert project.snakemake().returncode == 0


def test_results_do_not_depend_on_the_number_of_cores(built, tmp_path):
    project = Project(tmp_path / "one")
    project.folder.mkdir()
    project.clone()
    assert project.snakemake("--cores", "1").returncode == 0
    for name in built.files():
        one, two = project.folder / name, built.folder / name
        assert one.read_bytes() == two.read_bytes(), name
