"""What A and B can be, and what is said when they are not."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sparsedecay import cli, data, measure
from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.extras.compare.sides import Folder, from_json, parameters
from sparsedecay.science.run import columns
from sparsedecay.study.study import load_study
from sparsedecay.train.loop import Stretch, train
from tests.extras.compare.made import MEASURES, claims, figure, milestone
from tests.small import small_run

CONFIG = Path(__file__).parents[3] / "config" / "smoke.yaml"


def git(*arguments):
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository of two commits, made the current folder: the second changes the scale of
    the initial values in config/config.yaml. All that either shows is in results/."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "config" / "config.yaml"
    config.parent.mkdir()
    shutil.copy(CONFIG, config)
    git("init")
    git("add", "config")
    git("commit", "-m", "one")
    config.write_text(config.read_text().replace("scale: none", "scale: fan_in"))
    git("commit", "-a", "-m", "two")
    for run, epoch in load_study([config]).shown:
        milestone(tmp_path, run, epoch, threshold=1e-3)
    return tmp_path


def pack(archive, folder, top=""):
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, top + str(path.relative_to(folder)))


def test_the_tables_of_the_pipeline_are_read(tmp_path):
    """A trained and measured milestone tells of itself what its run tells."""
    run = small_run()
    data.main(["--data", run.data.canonical(), "--out", str(tmp_path / "data.parquet")])
    files = {name: tmp_path / f"{name}.parquet" for name in ("loss", "magnitudes")}
    files["state"] = tmp_path / "state.safetensors"
    train(Stretch(run, 40, tmp_path / "data.parquet", None, **files))
    options = {"run": run.canonical(), "epoch": "40", "measures": MEASURES.canonical()}
    options |= {"data": tmp_path / "data.parquet", **files}
    options["out"] = tmp_path / "results" / "measure" / run.id / "40"
    measure.main([str(part) for k, v in options.items() for part in (f"--{k}", v)])
    found = Folder(tmp_path / "results").milestone(run.id, 40)
    assert found.parameters == parameters(columns(run), MEASURES.model_dump())
    names = ["mse_tail_median", "average_sparsity", "active_neurons 1", "active_neurons 2"]
    names += [f"A2 {name}" for name in ("sparsity", "rank", "relative_rank", "stable_rank")]
    assert [name for name in found.measures if name in names] == names
    null = {name.partition(" ")[2] for name, value in found.measures.items() if value is None}
    assert null == {"", "linear_nodes"}, "it did not diverge, and not all matrices are products"
    assert {"torch", "code measure"} <= found.made_by.keys()


def test_a_project_and_its_results_folder_are_the_same(projects, compare):
    one, _ = projects
    milestone(one, small_run())
    figure(one, "fig1.png")
    said = compare(one, one / "results")
    assert "No difference: 1 row of measures and 1 figure are the same on both sides." in said


def test_a_folder_of_another_name_has_no_figures_beside_it(projects, compare):
    one, _ = projects
    milestone(one, small_run())
    figure(one, "fig1.png")
    shutil.copytree(one / "results", one / "old")
    assert "1 of 1 figure." in compare(one, one / "old")


@pytest.mark.parametrize("top", ["", "project/"])
def test_archives_are_read_like_folders(projects, compare, top):
    one, _ = projects
    milestone(one, small_run())
    figure(one, "fig1.png")
    claims(one, [{"claim": "1", "verdict": "holds"}])
    pack("one.zip", one, top)
    said = compare(one, "one.zip")
    assert "No difference: 1 row of measures and 1 figure are the same" in said
    assert "verdicts" not in said
    assert "archive, 1 milestone of 1 run" in said
    figure(one, "fig1.png", b"another")
    assert f"B: one.zip: {top}figures/fig1.png" in compare(one, "one.zip")


def test_an_archive_of_a_results_folder(projects, compare):
    one, _ = projects
    milestone(one, small_run())
    pack("one.zip", one / "results")
    assert "No difference" in compare("one.zip", one)


@pytest.mark.parametrize(
    "name", ["../escaped.txt", "results/../../escaped", "/escaped", "C:/escaped", "..\\escaped"]
)
def test_archives_that_lead_out_of_themselves_are_refused(projects, compare, name):
    one, _ = projects
    milestone(one, small_run())
    pack("one.zip", one)
    with zipfile.ZipFile("one.zip", "a") as packed:
        packed.writestr(name, "text")
    with pytest.raises(
        UserError, match=r"one\.zip: the entry .*escaped.* leads out of the archive"
    ):
        compare(one, "one.zip")


def test_archives_that_cannot_be_used(projects, compare, monkeypatch):
    one, two = projects
    milestone(one, small_run())
    Path("text.zip").write_text("no archive")
    with pytest.raises(UserError, match=r"text\.zip: is damaged or no \.zip .*; get it again"):
        compare(one, "text.zip")
    pack("one.zip", one)
    whole = Path("one.zip").read_bytes()
    spoilt = whole.replace(b"PAR1", b"PAR2", 1)
    Path("spoilt.zip").write_bytes(spoilt)
    with pytest.raises(UserError, match=r"spoilt\.zip: is damaged \(.*: Bad CRC-32"):
        compare(one, "spoilt.zip")
    pack("empty.zip", two)
    with pytest.raises(UserError, match=r"empty\.zip: holds no measured results"):
        compare(one, "empty.zip")
    milestone(two, small_run())
    pack("both.zip", Path.cwd())
    with pytest.raises(UserError, match=r"both\.zip: holds several results \(one, two\)"):
        compare(one, "both.zip")
    monkeypatch.setattr("sparsedecay.extras.compare.sources.MAX_BYTES", 100)
    with pytest.raises(UserError, match=r"one\.zip: .*larger than the 100 bytes"):
        compare(one, "one.zip")


def test_archives_are_unpacked_elsewhere_and_removed(projects, compare, monkeypatch):
    one, two = projects
    monkeypatch.setattr("tempfile.tempdir", str(two))
    milestone(one, small_run())
    pack("one.zip", one)
    before = sorted(Path.cwd().rglob("*"))
    compare(one, "one.zip")
    assert sorted(Path.cwd().rglob("*")) == before


def test_damaged_tables_are_named_with_their_remedy(projects, compare):
    one, two = projects
    milestone(one, small_run())
    folder = milestone(two, small_run())
    (folder / "matrices.parquet").write_bytes(b"text")
    place = f"results/measure/{small_run().id}/40/matrices.parquet"
    with pytest.raises(DamagedFile, match=f"^two/{place}: is damaged .*\nMake it again") as caught:
        compare(one, two)
    assert str(caught.value).endswith(f"snakemake --force {place}")
    pack("two.zip", two)
    with pytest.raises(DamagedFile, match=f"^two.zip: {place}: is damaged") as caught:
        compare(one, "two.zip")
    assert str(caught.value).endswith(f"snakemake --force {place}")


def test_tables_of_another_run_are_refused(projects, compare):
    one, two = projects
    milestone(one, small_run())
    folder = milestone(two, small_run())
    folder.rename(folder.with_name("80"))
    with pytest.raises(DamagedFile, match=f"does not hold epoch 80 of {small_run().id}"):
        compare(one, two)


def test_columns_and_tables_that_are_missing_are_shown_as_such(projects, compare):
    one, two = projects
    folder = milestone(one, small_run(), lacking=("batches", "average_sparsity", "stable_rank"))
    milestone(two, small_run())
    said = compare(one, two)
    assert re.search(r"batches +– +1\n", said)
    assert re.search(r"average_sparsity +– +0.5 +–\n", said)
    assert re.search(r"A2 stable_rank +– +1.5 +–\n", said)
    assert "Tables of A are of another version and do not tell, with “–” in place" in said
    (folder / "matrices.parquet").unlink()
    assert re.search(r"A2 rank +– +3 +–\n", compare(one, two))


def test_a_table_without_what_says_what_it_is_of_is_refused(projects, compare):
    one, two = projects
    milestone(one, small_run(), lacking=("network",))
    with pytest.raises(DamagedFile, match="it has no column network of type string"):
        compare(one, one)
    milestone(two, small_run(), regularizer=None)
    with pytest.raises(DamagedFile, match="does not say network, regularizer and lam"):
        compare(two, two)


def test_milestones_without_summary_are_left_out_and_told(projects, compare):
    one, _ = projects
    milestone(one, small_run())
    (milestone(one, small_run(), 80) / "summary.parquet").unlink()
    said = compare(one, one)
    assert "1 milestone of 1 run" in said
    assert "one: left out: 1 milestone without summary.parquet." in said


def test_folders_without_results(projects, compare):
    one, two = projects
    milestone(one, small_run())
    with pytest.raises(UserError, match=r"two: holds no measured results \(results/measure/<run>"):
        compare(one, two)
    figure(one, "fig1.png")
    with pytest.raises(UserError, match="figures: holds no measured results"):
        compare(one, one / "figures")


def test_files_that_are_neither_archive_nor_config(projects, compare):
    one, _ = projects
    milestone(one, small_run())
    with pytest.raises(UserError, match=r"summary.parquet: is damaged or no \.zip"):
        compare(one, next(one.rglob("summary.parquet")))


def test_configs_as_they_were_and_as_they_are(repository, compare):
    said = compare("HEAD~1", "config/config.yaml")
    assert re.search(
        r"A +HEAD~1:config/config.yaml +config, 5 milestones of 4 runs, 5 of them", said
    )
    assert re.search(r"B +config/config.yaml +config, 5 milestones of 4 runs\n", said)
    assert re.search(r"initialization.scale +none +fan_in\n", said)
    assert re.search(r"initial_scale +none +fan_in\n", said)
    assert re.search(r"representer +eq2 +0.1 +2,000 +– → 0.25 ", said)
    assert "Only in" not in said, "what is not made yet has its partner all the same"
    assert (
        "not made yet: git show 'HEAD~1:./config/config.yaml' > config/other.yaml && snakemake "
        "--configfile config/other.yaml\n"
    ) in said


def test_a_named_file_of_a_revision(repository, compare):
    shutil.copy(CONFIG, "config/mine.yaml")
    git("add", "config/mine.yaml")
    git("commit", "-m", "three")
    said = compare("HEAD:config/mine.yaml", "HEAD:config/config.yaml")
    assert re.search(r"initialization.scale +none +fan_in\n", said)
    said = compare("HEAD~2", "HEAD:config/mine.yaml")
    assert "No difference that can be told: nothing is made on either side yet." in said
    assert "keys" not in said.lower()


def test_a_project_below_the_root_of_its_repository(repository, compare, monkeypatch):
    (repository / "below").mkdir()
    shutil.copytree("config", "below/config")
    git("add", "below")
    git("commit", "-m", "three")
    monkeypatch.chdir("below")
    assert "1 key of the config" in compare("HEAD:config/config.yaml", "HEAD~2:config/config.yaml")
    said = compare("HEAD", "config/config.yaml", "--results", repository)
    assert "No difference: 5 rows of measures are the same" in said


def test_existing_files_win_over_revisions(repository, compare):
    shutil.copytree("results", "HEAD/results")
    assert "results folder" in compare("HEAD", "results")


def test_the_config_of_an_older_version(repository, compare):
    config = Path("config/config.yaml")
    config.write_text(config.read_text().replace("  scale: fan_in\n", ""))
    git("commit", "-a", "-m", "older")
    with pytest.raises(UserError) as caught:
        compare("results", "HEAD")
    first, second = str(caught.value).splitlines()
    assert first == "B, HEAD:config/config.yaml: is no config of this version:"
    assert second.startswith("HEAD:config/config.yaml:")
    assert "initialization.scale: is missing; write none or fan_in" in second


def test_mistakes_in_a_config_are_told_with_its_side(repository, compare):
    mine = Path("config/mine.yaml")
    mine.write_text(CONFIG.read_text().replace("K: 24", "K: 0"))
    for name in ("config/mine.yaml", "./config/mine.yaml", mine.resolve()):
        with pytest.raises(UserError) as caught:
            compare(name, "HEAD")
        first, second = str(caught.value).splitlines()
        assert first == f"A, {name}: is no config of this version:"
        assert second.startswith(f"{name}:13: network.K: 0 is not allowed")


def test_names_that_are_nothing(repository, compare, monkeypatch):
    match = r"nothing: there is no file or folder of this name, and git knows no revision 'nothing'"
    with pytest.raises(UserError, match=match):
        compare("nothing", "results")
    with pytest.raises(UserError, match=r"git knows no revision '--help'"):
        compare("results", "--", "--help")
    with pytest.raises(UserError, match=r"HEAD:no\.yaml: the revision has no such file .*ls-tree"):
        compare("HEAD:no.yaml", "results")
    with pytest.raises(UserError, match="HEAD:config: the revision has no such file"):
        compare("HEAD:config", "results")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="git, which may know it as a revision, cannot be run"):
        compare("nothing", "results")


def test_outside_of_a_repository(projects, compare, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path.cwd().parent))
    with pytest.raises(UserError, match=r"no revision 'HEAD' here \(not a git repository"):
        compare("HEAD", "one")


def test_results_of_configs_can_lie_elsewhere(repository, compare, projects, monkeypatch):
    monkeypatch.chdir("one")
    config = "../config/config.yaml"
    assert "5 of them not made yet" in compare(config, config)
    said = compare(config, config, "--results", "..")
    assert "No difference: 5 rows of measures are the same" in said
    assert "5 of them not made yet" in compare(config, config, "--results", "results")
    with pytest.raises(UserError, match="--results none: no such folder"):
        compare(config, config, "--results", "none")
    Path("../two/mine.yaml").write_text(CONFIG.read_text())
    said = compare(config, "../two/mine.yaml", "--results", "..")
    place = Path.cwd().parent
    assert f"snakemake --configfile ../two/mine.yaml --directory {place}\n" in said


def test_results_measured_by_other_definitions_than_the_config_asks_for(repository, compare):
    config = Path("config/config.yaml")
    mine = Path("config/mine.yaml")
    mine.write_text(config.read_text().replace("  threshold: 1.0e-3", "  threshold: 1.0e-2"))
    said = compare(config, mine)
    assert "5 of 5 milestones of B were measured by other definitions" in said
    assert re.search(r"measures.threshold +0.001 +0.01\n", said)


def test_a_config_beside_a_folder(repository, compare):
    figure(repository, "fig1.png")
    said = compare("config/config.yaml", "results")
    assert "No difference: 5 rows of measures are the same" in said
    assert "Figures are not compared: a config has none of its own." in said


def test_mistakes_end_with_status_2_and_no_stack_trace(projects, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["sparsedecay", "compare", "one", "two"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("one: holds no measured results")


def test_a_milestone_that_diverged_has_no_numbers(tmp_path):
    run = small_run()
    nothing = dict.fromkeys(("mse_tail_median", "average_sparsity", "active_neurons", "rank"))
    milestone(tmp_path, run, diverged=30, **nothing)
    found = Folder(tmp_path / "results").milestone(run.id, 40).measures
    assert found.pop("diverged") == 30
    lost = {"mse_tail_median", "average_sparsity", "A2 rank"}
    assert lost <= {name for name, value in found.items() if value != value}
    assert (found["A2 sparsity"], None in found.values()) == (0.75, False)
    assert "active_neurons 1" not in found


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "[" * 99_999, '{"a": ' * 99_999])
def test_metadata_of_strangers(text):
    assert from_json(text) == {}
