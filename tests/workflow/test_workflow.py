"""The workflow as its users see it."""

import json
import re
import shutil

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
    said = Project(tmp_path / "fresh").clone().said("-n", "figures/fig4.svg")
    counts = dict(re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE))
    assert counts.pop("total") == "7"
    assert counts == {"data": "1", "train": "2", "measure": "2", "request": "1", "figure": "1"}


def test_another_config_needs_no_copy_of_the_workflow(project):
    text = project.config.read_text().replace("lam: [1.0e-1, 1.0e-3]", "lam: [5.0e-1]")
    (project.folder / "config" / "mine.yaml").write_text(text)
    made = project.jobs("figures/fig2.pdf", "--configfile", "config/mine.yaml")
    assert "train representer-eq2-lam0.5 2000" in made
    assert "figure fig2" in made


def test_jobs_that_do_not_fit_beside_each_other_run_one_after_the_other(project):
    """Each of two trainings asks for 600 MB."""
    shutil.rmtree(project.folder / "results/train")
    said = project.said(
        "--cores", "2", "--resources", "mem_mb=700", "--forcerun", "train", "--", "figures/fig3.pdf"
    )
    assert len(re.findall("^localrule train", said, re.MULTILINE)) == 2
    under_way = most = 0
    for word in re.findall(
        r"^localrule train|Finished jobid: \d+ \(Rule: train\)", said, re.MULTILINE
    ):
        under_way += 1 if word.startswith("localrule") else -1
        most = max(most, under_way)
    assert most == 1


def test_looking_needs_no_profile(project):
    """And so no number of cores."""
    assert "digraph" in project.said("figures/fig1.pdf", "--workflow-profile", "none", "--dag")


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
    project.said("--report", "report.html")
    page = (project.folder / "report.html").read_text()
    for figure in ("fig1", "fig2", "fig3", "fig4"):
        assert f"figures/{figure}.png" in page


SECTIONS = {"replicate": "claims", "readings": "claims", "archive": "archive", "sweep": "sweep"}


@pytest.mark.parametrize("target", SECTIONS)
def test_a_config_without_the_section_of_a_target_is_told(built, tmp_path, target):
    text = built.config.read_text()
    (tmp_path / "bare.yaml").write_text(text[: text.index("\nclaims:")])
    bare = ["--configfile", str(tmp_path / "bare.yaml")]
    said = built.refused("-n", target, *bare)
    assert f"The config has no section `{SECTIONS[target]}`, so there is nothing to " in said
    built.said("-n", *bare)


CONFIG, READINGS = "config/config.yaml", "config/smoke-readings.yaml"
LATE = "fig3:\n    lam: 1.0e-3\n    epoch: {}\n"
BATCHES = "{optimizer: {batches: 2}}"
BAD = {
    "misspelt": (CONFIG, "  threshold:", "  treshold:", "measures.treshold", "threshold"),
    "type": (CONFIG, "K: 24", "K: many", "network.K", "many"),
    "range": (CONFIG, "K: 24", "K: 0", "network.K", "0"),
    "beyond": (CONFIG, LATE.format(1000), LATE.format(3000), "figures.fig3.epoch", "3000"),
    "duplicate": (CONFIG, "  K: 24\n", "  K: 24\n  K: 25\n", "K"),
    "unreadable": (CONFIG, "data:", "data: [", "line"),
    "a reading's key": (READINGS, BATCHES, "{optimizer: {batchs: 2}}", "did you mean"),
    "a reading's range": (READINGS, BATCHES, "{optimizer: {batches: 0}}", "optimizer.batches"),
    "too many": (READINGS, BATCHES, "{optimizer: {batches: 9}}", "optimizer.batches"),
    "no title": (READINGS, "  title: two minibatches an epoch\n", "", "title"),
    "measures": (READINGS, "average_over: [W, V, C]", "threshold: 1.0e-2", "average_over"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_config_is_told_before_any_job_starts(project, name):
    file, old, new, *told = BAD[name]
    project.edit(file, old, new)
    said = project.refused("--forceall", *(["readings"] if file == READINGS else []))
    for word in [file, *told]:
        assert word in said


DAMAGED = {
    "results/train/dense*/1000/state.safetensors": (lambda whole: whole[: len(whole) // 2], "fig3"),
    "results/requests/figures/fig2.json": (lambda _: b"{}", "fig2"),
}


@pytest.mark.parametrize("place", DAMAGED)
def test_a_damaged_result_is_named_with_the_remedy(project, place):
    damage, figure = DAMAGED[place]
    (file,) = project.folder.glob(place)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    name = str(file.relative_to(project.folder))
    said = project.said(f"figures/{figure}.pdf", code=1)
    assert f"{name}: is damaged" in said
    assert f"snakemake --force {name}" in said
    project.said("--force", name)
    assert file.read_bytes() == whole
    project.said()


def test_results_do_not_depend_on_the_number_of_cores(built, tmp_path):
    project = Project(tmp_path / "one").clone()
    project.said("--cores", "1")
    for name in built.files():
        one, two = project.folder / name, built.folder / name
        assert one.read_bytes() == two.read_bytes(), name
