"""Command `sparsedecay bench`: how fast the engines are, side by side on one core.

sparsedecay bench                                                all networks and regularizers
sparsedecay bench --network representer --regularizer eq2 --json
sparsedecay bench --growth docs/growth.png                       time and memory against size
sparsedecay bench --planning docs/planning.png                   and of planning, by runs
sparsedecay bench --estimators docs/estimators.md                the estimator against its peers
sparsedecay bench --batched                                      many runs at once against all cores
"""

import argparse
import json
import math
import os
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from timeit import repeat, timeit
from typing import Any, get_args

import pandas as pd
import torch

from sparsedecay.engines import ENGINES, Device, prepare
from sparsedecay.engines.batched import devices
from sparsedecay.engines.compiled.trainer import kernel
from sparsedecay.engines.state import State, dtype, initial
from sparsedecay.errors import UserError
from sparsedecay.extras.bench import estimators, growth, many
from sparsedecay.extras.bench.contestants import AS_WRITTEN, CONTESTANTS, absent
from sparsedecay.extras.bench.limits import beside, floors
from sparsedecay.extras.bench.work import flops
from sparsedecay.files.machine import processor
from sparsedecay.files.timing import RSS_UNIT
from sparsedecay.science import networks, regularizers
from sparsedecay.science.run import Run
from sparsedecay.train.loop import available

NETWORKS, REGULARIZERS = tuple(networks.KINDS), tuple(regularizers.KINDS)
IN_THE_PAPER = [("representer", name) for name in ("eq2", "weight_decay", "none")]
IN_THE_PAPER += [("dense", name) for name in ("weight_decay", "none")]
"""What is raced unless something else is asked for."""
PHASES = {
    "early": tuple(name for name in CONTESTANTS if name != AS_WRITTEN),
    "late": ("compiled", "fused", "naive", "jax"),
    "denormals": ("compiled", "naive", AS_WRITTEN),
}
FORMATS = {  # of the table
    "ms/epoch": "{:.3f}".format,
    "least": "{:.3f}".format,
    "±": "{:.0%}".format,
    "epochs/s": "{:,.0f}".format,
    "GFLOP/s": "{:.1f}".format,
    "floor": "{:.0%}".format,
    "naive/it": "{:.1f}x".format,
    "beside": lambda ratio: "" if math.isnan(ratio) else f"{ratio:.2f}x",
}


SHORT = {
    "ms_per_epoch": "ms/epoch",
    "least_ms": "least",
    "spread": "±",
    "epochs_per_second": "epochs/s",
    "gflops": "GFLOP/s",
    "floor_share": "floor",
    "naive_ratio": "naive/it",
    "beside": "beside",
}
"""Columns of the table; `beside`: how many times as long an epoch takes beside another job."""


@dataclass
class Race:
    """What was measured for one run in one phase."""

    run: Run
    phase: str
    epoch: int
    peak: float
    """Fused multiply-adds on this core in this race, FLOP/s, each counted as two."""
    ms: pd.DataFrame
    """Milliseconds per epoch: a row for each round, a column for each contestant."""
    floors: dict[str, Any]
    """What an epoch takes at least (`limits.floors`)."""
    beside_ms: dict[str, float] = field(default_factory=dict)
    """Milliseconds per epoch of one job while another does the same on the next core, median."""

    @property
    def floor_ms(self) -> float:
        """Milliseconds per epoch if every operation of the products ran at the peak."""
        return float(self.floors["arithmetic_ms"])

    @property
    def limit(self) -> str:
        """What an epoch of this run waits for most, if nothing is left out of it."""
        arithmetic, traffic = self.floor_ms, float(self.floors["traffic_ms"])
        return "arithmetic" if arithmetic >= traffic else str(self.floors["held_in"])

    @property
    def best(self) -> str:
        """The fastest engine that this program trains with, if one took part."""
        medians = self.ms.median()
        ours = [name for name in medians.index if name in ENGINES]
        return str(medians[ours or list(medians.index)].idxmin())

    def results(self) -> pd.DataFrame:
        """A row for each contestant: medians over the rounds; the spread is half the distance
        between the quartiles, as a share of the median; the floor's share of the time is above 1
        where zeros are left out."""
        median, (low, high) = self.ms.median(), self.ms.quantile([0.25, 0.75]).to_numpy()
        told = {
            "ms_per_epoch": median,
            "least_ms": self.ms.min(),
            "spread": (high - low) / 2 / median,
            "times_as_long": self.ms.div(self.ms[self.best], axis=0).median(),
            "epochs_per_second": 1e3 / median,
            "gflops": flops(self.run) / median / 1e6,
            "floor_share": self.floor_ms / median,
        }
        if "naive" in self.ms:
            told["naive_ratio"] = (1 / self.ms).mul(self.ms["naive"], axis=0).median()
        if self.beside_ms:
            told["beside"] = pd.Series(self.beside_ms).reindex(median.index) / median
        return pd.DataFrame(told)

    def table(self) -> str:
        """The race as lines of text."""
        run, rows = self.run, self.results().drop(columns="times_as_long")
        rows = rows.rename(columns=SHORT)
        return (
            f"{run.network}, {run.regularizer}, {self.phase} (from epoch {self.epoch:,}): "
            f"{flops(run) / 1e6:,.1f} MFLOP, {self.peak / 1e9:.0f} GFLOP/s: "
            f"floor {self.floor_ms:.3f} ms; values and moments moved within "
            f"{self.floors['held_in']}: {self.floors['traffic_ms']:.3f} ms; so the limit is "
            f"{self.limit}\n{rows.to_string(formatters=FORMATS, na_rep='')}"
        )

    def summary(self) -> dict[str, Any]:
        """The race as JSON, with the numbers of the best engine."""
        results = self.results()
        return {
            **{key: getattr(self.run, key) for key in ("network", "regularizer", "precision")},
            "phase": self.phase,
            "epoch": self.epoch,
            "engine": self.best,
            **results.loc[self.best].to_dict(),
            "floor_ms": self.floor_ms,
            **self.floors,
            "limit": self.limit,
            "processor": processor(),
            "peak_gflops": self.peak / 1e9,
            "memory_mb": getrusage(RUSAGE_SELF).ru_maxrss * RSS_UNIT / 1e6,  # imports included
            "contestants": results.to_dict("index"),
        }


def peak(run: Run) -> float:
    """Fused multiply-adds of this core now, FLOP/s; in matrix products where the compiled engine,
    which can measure them alone, is missing."""
    if absent("compiled") is None:
        return max(float(kernel().multiply_adds[run.precision]()) for _ in range(3))
    a = torch.rand(1024, 1024, dtype=dtype(run))
    return 2 * 1024**3 / min(repeat(lambda: a @ a, number=1, repeat=10))


def keep_to_one_core() -> int | None:
    """Keep this process, with all its threads to come, on one core; returns another, if there is
    one."""
    other = None
    if hasattr(os, "sched_setaffinity"):
        *others, core = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {core})
        other = others[-1] if others else None
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    prepare()
    return other


def start(run: Run, epoch: int, flush: bool) -> tuple[torch.Tensor, torch.Tensor, State]:
    """Inputs, targets and the state after `epoch` epochs, by the fastest engine that there is with
    denormals flushed, or kept: they gather over thousands of epochs."""
    found = run.data.samples()
    X, y = (torch.tensor(array, dtype=dtype(run)) for array in (found.X, found.y))
    state = initial(run)
    if epoch:
        engine = ENGINES[available(run, "compiled" if flush else "fused")].start(run, X, y, state)
        torch.set_flush_denormal(flush)
        engine.advance(epoch)
        torch.set_flush_denormal(True)
        state = engine.state()
    return X, y, state


def race(
    run: Run,
    phase: str,
    epoch: int,
    names: Iterable[str],
    rounds: int,
    turn: float,
    other: int | None,
) -> Race:
    """Let contestants train from the same state, in turns of so many seconds; then the best engine
    beside itself on another core, if there is one."""
    case = f"{run.network}, {run.regularizer}, {phase}"
    if epoch:
        say(f"{case}: training {epoch:,} epochs to begin from")
    turns: dict[str, tuple[Callable[[], None], int]] = {}
    flushed = start(run, epoch, flush=True)
    for name in names:
        say(f"{case}: {name} gets ready")
        beginning = start(run, epoch, flush=False) if name == AS_WRITTEN else flushed
        advance = CONTESTANTS[name](run, *beginning).advance
        advance(2)
        epochs = max(1, round(3 * turn / timeit(partial(advance, 3), number=1)))
        advance(epochs)
        turns[name] = partial(advance, epochs), epochs
    peaks, rounds_ms = [], []
    for i in range(rounds):
        say(f"{case}: round {i + 1} of {rounds}")
        peaks.append(peak(run))
        rounds_ms.append(
            {name: timeit(work, number=1) / n * 1e3 for name, (work, n) in turns.items()}
        )
    peak_now = statistics.median(peaks)
    found = Race(run, phase, epoch, peak_now, pd.DataFrame(rounds_ms), floors(run, peak_now))
    if other is not None and found.best in ENGINES:
        say(f"{case}: {found.best} beside itself")
        work, n = turns[found.best]
        took = statistics.median(beside(work, other, rounds))
        found.beside_ms = {found.best: took / n * 1e3}
    return found


def say(line: str) -> None:
    """How far it is, apart from what is measured."""
    print(f"  … {line}", file=sys.stderr, flush=True)


def experiment(options: argparse.Namespace, network: str, regularizer: str) -> Run:
    """The paper's experiment, at another size if asked for."""
    levels = [i / (options.levels - 1) for i in range(options.levels)]
    return Run.model_validate(
        {
            "data": {"levels": levels, "dimension": 4, "target_range": (-1, 1), "seed": 0},
            "network": network,
            "shape": {"L": options.L, "K": options.K, "d": options.d, "skips": "leap"},
            "regularizer": regularizer,
            "lam": 1e-3,
            "objective": {"loss": "mean", "weight_decay": "objective", "decay_biases": True},
            "initialization": {"range": (-1, 1), "scale": "none", "seed": 0},
            "optimizer": {"learning_rate": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "batches": 1},
            "precision": options.precision,
            "stride": 50_000,
            "record_every": 250,
        }
    )


def races(options: argparse.Namespace, other: int | None) -> Iterator[Race]:
    """One race for each case asked for."""
    epochs = {"early": 0, "late": options.late, "denormals": options.denormals}
    every = {"network": NETWORKS, "regularizer": REGULARIZERS, "phase": PHASES}
    asked = ((x,) if (x := getattr(options, n)) != "all" else all_ for n, all_ in every.items())
    for network, regularizer, phase in product(*asked):
        if options.regularizer == "all" and (network, regularizer) not in IN_THE_PAPER:
            continue
        if options.phase == "all" and phase == "denormals" and regularizer == "none":
            continue  # nothing decays but moments
        run = experiment(options, network, regularizer)
        names = [name for name in options.engines or PHASES[phase] if not absent(name, run)]
        yield race(run, phase, epochs[phase], names, options.rounds, options.seconds, other)


def batched(options: argparse.Namespace) -> None:
    """Many runs at once against all cores.

    Raises:
        UserError: the device is not here.
    """
    if options.device != "auto" and not devices.available(options.device):
        raise UserError(f"--device {options.device}: torch finds none here; leave --device out")
    runs = {}
    for case, differs in many.CASES.items():
        asked = argparse.Namespace(**{**vars(options), **differs})
        regularizer = differs.get("regularizer", "eq2")
        if options.network in (asked.network, "all"):
            runs[case] = experiment(asked, differs["network"], regularizer)
    told = many.report(runs, options.sizes, options.device, options.rounds, options.seconds)
    if options.json:
        print(json.dumps(told))


def main(arguments: list[str]) -> None:
    """Measure as the arguments say.

    Raises:
        UserError: an engine asked for is not here, or what is measured fails.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay bench", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--network", choices=[*NETWORKS, "all"], default="all")
    add("--regularizer", choices=[*REGULARIZERS, "all"], default="all")
    add("--phase", choices=[*PHASES, "all"], default="all")
    add("--late", type=int, default=20_000, help="where the late phase begins (default: 20000)")
    add("--denormals", type=int, default=4_000, help="and where denormals are (default: 4000)")
    add("--engines", nargs="+", choices=CONTESTANTS, help="default: all that are here")
    add("--rounds", type=int, default=7, help="default: 7")
    add("--seconds", type=float, default=0.3, help="a turn of each engine (default: 0.3)")
    add("--precision", choices=["float32", "float64"], default="float32")
    add("--K", type=int, default=1296, help="ReLU neurons in a layer (default: 1296)")
    add("--L", type=int, default=2, help="ReLU layers (default: 2)")
    add("--d", type=int, default=16, help="width between blocks (default: 16)")
    add("--levels", type=int, default=3, help="levels in each of 4 dimensions (default: 3)")
    add("--json", action="store_true", help="one JSON object on the last line")
    add("--growth", type=Path, metavar="PICTURE", help="render time and memory against K, N, L")
    add("--planning", type=Path, metavar="PICTURE", help="render how long Snakemake plans, by runs")
    add("--estimators", type=Path, metavar="PAGE", help="put the tables of estimators into a page")
    add("--batched", action="store_true", help="many runs at once against all cores")
    add("--sizes", nargs="+", type=int, default=many.SIZES, help="of batches (default: 1 … 4096)")
    add("--device", choices=get_args(Device), default="auto", help="of batches (default: auto)")
    add("--repeat", type=int, default=1, help="times that each study is planned (default: 1)")
    options = parser.parse_args(arguments)
    if options.planning:
        return growth.planning(options.repeat, options.planning)
    if options.estimators:
        return estimators.write(options.estimators)
    if options.growth:
        return growth.training(NETWORKS, options.growth)
    if options.batched:
        return batched(options)
    for name in options.engines or CONTESTANTS:
        if reason := absent(name):
            if options.engines:
                raise UserError(f"--engines {name}: {reason}")
            print(f"without {name}: {reason}", flush=True)
    other = keep_to_one_core()
    told = []
    for result in races(options, other):
        print(result.table(), end="\n\n", flush=True)
        told.append(result.summary())
    if options.json:
        print(json.dumps(told[0] if len(told) == 1 else {**told[0], "cases": told}))
    return None
