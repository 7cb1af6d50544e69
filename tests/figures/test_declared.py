"""A figure is declared once: what it says of itself, and that nothing else need know of it."""

import inspect
import json
import subprocess
import sys
from typing import get_args

import pytest

from sparsedecay.figures import declared, find, style
from sparsedecay.science.networks import NetworkName
from sparsedecay.science.regularizers import RegularizerName
from tests.workflow.project import Project

NEW = '''
"""A figure that did not exist."""

from typing import Annotated

from pydantic import Field

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Declaration
from sparsedecay.files import paths
from sparsedecay.science.settings import Settings


class Motto(Settings):
    """A motto."""

    words: Annotated[str, Field(min_length=1, max_length=20)]
    """What it says."""


class New(Declaration[Motto]):
    """Figure 5: a motto.

    A caption that did *not* exist.
    """

    section = Motto

    def rules(self, settings, study):
        if settings.words == "too long":
            yield f"words: they take longer than {study.training.epochs} epochs; write less"

    def milestones(self, settings, study):
        return [(study.run("representer", "eq2", 0.5), 20)]

    def reads(self, shown):
        return [paths.measured(one.run, one.epochs[-1], "summary") for one in shown]

    def render(self, request, results):
        (one,) = request.shown
        mse = results.table(one.run, one.epochs[-1], "summary")["mse"].iloc[-1]
        figure = style.page(2, 1)
        figure.text(0.1, 0.5, f"{request.settings.words}: {mse}")
        return figure


FIGURE = New()
'''


@pytest.mark.workflow
def test_a_new_figure_is_a_module_and_an_entry_of_the_config(tmp_path):
    project = Project(tmp_path).clone()
    module = "src/sparsedecay/figures/motto.py"
    (project.folder / module).write_text(NEW)
    project.edit("config/config.yaml", "\nfigures:\n", "\nfigures:\n  motto: {words: too long}\n")
    told = "figures.motto.words: too long is not allowed: they take longer than 2000 epochs"
    assert told in project.snakemake("-n").stdout
    project.edit("config/config.yaml", "too long", "less is more")

    assert project.jobs("figures/motto.pdf") == {
        "data 2levels-3d",
        *(f"{stage} representer-eq2-lam0.5 20" for stage in ("train", "measure")),
        "request figures/motto",
        "figure motto",
    }
    assert b"less is more" in (project.folder / "figures/motto.svg").read_bytes()
    project.edit(module, "that did *not* exist", "that *does* exist")
    assert project.jobs("figures/motto.pdf") == set(), "for other words in a caption"
    assert project.snakemake("figures/motto.pdf", "--report", "report.html").returncode == 0
    report = (project.folder / "report.html").read_text()
    assert "A caption that <em>does</em> exist" in report
    assert "</tt> at 20." in report, "the run that it shows"

    assert project.sparsedecay("document").returncode == 0
    section = "### figures.motto\n\nFigure 5: a motto.\n\n| key | type | allowed | paper | meaning"
    assert section in (project.folder / "config/README.md").read_text()
    schema = json.loads((project.folder / "config/schema.json").read_text())
    assert schema["$defs"]["Motto"]["properties"]["words"]["description"] == "What it says."


@pytest.mark.parametrize("name", declared())
def test_a_figure_says_all_of_itself(name):
    figure = find(name)
    assert figure is declared()[name]
    assert figure.name == name
    assert figure.title.endswith(".")
    assert figure.caption(), "a caption"
    assert (figure.caption(draws=True) != figure.caption()) == figure.replicated
    assert all(paragraph.strip() for paragraph in figure.paragraphs)
    assert figure.category in ("Figures", "Verdict")
    if figure.section:
        assert inspect.cleandoc(figure.section.__doc__ or ""), "what its section is"
        for key, field in figure.section.model_fields.items():
            assert field.description, f"what the key {key} means"


def test_all_figures_are_found():
    assert list(declared()) == [
        "claims", "collapse", "fig1", "fig2", "fig3", "fig4", "generalisation", "optimum", "phase",
        "radon", "readings",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="there is no figure 'style'"):
        find("style")


def test_planning_loads_nothing_that_only_rendering_needs():
    script = "import sys, sparsedecay.study.plan; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True).split()
    assert "sparsedecay.figures.fig4" in loaded
    assert not {"matplotlib", "pandas", "torch"} & set(loaded)


@pytest.mark.parametrize(
    ("kinds", "looks"),
    [(NetworkName, style.NETWORKS), (RegularizerName, style.REGULARIZERS)],
    ids=["networks", "regularizers"],
)
def test_every_kind_has_a_look_of_its_own(kinds, looks):
    lacking = set(get_args(kinds)) - looks.keys()
    assert not lacking, f"{lacking}: give them a look in figures/style.py"
    assert len(set(map(str, looks.values()))) == len(looks)
