"""`import sparsedecay as sd`: quick, lazy, and told by examples that run."""

import doctest
import inspect
import os
import re
import subprocess
import sys

import pytest

import sparsedecay as sd
from tests.test_packaging import ROOT

PUBLIC = [*sd.__all__, "open"]


def python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()


def test_importing_it_imports_nothing_else():
    code = "import sys; import sparsedecay; print(*(m for m in sys.modules if 'sparsedecay' in m"
    assert python(code + " or m in ('torch', 'numpy', 'pandas', 'pydantic')))") == ["sparsedecay"]


def test_it_takes_less_than_50_ms():
    code = (
        "import time; t = time.perf_counter(); import sparsedecay; print(time.perf_counter() - t)"
    )
    assert min(float(python(code)[0]) for _ in range(3)) < 0.05


def test_a_run_needs_no_torch():
    code = "import sys; import sparsedecay as sd; sd.Run(); print('torch' in sys.modules)"
    assert python(code) == ["False"]


def test_train_stays_a_function_when_stages_are_imported():
    code = (
        "import sparsedecay.train.loop, sparsedecay.optimum.solve; import sparsedecay as sd; "
        "from sparsedecay.train import kept; print(sd.train.__module__, sd.optimum.__module__)"
    )
    assert python(code) == ["sparsedecay.api.training", "sparsedecay.api.convex"]


def test_names_are_listed_and_no_other_exists():
    assert set(PUBLIC) <= set(dir(sd))
    with pytest.raises(AttributeError, match=r"no attribute 'trian'"):
        sd.trian  # noqa: B018


@pytest.mark.parametrize("name", PUBLIC)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    thing = getattr(sd, name)
    found = [t for t in doctest.DocTestFinder().find(thing, name) if t.examples]
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in found:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    assert found, f"{name} has no example"


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_is_described(name):
    thing = getattr(sd, name)
    members = [thing]
    if inspect.isclass(thing):
        own = {k: v for k, v in vars(thing).items() if not k.startswith("_")}
        members += [v for v in own.values() if callable(v) or isinstance(v, property)]
    assert [one for one in members if not inspect.getdoc(one)] == []


def test_py_typed_is_there():
    assert os.path.exists(os.path.join(os.path.dirname(sd.__file__), "py.typed"))


def test_the_page_runs_as_it_stands(tmp_path, monkeypatch):
    """docs/python.md, all its code in one session."""
    page = (ROOT / "docs/python.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) >= 7
    monkeypatch.chdir(tmp_path)
    space = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), space)
    assert len(sd.paper()) == 9
    assert space["state"].matrix("A2").shape == (60, 60)
    assert space["results"].summary().epoch.tolist() == [500, 1000]
    assert space["mine"].samples.test_X.shape == (5, 1)
    assert (tmp_path / "sparsity.pdf").stat().st_size > 1000
