"""Contestants side by side: interleaved rounds on one core, medians, and what the core could do."""

import os
import resource
import statistics
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch

from sparsedecay import data
from sparsedecay.engines import compiled
from sparsedecay.engines.state import State, dtype, initial
from sparsedecay.extras.bench.contestants import AS_WRITTEN, CONTESTANTS, Contestant
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run
from sparsedecay.train.loop import ENGINES, available, prepare


@dataclass
class Result:
    """Times of one contestant, in milliseconds per epoch, one for each round."""

    name: str
    ms: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.ms)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a share of the median."""
        low, _, high = statistics.quantiles(self.ms, n=4)
        return (high - low) / 2 / self.median


@dataclass
class Race:
    """What was measured for one run in one phase."""

    run: Run
    phase: str
    epoch: int
    flops: int
    peak: float
    """Fused multiply-adds on this core in this race, FLOP/s, each counted as two."""
    results: dict[str, Result]

    @property
    def floor_ms(self) -> float:
        """Milliseconds per epoch if every operation of the products ran at the peak."""
        return self.flops / self.peak * 1e3

    def ratio(self, name: str, other: str) -> float:
        """How many times as long `other` takes as `name`: median over the rounds."""
        pairs = zip(self.results[other].ms, self.results[name].ms, strict=True)
        return statistics.median(slow / fast for slow, fast in pairs)

    def share(self, name: str) -> float:
        """The floor as a share of the time taken; above 1 where zeros are left out."""
        return self.floor_ms / self.results[name].median


def flops(run: Run) -> int:
    """Operations of an epoch's matrix products, nothing left out: outputs, gradients by the
    weights, and by the inputs of a layer unless they are the data."""
    network = build(run)
    first = {"W1", "C1"}
    sizes = {name: network.shapes[name] for name in network.matrices}
    passes = {name: 2 if name in first else 3 for name in sizes}
    return sum(2 * run.data.points * r * c * passes[name] for name, (r, c) in sizes.items())


def peak(run: Run) -> float:
    """Fused multiply-adds of this core now, FLOP/s; in matrix products where the compiled engine,
    which can measure them alone, is missing."""
    if compiled.missing() is None:
        return max(float(compiled.kernel().multiply_adds[run.precision]()) for _ in range(3))
    a = torch.rand(1024, 1024, dtype=dtype(run))
    times = []
    for _ in range(10):
        began = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - began)
    return 2 * 1024**3 / min(times)


def alone() -> None:
    """Keep this process, with all its threads to come, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    prepare()


def start(run: Run, epoch: int, flush: bool) -> tuple[torch.Tensor, torch.Tensor, State]:
    """Inputs, targets and the state after `epoch` epochs, by the fastest engine that there is with
    denormals flushed, or kept: they gather over thousands of epochs."""
    X = torch.tensor(data.grid(run.data.levels, run.data.dimension), dtype=dtype(run))
    y = torch.tensor(data.targets(run.data), dtype=dtype(run))[:, None]
    state = initial(run)
    if epoch:
        engine = ENGINES[available("compiled") if flush else "fused"](run, X, y, state)
        torch.set_flush_denormal(flush)
        engine.advance(epoch)
        torch.set_flush_denormal(True)
        state = engine.state()
    return X, y, state


def race(
    run: Run, phase: str, epoch: int, names: Iterable[str], rounds: int, seconds: float
) -> Race:
    """Let contestants train from the same state, in turns of `seconds`."""
    racing: dict[str, tuple[Contestant, int]] = {}
    flushed = start(run, epoch, flush=True)
    for name in names:
        beginning = start(run, epoch, flush=False) if name == AS_WRITTEN else flushed
        contestant = CONTESTANTS[name](run, *beginning)
        contestant.advance(2)
        began = time.perf_counter()
        contestant.advance(3)
        each = (time.perf_counter() - began) / 3
        epochs = max(1, round(seconds / each))
        contestant.advance(epochs)
        racing[name] = contestant, epochs
    results, peaks = {name: Result(name) for name in racing}, []
    for _ in range(rounds):
        peaks.append(peak(run))
        for name, (contestant, epochs) in racing.items():
            began = time.perf_counter()
            contestant.advance(epochs)
            results[name].ms.append((time.perf_counter() - began) / epochs * 1e3)
    return Race(run, phase, epoch, flops(run), statistics.median(peaks), results)


def memory_mb() -> float:
    """Most memory that this process has held, in MB, imports included."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
