"""Kinds are declared once: each is a module of its family's folder, found by listing it.

    KINDS = found(__name__, Regularizer)                 {"eq2": Eq2, …}
    Shape = with_keys("Shape", Sizes, KINDS.values())    the section `network` of a config
    AnyOptimizer = any_of(KINDS)                         the section `optimizer`, by its key `kind`

The module's name is the kind's name in configs and tables. Its class says all else: `title`, how it
is called in words; `order`, its place in lists; the keys it takes; the columns of tables that tell
it; what it computes. Whoever needs something that only some kinds have asks for it by name, and
refuses those that lack it: no kind is a default.
"""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar, TypeVar, cast

from pydantic import BeforeValidator, Field, create_model

from sparsedecay.science.settings import Part

K = TypeVar("K", bound="Kind")
P = TypeVar("P", bound=Part)

Columns = Mapping[str, tuple[str, str]]
"""Columns of tables: type (float64, int64, bool, string, lists of them) and unit or meaning."""


class Kind:
    """What every kind says of itself."""

    name: ClassVar[str]
    """That of its module."""
    title: ClassVar[str]
    """How it is called in print."""
    order: ClassVar[int] = 100
    """Its place in lists; equal ones by name."""
    columns: ClassVar[Columns] = {}
    """Columns of tables that tell its own values."""

    def column_values(self) -> dict[str, Any]:
        """These values, by name."""
        return {name: getattr(self, name) for name in self.columns}


class Keyed(Kind):
    """A kind whose own keys stand in a section that it shares with the others of its family."""

    Keys: ClassVar[type[Part]] = Part
    """Its keys."""
    neutral: ClassVar[Mapping[str, Any]] = {}
    """Values of these keys in runs of other kinds, where they have no effect."""


def found(package: str, base: Callable[..., K], folders: bool = False) -> dict[str, type[K]]:
    """The kinds of a family by name, in order: of each module the class derived from `base`.

    Args:
        folders: whether kinds are folders, and single modules beside them something else.
    """
    family, kinds = cast(type[Kind], base), []
    for module in pkgutil.iter_modules(sys.modules[package].__path__):
        if folders and not module.ispkg:
            continue
        place = f"{package}.{module.name}"
        (kind,) = (
            value
            for value in vars(importlib.import_module(place)).values()
            if isinstance(value, type) and issubclass(value, family) and value.__module__ == place
        )
        kind.name = module.name
        kinds.append(kind)
    ordered = sorted(kinds, key=lambda kind: (kind.order, kind.name))
    return {kind.name: cast(type[K], kind) for kind in ordered}


def with_keys(name: str, base: type[P], kinds: Iterable[type[Keyed]]) -> type[P]:
    """A section of a config: the fields of `base` and the keys of all kinds of a family."""
    fields: dict[str, Any] = {
        key: (field.annotation, field)
        for kind in kinds
        for key, field in kind.Keys.model_fields.items()
    }
    return create_model(
        name, __base__=base, __doc__=base.__doc__, __module__=base.__module__, **fields
    )


def any_of(kinds: Mapping[str, type[Part]]) -> Any:
    """The type of a section that holds one of several kinds, by its key `kind`. The one kind that
    there was before this key has it as a default, and is meant where the key is missing."""
    first = next(n for n, kind in kinds.items() if not kind.model_fields["kind"].is_required())

    def named(value: Any) -> Any:
        return {"kind": first, **value} if isinstance(value, dict) else value

    if len(kinds) == 1:
        return Annotated[kinds[first], BeforeValidator(named)]
    union = reduce(or_, kinds.values())
    return Annotated[union, Field(discriminator="kind"), BeforeValidator(named)]
