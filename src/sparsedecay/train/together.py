"""Stretches that a job trains beside its own: many at once, or short ones one after the other.

A workflow lists the stretches that it asks for. The job of any of them takes others from that list
that nobody is at, and keeps what it has finished beside the checkpoints, where their own jobs find
it (`kept`). What runs have been trained together is no part of any of them: nothing is ever out of
date because others came or went, and what is killed goes on from each run's own checkpoint, in
whatever company.
"""

import resource
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from sparsedecay.engines.batched import devices, trainer
from sparsedecay.engines.batched.trainer import SHARE, Batch, bytes_of, shapes
from sparsedecay.engines.state import State, diverged
from sparsedecay.errors import UserError
from sparsedecay.science.networks import build
from sparsedecay.science.recorded import LADDER
from sparsedecay.science.run import Run
from sparsedecay.train import gathered, kept, loop
from sparsedecay.train.progress import Progress
from sparsedecay.train.records import Records
from sparsedecay.train.stretch import Asked, Stretch, read_asked

SHORT_SECONDS = 4.0
"""A stretch that takes longer is not worth others' company: to start a process takes two."""
LENDING_SECONDS = 20.0
"""How long a job goes on with short stretches of others, so that no core is left without work."""
BASE_MB = 400
"""What a process takes before it trains anything."""
CHECKPOINTS_SHARE = 0.05
"""Of the time, what the checkpoints of a large batch may take."""
OTHER_FILES = 100
"""What a process has open beside its locks."""


def train(own: Stretch, listed: Path | None = None, memory_mb: float | None = None) -> None:
    """Train a stretch, and with it others of a list.

    Args:
        listed: where the workflow lists what it asks for, if it does.
        memory_mb: what the process may take; None for what is free. What an accelerator has of its
            own comes on top.

    Raises:
        UserError: as `loop.train`; or the device has too little memory for a single run.
    """
    own = loop.prepared(own)
    if own.engine == "batched":
        many_at_once(own, listed, memory_mb)
        return
    began = time.monotonic()
    loop.train(own)
    if listed is not None and time.monotonic() - began < SHORT_SECONDS:
        one_after_the_other(own, listed, began + LENDING_SECONDS)


def one_after_the_other(own: Stretch, listed: Path, until: float) -> None:
    """Train others that are no larger, until a moment."""
    done = 0
    for asked in read_asked(listed):
        if time.monotonic() > until:
            break
        with ExitStack() as lock:
            other = claimed(own, asked, lock)
            if other is None or work(other.run) > work(own.run):
                continue
            if other.checkpoint is not None and other.checkpoint.exists():
                continue  # it has taken longer than between two checkpoints
            try:
                if loop.available(other.run, own.engine, lambda _: None) == own.engine:
                    loop.complete(kept.aside(other))
                    loop.forget(other)
                    done += 1
            except UserError as error:
                left_alone(own, other, error)
    if done:
        own.tell(f"{done:,} more that the workflow asks for, trained by the same process")


def left_alone(own: Stretch, other: Stretch, error: UserError) -> None:
    """Say what is wrong with another stretch; its own job will end with it."""
    own.tell(f"{other.run.id} is left to its own job: {str(error).splitlines()[0]}")


def work(run: Run) -> int:
    """About in proportion to the time of an epoch."""
    return build(run).size * run.data.points * run.optimizer.batches


def claimed(own: Stretch, asked: Asked, lock: ExitStack) -> Stretch | None:
    """Another stretch of the list, if it can begin, is not finished, and no process is at it; while
    `lock` is held none will be."""
    checkpoint = asked.places["checkpoint"]
    if checkpoint is None or checkpoint == own.checkpoint or not asked.ready:
        return None
    if kept.there(checkpoint) or not lock.enter_context(kept.claimed(checkpoint)):
        return None
    return None if kept.there(checkpoint) else asked.like(own)


@dataclass
class Member:
    """A stretch in a batch."""

    stretch: Stretch
    X: torch.Tensor
    y: torch.Tensor
    state: State
    records: Records
    lock: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def begun(cls, stretch: Stretch) -> "Member":
        """As its checkpoint, or what comes before it, says.

        Raises:
            UserError: one of its files cannot be used.
        """
        X, y = loop.tensors(stretch)
        return cls(stretch, X, y, *loop.begin(stretch, X))

    @property
    def company(self) -> tuple[object, ...]:
        """What members of a batch have in common."""
        run = self.stretch.run
        return shapes(run), self.stretch.epoch, run.record_every, self.state.epoch

    def finish(self, state: State) -> None:
        """Write its files, and tell how it ended; or keep them for its own job, which tells it."""
        if self.stretch.checkpoint is None:
            self.stretch.tell(loop.write(self.stretch, state, self.records))
        else:
            loop.write(kept.aside(self.stretch), state, self.records)
        loop.forget(self.stretch)
        self.lock.close()


def many_at_once(own: Stretch, listed: Path | None, memory_mb: float | None) -> None:
    """Train batches until a stretch is finished, by this process or another."""
    device = devices.chosen(own.device)
    if own.checkpoint is None:
        batched([Member.begun(own)], device)
        return
    while not kept.taken(own, waits=False):
        with ExitStack() as locks:
            members = claim(own, listed, room(own, device, memory_mb), locks)
            if not members:  # another process is at it, and there is nothing else to do
                locks.enter_context(kept.exclusively(own.checkpoint))
                if kept.put_back(own):
                    return
                members = [Member.begun(own)]
            batched(members, device)


def claim(own: Stretch, listed: Path | None, most: int, locks: ExitStack) -> list[Member]:
    """Stretches that can be trained together, the job's own first if no other process is at it."""
    members: list[Member] = []
    lock = ExitStack()
    assert own.checkpoint is not None
    if lock.enter_context(kept.claimed(own.checkpoint)):
        members.append(locked(own, lock, locks))
    for asked in read_asked(listed) if listed else ():
        if len(members) >= most:
            break
        lock = ExitStack()
        other = claimed(own, asked, lock)
        if other is None or (members and shapes(other.run) != shapes(members[0].stretch.run)):
            lock.close()
            continue
        try:
            alike = loop.available(other.run, own.engine, lambda _: None, own.device) == own.engine
            member = locked(other, lock, locks) if alike else None
        except UserError as error:
            left_alone(own, other, error)
            member = None
        if member is None or (members and member.company != members[0].company):
            lock.close()
        else:
            members.append(member)
    return members


def locked(stretch: Stretch, lock: ExitStack, locks: ExitStack) -> Member:
    """A member whose lock goes with all others."""
    locks.enter_context(lock)
    member = Member.begun(stretch)
    member.lock = lock
    return member


def room(own: Stretch, device: torch.device, memory_mb: float | None) -> int:
    """How many runs like one fit into a batch, at least 1: what the device has free, what this
    process may take for their records and states, and how many files it may have open."""
    run, here = own.run, SHARE * devices.free(torch.device("cpu"))
    if memory_mb is not None:
        here = min(here, (memory_mb - BASE_MB) * 1e6)
    network, itemsize = build(run), np.dtype(run.precision).itemsize
    arrays = len(network.matrices) + network.L
    recorded = (own.epoch - own.start) / run.record_every * arrays * (4 * len(LADDER) + 24)
    in_host = 2 * recorded + 2 * (1 + len(run.optimizer.moments)) * network.size * itemsize
    if device.type == "cpu":
        in_host += bytes_of(run)
    return max(1, min(trainer.room(run, device), int(here / in_host), most_files() - OTHER_FILES))


def most_files() -> int:
    """How many files this process may have open, after it has asked for as many as it may get."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 2**16 if hard == resource.RLIM_INFINITY else min(hard, 2**16)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def batched(members: Sequence[Member], device: torch.device) -> None:
    """Train members of a batch to their end; half of them where the device has not enough memory,
    and so on.

    Raises:
        UserError: it has not enough for a single one.
    """
    while members:
        try:
            advance(members, device)
            return
        except RuntimeError as error:
            if not devices.lacks_memory(error):
                raise
            problem = str(error).splitlines()[0]
        devices.emptied(device)
        own = members[0].stretch
        if len(members) == 1:
            raise UserError(
                f"{own.run.id}: {devices.described(device)} has not enough memory for a single run "
                f"({problem}); set training.engine to compiled, or training.device to cpu"
            )
        own.tell(
            f"{len(members):,} runs were too many for the memory of {device}; half of them go on"
        )
        for member in members[len(members) // 2 :]:
            member.lock.close()
        members = [
            replace(Member.begun(member.stretch), lock=member.lock)
            for member in members[: len(members) // 2]
        ]


def advance(members: Sequence[Member], device: torch.device) -> None:
    """Train members of a batch to their end, with records and checkpoints on the way."""
    for member in (one for one in members if one.state.diverged is not None):
        member.finish(replace(member.state, epoch=member.stretch.epoch))
    members = [one for one in members if one.state.diverged is None]
    if not members:
        return
    own, first = members[0].stretch, members[0].records
    inputs, targets = [m.X for m in members], [m.y for m in members]
    batch = Batch(
        [m.stretch.run for m in members], inputs, targets, [m.state for m in members], device
    )
    records, live = [m.records for m in members], np.ones(len(members), dtype=bool)
    if len(members) > 1:
        own.tell(f"{len(members):,} runs together, on {devices.described(device)}")

    def record() -> None:
        nonlocal live
        finite = gathered.add(batch, records, live)
        if (live & ~finite).any():
            states = batch.states()
            for index in np.flatnonzero(live & ~finite).tolist():
                members[index].finish(diverged(states[index], own.epoch))
        live = finite

    def checkpoint() -> None:
        for index, state in enumerate(batch.states()):
            if live[index]:
                loop.save_checkpoint(members[index].stretch, state, records[index])

    if batch.epoch == 0 and not first.epochs:
        record()
    began_at, saved, pause, chunk = batch.epoch, time.monotonic(), own.checkpoint_seconds, 1
    reporting = Progress(own.run.id, own.start, own.epoch, own.progress)
    with loop.Interruption() as interruption, reporting as progress:
        while live.any() and batch.epoch < own.epoch:
            upcoming, began = first.next(batch.epoch, own.epoch), time.monotonic()
            count = min(chunk, upcoming - batch.epoch)
            batch.advance(count)
            if batch.epoch == upcoming:
                record()
            now = time.monotonic()
            chunk = max(1, min(2 * chunk, int(count * loop.CHUNK_SECONDS / max(now - began, 1e-9))))
            progress.report(batch.epoch, began_at, first.mse)
            own.watch(batch.epoch, first.mse)
            late = interruption.signal or now - saved >= pause
            if own.checkpoint and batch.epoch < own.epoch and late:
                checkpoint()
                saved = time.monotonic()
                pause = max(own.checkpoint_seconds, (saved - now) / CHECKPOINTS_SHARE)
            if batch.epoch < own.epoch and live.any():
                interruption.leave(own.run.id, batch.epoch)
    states = batch.states()
    for index in np.flatnonzero(live).tolist():
        members[index].finish(states[index])
