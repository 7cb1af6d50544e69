"""Training: the pipeline's own loop, in memory or in a folder of results."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast, get_args

import torch
from torch import Tensor
from tqdm import TqdmWarning

from sparsedecay import data, engines
from sparsedecay.api.mistakes import told
from sparsedecay.api.run import Run
from sparsedecay.api.state import Recorded, State
from sparsedecay.engines import Trainer
from sparsedecay.engines.state import State as Raw
from sparsedecay.engines.state import dtype, initial
from sparsedecay.files import paths
from sparsedecay.science import run as science
from sparsedecay.science.run import chain, predecessor
from sparsedecay.train import kept, loop, states, together
from sparsedecay.train.records import Records
from sparsedecay.train.stretch import Stretch

DEFAULT = "compiled"
Watch = Callable[[int, float], None]


class Interrupted(KeyboardInterrupt):
    """Training in memory was stopped; `state` is what it had reached.

    Example:
        >>> import sparsedecay as sd
        >>> try:
        ...     state = sd.train(sd.Run(K=20, d=4, stride=100), 200, progress=False)
        ... except sd.Interrupted as stop:
        ...     state = stop.state
    """

    def __init__(self, state: State) -> None:
        super().__init__(
            f"stopped at epoch {state.epoch:,}: go on with sparsedecay.train(error.state, …), in a "
            "notebook sys.last_value.state"
        )
        self.state = state


def train(
    run: science.Run | State,
    epochs: int,
    results: str | Path | None = None,
    engine: str | None = None,
    progress: bool = True,
    device: str = "auto",
) -> State:
    """Train a run to an epoch, by the same code as the pipeline and so with the same bits by the
    same engine (docs/performance.md).

    Args:
        run: what to train; or a `State`, to go on from there in memory.
        epochs: the epoch to reach, counted from the start of the run.
        results: a folder of results as the pipeline has it. Milestones that are there are taken,
            those that are missing are trained and written to the pipeline's places, an interrupted
            one goes on from its checkpoint. None trains in memory. Snakemake takes such milestones
            for its own if they are newer than their inputs; what it has no record of it does not
            compare with the config (docs/python.md).
        engine: `compiled`, `fused`, `autograd` or `batched`; None for the fastest that can train
            the run.
        progress: whether a bar shows how far it is.
        device: where `batched` computes: `cpu`, `cuda`, `mps`, or `auto` for an accelerator.

    Raises:
        ValueError: no engine can train the run, epochs are none, or a file in the folder is
            damaged or another run's.
        KeyboardInterrupt: it was interrupted. In memory it is an `Interrupted`, whose attribute
            `state` is what was reached; in a folder the same call goes on from there.

    Example:
        >>> import sparsedecay as sd
        >>> state = sd.train(sd.Run(K=20, d=4, stride=100), 200, progress=False)
        >>> sd.train(state, 300, progress=False).epoch
        300
    """
    start = run if isinstance(run, State) else None
    if not isinstance(run, State | science.Run):
        raise TypeError(f"run: give a Run or a State, not {type(run).__name__}")
    wanted = Run.of(run.run if isinstance(run, State) else run)
    begun = start.epoch if start else 0
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs <= begun:
        raise ValueError(f"epochs: {epochs!r} is no whole number above {begun}; give a larger one")
    if start and results is not None:
        raise ValueError("results: a State goes on in memory; give its run to train in a folder")
    if engine is not None and engine not in engines.ENGINES:
        raise ValueError(f"engine: there is no {engine!r}; there are {', '.join(engines.ENGINES)}")
    if device not in get_args(engines.Device):
        named = ", ".join(get_args(engines.Device))
        raise ValueError(f"device: there is no {device!r}; there are {named}")
    refuse(wanted)
    asked, place = engine or DEFAULT, cast(engines.Device, device)
    tell = partial(note, asked=engine is not None)
    with as_before(), bar(wanted, begun, epochs, progress) as watch:
        if results is not None:
            return in_folder(wanted, epochs, Path(results), asked, place, watch, tell)
        return in_memory(wanted, start, epochs, asked, place, watch, tell)


def refuse(run: Run) -> None:
    """Refuse what cannot be trained.

    Raises:
        ValueError: the network is too large, or there are more minibatches than points.
    """
    from sparsedecay.study.study import size_rules

    for rule in size_rules([run]):
        raise ValueError(rule.removeprefix("network."))
    if run.optimizer.batches > run.data.points:
        raise ValueError(
            f"optimizer: {run.data.points:,} points cannot be cut into {run.optimizer.batches:,} "
            "minibatches; lower batches"
        )


def in_memory(
    run: Run,
    start: State | None,
    end: int,
    asked: str,
    device: engines.Device,
    watch: Watch,
    tell: Callable[[str], None],
) -> State:
    """Train without touching the disk, milestone by milestone as the pipeline does."""
    with told():
        name = loop.available(run, asked, tell, device)
    samples = start.samples if start else run.samples
    X, y = (torch.tensor(part, dtype=dtype(run)) for part in (samples.X, samples.y))
    raw = start.raw if start else initial(run)
    done = list(start.recorded) if start else []
    trainer: Trainer | None = None
    for epoch in [step for step in chain(end, run.stride) if step > raw.epoch]:
        if raw.diverged is not None:
            break
        records = Records(run, X)
        trainer = trainer or engines.ENGINES[name].start(run, X, y, copied(raw), device)
        with loop.Interruption([signal.SIGINT]) as interruption:
            look = partial(seen, interruption, trainer, records, watch)
            try:
                raw = copied(loop.epochs(run, trainer, records, epoch, look))
            except KeyboardInterrupt:
                if not records.epochs or records.epochs[-1] != trainer.epoch:
                    records.add(trainer)
                now = [*done, Recorded(records)]
                raise Interrupted(State(run, copied(trainer.state()), now, name)) from None
        done.append(Recorded(records))
    if raw.diverged is not None:
        warnings.warn(
            f"{run.id} has diverged at epoch {raw.diverged:,}: loss or weights are not finite",
            stacklevel=3,
        )
        raw = replace(raw, epoch=end)
    return State(run, raw, done, name)


def seen(
    interruption: loop.Interruption,
    trainer: Trainer,
    records: Records,
    watch: Watch,
    unfinished: bool,
) -> None:
    """Tell how far it is; end it if Ctrl-C was pressed."""
    watch(trainer.epoch, records.mse)
    if interruption.signal and unfinished:
        raise KeyboardInterrupt


def copied(raw: Raw) -> Raw:
    """A state that no trainer changes any more."""

    def clone(part: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in part.items()}

    moments = {name: clone(part) for name, part in raw.moments.items()}
    return replace(raw, parameters=clone(raw.parameters), moments=moments)


def in_folder(
    run: Run,
    end: int,
    folder: Path,
    asked: str,
    device: engines.Device,
    watch: Watch,
    tell: Callable[[str], None],
) -> State:
    """Train through milestones in a folder of results; those that are there are taken."""

    def place(inside: str) -> Path:
        return folder / Path(inside).relative_to("results")

    table = place(paths.data(run.data.id))
    recorded = []
    for epoch in chain(end, run.stride):
        names = paths.state, paths.loss, paths.magnitudes
        files = [place(name(run.id, epoch)) for name in names]
        recorded.append(Recorded(files=(files[1], files[2])))
        if all(file.exists() for file in files):
            continue
        if not table.exists():
            with told("data: "):
                data.write(run.data, table)
        begun = predecessor(epoch, run.stride)
        stretch = Stretch(
            run=run,
            epoch=epoch,
            data=table,
            previous=place(paths.state(run.id, begun)) if begun else None,
            state=files[0],
            loss=files[1],
            magnitudes=files[2],
            checkpoint=place(paths.checkpoint(run.id, epoch)),
            progress=place(paths.progress(run.id, epoch)),
            engine=asked,
            device=device,
            tell=tell,
            watch=watch,
        )
        try:
            with told():
                together.train(stretch)
        except SystemExit as left:
            if left.code != 128 + signal.SIGINT:
                raise
            raise KeyboardInterrupt("the same call goes on from here") from None
    with told():
        raw, _, said = states.load(files[0], run)
    return State(run, raw, recorded, said.get("engine", ""))


def note(line: str, asked: bool) -> None:
    """What the log of the pipeline would tell, as far as a person must know.

    Args:
        asked: whether an engine was asked for, so that another one is news.
    """
    if line.startswith(("warning:", kept.DIVERGED)) or (asked and line.startswith("note:")):
        warnings.warn(line, stacklevel=3)


@contextmanager
def as_before() -> Iterator[None]:
    """Training uses one thread and flushes denormals; leaves torch as it was."""
    threads = torch.get_num_threads()
    flushes = float(torch.full((1,), 5e-324, dtype=torch.float64) * 1.0) == 0.0
    engines.prepare()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushes)


@contextmanager
def bar(run: Run, begun: int, end: int, shown: bool) -> Iterator[Watch]:
    """A progress bar in a terminal or a notebook."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", TqdmWarning
        )  # a notebook without widgets has a line of text
        from tqdm.auto import tqdm
    label = f"{run.network}, {run.regularizer}, lam {run.lam:g}"
    with tqdm(
        total=end, initial=begun, desc=label, unit="epoch", disable=not shown, delay=0.5
    ) as shows:

        def watch(epoch: int, mse: float) -> None:
            shows.set_postfix(mse=f"{mse:.3g}", refresh=False)
            shows.update(epoch - shows.n)

        yield watch
