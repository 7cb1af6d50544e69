"""The code that a file is said to be made by is the code that made it."""

import subprocess
import sys
from pathlib import Path

import pytest

from sparsedecay.files import provenance

STAGES = {
    "sparsedecay.data": [],
    "sparsedecay.train.command": [],
    "sparsedecay.measure": [],
    "sparsedecay.measure.merge": [],
    "sparsedecay.figures.command": [f"sparsedecay.figures.fig{i}" for i in (1, 2, 3, 4)],
}


@pytest.mark.parametrize("stage", STAGES)
def test_the_closure_is_what_python_imports(stage):
    """Neither a module too few (a stale result) nor one too many (training for nothing)."""
    modules = [stage, *STAGES[stage]]
    script = f"import sys, {', '.join(modules)}\nprint(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    imported = {name for name in done.stdout.split() if name.split(".")[0] == "sparsedecay"}
    assert set(provenance.closure(*modules)) == imported


def test_stages_do_not_depend_on_each_other():
    train = provenance.closure("sparsedecay.train.command")
    measure = provenance.closure("sparsedecay.measure")
    assert not [name for name in train if "measure" in name or "figures" in name]
    assert not [name for name in measure if "train" in name or "figures" in name]
    for i in (1, 2, 3, 4):
        figure = provenance.closure("sparsedecay.figures.command", f"sparsedecay.figures.fig{i}")
        others = {f"sparsedecay.figures.fig{j}" for j in (1, 2, 3, 4) if j != i}
        assert not others & figure.keys()
        assert not [name for name in figure if "train" in name or name == "sparsedecay.measure"]
        assert "sparsedecay.study.study" not in figure


TEXT = '''"""Module."""
import os  # comment

X = "kept # not a comment"


class A:
    """Class."""

    field: int = 3
    """Attribute: ü."""

    def method(self):
        """Several
        lines."""
        return """kept"""
'''


def test_words_do_not_count_and_code_does():
    plain = provenance.substance(TEXT)
    assert "Module" not in plain
    assert "comment\n" not in plain
    assert "Class" not in plain
    assert "Attribute" not in plain
    assert "Several" not in plain
    assert 'X = "kept # not a comment"' in plain
    assert 'return """kept"""' in plain
    reworded = TEXT.replace("Several\n", "Other\n").replace("# comment", "# words").replace(
        "import os", "# more\n\n\nimport os"
    )  # fmt: skip
    assert provenance.substance(reworded) == plain
    assert provenance.substance(TEXT.replace("= 3", "= 4")) != plain
    assert provenance.substance(TEXT.replace('"""kept"""', '"""Kept"""')) != plain


def test_code_names_each_file_with_a_digest():
    told = dict(part.split("=") for part in provenance.code("sparsedecay.measure").split())
    assert {"measure", "science.networks", "files.storage", "files.tables"} <= told.keys()
    assert all(len(digest) == 8 for digest in told.values())


def test_native_sources_count_but_for_their_comments():
    names = [part.split("=")[0] for part in provenance.code("sparsedecay.train.command").split()]
    folder = Path(provenance.__file__).parents[1] / "engines" / "compiled"
    native = {path.name for path in folder.iterdir() if path.suffix in provenance.NATIVE}
    assert len(native) >= 5
    assert {name.split("/")[1] for name in names if "/" in name} == native
    assert "/" not in provenance.code("sparsedecay.measure")
    text = "// a comment\nint x = 1;  // more\n\nint y;\n"
    assert provenance.native_substance(text) == "int x = 1;\nint y;"
