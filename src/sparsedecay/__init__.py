"""sparsedecay: does weight decay make overparameterized ReLU networks sparse and low-rank?

    import sparsedecay as sd
    state = sd.train(sd.Run(lam=1e-3), 50_000)

The names below come from `sparsedecay.api` when they are asked for (docs/python.md). This file
imports no stage of the pipeline, so that each depends on its own code alone.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparsedecay.api.convex import Optimum as Optimum
    from sparsedecay.api.convex import certify as certify
    from sparsedecay.api.convex import optimum as optimum
    from sparsedecay.api.figures import collapse as collapse
    from sparsedecay.api.figures import fig1 as fig1
    from sparsedecay.api.figures import fig2 as fig2
    from sparsedecay.api.figures import fig3 as fig3
    from sparsedecay.api.figures import fig4 as fig4
    from sparsedecay.api.figures import radon as radon
    from sparsedecay.api.results import Results as Results
    from sparsedecay.api.results import open_results as open  # noqa: A004, F401
    from sparsedecay.api.run import Run as Run
    from sparsedecay.api.run import paper as paper
    from sparsedecay.api.state import State as State
    from sparsedecay.api.table import Table as Table
    from sparsedecay.api.table import table as table
    from sparsedecay.api.trained import Trained as Trained
    from sparsedecay.api.training import Interrupted as Interrupted
    from sparsedecay.api.training import train as train

_HOMES = {
    "convex": ("Optimum", "certify", "optimum"),
    "figures": ("collapse", "fig1", "fig2", "fig3", "fig4", "radon"),
    "results": ("Results", "open"),
    "run": ("Run", "paper"),
    "state": ("State",),
    "table": ("Table", "table"),
    "trained": ("Trained",),
    "training": ("Interrupted", "train"),
}
_PUBLIC = {name: home for home, names in _HOMES.items() for name in names}
# `from sparsedecay import *` leaves Python's own `open` alone
__all__ = sorted(_PUBLIC.keys() - {"open"})


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'sparsedecay' has no attribute {name!r}")
    home = import_module(f"sparsedecay.api.{_PUBLIC[name]}")
    found = getattr(home, "open_results" if name == "open" else name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})


class _Package(ModuleType):
    """Keeps `train` and `optimum` what people call, although stages have these names too: importing
    `sparsedecay.train.loop` would put the folder in the place of the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
