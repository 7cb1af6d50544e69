"""docs/extending.md, literally: its files are written, its lines added, its commands called."""

import re

import pyarrow.parquet as pq
import pytest

from tests.workflow.conftest import _programs_start_warm, warm  # noqa: F401
from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.workflow
PAGE = (ROOT / "docs" / "extending.md").read_text()
BLOCKS = re.findall(r'^```(\w+) title="(.+?)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
(COMMANDS,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def write(project: Project) -> None:
    """All blocks of the page that name a file."""
    for language, name, body in BLOCKS:
        file = project.folder / name
        if language != "diff":
            assert not file.exists(), name
            file.write_text(body)
            continue
        lines = body.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] == " ")
        after = "".join(line[1:] for line in lines)
        text = file.read_text()
        assert text.count(before) == 1, f"{name}: {before}"
        file.write_text(text.replace(before, after))


@pytest.fixture
def extended(tmp_path):
    project = Project(tmp_path / "project").clone()
    (project.folder / "config" / "config.yaml").write_text(
        (ROOT / "config/config.yaml").read_text()
    )
    write(project)
    return project


def test_there_is_one_of_each():
    folders = {name.removeprefix("src/sparsedecay/").rpartition("/")[0] for _, name, _ in BLOCKS}
    kinds = {"science/regularizers", "science/networks", "science/data"}
    assert folders == kinds | {"science/measures", "figures", "files", "claims", "config"}


def test_what_the_page_adds_is_checked_trained_measured_and_drawn(extended):
    for line in COMMANDS.splitlines():
        program, *arguments = line.partition("#")[0].split()
        if program == "snakemake":
            extended.said(*arguments)
            continue
        done = extended.sparsedecay(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        if arguments[0] == "check":
            assert "autograd" in done.stdout, "no faster engine knows the new kinds"
    keys = (extended.folder / "config" / "README.md").read_text()
    assert "`kind: ball`. Points drawn uniformly from the ball" in keys
    (table,) = (
        pq.read_table(f)
        for f in extended.folder.glob("results/measure/plain-group*/50/matrices.parquet")
    )
    (row,) = (row for row in table.to_pylist() if row["matrix"] == "A2")
    assert row["frobenius_norm"] < row["nuclear_norm"] < row["frobenius_norm"] * row["rows"] ** 0.5
    claims = pq.read_table(extended.folder / "results/claims/claims.parquet").to_pylist()
    rows = [row for row in claims if row["claim"] == "smaller-norm"]
    assert [row["reading"] for row in rows] == ["literal"]
    assert rows[0]["value"] > 0
    assert len(rows[0]["values"]) == 2
    assert (extended.folder / "figures" / "norms.pdf").read_bytes().startswith(b"%PDF")
