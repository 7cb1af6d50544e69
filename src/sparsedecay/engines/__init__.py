"""Engines compute epochs: arrays in, arrays out. A kind a folder.

    engine, notes = chosen(run, "compiled")      what trains a run, and why not another
    trainer = engine.start(run, X, y, state)
    trainer.advance(1000)
    trainer.state()                              State

Nothing here imports torch until an engine starts, so that planning stays quick.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from sparsedecay.science import optimizers, regularizers
from sparsedecay.science.kinds import Kind, found
from sparsedecay.science.run import Run

if TYPE_CHECKING:
    from torch import Tensor

    from sparsedecay.engines.state import State


Device = Literal["auto", "cpu", "cuda", "mps"]
"""Where an engine computes that can do so in several places; `auto` is an accelerator if there is
one."""


class Trainer(Protocol):
    """A run under way."""

    epoch: int

    @property
    def parameters(self) -> Mapping[str, "Tensor"]:
        """The present parameters by name."""
        ...

    def losses(self) -> "tuple[Tensor, Tensor]":
        """Mean squared error and regularizer (without lam) of the present parameters."""
        ...

    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        ...

    def state(self) -> "State":
        """The present state, which need not be a copy."""
        ...


class Engine(Kind, ABC):
    """What an engine says of itself. `order`: the fastest first."""

    slowdown: ClassVar[int] = 1
    """About how many times as long as the fastest it takes."""

    @abstractmethod
    def supports(self, run: Run) -> str | None:
        """Why it cannot train a run, anywhere; None if it can."""

    def missing(self, device: Device = "auto") -> str | None:
        """Why it cannot be used on this machine, as far as is known without torch; None if it
        can."""
        return None

    def unusable(self, device: Device = "auto") -> str | None:
        """The same, as far as torch knows; asked when a job begins."""
        return None

    def start(
        self, run: Run, X: "Tensor", y: "Tensor", state: "State", device: Device = "auto"
    ) -> Trainer:
        """Go on from a state: what the class `Trainer` of the engine's module `trainer` makes of

        Args:
            X: inputs (N, d_0) in the run's precision.
            y: targets (N, D).
            device: for engines that compute on several.
        """
        module = importlib.import_module(f"{type(self).__module__}.trainer")
        trainer: Trainer = module.Trainer(run, X, y, state)
        return trainer


def lacking(kind: Any, *attributes: str) -> str | None:
    """The first attribute that a kind lacks, in words; None if it has them all."""
    missing = next((name for name in attributes if getattr(kind, name, None) is None), None)
    return f"{kind.name} has no `{missing}`" if missing else None


def unwritten(run: Run, folder: Path) -> str | None:
    """What an engine lacks that has a network's passes in a module named after it, in its folder,
    and takes gradients and steps from regularizers and optimizers; None if nothing."""
    if not (folder / f"{run.network}.py").exists():
        return f"it has no passes through {run.network}"
    return lacking(regularizers.KINDS[run.regularizer], "add_gradient") or lacking(
        optimizers.KINDS[run.optimizer.name], "update"
    )


KINDS: dict[str, type[Engine]] = found(__name__, Engine, folders=True)
ENGINES: dict[str, Engine] = {name: kind() for name, kind in KINDS.items()}
"""All engines by name, the fastest first."""
if TYPE_CHECKING:
    EngineName = str
else:
    EngineName = Literal[tuple(KINDS)]


def refusals(run: Run, asked: str, device: Device = "auto") -> Iterator[tuple[Engine, str | None]]:
    """The engine that is asked for, then those that may take its place, from the fastest; each with
    the reason why it cannot train the run, or None."""
    others = (name for name in ENGINES if name != asked)
    for engine in (ENGINES[name] for name in (asked, *others)):
        yield engine, engine.supports(run) or engine.missing(device)


def chosen(run: Run, asked: str, device: Device = "auto") -> tuple[Engine | None, list[str]]:
    """The engine that trains a run if one is asked for, and why not those before it; None if there
    is none."""
    reasons: list[str] = []
    for engine, reason in refusals(run, asked, device):
        if reason is None:
            return engine, reasons
        reasons.append(f"{engine.name}: {reason}")
    return None, reasons


def prepare() -> None:
    """Make results independent of the number of cores, and decayed weights as fast as others.
    Before the first epoch in a process."""
    import torch

    torch.set_num_threads(1)
    # Weights and moments that decay into denormal numbers would make an epoch up to 8 times slower.
    if not torch.set_flush_denormal(True):
        print("warning: this processor cannot flush denormals; training will be slow", flush=True)
