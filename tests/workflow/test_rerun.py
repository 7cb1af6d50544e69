"""What runs again after which edit: each row is an edit and the exact set of jobs."""

import os
import time

import pytest

from tests.workflow.project import job

pytestmark = pytest.mark.workflow

EQ2 = {lam: f"representer-eq2-lam{lam}" for lam in ("0.1", "0.001", "0.2", "0.01")}
NONE, DENSE = "representer-none", "dense-weight_decay-lam0.001"
DATA = {"data 2levels-3d"}
JOIN = {"join summary", "join matrices"}
FIGURES = {"figure fig1", "figure fig2", "figure fig3", "figure fig4"}
SHOWN = FIGURES - {"figure fig1"}  # figure 1 shows no run
REQUESTS = {f"request figures/{name}" for name in ("fig1", "fig2", "fig3", "fig4")}
ASKED = REQUESTS - {"request figures/fig1"}
MILESTONES = [(run, e) for run in (EQ2["0.1"], EQ2["0.001"], NONE) for e in (1000, 2000)]
MILESTONES += [(DENSE, 1000)]


def stage(name, milestones):
    return {f"{name} {run} {epoch}" for run, epoch in milestones}


TRAIN, MEASURE = stage("train", MILESTONES), stage("measure", MILESTONES)


def new(*milestones):
    """A run's training and measures."""
    return stage("train", milestones) | stage("measure", milestones)


def made(*figures):
    """Figures drawn because they are asked for something else."""
    return {f"{what}{name}" for name in figures for what in ("request figures/", "figure ")}


def test_everything_is_made_once(built):
    found = set(map(job, built.files()))
    assert found == DATA | TRAIN | MEASURE | JOIN | FIGURES | REQUESTS


def test_a_second_call_says_that_nothing_is_to_be_done(project):
    assert "Nothing to be done" in project.said("figures/fig4.pdf")
    assert project.jobs() == set()


def test_touching_any_file_and_cloning_again_beside_the_results(project):
    later = time.time() + 100
    for path in project.folder.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            os.utime(path, (later, later))
    assert project.jobs() == set()
    project.clone()
    assert project.jobs() == set()


def test_reverting_an_edit(project):
    edit = ("src/sparsedecay/engines/fused/trainer.py", "mul_(2 / self.run", "mul_(1 / self.run")
    project.edit(*edit)
    assert "train" in project.snakemake("-n").stdout
    project.edit(edit[0], edit[2], edit[1])
    assert project.jobs() == set()


OF_EQ2 = [(run, e) for run in (EQ2["0.1"], EQ2["0.001"]) for e in (1000, 2000)]
OF_DENSE = [(DENSE, 1000)]
ALL = TRAIN | MEASURE | JOIN | SHOWN


def edit(project, file, replace=None, words="\nEDITED = True\n"):
    """Replace a text in a file, or else add some."""
    if replace:
        project.edit(file, *replace)
    else:
        with open(project.folder / file, "a") as text:
            text.write(words)


def redone(milestones):
    """What follows from other numbers of these milestones, which most figures show."""
    figures = SHOWN - ({"figure fig2"} if milestones == OF_DENSE else set())
    return new(*milestones) | JOIN | figures


CODE = {
    "a colour": ("figures/style.py", None, FIGURES),
    "a figure": ("figures/fig3.py", None, {"figure fig3"}),
    "a measure": (
        "science/measures/__init__.py",
        ("np.abs(matrix) > threshold", "np.abs(matrix) >= threshold"),
        MEASURE | JOIN | SHOWN,
    ),
    "the order of a sum": (
        "science/regularizers/eq2.py",
        ("skips + outgoing + incoming", "outgoing + skips + incoming"),
        redone(OF_EQ2),
    ),
    "a network": ("science/networks/dense.py", None, redone(OF_DENSE)),
    "an engine's passes": ("engines/fused/dense.py", None, redone(OF_DENSE)),
    "a kernel": ("engines/compiled/dense.h", ("group = 3;", "group = 4;"), redone(OF_DENSE)),
    "an engine": ("engines/fused/trainer.py", None, ALL),
    "what is recorded": ("science/recorded.py", None, ALL),
}


@pytest.mark.parametrize("what", CODE)
def test_an_edit_of_what_decides_numbers(project, what):
    file, replace, expected = CODE[what]
    edit(project, f"src/sparsedecay/{file}", replace)
    assert project.wanted() == expected


NOTHING = {
    "train/loop.py": ("CHUNK_SECONDS = 0.2", "CHUNK_SECONDS = 0.3"),
    "train/kept.py": None,  # locks
    "train/progress.py": None,
    "train/states.py": None,
    "files/storage.py": ("cannot be written: {reason}", "is not writable: {reason}"),
    "files/paths.py": None,
    "files/timing.py": None,
    "session/lock.py": None,
    "study/plan.py": None,
    "study/check.py": None,
    "errors.py": None,
    "cli.py": None,
    "claims/findings.py": None,
    "extras/document.py": None,
    # words: of an error, a title, a caption, a comment
    "science/data/grid.py": ("each level may stand only once", "no level may stand twice"),
    "science/initializations/uniform.py": ('title = "uniform"', 'title = "one interval"'),
    "figures/fig3.py": ("brighter is larger", "bright is large"),
    "science/measures/rows.py": (
        "    rows, spectra = [], []",
        "    # rows\n    rows, spectra = [], []",
    ),
    # a key of another section, with what there was before as its default
    "study/sections.py": ("    weights: bool\n", "    weights: bool\n    later: int = 1\n"),
}
"""Code that can change no number."""
WORDS = {
    "README.md": "\nMore words.\n",
    "config/config.yaml": "\n\n# a comment\n",
    "config/README.md": "\nMore words.\n",
    "profiles/default/config.yaml": "\n# a comment\n",
    "workflow/resources.yaml": "\n# a comment\n",
    "src/sparsedecay/engines/state.py": '\n"""A string that nobody reads."""\n',
}


def test_edits_that_can_change_no_number_run_nothing(project):
    for file, replace in NOTHING.items():
        edit(project, f"src/sparsedecay/{file}", replace)
    for file, words in WORDS.items():
        edit(project, file, words=words)
    # what jobs ask a scheduler for
    file = project.folder / "workflow/resources.yaml"
    text = file.read_text()
    file.write_text(text.replace("seconds: ", "seconds: 9").replace("mem_mb: ", "mem_mb: 9"))
    assert file.read_text() != text
    assert project.jobs() == set()


def test_a_kind_that_is_added_runs_nothing(project):
    """A module is all it takes, and no result of another kind is out of date."""
    folder = project.folder / "src/sparsedecay/science"
    for family, old in (("regularizers", "l1"), ("networks", "representer"), ("data", "grid")):
        text = (folder / family / f"{old}.py").read_text()
        text = text.replace('kind: Literal["grid"] = "grid"', 'kind: Literal["another"]')
        (folder / family / "another.py").write_text(text)
    assert project.jobs() == set()
    told = project.snakemake("-n", "--config", "figures={fig2: {regularizers: [other]}}")
    assert "another" in told.stdout + told.stderr, "and it may be asked for at once"


def test_an_edit_of_how_requests_are_written(project):
    """It rewrites them, and so draws all figures once."""
    project.edit("workflow/request.json", "}}", "}} ")
    assert project.jobs() == REQUESTS | FIGURES
    assert project.jobs() == set()


CONFIG = {
    "one lam": (
        [("lam: [1.0e-1, 1.0e-3]", "lam: [2.0e-1, 1.0e-3]")],
        new((EQ2["0.2"], 1000), (EQ2["0.2"], 2000)) | JOIN | made("fig2"),
    ),
    "a lam added": (
        [("lam: [1.0e-1, 1.0e-3]", "lam: [1.0e-1, 1.0e-2, 1.0e-3]")],
        new((EQ2["0.01"], 1000), (EQ2["0.01"], 2000)) | JOIN | made("fig2"),
    ),
    "longer training": (
        [("epochs: 2000", "epochs: 4000")],
        new(*[(r, e) for r in (EQ2["0.1"], EQ2["0.001"], NONE) for e in (3000, 4000)])
        | JOIN
        | made("fig2"),
    ),
    "figures 3 and 4 at a later epoch": (
        [("epoch: 1000\n    layer: 2\n    panels:", "epoch: 1500\n    layer: 2\n    panels:")],
        new((EQ2["0.001"], 1500), (DENSE, 1000), (DENSE, 1500)) - new((DENSE, 1000))
        | JOIN
        | made("fig3", "fig4"),
    ),
    "two seeds swapped": (
        [("seed: 0", "seed: 9"), ("seed: 1", "seed: 0"), ("seed: 9", "seed: 1")],
        DATA | TRAIN | MEASURE | JOIN | SHOWN | ASKED,
    ),
    "the threshold": (
        [("\n  threshold: 1.0e-3", "\n  threshold: 2.0e-3")],
        MEASURE | JOIN | SHOWN | ASKED,
    ),
    "the engine": ([("engine: compiled", "engine: autograd")], set()),
    "order and spacing": (
        [
            ("  levels: [0, 1]\n  dimension: 3\n", "  dimension: 3\n\n  levels: [0.0, 1]\n"),
            ("  L: 2\n  K: 24\n", "\n  K: 24  # neurons\n  L: 2\n"),
        ],
        set(),
    ),
    "the drawing of figure 1": ([("L: 3", "L: 2")], made("fig1")),
}  # fmt: skip


@pytest.mark.parametrize("row", CONFIG)
def test_an_edit_of_the_config(project, row):
    edits, expected = CONFIG[row]
    text = project.config.read_text()
    for old, new_text in edits:
        assert old in text
        text = text.replace(old, new_text)
    project.config.write_text(text)
    assert project.jobs() == expected
    assert project.jobs() == set()
