"""From one milestone to the next: epochs, records, checkpoints.

A stretch gives the same bits however it is cut: in one go, killed and resumed from a checkpoint,
or through further milestones. So nothing may depend on the clock but when a checkpoint is written.
Only one process at a time is at a stretch, and none that has finished is trained a second time
because Snakemake did not learn of it.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch

from sparsedecay import engines
from sparsedecay.engines import Device, Trainer
from sparsedecay.engines.batched import devices
from sparsedecay.engines.state import State, diverged, dtype, initial
from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.files import fingerprint
from sparsedecay.files.samples import load
from sparsedecay.files.storage import read_table
from sparsedecay.files.timing import timed
from sparsedecay.science.run import Run
from sparsedecay.train import kept, states
from sparsedecay.train.progress import Progress
from sparsedecay.train.records import Records
from sparsedecay.train.stretch import Stretch, identity, say

CHUNK_SECONDS = 0.2  # between two looks at the clock and at signals
# What schedulers send before they kill a job: SIGTERM (Slurm, PBS), SIGUSR1 and SIGUSR2 (SGE, LSF,
# and Slurm if told so), SIGXCPU (limits of CPU time).
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)


def train(stretch: Stretch) -> None:
    """Train one stretch and write its milestone.

    Raises:
        UserError: a file is missing or another's, or there are more minibatches than samples.
    """
    stretch = prepared(stretch)
    if stretch.checkpoint is None:
        stretch.tell(complete(stretch))
        return
    with kept.exclusively(stretch.checkpoint):
        if kept.put_back(stretch):
            return
        stretch.tell(complete(stretch))
        kept.keep(stretch.checkpoint, stretch.files)
        forget(stretch)


def forget(stretch: Stretch) -> None:
    """Remove the checkpoint of a stretch that is finished."""
    if stretch.checkpoint is not None:
        stretch.checkpoint.unlink(missing_ok=True)


def prepared(stretch: Stretch) -> Stretch:
    """The stretch with the engine that trains it; sets up the process.

    Raises:
        UserError: there are more minibatches than samples, or no engine can train the run.
    """
    engines.prepare()
    points, batches = stretch.run.data.points, stretch.run.optimizer.batches
    if batches > points:
        raise UserError(
            f"optimizer.batches: {points:,} data points cannot be cut into {batches:,} minibatches"
        )
    engine = available(stretch.run, stretch.engine, stretch.tell, stretch.device)
    return replace(stretch, engine=engine)


def complete(stretch: Stretch) -> str:
    """Train to the end of the stretch, from its checkpoint if there is one, and write its files;
    returns how it ended, in words."""
    with timed(stretch.benchmark):
        X, y = tensors(stretch)
        state, records = begin(stretch, X)
        if state.diverged is None:
            trainer = engines.ENGINES[stretch.engine].start(
                stretch.run, X, y, state, stretch.device
            )
            state = advance(stretch, trainer, records)
        else:
            state = replace(state, epoch=stretch.epoch)
        return write(stretch, state, records)


def write(stretch: Stretch, state: State, records: Records) -> str:
    """Write the files of a stretch that has come to its end; returns how, in words."""
    run, note = stretch.run, dict(about(stretch.run, stretch.engine))
    if stretch.engine == "batched":
        note["device"] = devices.described(devices.chosen(stretch.device))
    records.write(stretch.loss, stretch.magnitudes, note)
    states.save(stretch.state, run, state, note)
    if state.diverged is None:
        return f"{run.id}: reached epoch {state.epoch:,}, mse {records.mse:.3g}"
    return kept.diverged(run, state.diverged)


def advance(stretch: Stretch, trainer: Trainer, records: Records) -> State:
    """Train to the end of the stretch, with checkpoints on the way."""
    run, began_at, checkpointed = stretch.run, trainer.epoch, time.monotonic()
    reporting = Progress(run.id, stretch.start, stretch.epoch, stretch.progress)
    with Interruption() as interruption, reporting as progress:

        def look(unfinished: bool) -> None:
            nonlocal checkpointed
            progress.report(trainer.epoch, began_at, records.mse)
            stretch.watch(trainer.epoch, records.mse)
            late = time.monotonic() - checkpointed >= stretch.checkpoint_seconds
            if stretch.checkpoint and (late or interruption.signal) and unfinished:
                save_checkpoint(stretch, trainer.state(), records)
                checkpointed = time.monotonic()
            if unfinished:
                interruption.leave(run.id, trainer.epoch)

        return epochs(run, trainer, records, stretch.epoch, look)


def epochs(
    run: Run, trainer: Trainer, records: Records, end: int, look: Callable[[bool], None]
) -> State:
    """Train to an epoch, or to the record at which the run has diverged.

    Args:
        look: called every now and then, with whether there is more to do.
    """
    finite = bool(records.epochs) or trainer.epoch > 0 or records.add(trainer)
    chunk = 1
    while finite and trainer.epoch < end:
        next_record = records.next(trainer.epoch, end)
        began = time.monotonic()
        count = min(chunk, next_record - trainer.epoch)
        trainer.advance(count)
        if trainer.epoch == next_record:
            finite = records.add(trainer)
        took = time.monotonic() - began
        chunk = max(1, min(chunk * 2, int(count * CHUNK_SECONDS / max(took, 1e-9))))
        look(finite and trainer.epoch < end)
    return trainer.state() if finite else diverged(trainer.state(), end)


def about(run: Run, engine: str) -> Mapping[str, str]:
    """Metadata of the files of a milestone: what made them."""
    cpu = torch.backends.cpu.get_cpu_capability()
    return {**identity(run), "engine": engine, "cpu": cpu}


def available(
    run: Run, asked: str, tell: Callable[[str], None] = say, device: Device = "auto"
) -> str:
    """The engine that is asked for, or the one that takes its place, and says so, where it cannot
    train this run or is missing.

    Raises:
        UserError: no engine can train the run.
    """
    reasons: list[str] = []
    for engine, refusal in engines.refusals(run, asked, device):
        reason = refusal or engine.unusable(device)
        if reason is None:
            if reasons:
                tell(f"note: {engine.name} trains, as {'; '.join(reasons)}")
            return engine.name
        reasons.append(f"{engine.name} cannot: {reason}")
    raise UserError(f"{run.id}: no engine can train it: {'; '.join(reasons)}")


def tensors(stretch: Stretch) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (N, d_0) and targets (N, D) in the run's precision."""
    table = read_table(stretch.data)
    if (table.schema.metadata or {}).get(b"settings", b"").decode() != stretch.run.data.canonical():
        raise DamagedFile(
            f"{stretch.data}: is not the data set of {stretch.run.id}.\n"
            f"Make it again with: snakemake --force {stretch.data}"
        )
    found, kind = load(stretch.data), dtype(stretch.run)
    return torch.tensor(found.X, dtype=kind), torch.tensor(found.y, dtype=kind)


def begin(stretch: Stretch, X: torch.Tensor) -> tuple[State, Records]:
    """The state to go on from and the records so far: checkpoint, previous milestone or epoch 0.

    Args:
        X: inputs, (N, d_0).
    """
    records = Records(stretch.run, X)
    if stretch.checkpoint and stretch.checkpoint.exists():
        try:
            state, more, said = states.load(stretch.checkpoint, stretch.run)
            if said.get("belongs_to") != belongs_to(stretch):
                raise DamagedFile(
                    "it was made by other code, another engine or for another stretch"
                )
            records.restore(more)
        except (UserError, KeyError) as error:
            reason = str(error).splitlines()[0]
            stretch.tell(f"warning: the checkpoint {stretch.checkpoint} is ignored: {reason}")
            records = Records(stretch.run, X)
        else:
            stretch.tell(f"{stretch.run.id}: goes on from its checkpoint at epoch {state.epoch:,}")
            return state, records
    if stretch.start == 0:
        return initial(stretch.run), records
    if stretch.previous is None:
        raise UserError(f"--previous: the milestone at epoch {stretch.start} is needed")
    state, _, _ = states.load(stretch.previous, stretch.run)
    if state.epoch != stretch.start:
        raise DamagedFile(
            f"{stretch.previous}: holds epoch {state.epoch}, not {stretch.start}.\n"
            f"Make it again with: snakemake --force {stretch.previous}"
        )
    return state, records


def belongs_to(stretch: Stretch) -> str:
    """What must agree, beside the run, for a checkpoint to give the bits of an unbroken stretch."""
    code = fingerprint.training(stretch.run)
    return f"{stretch.start} {stretch.epoch} {stretch.engine} {torch.__version__} {code}"


def save_checkpoint(stretch: Stretch, state: State, records: Records) -> None:
    """Write state and records so far, in place of the last checkpoint."""
    assert stretch.checkpoint is not None
    note = {"belongs_to": belongs_to(stretch)}
    states.save(stretch.checkpoint, stretch.run, state, note, **records.tensors())


class Interruption:
    """Turns a signal to end into a checkpoint and an orderly end; signals reach the main thread
    alone."""

    def __init__(self, signals: Sequence[int] = SIGNALS) -> None:
        self.signal = 0
        self.signals = signals
        self.previous: dict[int, object] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            self.previous = {n: signal.signal(n, self.note) for n in self.signals}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def note(self, number: int, _: object) -> None:
        self.signal = number

    def leave(self, run: str, epoch: int) -> None:
        """End the process if a signal has come."""
        if self.signal:
            name = signal.Signals(self.signal).name
            print(f"{run}: {name} at epoch {epoch:,}; the next start goes on from here", flush=True)
            sys.exit(128 + self.signal)
