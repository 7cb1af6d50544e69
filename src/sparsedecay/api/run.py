"""Runs: what is trained.

Run(lam=1e-4)                       the paper's literal reading but for lam
Run(data=(X, y), L=1, K=200)        one's own data
run.replace(regularizer="path")     another one
"""

from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any, Self

import numpy as np

from sparsedecay.api.mistakes import told, unknown
from sparsedecay.api.table import Table, table
from sparsedecay.science import data, initializations, optimizers, regularizers, run
from sparsedecay.science.data import Data, Samples
from sparsedecay.science.data.file import File
from sparsedecay.science.networks import build
from sparsedecay.science.settings import Part

GRID = {"kind": "grid", "levels": (0, 0.5, 1), "dimension": 4, "target_range": (-1, 1), "seed": 0}
UNIFORM = {"kind": "uniform", "range": (-1, 1), "scale": "none", "seed": 0}
ADAM = {
    "kind": "adam",
    "learning_rate": 1e-3,
    "betas": (0.9, 0.999),
    "eps": 1e-8,
    "batches": 1,
}
"""Sections of the literal reading, as config/config.yaml has them."""
FAMILIES = {"data": data, "initialization": initializations, "optimizer": optimizers}
"""Where the kinds of these sections are."""
FLAT = {
    "shape": ("L", "K", "d", "skips"),
    "objective": ("loss", "weight_decay", "decay_biases"),
}
"""Keys that are given without their section."""


class Run(run.Run):
    """Everything that decides the numbers of one training. The defaults are the paper's experiment,
    read literally (Section 3; config/README.md explains each value and its other choices).

    Args:
        data: arrays `(X, y)`, what `table` makes, or the section `data` of a config as a dict; of
            the kind `grid` it needs only what differs from the paper's.
        network: `representer` (Theorem 1) or `dense` (footnote 1).
        regularizer: `eq2`, `weight_decay`, `none`, `path`, `l1`, …
        lam: its factor in the objective.
        L, K, d: ReLU layers, neurons in each, functional width between blocks.
        skips: where the skips of a dense network start: `leap`, `input`, `none`.
        loss: `mean` or `sum` over the data.
        weight_decay: where weight decay acts: `objective`, `optimizer` or `decoupled`.
        decay_biases: whether it acts on biases.
        initialization, optimizer: sections of a config as dicts, laid over the paper's.
        seed: of the initial weights; None for that of `initialization`.
        precision: `float32` or `float64`.
        stride: epochs between milestones. record_every: epochs between two records.

    Raises:
        TypeError: data are no numbers, or an argument does not exist.
        ValueError: a value is not allowed.

    Example:
        >>> import sparsedecay as sd
        >>> run = sd.Run(lam=1e-4, K=50)
        >>> run.id
        'representer-eq2-lam0.0001-seed0-e9624cde47'
        >>> run.replace(lam=1e-3).lam
        0.001
    """

    def __init__(
        self,
        *,
        data: Any = None,
        network: str = "representer",
        regularizer: str = "eq2",
        lam: float = 1e-3,
        L: int = 2,
        K: int = 1296,
        d: int = 16,
        skips: str = "leap",
        loss: str = "mean",
        weight_decay: str = "objective",
        decay_biases: bool = True,
        initialization: Any = None,
        optimizer: Any = None,
        seed: int | None = None,
        precision: str = "float32",
        stride: int = 50_000,
        record_every: int = 250,
    ) -> None:
        given = {key: value for key, value in locals().items() if key in ARGUMENTS}
        base = {"data": GRID, "initialization": UNIFORM, "optimizer": ADAM}
        found = resolved(given, base)
        super().__init__(**{name: getattr(found, name) for name in run.Run.model_fields})

    @classmethod
    def of(cls, known: run.Run) -> Self:
        """The same run as one of this class."""
        return known if isinstance(known, cls) else cls.model_construct(**dict(known))

    def replace(self, **changes: Any) -> Self:
        """The same run but for some arguments; dicts are laid over its sections.

        Raises:
            TypeError, ValueError: as for `Run`.
        """
        unknown("replace()", list(changes), ARGUMENTS)
        given = {name: getattr(self, name) for name in run.Run.model_fields if name in ARGUMENTS}
        for section, keys in FLAT.items():
            given |= {key: getattr(getattr(self, section), key) for key in keys}
        base = {name: self.section(name) for name in FAMILIES}
        without = [name for name, kind in regularizers.KINDS.items() if not kind.weighted]
        named = changes.get("regularizer", self.regularizer)
        if self.regularizer in without and named not in without and "lam" not in changes:
            raise ValueError("lam: give it too, as a run without regularizer has none")
        return type(self).of(resolved({"seed": None, **given, **changes}, base))

    def section(self, name: str) -> dict[str, Any]:
        """The values of one of the sections that have kinds."""
        return dict(getattr(self, name))

    @property
    def samples(self) -> Samples:
        """The data: X (N, d_0), y (N, D), test_X, test_y, float64.

        Raises:
            ValueError: they come from a file that is not here.
        """
        return drawn(self.data)

    def _repr_html_(self) -> str:
        rows = [
            ("data", self.data.about),
            ("network", f"{self.network}, {build(self).about}"),
            ("regularizer", f"{self.regularizer}, lam = {self.lam:g}"),
            ("optimizer", f"{self.optimizer.title}, {self.optimizer.learning_rate:g}"),
        ]
        return listing(self.id, rows)


ARGUMENTS = [
    "data",
    "network",
    "regularizer",
    "lam",
    "L",
    "K",
    "d",
    "skips",
    "loss",
    "weight_decay",
    "decay_biases",
    "initialization",
    "optimizer",
    "seed",
    "precision",
    "stride",
    "record_every",
]


@lru_cache(maxsize=16)
def drawn(known: Data) -> Samples:
    """The samples of a data set, which many runs share.

    Raises:
        ValueError: they come from a file that is not here.
    """
    if isinstance(known, File) and not known.file and not isinstance(known, Table):
        raise ValueError(
            "data: the table of this run is not here; give it as State.load(path, data=table(X, y))"
        )
    with told("data."):
        found = known.samples()
    for array in found:
        array.flags.writeable = False
    return found


def resolved(given: Mapping[str, Any], base: Mapping[str, Mapping[str, Any]]) -> run.Run:
    """A run of these arguments.

    Args:
        base: sections that dicts are laid over.
    """
    values = {key: plain(value) for key, value in given.items()}
    seed = values.pop("seed")
    for section, keys in FLAT.items():
        values[section] = {key: values.pop(key) for key in keys}
    for name in FAMILIES:
        values[name] = laid_over(name, values[name], base[name])
    if seed is not None:
        values["initialization"] = with_seed(values["initialization"], seed)
    kind = regularizers.KINDS.get(values["regularizer"])
    if kind and not kind.weighted:
        values["lam"] = 0.0
    with told():
        return run.Run.model_validate(values).literal()


def laid_over(name: str, value: Any, base: Mapping[str, Any]) -> Any:
    """A section, from a dict of what differs, a part as it stands, or arrays."""
    if value is None:
        value = {}
    if isinstance(value, Part):
        return value
    if name == "data" and not isinstance(value, Mapping):
        if hasattr(value, "columns"):
            raise TypeError("data: a DataFrame alone; give sd.table(frame, 'name of the target')")
        if not (isinstance(value, tuple | list) and len(value) == 2):
            raise TypeError("data: give (X, y), sd.table(…), or the section of a config as a dict")
        return table(*value)
    if not isinstance(value, Mapping):
        raise TypeError(f"{name}: give the section of a config as a dict, not {value!r}")
    kinds = FAMILIES[name].KINDS
    kind = value.get("kind", base["kind"])
    if kind not in kinds:
        raise ValueError(f"{name}: there is no kind {kind!r}; there are {', '.join(kinds)}")
    fields = kinds[kind].model_fields
    unknown(f"{name} of kind {kind!r}", [key for key in value if key != "kind"], list(fields))
    kept = {key: known for key, known in base.items() if key in fields}
    return {**kept, **{key: plain(one) for key, one in value.items()}, "kind": kind}


def with_seed(section: Any, seed: int) -> Any:
    """A section with another seed."""
    if isinstance(section, Part):
        return section.model_copy(update={"seed": seed})
    return {**section, "seed": seed}


def plain(value: Any) -> Any:
    """A number of numpy as one of Python."""
    return value.item() if isinstance(value, np.generic) else value


def paper() -> tuple[Run, ...]:
    """The paper's nine runs, read literally: seven networks of Theorem 1 (figure 2) and the two
    dense ones (figures 3 and 4).

    Example:
        >>> import sparsedecay as sd
        >>> [run.network for run in sd.paper()].count("dense")
        2
    """
    runs = [Run(regularizer="none")]
    for lam in (1e-1, 1e-3, 1e-5):
        runs += [Run(lam=lam), Run(lam=lam, regularizer="weight_decay")]
    dense = [Run(network="dense", regularizer=name) for name in ("weight_decay", "none")]
    return (*runs, *dense)


def listing(title: str, rows: list[tuple[str, str]]) -> str:
    """Names and values as HTML."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(k)}</th>"
        f"<td style='text-align:left'>{escape(v)}</td></tr>"
        for k, v in rows
    )
    return f"<table><caption><code>{escape(title)}</code></caption>{cells}</table>"
