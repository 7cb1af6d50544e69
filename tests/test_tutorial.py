"""docs/tutorial.ipynb runs from top to bottom, shows what it says, and is stored with outputs."""

import base64
import time

import nbformat
import pytest
from nbclient import NotebookClient

from tests.test_packaging import ROOT

FILE = ROOT / "docs/tutorial.ipynb"
PNG = b"\x89PNG\r\n\x1a\n"


def outputs(notebook, kind):
    """Outputs of one kind of all cells, in order."""
    found = [one for cell in notebook.cells for one in cell.get("outputs", [])]
    return [one.data[kind] for one in found if kind in one.get("data", {})]


def printed(notebook):
    found = [one for cell in notebook.cells for one in cell.get("outputs", [])]
    return "".join(one.text for one in found if one.get("name") == "stdout")


@pytest.fixture(scope="module")
def stored():
    return nbformat.read(FILE, as_version=4)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    notebook = nbformat.read(FILE, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    place = {"metadata": {"path": str(tmp_path_factory.mktemp("tutorial"))}}
    began = time.monotonic()
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
    notebook.metadata["seconds"] = time.monotonic() - began
    return notebook


def test_it_runs_in_less_than_five_minutes(executed):
    assert executed.metadata["seconds"] < 300


@pytest.mark.parametrize("which", ["stored", "executed"])
def test_it_shows_what_its_text_speaks_of(which, request):
    notebook = request.getfixturevalue(which)
    pictures = outputs(notebook, "image/png")
    assert len(pictures) == 6
    assert all(base64.b64decode(one).startswith(PNG) for one in pictures)
    text = printed(notebook)
    # the second layer sees one pattern, the first keeps more
    assert "neurons (200, 200) -> (" in text
    assert text.split("-> (")[1].split(")")[0].split(", ")[1] in ("1", "2")
    assert "neurons suffice within 0.1 %" in text
    tables = outputs(notebook, "text/html")
    assert any("stable_rank" in one and "True" in one for one in tables)
    assert any("test_mse" in one for one in tables)
    assert any("representer-eq2-lam0.001-seed0" in one for one in tables)


def test_it_is_stored_as_it_ran(stored):
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(cell.outputs for cell in code[1:])
    assert not any(one.output_type == "error" for cell in code for one in cell.outputs)
    assert str(ROOT) not in FILE.read_text()
