"""The archive of the smoke experiment: what it holds, what becomes of it elsewhere."""

import json
import re
import shutil
import sys
import zipfile
from urllib.parse import unquote

import pytest

from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.contents import source
from sparsedecay.extras.archive.history import History
from sparsedecay.extras.archive.manifest import CRATE, LABEL, README, SUMS
from sparsedecay.files.provenance import file_digest
from tests.extras.archive.crate import problems
from tests.extras.archive.made import contents, of_kind, sha256
from tests.workflow.conftest import copied
from tests.workflow.project import ROOT, Project, job
from tests.workflow.test_rerun import DENSE, EQ2, FIGURES

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),  # of the validator
]
UNTOLD = {
    # a file of a crate cannot have an address of its own, nor a rule, which is a part of one
    "process-run-crate-0.5_5.1: The SoftwareApplication id SHOULD be an absolute URI",
    # the authors of this package, of whom CITATION.cff names no website
    "ro-crate-1.1_31.2: The organization SHOULD have a URL.",
}
"""What is recommended and cannot be."""
DRAWN = [f"figures/fig{i}.{e}" for i in (1, 2, 3, 4) for e in ("json", "pdf", "png", "svg")]


@pytest.fixture
def unpacked(archive, tmp_path):
    """The archive, unpacked by another program, in a folder with a name of its own."""
    folder = tmp_path / "a dear colleague's copy"
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
        for entry in file.infolist():  # as unzip does, and Python does not
            (folder / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
    return Project(folder)


@pytest.fixture
def crate(unpacked, tmp_path):
    """The same in a folder whose name the validator can take."""
    return unpacked.folder.rename(tmp_path / "crate")


@pytest.fixture
def checkout(archived, tmp_path):
    """A copy of the checkout with its results, to be edited and packed again."""
    return copied(archived.folder, tmp_path / "project")


def packed(project):
    """The archive that a project makes now, and what Snakemake says."""
    shutil.rmtree(project.folder / "results/archive", ignore_errors=True)
    said = project.said("archive")
    (found,) = (project.folder / "results/archive").glob("*.zip")
    return found, said


def test_it_holds_all_that_made_the_figures(archived, archive):
    assert of_kind(archive, "source") == set(source(archived.folder).files)
    some = {"Snakefile", "requirements.lock", "environment.yml", ".ci/run"}
    assert some <= of_kind(archive, "source")
    assert of_kind(archive, "about") == manifest.ADDED
    assert of_kind(archive, "figures") == set(DRAWN)
    made = archived.files().keys()
    states = {name for name in made if name.endswith("state.safetensors")}
    tables = {name for name in made if name.startswith("results/")} - states
    assert of_kind(archive, "tables") | of_kind(archive, "data") == tables
    held = of_kind(archive, "weights")
    assert {job(name) for name in held} == {f"train {run} 1000" for run in (EQ2["0.001"], DENSE)}
    assert held < states
    for room in ("logs", "benchmarks"):
        folder = archived.folder / "results" / room
        files = (file for file in folder.rglob("*") if file.is_file())
        there = {str(file.relative_to(archived.folder)) for file in files}
        assert of_kind(archive, room) == {name for name in there if "/archive/" not in name}
    records = History(archived.folder).files
    about = {str(path.relative_to(archived.folder)): name for name, path in records.items()}
    assert {about[name] for name in of_kind(archive, "records")} == set(made) - {
        "figures/README.md"
    }


def test_it_says_what_it_is(archived, archive):
    label = json.loads(contents(archive)[LABEL])
    assert label["commit"] == archived.git("rev-parse", "HEAD")
    assert (label["changed"], label["config"]) == ([], "config/config.yaml")
    assert label["versions"].keys() >= {"python", "torch", "matplotlib", "snakemake"}
    text = contents(archive)[README].decode()
    for figure in ("fig1", "fig2", "fig3", "fig4"):
        assert f"`figures/{figure}.pdf`" in text
    assert f"commit {label['commit']}, with" in text
    # what it tells the reader to type is there
    told = set(re.findall(r"^\| `make ?(\w*)`", text, re.MULTILINE))
    targets = {line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines()}
    assert told == {"", "figures", "test"}
    assert told - {""} <= targets
    assert f"snakemake all --forceall --configfile {label['config']}`" in text
    log = (archived.folder / "results/logs/archive/archive.log").read_text()
    for said in ("source", "weights of milestones", "figures with sidecars", "in all", "SHA-256"):
        assert said in log


@pytest.mark.parametrize("where", ["checkout", "unpacked"])
def test_the_same_results_give_the_same_bytes(request, archive, where):
    """An unpacked archive too, so nothing is missing in it, and nothing tells of the folder."""
    again, _ = packed(request.getfixturevalue(where))
    assert file_digest(again) == file_digest(archive)


def test_elsewhere_only_what_is_asked_for_is_done(unpacked, tmp_path, monkeypatch):
    """In another folder, home and time zone, under another user's name: nothing at first, and the
    same figures for `make figures`."""
    other = {"HOME": str(tmp_path), "USER": "stranger", "LOGNAME": "stranger", "TZ": "Asia/Tokyo"}
    for name, value in other.items():
        monkeypatch.setenv(name, value)
    unpacked.python = sys.executable  # as a warm one has begun at home
    assert "Nothing to be done" in unpacked.said("--dry-run")
    before = {name: file_digest(unpacked.folder / name) for name in DRAWN}
    assert unpacked.jobs("--forcerun", "figure") == FIGURES
    assert {name: file_digest(unpacked.folder / name) for name in DRAWN} == before
    assert unpacked.jobs() == set()


def test_make_knows_the_config_of_the_results(unpacked):
    label = unpacked.folder / LABEL
    label.write_text(label.read_text().replace("config/config.yaml", "config/mine.yaml"))
    assert 'snakemake --configfile "config/mine.yaml"' in unpacked.make()
    assert 'snakemake --configfile "other.yaml"' in unpacked.make("CONFIG=other.yaml")


@pytest.mark.parametrize(
    "profile", ["workflow-ro-crate-1.0", "workflow-run-crate-0.5", "provenance-run-crate-0.5"]
)
def test_the_crate_is_valid(crate, tmp_path, profile):
    assert set(problems(crate, tmp_path, profile)) <= UNTOLD


def test_the_validator_finds_what_is_wrong(crate, tmp_path):
    said = json.loads((crate / CRATE).read_text())
    said["@graph"] = [one for one in said["@graph"] if one["@type"] != "HowToStep"]
    (crate / CRATE).write_text(json.dumps(said))
    told = problems(crate, tmp_path, "provenance-run-crate-0.5")
    assert any("HowToStep" in line for line in told)


def several(value):
    """What JSON-LD writes as a list only if there are two."""
    return value if isinstance(value, list) else [value]


def test_the_crate_tells_how_each_figure_was_made(archived, archive):
    """From result to object again and again, back to the data; with parameters and times."""
    files = contents(archive)
    graph = {one["@id"]: one for one in json.loads(files[CRATE])["@graph"]}
    actions = [one for one in graph.values() if one["@id"].startswith("#job/")]
    made_by = {result["@id"]: one for one in actions for result in several(one["result"])}
    history = History(archived.folder)
    for figure in ("fig2", "fig3"):
        waiting, jobs, settings = [f"figures/{figure}.pdf"], {}, []
        while waiting:
            action = made_by.get(waiting.pop())
            if action and action["@id"] not in jobs:
                jobs[action["@id"]] = action
                waiting += [one["@id"] for one in several(action["object"])]
        chain = history.chain([f"figures/{figure}.pdf"])
        assert jobs.keys() == {f"#job/{one.rule}/{one.name}" for one in chain}
        for action in jobs.values():
            assert action["startTime"] <= action["endTime"]
            assert action["endTime"].endswith("+00:00")
            read = several(action["object"])
            settings += [x["@id"] for x in read if "#settings" in x["@id"]]
        assert settings
        for one in settings:
            assert isinstance(json.loads(graph[one]["value"]), dict)
    assert graph["./"]["license"] == {"@id": "https://spdx.org/licenses/MIT"}
    paper = graph[graph["./"]["citation"]["@id"]]
    assert "Sparsity of Deep Neural Networks" in paper["name"]
    assert {graph[one["@id"]]["name"] for one in paper["author"]} >= {"Rahul Parhi"}
    told = {unquote(name): one for name, one in graph.items() if "File" in one["@type"]}
    assert told.keys() == files.keys() - {SUMS, CRATE}
    for name, one in told.items():
        assert one["contentSize"] == str(len(files[name]))
        assert one["sha256"] == sha256(files[name])


def test_without_weights(checkout):
    checkout.edit("config/config.yaml", "weights: true", "weights: false")
    checkout.git("commit", "--quiet", "--all", "--message", "Smaller")
    archive, _ = packed(checkout)
    assert of_kind(archive, "weights") == set()
    assert "The weights were left out" in contents(archive)[README].decode()
    done = checkout.sparsedecay("verify", archive, "--rerender", "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "figures/fig3: not drawn, as it shows weights" in done.stdout
    assert "8 of 8 files of 2 figures: the same bytes" in done.stdout


def test_changes_that_are_in_no_commit(checkout):
    with open(checkout.folder / "README.md", "a") as text:
        text.write("\nMore words.\n")
    archive, said = packed(checkout)
    assert "note: not committed, but packed as it is here: README.md" in said
    assert json.loads(contents(archive)[LABEL])["changed"] == ["README.md"]
    told = contents(archive)[README].decode()
    assert "**with changes that are in no commit** (README.md)" in told


def test_an_archive_is_of_one_config_file_and_of_a_source(project):
    said = project.refused("archive", "--dry-run")
    assert "neither a git checkout nor an unpacked archive" in said
    files = "config/config.yaml", "config/smoke.yaml"
    for more in (["--config", "training={epochs: 3000}"], ["--configfile", *files]):
        said = project.refused("archive", *more)
        assert "An archive holds the results of one config file" in said


def test_a_config_and_readings_from_outside(checkout, tmp_path):
    outside = shutil.copyfile(checkout.config, tmp_path / "mine.yaml")
    shutil.copy(checkout.folder / "config/smoke-readings.yaml", tmp_path)
    said = checkout.refused("archive", "--dry-run", "--configfile", str(outside))
    assert "lies outside of the project" in said
    checkout.git("rm", "--quiet", "--cached", "config/smoke-readings.yaml")
    with open(checkout.folder / ".gitignore", "a") as ignored:
        ignored.write("smoke-readings.yaml\n")
    said = checkout.refused("archive", "--dry-run")
    assert "config/smoke-readings.yaml: is no part of the source" in said
