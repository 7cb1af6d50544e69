"""The documentation as a site: built without a warning, its links lead somewhere."""

import os
import re
import shutil
import subprocess
import tomllib
from collections import defaultdict
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from ruamel.yaml import YAML

from sparsedecay.claims.statements import CLAIMS
from sparsedecay.cli import COMMANDS
from sparsedecay.errors import UserError
from sparsedecay.extras import rooms, site
from sparsedecay.science import measures
from tests.test_repository import tool
from tests.test_rooms import ALLOWED, TOPMOST
from tests.workflow.browser import Browser, installed
from tests.workflow.project import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


class Page(HTMLParser):
    """The links and the places of a page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(file.read_text())

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.places |= {told[key] for key in ("id", "name") if told.get(key)}
        self.links |= {told[key] for key in ("href", "src") if told.get(key)}


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The site, built anew."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("src", "mkdocs.yml"):
        (folder / name).symlink_to(ROOT / name)
    here = Path.cwd()
    os.chdir(ROOT)
    try:
        site.main([str(folder / "build" / "pages")])
    finally:
        os.chdir(here)
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder / "build" / "site"


def build(folder: Path) -> subprocess.CompletedProcess:
    """Call MkDocs as `make site` does."""
    (line,) = re.findall(r"^\t\$\(TOOLS\)/(bin/mkdocs) (.+?)(?: #.*)?$", MAKEFILE, re.MULTILINE)
    command = [tool(line[0]), *line[1].split(), "--config-file", folder / "mkdocs.yml"]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=env)


def test_a_link_that_leads_nowhere_stops_the_build(built, tmp_path):
    shutil.copytree(built.parent.parent, tmp_path, symlinks=True, dirs_exist_ok=True)
    page = tmp_path / "build" / "pages" / "docs" / "house.md"
    page.write_text(page.read_text().replace("(extending.md)", "(extending.md#no-such-place)"))
    done = build(tmp_path)
    assert done.returncode == 1
    assert "does not contain an anchor '#no-such-place'" in done.stderr


def test_every_link_within_the_site_leads_somewhere(built):
    pages = {file: Page(file) for file in built.rglob("*.html")}
    assert len(pages) > 20
    wrong = []
    for file, page in pages.items():
        if file.name == "404.html":  # its links begin at the root of whatever serves it
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            there = target.is_file() and (
                not parts.fragment
                or target.suffix != ".html"
                or unquote(parts.fragment) in pages[target].places
            )
            if not there:
                wrong.append(f"{file.relative_to(built)}: {link}")
    assert wrong == []


@pytest.fixture
def address(built):
    """The site, served on this machine."""
    handler = partial(SilentHandler, directory=str(built))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_it_needs_nothing_from_elsewhere(address, tmp_path):
    """At the width of a desk and of a telephone."""
    if not installed():
        pytest.fail("no browser") if "CI" in os.environ else pytest.skip("no browser")
    with Browser(tmp_path) as browser:
        for width in (1280, 400):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            browser.call("Emulation.setDeviceMetricsOverride", **size)
            for name in ("index", "docs/house", "reference/measures", "config/index"):
                browser.call("Page.navigate", url=f"{address}/{name}.html")
                browser.until("document.readyState == 'complete'")
                wide = browser.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{name} at {width} pixels"
        elsewhere = [url for url in browser.requests if not url.startswith((address, "data:"))]
        assert elsewhere == []
        assert browser.messages == []


def test_the_documents_are_not_copied_in_the_project():
    nav = YAML(typ="safe").load(ROOT / "mkdocs.yml")["nav"]
    named = set(re.findall(r"'([^']+\.md)'", str(nav)))
    written = {f"reference/{name}" for name in site.pages()}
    documents = {str(f.relative_to(ROOT)) for f in site.documents(ROOT) if f.suffix == ".md"}
    assert named == written | documents
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True)
    assert not set(listed.stdout.split()) & written


def test_pages_say_what_the_code_says():
    pages = site.pages()
    assert re.findall(r"^## (\w+)$", pages["commands.md"], re.M) == list(COMMANDS)
    assert "usage: sparsedecay verify" in pages["commands.md"]
    assert pages["statements.md"].count("\n> ") == len(CLAIMS)
    for claim in CLAIMS:
        assert all(part.why in pages["statements.md"] for part in claim.parts)
    assert f"| `PARALLEL` | `{measures.PARALLEL}` |" in pages["measures.md"]
    assert "| `nuclear_norm` |" not in pages["tables.md"]
    assert "| `stable_rank` | double |" in pages["tables.md"]


@pytest.mark.parametrize(
    ("said", "set_"),
    [
        ("||A||_F^2 / ||A||_2^2", "‖A‖<sub>F</sub><sup>2</sup> / ‖A‖<sub>2</sub><sup>2</sup>"),
        ("V^(l) relu(x^(l-1))", "V<sup>(l)</sup> relu(x<sup>(l-1)</sup>)"),
        ("weight_decay of d_0 in `d_0`", r"weight\_decay of d<sub>0</sub> in `d_0`"),
        ("|a| < 1", r"\|a\| &lt; 1"),
    ],
)
def test_formulas_of_docstrings_are_set(said, set_):
    assert site.prose(said) == set_


def test_the_picture_of_the_house_is_that_of_the_source():
    """Only floors below are imported, and the rooms are those that the test of imports knows."""
    found = rooms.rooms()
    assert found.keys() == ALLOWED.keys() | TOPMOST | {"cli"}
    levels = defaultdict(set)
    for room, others in found.items():
        levels[rooms.floor(room)].add(room)
        assert all(rooms.floor(other) < rooms.floor(room) for other in others)
        assert others <= ALLOWED.get(room, found.keys())
    assert "science" in levels[0]
    assert levels[max(levels)] == {"cli"}


def test_the_path_of_a_number_names_files_that_there_are():
    text = (ROOT / "docs" / "house.md").read_text()
    named = re.findall(r"`((?:src|config|workflow|tests)/[\w./]*)`", text)
    assert len(named) > 15
    for name in named:
        assert (ROOT / name).exists(), name


def test_a_folder_with_other_files_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(UserError, match="holds other files"):
        site.main([str(tmp_path)])
    assert (tmp_path / "mine.txt").exists()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="call this in a clone"):
        site.main(["pages"])


def test_the_tools_are_pinned():
    lock = (ROOT / "requirements-docs.lock").read_text().splitlines()
    pins = [line for line in lock if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    names = {pin.partition("==")[0].lower() for pin in pins}
    assert {"mkdocs-material", "mkdocstrings-python", "check-jsonschema", "snakedeploy"} <= names
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not any(name.startswith("mkdocs") for name in project["dependencies"])
    assert shutil.which("mkdocs", path=str(tool("bin/mkdocs").parent))


def test_documents_tell_to_type_what_there_is():
    """In blocks of commands: targets of the Makefile, commands, configs."""
    targets = set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split())
    told = 0
    for file in (file for file in site.documents(ROOT) if file.suffix == ".md"):
        blocks = re.findall(r"^```sh\n(.*?)^```$", file.read_text(), re.MULTILINE | re.DOTALL)
        written = set(re.findall(r"(?:cp \S+|cat >) (config/\S+)", "".join(blocks)))
        written |= set(re.findall(r'title="(config/\S+)"', file.read_text()))
        for line in "\n".join(blocks).splitlines():
            command = line.partition(" #")[0]
            for target in re.findall(r"^make ([a-z-]+)", command):
                assert target in targets, f"{file.name}: {line}"
            for name in re.findall(r"^sparsedecay ([a-z-]+)", command):
                assert name in COMMANDS, f"{file.name}: {line}"
            for config in re.findall(r"\bconfig/[\w-]+\.yaml\b", command):
                assert config in written or (ROOT / config).exists(), f"{file.name}: {line}"
            told += 1
    assert told > 50
