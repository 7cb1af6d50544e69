"""The rules as a module of a workflow in another folder."""

import shutil

import pytest

from sparsedecay.files.provenance import file_digest
from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.workflow
SNAKEFILE = """
configfile: "mine.yaml"


module paper:
    snakefile: "{root}/Snakefile"
    config: {config}
    {prefix}


use rule * from paper as paper_*


{more}


rule mine:
    input:
        "figures/fig1.pdf",
    output:
        "mine.pdf",
    default_target: True
    shell:
        "cp {{input}} {{output}}"
"""
REPLACED = """
use rule figure from paper as paper_figure with:
    threads: 2
"""


@pytest.fixture
def outer(tmp_path, warm):
    """A folder with a Snakefile and a config of its own, and nothing else."""
    project = Project(tmp_path / "outer")
    project.folder.mkdir()
    project.python = warm.python
    for name, place in (
        ("smoke.yaml", "mine.yaml"),
        ("smoke-readings.yaml", "smoke-readings.yaml"),
    ):
        shutil.copyfile(ROOT / "config" / name, project.folder / place)

    def use(config="config", prefix="", more=""):
        text = SNAKEFILE.format(root=ROOT, config=config, prefix=prefix, more=more)
        (project.folder / "Snakefile").write_text(text)
        return project

    return use


FLAGS = ("--cores", "2", "--workflow-profile", str(ROOT / "profiles/default"))
HERE = {"PYTHONPATH": str(ROOT / "src")}


@pytest.mark.parametrize("more", ["", REPLACED])
def test_figures_are_made_in_the_other_folder(outer, built, more):
    project = outer(more=more)
    project.said(*FLAGS, env=HERE)
    for name in ("figures/fig1.pdf", "mine.pdf"):
        assert file_digest(project.folder / name) == file_digest(built.folder / "figures/fig1.pdf")
    assert "Nothing to be done" in project.said(*FLAGS, env=HERE)
    said = project.said(*FLAGS, "--dry-run", "paper_all", env=HERE)
    assert said.count("rule paper_train:") == 7


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"config": '{"data": {}}'}, "its config is another than that of the Snakefile"),
        ({"prefix": 'prefix: "paper"'}, "leave `prefix` out"),
    ],
)
def test_what_a_module_cannot_be_is_told(outer, how, told):
    assert told in outer(**how).said(*FLAGS, code=1, env=HERE)
