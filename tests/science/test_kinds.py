"""Kinds are declared once: each says all there is to say of it, and nothing else lists them."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

import sparsedecay
from sparsedecay.engines import ENGINES
from sparsedecay.figures import style
from sparsedecay.files.fingerprint import substance
from sparsedecay.files.tables import SUMMARY
from sparsedecay.science import data, initializations, networks, optimizers, regularizers
from sparsedecay.science.kinds import Keyed, any_of, found
from sparsedecay.science.run import COLUMNS, columns
from tests.small import small_run

FAMILIES = {
    "data": data,
    "initializations": initializations,
    "networks": networks,
    "optimizers": optimizers,
    "regularizers": regularizers,
}
KINDS = [kind for family in FAMILIES.values() for kind in family.KINDS.values()]
EVERY = [*KINDS, *map(type, ENGINES.values())]
named = {"ids": lambda kind: f"{kind.__module__.rpartition('.')[2]}"}
SOURCE = Path(sparsedecay.__file__).parent


@pytest.mark.parametrize("kind", EVERY, **named)
def test_a_kind_has_all_its_parts(kind):
    assert kind.name == kind.__module__.rpartition(".")[2]
    assert kind.title
    assert len(inspect.getdoc(kind).split()) > 4
    assert not getattr(kind, "__abstractmethods__", None)
    assert len(inspect.getsource(inspect.getmodule(kind)).splitlines()) <= 400


@pytest.mark.parametrize("kind", KINDS, **named)
def test_all_its_keys_are_told_by_columns_with_types_and_units(kind):
    keys = kind.Keys.model_fields if issubclass(kind, Keyed) else kind.model_fields
    for name, field in keys.items():
        assert field.description, name
    assert set(kind.columns) <= set(COLUMNS) <= set(SUMMARY.names)
    for name in kind.columns:
        assert SUMMARY.field(name).metadata[b"unit"], name
    if issubclass(kind, Keyed):
        assert set(kind.Keys.model_fields) == set(kind.columns), "each key is a column"
        assert set(kind.neutral) <= set(kind.Keys.model_fields)
    else:
        assert kind.model_fields["kind"].annotation.__args__ == (kind.name,)


@pytest.mark.parametrize("kind", regularizers.KINDS.values(), **named)
def test_a_regularizer_has_a_look_and_is_trained_by_two_engines(kind):
    assert kind.name in style.REGULARIZERS
    for network in networks.KINDS:
        run = small_run(network=network, regularizer=kind.name)
        able = [engine.name for engine in ENGINES.values() if engine.supports(run) is None]
        assert len(able) >= 2, (network, able)
        assert "autograd" in able, "the reference"


def test_looks_of_regularizers_differ():
    looks = list(style.REGULARIZERS.values())
    assert len({look.dark for look in looks}) == len(looks)
    assert len({(look.line, look.marker) for look in looks}) == len(looks)
    assert style.REGULARIZERS.keys() == regularizers.KINDS.keys()
    assert style.NETWORKS.keys() == networks.KINDS.keys()


@pytest.mark.parametrize("kind", optimizers.KINDS.values(), **named)
def test_an_optimizer_is_trained_by_two_engines_or_one_of_its_own(kind):
    run = small_run().model_copy(update={"optimizer": kind.model_construct()})
    able = [engine.name for engine in ENGINES.values() if engine.supports(run) is None]
    assert len(able) >= 2 or able == [kind.name], able


def test_a_run_fills_every_column_of_its_kinds():
    run = small_run()
    values = columns(run)
    assert list(values) == list(COLUMNS)
    own = [type(run.data), type(run.initialization), type(run.optimizer)]
    own += [networks.KINDS[run.network], regularizers.KINDS[run.regularizer]]
    for kind in own:
        assert all(values[name] is not None for name in kind.columns), kind


def test_no_kind_is_a_default():
    """A kind that nobody knows is refused where it is named, not trained as another."""
    run = small_run()
    for change in ({"network": "other"}, {"regularizer": "other"}):
        with pytest.raises(KeyError):
            ENGINES["autograd"].supports(run.model_copy(update=change))


# Where a kind may be named: its own module; the paper's experiment; what is only about it.
NAMED = {
    "api/run.py",  # the paper's runs
    "claims/statements.py",  # the paper's words
    "claims/measured.py",
    "claims/numbers.py",
    "claims/networks.py",  # the shallow networks of Section 1
    "extras/bench/command.py",  # which of them stand in the paper
    "extras/bench/estimators.py",  # what the defaults were chosen among
    "extras/bench/growth.py",
    "extras/bench/many.py",
    "figures/optimum.py",  # the network whose training is convex if it is shallow
    "figures/phase.py",  # the same, and with more layers
    "figures/style.py",  # their looks
    "engines/compiled/__init__.py",  # what the kernels of one network lack
    "engines/autograd/trainer.py",  # an option of torch.optim
    "sklearn.py",  # the defaults of the estimator
}


def test_nothing_lists_kinds_by_hand():
    words = "|".join([*networks.KINDS, *regularizers.KINDS]).replace("|none", "")
    quoted = re.compile(rf'"({words})"')
    allowed = {SOURCE / name for name in NAMED}
    for file in SOURCE.rglob("*.py"):
        own = file.stem in {kind.name for kind in KINDS}
        if file in allowed or own:
            continue
        assert not quoted.findall(substance(file.read_text())), file.relative_to(SOURCE)


def test_kinds_are_found_by_listing_a_folder(tmp_path, monkeypatch):
    folder = tmp_path / "family"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from sparsedecay.science.kinds import Kind\n"
        "from sparsedecay.science.settings import Part\n"
        "class Family(Kind, Part):\n    pass\n"
    )
    module = """
from typing import Literal
from family import Family
class {name}(Family):
    title = "{name}"
    kind: Literal["{kind}"]{default}
    {key}: int
"""
    (folder / "old.py").write_text(
        module.format(name="Old", kind="old", key="a", default=' = "old"')
    )
    (folder / "new.py").write_text(module.format(name="New", kind="new", key="b", default=""))
    monkeypatch.syspath_prepend(tmp_path)
    family = importlib.import_module("family")
    kinds = found(family.__name__, family.Family)
    assert list(kinds) == ["new", "old"]
    section = TypeAdapter(any_of(kinds))
    assert section.validate_python({"a": 1}).canonical() == '{"a":1}', "as before kinds had names"
    assert section.validate_python({"kind": "new", "b": 1}).canonical() == '{"b":1,"kind":"new"}'
    for wrong in ({"b": 1}, {"kind": "new", "a": 1}, {"kind": "other"}, {"kind": None}, 3):
        with pytest.raises(ValidationError):
            section.validate_python(wrong)
