"""What a file is said to be made by is the code that decided its numbers, and no other."""

import subprocess
import sys

import pytest

from sparsedecay.engines import ENGINES
from sparsedecay.files import fingerprint
from sparsedecay.files.fingerprint import NATIVE, ROOT
from sparsedecay.science import data, initializations, networks, optimizers, regularizers
from sparsedecay.science.initializations.by_role import ByRole
from sparsedecay.science.optimizers.sgd import Sgd
from tests.small import small_run

FAMILIES = (data, initializations, networks, optimizers, regularizers)
ROOMS = ("science.", "engines.")
TEXT = '''"""Module."""
import os  # comment

X = "kept # not a comment"


class A(B):
    """Class."""

    title = "what people read"
    field: int = 3
    """Attribute: ü."""

    def method(self, a, b, c):
        """Several
        lines."""
        if a < b:
            raise ValueError(f"ü: {a} is below {b}", a)
        title = """kept"""
        return a + (b + c) * 1e-3
'''


WORDS = [
    ("Module", "Other"),
    ("# comment", "# words"),
    ("  # comment", ""),
    ("import os", "# more\n\n\nimport os"),
    ("Class", "Other"),
    ("what people read", "what they read"),
    ("Attribute: ü", "Other: é"),
    ("Several\n        lines", "One line"),
    ("is below", "must not be below"),
    ('title = "what people read"\n', "title = (\n        'ü'\n    )\n"),
]
CODE = [
    ("= 3", "= 4"),
    ("a < b", "a <= b"),
    ("a + (b + c)", "(a + b) + c"),
    ("a + (b + c)", "a + (c + b)"),
    ("a + (b + c)", "a + (b - c)"),
    ("1e-3", "1e-4"),
    ("kept #", "Kept #"),
    ('"""kept"""', '"""Kept"""'),
    ("ValueError", "TypeError"),
    ("A(B)", "A(C)"),
    ("        title = ", "            title = "),
]


@pytest.mark.parametrize(("old", "new"), WORDS + CODE)
def test_code_counts_and_words_do_not(old, new):
    assert TEXT.count(old) == 1
    same = fingerprint.substance(TEXT.replace(old, new)) == fingerprint.substance(TEXT)
    assert same == ((old, new) in WORDS)


def test_of_native_code_all_but_comments_count():
    text = "// a comment\nint x = 1;  // more\n\nint y;\n"
    assert fingerprint.native_substance(text) == "int x = 1;\nint y;"


def told(code: str) -> dict[str, str]:
    """Digests of files by their names."""
    digests = dict(part.split("=") for part in code.split())
    assert all(len(digest) == 8 for digest in digests.values())
    return digests


def loaded(code: str, *places: str) -> set[str]:
    """Modules of some rooms or families that a Python program has loaded once it is through, those
    that hold more than words."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = {name.partition(".")[2] for name in done.stdout.split() if name[:12] == "sparsedecay."}
    counting = {name for name in names if f"{name}.".startswith(places)}
    files = {name: fingerprint.file_of(name) for name in counting}  # none of what is compiled
    return {name for name, file in files.items() if file and fingerprint.digest(file)}


def others(*own: str) -> set[str]:
    """Modules of all kinds but some, and what is named after other networks."""
    kinds = {f"{one.__name__}.{name}".partition(".")[2] for one in FAMILIES for name in one.KINDS}
    lacking = networks.KINDS.keys() - set(own)
    engines = {f"engines.{kind}.{name}" for kind in ("fused", "batched") for name in lacking}
    return {name for name in kinds if name.rpartition(".")[2] not in own} | engines


TRAIN = """
from pathlib import Path
from sparsedecay.data import main
from sparsedecay.engines import ENGINES
from sparsedecay.science.run import Run
from sparsedecay.train.loop import train
from sparsedecay.train.stretch import Stretch
run, folder = Run.model_validate_json({run!r}), Path({folder!r})
main(["--data", run.data.canonical(), "--out", str(folder / "data")])
for name in {engines!r}:
    files = (folder / f"{{name}}-{{file}}" for file in ("state", "loss", "magnitudes"))
    train(Stretch(run, 2, folder / "data", None, *files, engine=name, device="cpu"))
"""
RUNS = [
    small_run(),
    small_run("dense", "weight_decay"),
    small_run(
        regularizer="none",
        optimizer=Sgd(kind="sgd", learning_rate=0.1, momentum=0.5, batches=1),
        initialization=ByRole(
            kind="by_role", W=(0, 1), V=(0, 1), C=(0, 1), biases=(0, 0), scale="none", seed=0
        ),
    ),
]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_training_is_all_that_is_loaded_to_train(tmp_path, run):
    """Neither a file too few (a stale result) nor one too many (training for nothing)."""
    code = told(fingerprint.training(run))
    able = [name for name, engine in ENGINES.items() if not engine.supports(run)]
    script = TRAIN.format(run=run.canonical(), folder=str(tmp_path), engines=able)
    parts = run.data.name, run.initialization.name, run.optimizer.name
    foreign = others(run.network, run.regularizer, *parts)
    # engines that are named after an optimizer train nothing else
    foreign |= {f"engines.{name}" for name in optimizers.KINDS if name != run.optimizer.name}
    expected = loaded(script, *ROOMS) - foreign | {"train.records"}
    native = {path for path in (ROOT / "engines").rglob("*") if path.suffix in NATIVE}
    assert len(native) >= 5
    lacking = networks.KINDS.keys() - {run.network}
    expected |= {fingerprint.name_of(path) for path in native if path.stem not in lacking}
    assert code.keys() >= expected
    unused = {name.split(".")[1] for name in code.keys() - expected}
    assert unused <= ENGINES.keys() - set(able)


def test_a_run_does_not_depend_on_kinds_that_it_lacks():
    deep, dense = (fingerprint.training(small_run(network=n)) for n in ("representer", "dense"))
    files = {"engines.compiled.{}.h", "engines.fused.{}", "engines.batched.{}"}
    files |= {"science.networks.{}"}
    assert told(deep).keys() - told(dense).keys() == {one.format("representer") for one in files}
    assert told(dense).keys() - told(deep).keys() == {one.format("dense") for one in files}
    for regularizer in regularizers.KINDS.keys() - {"eq2"}:
        other = told(fingerprint.training(small_run(regularizer=regularizer)))
        assert told(deep).keys() - other.keys() == {"science.regularizers.eq2"}
        more = other.keys() - told(deep).keys()
        assert f"science.regularizers.{regularizer}" in more
        assert all(name.startswith("science.regularizers.") for name in more), "its own imports"


PICTURES = {f"figures.fig{i}": fingerprint.picture(f"fig{i}", []) for i in (1, 2, 3, 4)}
STAGES = {
    "science.data.grid": (fingerprint.data(RUNS[0].data), "science."),
    "science.measures.rows": (fingerprint.measuring(RUNS[0]), "science."),
    "claims.rows": (fingerprint.code("claims.rows"), "science.", "claims."),
    **{
        stage: (code.rpartition(" titles=")[0], "science.networks.", "figures.")
        for stage, code in PICTURES.items()
    },
}


@pytest.mark.parametrize("stage", STAGES)
def test_code_is_all_that_is_loaded_for_a_stage(stage):
    """But for its own package, which holds nothing, and for kinds that it does not name."""
    code, *places = STAGES[stage]
    found = loaded(f"import sparsedecay.{stage}", *places)
    assert found - told(code).keys() <= others()
    assert told(code).keys() <= found
    own = {"grid", "representer", "eq2"} if "claims" not in stage else set()
    assert {name.rpartition(".")[2] for name in told(code).keys() & others()} <= own


def test_stages_do_not_depend_on_each_other():
    figures = [{name for name in told(code) if "figures.fig" in name} for code in PICTURES.values()]
    assert figures == [{name} for name in PICTURES]
    files = {"measure.join", "measure.request", "science.settings"}
    assert told(fingerprint.code("measure.join")).keys() == files


def test_a_picture_depends_on_what_its_kinds_are_called(monkeypatch):
    kinds = [networks.KINDS["dense"], regularizers.KINDS["eq2"]]
    before = fingerprint.picture("fig3", kinds)
    assert before.partition(" titles=")[0] == PICTURES["figures.fig3"].partition(" titles=")[0]
    assert fingerprint.picture("fig3", kinds[::-1] * 2) == before
    monkeypatch.setattr(kinds[0], "title", "footnote 1")
    assert fingerprint.picture("fig3", kinds) != before
