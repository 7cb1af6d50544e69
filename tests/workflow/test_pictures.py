"""`snakemake figures/radon.gif results/explore.html`, as users ask for them."""

import os

import pytest
from PIL import Image

from tests.workflow.browser import Browser, installed
from tests.workflow.conftest import copied

pytestmark = pytest.mark.workflow
SECTION = """
figures:
  radon: {lam: 1.0e-3, epochs: [0, 1000], panels: [{network: representer, regularizer: eq2},
    {network: dense, regularizer: weight_decay}]}
"""
FILES = "figures/radon.pdf", "figures/radon.gif", "results/explore.html"


@pytest.fixture(scope="module")
def pictured(built, tmp_path_factory):
    """The smoke experiment with its Radon picture, film and page, and how it is called."""
    project = copied(built.folder, tmp_path_factory.mktemp("pictures"))
    more = project.folder / "config" / "radon.yaml"
    more.write_text(SECTION)
    configs = ["--configfile", str(project.config), str(more)]
    said = project.said("--cores", "2", *FILES, *configs)
    assert "rule train:" not in said, "all milestones are there"
    return project, configs


def test_film_and_page_are_made_once(pictured):
    project, configs = pictured
    with Image.open(project.folder / "figures/radon.gif") as film:
        assert film.n_frames > 20
    assert "Nothing to be done" in project.said(*FILES, *configs)
    # an engine is no reason to film again; another epoch is
    other = project.folder / "config" / "other.yaml"
    other.write_text("training: {engine: fused}\n")
    assert "Nothing to be done" in project.said(*FILES, *configs, str(other))
    other.write_text(SECTION.replace("1000]", "2000]"))
    dry = project.said("-n", "figures/radon.gif", *configs, str(other))
    assert "rule film:" in dry
    assert "rule train:" not in dry


def test_what_it_lacks_is_told(built):
    assert "no section `figures.radon`" in built.refused("figures/radon.gif")
    nothing = "figures={fig2: null, fig3: null, fig4: null}", "claims=null"
    said = built.refused("results/explore.html", "--config", *nothing)
    assert "nothing to explore" in said
    assert "Traceback" not in said


@pytest.mark.skipif(
    not installed() and not os.environ.get("CI"),
    reason="no Chromium here; `apt-get install chromium` brings one",
)
def test_the_page_is_clicked_through(pictured, tmp_path):
    project, _ = pictured
    with Browser(tmp_path / "profile") as browser:
        browser.open(project.folder / "results/explore.html")
        browser.until("document.querySelectorAll('.chart .main-svg').length >= 4")
        assert browser.evaluate("runs.length") > 3

        def value(name):
            return browser.evaluate(f"document.getElementById('{name}').value")

        def told(name):
            return browser.evaluate(f"document.getElementById('{name}').textContent")

        def choose(name, index):
            browser.evaluate(
                f"var s = document.getElementById('{name}'); s.value = s.options[{index}].value;"
                "s.dispatchEvent(new Event('change'))"
            )

        last = browser.evaluate("milestone().epoch")
        assert last == browser.evaluate("run().milestones.at(-1).epoch")
        before = told("told"), told("about-neurons")
        browser.evaluate("document.getElementById('before').click()")
        assert browser.evaluate("milestone().epoch") < last
        assert (told("told"), told("about-neurons")) != before
        assert browser.evaluate("document.getElementById('before').disabled")
        line = "document.getElementById('trajectory').layout.shapes[0].x0"
        assert browser.evaluate(line) == browser.evaluate("milestone().epoch")
        # a click on the trajectory takes the nearest milestone
        browser.evaluate(
            "document.getElementById('trajectory').emit('plotly_click', {points: [{x: 1e9}]})"
        )
        assert browser.evaluate("milestone().epoch") == last
        choose("matrix", 1)
        name = value("matrix")
        assert told("about-matrix").startswith(f"{name}, ")
        rows = "document.getElementById('picture').data[0].z.length"
        assert browser.evaluate(rows) == browser.evaluate(
            f"milestone().matrices['{name}'].shape[0]"
        )
        dense = browser.evaluate("runs.findIndex(r => r.title.startsWith('dense'))")
        choose("run", dense)
        assert browser.evaluate("run().title").startswith("dense, weight decay")
        assert browser.evaluate("document.getElementById('neurons').data.length") == 2
        choose("curve", 0)
        assert browser.evaluate("document.getElementById('trajectory').data[0].x.length") > 10
        assert browser.messages == []
        outside = [r for r in browser.requests if not r.startswith(("file:", "data:", "blob:"))]
        assert outside == []
