"""The figures: tables and weights in, picture out. Nothing here trains or measures.

A figure is declared once, in a module that ends with `FIGURE = …` and is found by listing this
package. The other modules hold what several figures share.

find("fig3")                        the declaration of figure 3, see `figures.declaration`
find("fig3").section                its section of the config
find("fig3").render(request, …)     the picture
declared()                          all of them, by name
"""

# Every process of Snakemake imports all figures, as their declarations decide what there is to do.
# matplotlib and pandas would cost each of them 0.7 s, so no module here imports them at its top:
# functions that render do, and annotations name them for the type checker alone.
from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparsedecay.figures.declaration import Declaration


def listed() -> list[str]:
    """Names of this package's modules, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def imported(name: str) -> Declaration[Any] | None:
    """The figure that a module of this package declares, if it declares one."""
    return getattr(importlib.import_module(f"{__name__}.{name}"), "FIGURE", None)


@cache
def find(name: str) -> Declaration[Any]:
    """A figure by name. No other figure's code is imported, as no figure depends on it.

    Raises:
        ValueError: there is no such figure.
    """
    figure = imported(name) if name in listed() else None
    if figure is None:
        raise ValueError(f"there is no figure {name!r}")
    return figure


@cache
def declared() -> dict[str, Declaration[Any]]:
    """All figures by name, sorted."""
    return {name: figure for name in listed() if (figure := imported(name))}
