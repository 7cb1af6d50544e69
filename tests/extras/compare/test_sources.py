"""What A and B can be, and what is said when they are not."""

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from sparsedecay import data
from sparsedecay.extras.compare.sides import Folder, from_json, parameters
from sparsedecay.measure import command
from sparsedecay.science.run import columns
from sparsedecay.study.study import load_study
from sparsedecay.train.loop import train
from sparsedecay.train.stretch import Stretch
from tests.extras.compare.made import MEASURES, claims, figure, milestone
from tests.small import small_run

SMOKE = Path(__file__).parents[3] / "config" / "smoke.yaml"
CONFIG = Path("config/config.yaml")


def git(*arguments):
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def commit(*files):
    git("add", *files)
    git("commit", "-m", "message")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository of two commits, made the current folder: the second changes the scale of
    the initial values in config/config.yaml. All that either shows is in results/."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    CONFIG.parent.mkdir()
    shutil.copy(SMOKE, CONFIG)
    git("init")
    commit("config")
    change("scale: none", "scale: fan_in")
    commit("config")
    for run, epoch in load_study([CONFIG]).shown:
        milestone(tmp_path, run, epoch)
    return tmp_path


def change(old, new, into=CONFIG):
    """Write the config with another value."""
    into.write_text(CONFIG.read_text().replace(old, new))
    return into


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
    command.main([str(part) for k, v in options.items() for part in (f"--{k}", v)])
    found = Folder(tmp_path / "results").milestone(run.id, 40)
    assert found.parameters == parameters(columns(run), MEASURES.model_dump())
    assert found.parameters["measures.average_over"] == ("W", "V")
    names = ["mse_tail_median", "average_sparsity", "active_neurons 1", "active_neurons 2"]
    names += [f"A2 {name}" for name in ("sparsity", "rank", "relative_rank", "stable_rank")]
    assert [name for name in found.measures if name in names] == names
    null = {name.partition(" ")[2] for name, value in found.measures.items() if value is None}
    # it did not diverge, and not all matrices are products or lie between ReLU layers
    assert null == {"", "linear_nodes", "alive", "patterns"}
    assert {"torch", "code science.measures.rows"} <= found.made_by.keys()


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "[" * 99_999, '{"a": ' * 99_999])
def test_metadata_of_strangers(text):
    assert from_json(text) == {}


def test_a_project_and_its_results_folder_are_the_same(alike, compare):
    one, _ = alike
    figure(one, "fig1.png")
    (milestone(one, small_run(), 80) / "summary.parquet").unlink()
    said = compare(one, one / "results")
    assert "No difference: 1 row of measures and 1 figure are the same on both sides." in said
    assert "1 milestone of 1 run" in said
    assert "one: left out: 1 milestone without summary.parquet." in said
    shutil.copytree(one / "results", one / "old")
    assert "1 of 1 figure." in compare(one, one / "old"), "what lies beside it is another's"


@pytest.mark.parametrize("top", ["", "project/"])
def test_archives_are_read_like_folders(alike, compare, top, monkeypatch):
    one, two = alike
    monkeypatch.setattr("tempfile.tempdir", str(two))
    figure(one, "fig1.png")
    claims(one, {"claim": "1", "verdict": "holds"})
    pack("one.zip", one, top)
    pack("results.zip", one / "results", top)
    before = sorted(Path.cwd().rglob("*"))
    said = compare(one, "one.zip")
    assert "No difference: 1 row of measures and 1 figure are the same" in said
    assert "verdicts" not in said
    assert "archive, 1 milestone of 1 run" in said
    assert "Different: 1 of 1 figure." in compare("results.zip", one)
    assert sorted(Path.cwd().rglob("*")) == before, "they are unpacked elsewhere and removed"
    figure(one, "fig1.png", b"another")
    assert f"B: one.zip: {top}figures/fig1.png" in compare(one, "one.zip")


@pytest.mark.parametrize(
    "name", ["../escaped.txt", "results/../../escaped", "/escaped", "C:/escaped", "..\\escaped"]
)
def test_archives_that_lead_out_of_themselves_are_refused(alike, refusal, name):
    one, _ = alike
    pack("one.zip", one)
    with zipfile.ZipFile("one.zip", "a") as packed:
        packed.writestr(name, "text")
    pattern = r"one\.zip: the entry .*escaped.* leads out of the archive"
    assert re.search(pattern, refusal(one, "one.zip"))


def test_archives_that_cannot_be_used(alike, refusal, monkeypatch):
    one, two = alike
    Path("text.zip").write_text("no archive")
    pack("one.zip", one)
    whole = Path("one.zip").read_bytes()
    Path("spoilt.zip").write_bytes(whole.replace(b"PAR1", b"PAR2", 1))
    pack("both.zip", Path.cwd())
    shutil.rmtree(two / "results" / "measure")
    pack("empty.zip", two)
    for name, pattern in {
        "text.zip": r"text\.zip: is damaged or no \.zip .*; get it again",
        "spoilt.zip": r"spoilt\.zip: is damaged \(.*: Bad CRC-32",
        "empty.zip": r"empty\.zip: holds no measured results",
        "both.zip": r"both\.zip: holds several results \(one, two\)",
    }.items():
        assert re.search(pattern, refusal(one, name))
    monkeypatch.setattr("sparsedecay.extras.compare.sources.MAX_BYTES", 100)
    assert re.search(r"one\.zip: .*larger than the 100 bytes", refusal(one, "one.zip"))


def test_tables_that_cannot_be_used_are_named_with_their_remedy(alike, refusal):
    one, two = alike
    run = small_run().id
    place = f"results/measure/{run}/40/matrices.parquet"
    (two / place).write_bytes(b"text")
    pack("two.zip", two)
    for name, file in ((two, f"two/{place}"), ("two.zip", f"two.zip: {place}")):
        said = refusal(one, name)
        assert re.match(f"{file}: is damaged .*\nMake it again", said)
        assert said.endswith(f"snakemake --force {place}")
    milestone(two, small_run(), lacking=("network",))
    assert "it has no column network of type string" in refusal(one, two)
    folder = milestone(two, small_run(), regularizer=None)
    assert "does not say network, regularizer and lam" in refusal(one, two)
    folder.rename(folder.with_name("80"))
    assert f"does not hold epoch 80 of {run}" in refusal(one, two)


def test_columns_and_tables_that_are_missing_are_shown_as_such(alike, compare):
    one, two = alike
    folder = milestone(one, small_run(), lacking=("batches", "average_sparsity", "stable_rank"))
    said = compare(one, two)
    assert re.search(r"batches +– +1\n", said)
    assert re.search(r"average_sparsity +– +0.5 +–\n", said)
    assert re.search(r"A2 stable_rank +– +1.5 +–\n", said)
    assert "Tables of A are of another version and do not tell, with “–” in place" in said
    (folder / "matrices.parquet").unlink()
    assert re.search(r"A2 rank +– +3 +–\n", compare(one, two))


def test_what_holds_no_results(projects, refusal):
    one, two = projects
    folder = milestone(one, small_run())
    figure(one, "fig1.png")
    assert "two: holds no measured results (results/measure/<run>" in refusal(one, two)
    assert "figures: holds no measured results" in refusal(one, one / "figures")
    table = folder / "summary.parquet"
    assert f"{table}: is damaged or no .zip" in refusal(one, table)


def test_configs_as_they_were_and_as_they_are(repository, compare):
    said = compare("HEAD~1", CONFIG)
    holds = "config, 5 milestones of 4 runs"
    assert re.search(f"A +HEAD~1:config/config.yaml +{holds}, 5 of them not made yet\n", said)
    assert re.search(f"B +config/config.yaml +{holds}\n", said)
    assert re.search(r"initialization.scale +none +fan_in\n", said)
    assert re.search(r"initial_scale +none +fan_in\n", said)
    assert re.search(r"representer +eq2 +0.1 +2,000 +– → 0.25 ", said)
    assert "Only in" not in said, "what is not made yet has its partner all the same"
    assert (
        "not made yet: git show 'HEAD~1:./config/config.yaml' > config/other.yaml && snakemake "
        "--configfile config/other.yaml\n"
    ) in said


def test_files_of_revisions(repository, compare, monkeypatch):
    shutil.copy(SMOKE, "config/mine.yaml")
    shutil.copytree("config", "below/config")
    commit("config", "below")
    said = compare("HEAD:config/mine.yaml", "HEAD:config/config.yaml")
    assert re.search(r"initialization.scale +none +fan_in\n", said)
    said = compare("HEAD~2", "HEAD:config/mine.yaml")
    assert "No difference that can be told: nothing is made on either side yet." in said
    assert "keys" not in said.lower()
    monkeypatch.chdir("below")  # a project below the root of its repository
    said = compare("HEAD", CONFIG, "--results", repository)
    assert "No difference: 5 rows of measures are the same" in said
    assert "1 key of the config" in compare("HEAD", "HEAD:config/mine.yaml")


def test_mistakes_in_a_config_are_told_with_its_side(repository, refusal):
    mine = change("K: 24", "K: 0", Path("config/mine.yaml"))
    for name in (mine, f"./{mine}", mine.resolve()):
        first, second = refusal(name, "HEAD").splitlines()
        assert first == f"A, {name}: is no config of this version:"
        assert second.startswith(f"{name}:14: network.K: 0 is not allowed")
    change("  scale: fan_in\n", "")  # as in an older version
    commit("config")
    first, second = refusal("results", "HEAD").splitlines()
    assert first == "B, HEAD:config/config.yaml: is no config of this version:"
    assert second.startswith("HEAD:config/config.yaml:")
    assert "initialization.scale: is missing; write none or fan_in" in second


def test_names_that_are_nothing(repository, refusal, monkeypatch):
    nothing = "nothing: there is no file or folder of this name, and git"
    assert f"{nothing} knows no revision 'nothing'" in refusal("nothing", "results")
    assert "git knows no revision '--help'" in refusal("results", "--", "--help")
    said = refusal("HEAD:no.yaml", "results")
    assert re.search(r"HEAD:no\.yaml: the revision has no such file .*ls-tree", said)
    assert "HEAD:config: the revision has no such file" in refusal("HEAD:config", "results")
    monkeypatch.setenv("PATH", "")
    assert f"{nothing}, which may know it as a revision, cannot" in refusal("nothing", "results")


def test_outside_of_a_repository(alike, refusal, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path.cwd().parent))
    assert "no revision 'HEAD' here (not a git repository" in refusal("HEAD", "one")


def test_results_of_configs_can_lie_elsewhere(repository, compare, refusal, projects, monkeypatch):
    monkeypatch.chdir("one")
    config = f"../{CONFIG}"
    assert "5 of them not made yet" in compare(config, config)
    said = compare(config, config, "--results", "..")
    assert "No difference: 5 rows of measures are the same" in said
    assert "5 of them not made yet" in compare(config, config, "--results", "results")
    assert "--results none: no such folder" in refusal(config, config, "--results", "none")
    shutil.copy(SMOKE, "../two/mine.yaml")
    said = compare(config, "../two/mine.yaml", "--results", "..")
    assert f"snakemake --configfile ../two/mine.yaml --directory {repository}\n" in said


def test_what_is_beside_a_config(repository, compare):
    mine = change("  threshold: 1.0e-3", "  threshold: 1.0e-2", Path("config/mine.yaml"))
    said = compare(CONFIG, mine)
    assert "5 of 5 milestones of B were measured by other definitions" in said
    assert re.search(r"measures.threshold +0.001 +0.01\n", said)
    shutil.copytree("results", "HEAD/results")
    figure(repository, "fig1.png")
    said = compare(CONFIG, "HEAD")
    assert re.search("B +HEAD +results folder", said), "existing files win over revisions"
    assert "No difference: 5 rows of measures are the same" in said
    assert "Figures are not compared: a config has none of its own." in said
