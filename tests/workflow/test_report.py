"""The report, opened in a real browser without a network."""

import os
from pathlib import Path

import pytest

from tests.workflow.browser import Browser, installed

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(
        not installed() and not os.environ.get("CI"),
        reason="no Chromium here; `apt-get install chromium` brings one",
    ),
]
SHOW = """
    new (class extends AbstractViewManager {
        handleImg(entry, path) { app.setView({content: 'img', contentPath: entry.data_uri}) }
        handleHtml(entry, path) { app.setView({content: 'html', contentPath: entry.data_uri}) }
    })().handleSelectedResult(%r)
"""


@pytest.fixture(scope="module")
def page(replicated, tmp_path_factory) -> Path:
    page = tmp_path_factory.mktemp("report") / "report.html"
    replicated.said("all", "replicate", "readings", "--report", str(page))
    return page


@pytest.fixture
def browser(page, tmp_path):
    with Browser(tmp_path / "profile") as browser:
        browser.open(page)
        browser.until("typeof app !== 'undefined' && app !== undefined")
        yield browser
        assert browser.messages == []
        assert [r for r in browser.requests if not r.startswith(("file:", "data:", "blob:"))] == []


def test_it_opens_with_the_verdict_and_the_graph_of_rules(browser, replicated):
    text = browser.until("document.body.innerText.includes('The study') && document.body.innerText")
    verdict = (replicated.folder / "results/claims/verdict.html").read_text()
    assert "Does it replicate?" in text
    assert "statements of the paper replicate" in verdict
    top = "document.querySelector('.prose h1, .prose h2').getBoundingClientRect().top"
    assert browser.evaluate(top) >= 0
    assert verdict.split("<strong>")[1].split("</strong>")[0] in text
    browser.until("document.querySelectorAll('canvas, svg.marks').length")  # the graph


def test_every_figure_and_page_is_visible(browser):
    names = browser.evaluate("Object.keys(results)")
    figures = {f"figures/fig{i}.png" for i in range(1, 5)}
    figures |= {f"figures/replicate/fig{i}.png" for i in range(2, 5)}
    figures |= {"figures/claims.png", "figures/readings.png"}
    pages = {"results/claims/findings.html", "results/claims/method.html"}
    assert set(names) == figures | pages
    for name in names:
        browser.evaluate("app.setView({content: 'text', contentText: ''})")
        browser.evaluate(SHOW % name)
        if name in figures:
            browser.until("document.querySelector('.grow img')?.naturalWidth > 500")
            assert browser.evaluate("document.querySelector('.grow img').offsetHeight") > 100
        else:
            browser.until("document.querySelector('iframe')?.offsetHeight > 300")


@pytest.mark.parametrize("name", ["findings", "method"])
def test_the_pages_have_their_tables(replicated, tmp_path, name):
    with Browser(tmp_path / "profile") as browser:
        browser.open(replicated.folder / f"results/claims/{name}.html")
        assert browser.evaluate("document.querySelectorAll('table').length") >= 2
        assert browser.evaluate("document.querySelectorAll('tr').length") > 8
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert browser.evaluate(wide) == 0
        assert browser.messages == []


def test_captions_name_the_runs(browser):
    caption = browser.evaluate("results['figures/fig2.png'].caption")
    assert "Average sparsity" in caption
    assert "representer-eq2-lam0.1-seed1-" in caption
    typical = browser.evaluate("results['figures/replicate/fig3.png'].caption")
    assert "the typical draw" in typical


def test_without_the_statements_it_says_how_to_get_them(built, tmp_path):
    built.said("--report", str(tmp_path / "report.html"))
    with Browser(tmp_path / "profile") as browser:
        browser.open(tmp_path / "report.html")
        text = browser.until("document.body.innerText.includes('study') && document.body.innerText")
    assert "snakemake all replicate readings" in text
