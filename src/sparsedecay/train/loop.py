"""From one milestone to the next: epochs, records, checkpoints.

A stretch gives the same bits however it is cut: in one go, killed and resumed from a checkpoint,
or through further milestones. So nothing may depend on the clock but when a checkpoint is written.
Only one process at a time is at a stretch, and none that has finished is trained a second time
because Snakemake did not learn of it.
"""

import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from sparsedecay import data
from sparsedecay.engines import compiled
from sparsedecay.engines import state as states
from sparsedecay.engines.autograd import AutogradEngine
from sparsedecay.engines.compiled import CompiledEngine
from sparsedecay.engines.fused import FusedEngine
from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.files.provenance import code, metadata
from sparsedecay.files.storage import read_table
from sparsedecay.science.run import Run, predecessor
from sparsedecay.train import kept
from sparsedecay.train.progress import Progress
from sparsedecay.train.records import Engine, Records

ENGINES = {"compiled": CompiledEngine, "fused": FusedEngine, "autograd": AutogradEngine}
STAGE = "sparsedecay.train.command"
DIVERGED = "diverged:"  # begins the line of the log that the terminal shows too
CHUNK_SECONDS = 0.2  # between two looks at the clock and at signals
# What schedulers send before they kill a job: SIGTERM (Slurm, PBS), SIGUSR1 and SIGUSR2 (SGE, LSF,
# and Slurm if told so), SIGXCPU (limits of CPU time).
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)


@dataclass(frozen=True)
class Stretch:
    """One training job: a run, the milestone it ends at, and its files."""

    run: Run
    epoch: int
    data: Path
    previous: Path | None
    state: Path
    loss: Path
    magnitudes: Path
    checkpoint: Path | None = None
    progress: Path | None = None
    engine: str = "compiled"
    checkpoint_seconds: float = 60.0

    @property
    def start(self) -> int:
        return predecessor(self.epoch, self.run.stride)

    @property
    def files(self) -> list[Path]:
        """What it makes, the state first."""
        return [self.state, self.loss, self.magnitudes]


def prepare() -> None:
    """Make results independent of the number of cores, and decayed weights as fast as others."""
    torch.set_num_threads(1)
    # Weights and moments that decay into denormal numbers would make an epoch up to 8 times slower.
    if not torch.set_flush_denormal(True):
        print("warning: this processor cannot flush denormals; training will be slow", flush=True)


def train(stretch: Stretch) -> None:
    """Train one stretch and write its milestone.

    Raises:
        UserError: a file is missing or another's, or there are more minibatches than samples.
    """
    prepare()
    points, batches = stretch.run.data.points, stretch.run.optimizer.batches
    if batches > points:
        raise UserError(
            f"optimizer.batches: {points:,} data points cannot be cut into {batches:,} minibatches"
        )
    stretch = replace(stretch, engine=available(stretch.engine))
    if stretch.checkpoint is None:
        complete(stretch)
        return
    with kept.alone(stretch.checkpoint):
        if kept.take(stretch.checkpoint, stretch.files, about(stretch)):
            print(f"{stretch.run.id}: epoch {stretch.epoch:,} was finished by an earlier job")
            return
        complete(stretch)
        kept.keep(stretch.checkpoint, stretch.files)
        stretch.checkpoint.unlink(missing_ok=True)


def complete(stretch: Stretch) -> None:
    """Train to the end of the stretch, from its checkpoint if there is one, and write its files."""
    run = stretch.run
    X, y = tensors(stretch)
    state, records = begin(stretch)
    if state.diverged is None:
        state = advance(stretch, ENGINES[stretch.engine](run, X, y, state), records)
    else:
        state = replace(state, epoch=stretch.epoch)
    records.write(stretch.loss, stretch.magnitudes, about(stretch))
    states.save(stretch.state, run, state, about(stretch))
    if state.diverged is None:
        print(f"{run.id}: reached epoch {state.epoch:,}, mse {records.mse:.3g}")
    else:
        print(
            f"{DIVERGED} {run.id}: loss or weights are not finite at epoch {state.diverged:,}, so "
            "its training ends there. It stands as a result; for others lower "
            "optimizer.learning_rate, lam or initialization.range in the config."
        )


def advance(stretch: Stretch, engine: Engine, records: Records) -> states.State:
    """Train to the end of the stretch, or to the record at which the run has diverged."""
    run = stretch.run
    finite = bool(records.epochs) or engine.epoch > 0 or records.add(engine)
    began_at, chunk, checkpointed = engine.epoch, 1, time.monotonic()
    reporting = Progress(run.id, stretch.start, stretch.epoch, stretch.progress)
    with Interruption() as interruption, reporting as progress:
        while finite and engine.epoch < stretch.epoch:
            multiple = (engine.epoch // run.record_every + 1) * run.record_every
            next_record = min(multiple, stretch.epoch)
            began = time.monotonic()
            epochs = min(chunk, next_record - engine.epoch)
            engine.advance(epochs)
            if engine.epoch == next_record:
                finite = records.add(engine)
            now = time.monotonic()
            chunk = max(1, min(chunk * 2, int(epochs * CHUNK_SECONDS / max(now - began, 1e-9))))
            progress.report(engine.epoch, began_at, records.mse)
            due = now - checkpointed >= stretch.checkpoint_seconds or interruption.signal
            unfinished = finite and engine.epoch < stretch.epoch
            if stretch.checkpoint and due and unfinished:
                save_checkpoint(stretch, engine, records)
                checkpointed = now
            if unfinished:
                interruption.leave(run.id, engine.epoch)
    return engine.state() if finite else states.diverged(engine.state(), stretch.epoch)


def about(stretch: Stretch) -> Mapping[str, str]:
    """Metadata of the files of a milestone: what made them."""
    cpu = torch.backends.cpu.get_cpu_capability()
    return metadata(stretch.run.canonical(), STAGE, engine=stretch.engine, cpu=cpu)


def available(engine: str) -> str:
    """The engine asked for, or the one that takes its place, and says so, where it is missing."""
    reason = compiled.missing() if engine == "compiled" else None
    if reason is None:
        return engine
    print(f"note: without the compiled engine ({reason}) the fused one trains, slower", flush=True)
    return "fused"


def tensors(stretch: Stretch) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (N, d_0) and targets (N, 1) in the run's precision."""
    table = read_table(stretch.data)
    if (table.schema.metadata or {}).get(b"settings", b"").decode() != stretch.run.data.canonical():
        raise DamagedFile(
            f"{stretch.data}: is not the data set of {stretch.run.id}.\n"
            f"Make it again with: snakemake --force {stretch.data}"
        )
    X, y = data.load(stretch.data)
    dtype = states.dtype(stretch.run)
    return torch.tensor(X, dtype=dtype), torch.tensor(y, dtype=dtype)


def begin(stretch: Stretch) -> tuple[states.State, Records]:
    """The state to go on from and the records so far: checkpoint, previous milestone or epoch 0."""
    records = Records(stretch.run)
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
            print(f"warning: the checkpoint {stretch.checkpoint} is ignored: {reason}", flush=True)
            records = Records(stretch.run)
        else:
            print(
                f"{stretch.run.id}: goes on from its checkpoint at epoch {state.epoch:,}",
                flush=True,
            )
            return state, records
    if stretch.start == 0:
        return states.initial(stretch.run), records
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
    return f"{stretch.start} {stretch.epoch} {stretch.engine} {torch.__version__} {code(STAGE)}"


def save_checkpoint(stretch: Stretch, engine: Engine, records: Records) -> None:
    """Write state and records so far, in place of the last checkpoint."""
    assert stretch.checkpoint is not None
    note = {"belongs_to": belongs_to(stretch)}
    states.save(stretch.checkpoint, stretch.run, engine.state(), note, **records.tensors())


class Interruption:
    """Turns a signal to end into a checkpoint and an orderly end."""

    def __init__(self) -> None:
        self.signal = 0
        self.previous: dict[int, object] = {}

    def __enter__(self) -> "Interruption":
        for number in SIGNALS:
            self.previous[number] = signal.signal(number, self.note)
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
