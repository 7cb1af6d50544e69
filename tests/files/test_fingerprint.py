"""What a file is said to be made by is the code that decided its numbers, and no other."""

import subprocess
import sys

import pytest

from sparsedecay.engines import ENGINES
from sparsedecay.files import fingerprint
from sparsedecay.files.fingerprint import DECIDING, NATIVE, ROOT
from sparsedecay.science import data, initializations, networks, optimizers, regularizers
from tests.small import small_run

FAMILIES = (data, initializations, networks, optimizers, regularizers)
RUN = small_run()
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


@pytest.mark.parametrize(
    ("old", "new"),
    [
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
    ],
)
def test_words_do_not_count(old, new):
    assert TEXT.count(old) == 1
    assert fingerprint.substance(TEXT.replace(old, new)) == fingerprint.substance(TEXT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("= 3", "= 4"),
        ("a < b", "a <= b"),
        ("a + (b + c)", "(a + b) + c"),
        ("1e-3", "1e-4"),
        ("kept #", "Kept #"),
        ('"""kept"""', '"""Kept"""'),
        ("ValueError", "TypeError"),
        ("A(B)", "A(C)"),
        ("        title = ", "            title = "),
    ],
)
def test_code_counts(old, new):
    assert TEXT.count(old) == 1
    assert fingerprint.substance(TEXT.replace(old, new)) != fingerprint.substance(TEXT)


def test_of_native_code_all_but_comments_count():
    text = "// a comment\nint x = 1;  // more\n\nint y;\n"
    assert fingerprint.native_substance(text) == "int x = 1;\nint y;"


def told(code: str) -> dict[str, str]:
    """Digests of files by their names."""
    digests = dict(part.split("=") for part in code.split())
    assert all(len(digest) == 8 for digest in digests.values())
    return digests


def counting(code: str, *rooms: str) -> set[str]:
    """Modules of some rooms that a Python program has loaded once it is through, those that hold
    more than words."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = {name.partition(".")[2] for name in done.stdout.split() if name[:12] == "sparsedecay."}
    of_rooms = {name for name in names if name.partition(".")[0] in rooms}
    files = {name: fingerprint.file_of(name) for name in of_rooms}  # none of what is compiled
    return {name for name, file in files.items() if file and fingerprint.digest(file)}


def others(*own: str) -> set[str]:
    """Modules of all kinds but some, and what is named after other networks."""
    kinds = {f"{one.__name__}.{name}".partition(".")[2] for one in FAMILIES for name in one.KINDS}
    foreign = networks.KINDS.keys() - set(own)
    engines = {f"engines.fused.{name}" for name in foreign}
    return {name for name in kinds if name.rpartition(".")[2] not in own} | engines


TRAIN = """
from pathlib import Path
from sparsedecay.data import main
from sparsedecay.engines import ENGINES
from sparsedecay.science.run import Run
from sparsedecay.train.loop import Stretch, train
run, folder = Run.model_validate_json({run!r}), Path({folder!r})
main(["--data", run.data.canonical(), "--out", str(folder / "data")])
for name in {engines!r}:
    files = (folder / f"{{name}}-{{file}}" for file in ("state", "loss", "magnitudes"))
    train(Stretch(run, 2, folder / "data", None, *files, engine=name))
"""
PAIRS = [("representer", regularizer) for regularizer in regularizers.KINDS]
PAIRS += [(network, "none") for network in networks.KINDS if network != "representer"]


@pytest.mark.parametrize(("network", "regularizer"), PAIRS)
def test_training_is_all_that_is_loaded_to_train(tmp_path, network, regularizer):
    """Neither a file too few (a stale result) nor one too many (training for nothing)."""
    run = small_run(network, regularizer)
    code = told(fingerprint.training(run))
    able = [name for name, engine in ENGINES.items() if not engine.supports(run)]
    script = TRAIN.format(run=run.canonical(), folder=str(tmp_path), engines=able)
    loaded = counting(script, *DECIDING)
    parts = run.data.name, run.initialization.name, run.optimizer.name
    expected = loaded - others(network, regularizer, *parts) | {"train.records"}
    native = {path for path in (ROOT / "engines").rglob("*") if path.suffix in NATIVE}
    assert len(native) >= 5
    foreign = networks.KINDS.keys() - {network}
    headers = {fingerprint.name_of(path) for path in native if path.stem not in foreign}
    assert code.keys() >= expected | headers
    unused = {name.split(".")[1] for name in code.keys() - expected - headers}
    assert unused <= ENGINES.keys() - set(able)


def test_a_run_does_not_depend_on_kinds_that_it_lacks():
    deep, dense = (fingerprint.training(small_run(network=n)) for n in ("representer", "dense"))
    files = {"engines.compiled.{}.h", "engines.fused.{}", "science.networks.{}"}
    assert told(deep).keys() - told(dense).keys() == {one.format("representer") for one in files}
    assert told(dense).keys() - told(deep).keys() == {one.format("dense") for one in files}
    decayed = told(fingerprint.training(small_run(regularizer="weight_decay")))
    only = {"science.regularizers.eq2", "science.regularizers.weight_decay"}
    assert told(deep).keys() ^ decayed.keys() == only


STAGES = {
    "science.data.grid": fingerprint.data(RUN.data),
    "science.measures.rows": fingerprint.measuring(RUN),
    "claims.rows": fingerprint.code("claims.rows"),
    **{f"figures.fig{i}": fingerprint.code(f"figures.fig{i}") for i in (1, 2, 3, 4)},
}


@pytest.mark.parametrize("stage", STAGES)
def test_code_is_all_that_is_loaded_for_a_stage(stage):
    """But for its own package, which holds the command, and for kinds that it does not name."""
    code, room = told(STAGES[stage]), stage.partition(".")[0]
    loaded = counting(f"import sparsedecay.{stage}", *DECIDING, room)
    assert loaded - code.keys() <= others() | {"claims"}
    assert code.keys() <= loaded
    own = {"grid", "representer", "eq2"}
    kinds = {name.rpartition(".")[2] for name in code.keys() & others()}
    assert kinds <= (own if room in ("science", "figures") else set())


def test_stages_do_not_depend_on_each_other():
    for stage, code in STAGES.items():
        rooms = {name.partition(".")[0] for name in told(code)}
        assert rooms <= {"science", stage.partition(".")[0]}, stage
    figures = [{name for name in told(code) if "figures.fig" in name} for code in STAGES.values()]
    assert [names for names in figures if names] == [{f"figures.fig{i}"} for i in (1, 2, 3, 4)]
    assert told(fingerprint.code("measure.join")).keys() == {"measure.join"}


def test_a_picture_depends_on_what_its_kinds_are_called(monkeypatch):
    kinds = [networks.KINDS["dense"], regularizers.KINDS["eq2"]]
    before = fingerprint.picture("fig3", kinds)
    assert before.startswith(f"{fingerprint.code('figures.fig3')} titles=")
    assert fingerprint.picture("fig3", kinds[::-1] * 2) == before
    monkeypatch.setattr(kinds[0], "title", "footnote 1")
    assert fingerprint.picture("fig3", kinds) != before
