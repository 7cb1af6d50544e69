"""The archive of the smoke experiment: what it holds, what becomes of it elsewhere."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from urllib.parse import unquote

import pytest

from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.contents import source
from sparsedecay.extras.archive.history import History
from sparsedecay.extras.archive.manifest import CRATE, LABEL, README, SUMS
from sparsedecay.extras.archive.opening import opened
from sparsedecay.files.provenance import file_digest
from tests.extras.archive.crate import problems
from tests.extras.archive.made import contents, flipped, of_kind, zipped
from tests.workflow.project import ROOT, Project, job
from tests.workflow.test_rerun import DENSE, EQ2, FIGURES

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),  # of the validator
]
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
    folder = tmp_path / "project"
    subprocess.run(["cp", "-a", archived.folder, folder], check=True)
    return Project(folder)


def packed(project):
    """The archive that a project makes now, and what Snakemake says."""
    shutil.rmtree(project.folder / "results/archive", ignore_errors=True)
    done = project.snakemake("archive")
    assert done.returncode == 0, done.stderr
    (found,) = (project.folder / "results/archive").glob("*.zip")
    return found, done.stdout


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


def test_nothing_is_to_be_done_elsewhere(unpacked, tmp_path, monkeypatch):
    """In another folder, home and time zone, under another user's name."""
    other = {"HOME": str(tmp_path), "USER": "stranger", "LOGNAME": "stranger", "TZ": "Asia/Tokyo"}
    for name, value in other.items():
        monkeypatch.setenv(name, value)
    unpacked.python = sys.executable  # as a warm one has begun at home
    done = unpacked.snakemake("--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_make_knows_the_config_of_the_results(unpacked):
    label = unpacked.folder / LABEL
    label.write_text(label.read_text().replace("config/config.yaml", "config/mine.yaml"))
    make = ["env", "--unset=MAKEFLAGS", "--unset=MAKELEVEL", "make", "--dry-run"]
    for more, config in (([], "config/mine.yaml"), (["CONFIG=other.yaml"], "other.yaml")):
        said = subprocess.check_output([*make, *more], cwd=unpacked.folder, text=True)
        assert f'snakemake --configfile "{config}"' in said


def test_figures_are_drawn_again_and_nothing_else(unpacked):
    """What `make figures` does."""
    before = {name: file_digest(unpacked.folder / name) for name in DRAWN}
    assert unpacked.jobs("--forcerun", "figure") == FIGURES
    assert {name: file_digest(unpacked.folder / name) for name in DRAWN} == before
    assert unpacked.jobs() == set()


def test_one_flipped_bit_in_every_file_at_once(archive, tmp_path):
    files = {
        name: flipped(content, 1000) if content else content
        for name, content in contents(archive).items()
    }
    files[SUMS] = contents(archive)[SUMS]
    with opened(zipped(tmp_path / "a.zip", files)) as spoilt:
        told = set(manifest.differences(spoilt))
    empty = {name for name, content in files.items() if not content}
    assert told == {f"altered: {name}" for name in files.keys() - {SUMS} - empty}


@pytest.mark.parametrize(
    "profile", ["workflow-ro-crate-1.0", "workflow-run-crate-0.5", "provenance-run-crate-0.5"]
)
def test_the_crate_is_valid(crate, tmp_path, profile):
    assert problems(crate, tmp_path, profile) == []


def test_the_validator_finds_what_is_wrong(crate, tmp_path):
    said = json.loads((crate / CRATE).read_text())
    said["@graph"] = [one for one in said["@graph"] if one["@type"] != "HowToStep"]
    (crate / CRATE).write_text(json.dumps(said))
    told = problems(crate, tmp_path, "provenance-run-crate-0.5")
    assert any("HowToStep" in line for line in told)


def test_the_crate_tells_how_each_figure_was_made(archived, archive):
    """From result to object again and again, back to the data; with parameters and times."""
    files = contents(archive)
    graph = {one["@id"]: one for one in json.loads(files[CRATE])["@graph"]}
    actions = [one for one in graph.values() if one["@id"].startswith("#job/")]
    made_by = {result["@id"]: one for one in actions for result in one["result"]}
    history = History(archived.folder)
    for figure in ("fig2", "fig3"):
        waiting, jobs, settings = [f"figures/{figure}.pdf"], {}, []
        while waiting:
            action = made_by.get(waiting.pop())
            if action and action["@id"] not in jobs:
                jobs[action["@id"]] = action
                waiting += [one["@id"] for one in action["object"]]
        chain = history.chain([f"figures/{figure}.pdf"])
        assert jobs.keys() == {f"#job/{one.rule}/{one.name}" for one in chain}
        for action in jobs.values():
            assert action["startTime"] <= action["endTime"]
            assert action["endTime"].endswith("+00:00")
            settings += [x["@id"] for x in action["object"] if "#settings" in x["@id"]]
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
        assert one["sha256"] == manifest.digest(files[name])


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


def test_what_an_archive_needs(project):

    def told(*arguments):
        done = project.snakemake("archive", *arguments)
        assert done.returncode == 1
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    assert "neither a git checkout nor an unpacked archive" in told("--dry-run")
    one = "An archive holds the results of one config file"
    assert one in told("--config", "training={epochs: 3000}")
    assert one in told("--configfile", "config/config.yaml", "config/smoke.yaml")
    text = project.config.read_text()
    project.config.write_text(text[: text.index("\narchive:")])
    assert "The config has no section `archive`" in told()
    assert project.snakemake("--dry-run").returncode == 0


def test_a_config_from_outside(checkout, tmp_path):
    outside = shutil.copyfile(checkout.config, tmp_path / "mine.yaml")
    shutil.copy(checkout.folder / "config/smoke-readings.yaml", tmp_path)
    done = checkout.snakemake("archive", "--dry-run", "--configfile", str(outside))
    assert done.returncode == 1
    assert "lies outside of the project" in done.stdout


def test_readings_that_git_does_not_know(checkout):
    checkout.git("rm", "--quiet", "--cached", "config/smoke-readings.yaml")
    with open(checkout.folder / ".gitignore", "a") as ignored:
        ignored.write("smoke-readings.yaml\n")
    done = checkout.snakemake("archive", "--dry-run")
    assert done.returncode == 1
    assert "config/smoke-readings.yaml: is no part of the source" in done.stdout
