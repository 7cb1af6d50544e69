"""Command `sparsedecay resources`: what jobs took, and so what to ask a scheduler for.

    sparsedecay resources                      results/benchmarks -> workflow/resources.yaml
    needs = load(measured_in(Path()))
    needs.train(run, epochs, attempt=1)        Job(mem_mb=…, minutes=…)

Training takes time in proportion to steps · N · parameters, and memory that grows with the
parameters; so do the measuring of a network and the figures that show its matrices. The other jobs
are short. Each further attempt asks for twice as much of both.
"""

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import PlainSerializer, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sparsedecay.errors import UserError
from sparsedecay.files.project import PROJECT
from sparsedecay.files.storage import write_file
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run, predecessor
from sparsedecay.science.settings import Positive, Settings
from sparsedecay.study.plan import load_plan

NAME = "workflow/resources.yaml"
"""Beside the workflow, which lies beside the package."""
TIME_SLACK, MEMORY_SLACK = 3.0, 1.5
"""How many times what was measured a job may take: memory varies far less than time."""
START_SECONDS, LEAST_MINUTES = 60, 5
"""For Snakemake and Python to start, on a file system that may be slow; and least in all."""
STEP_SECONDS = 1e-4
"""A step takes no less, however small the network."""
BYTES_PER_PARAMETER = {"float32": 66.0, "float64": 108.0}
"""Of training: parameter, gradient, two moments, and copies while a record or a state is written;
measured at 25 million parameters (docs/performance.md)."""
BATCH, BATCH_MB = 32, 1500.0
"""Runs of a batch that a job asks time and memory for, and what their records take. A device that
holds more of them is faster too; a job that runs out of time goes on from its checkpoints."""
BYTES_PER_ENTRY = 40.0
"""Of measuring: matrices and their products in float64, and what a singular value decomposition
needs. Of drawing no more."""
SECONDS_PER_CUBE = 4e-10
"""Singular values of an m x n matrix take so much for each m · n · min(m, n)."""

HEAD = """\
# What jobs took: written by `sparsedecay resources` from results/benchmarks, {jobs:,} jobs of one
# machine. What a job asks a scheduler for follows from it (docs/hpc.md); it makes no result out of
# date. training: seconds per 1e9 steps · data points · parameters, and memory without what grows
# with the network. rules: the most that one job took.
"""


Rounded = Annotated[Positive, PlainSerializer(lambda value: float(f"{value:.2g}"))]
"""Written with two significant digits."""


class Took(Settings):
    """What jobs of one kind took."""

    seconds: Rounded
    mem_mb: Rounded


class Job(NamedTuple):
    """What a job asks a scheduler for."""

    mem_mb: int
    minutes: int


class Needs(Settings):
    """The file `workflow/resources.yaml`."""

    training: dict[str, Took]
    """By kind of network."""
    rules: dict[str, Took]
    """By name."""

    def train(self, run: Run, epochs: int, attempt: int = 1, slowdown: float = 1) -> Job:
        """What training a run for so many epochs asks for.

        Args:
            slowdown: how many times as long as the compiled engine, which was measured, the one
                that trains it takes.
        """
        took = self.training_of(run, epochs, slowdown)
        return job(took.mem_mb, took.seconds, attempt)

    def training_of(self, run: Run, epochs: int, slowdown: float = 1) -> Took:
        """What training a run for so many epochs takes."""
        took, steps = self.like(run.network), epochs * run.optimizer.batches
        seconds = slowdown * max(took.seconds * work(run, epochs), STEP_SECONDS * steps)
        memory = took.mem_mb + BYTES_PER_PARAMETER[run.precision] * build(run).size / 1e6
        return Took(seconds=seconds, mem_mb=memory)

    def batch(self, run: Run, epochs: int, attempt: int = 1, slowdown: float = 1) -> Job:
        """What a job asks for that trains as many runs as fit beside this one: the memory of the
        machine for that of `BATCH` on its processor, or for the records of many on another
        device."""
        took = self.training_of(run, epochs, slowdown)
        grown = BYTES_PER_PARAMETER[run.precision] * build(run).size / 1e6
        return job(took.mem_mb + BATCH_MB + BATCH * grown, BATCH * took.seconds, attempt)

    def measure(self, run: Run, attempt: int = 1) -> Job:
        """What measuring a milestone of a run asks for."""
        took = self.measuring_of(run)
        return job(took.mem_mb, took.seconds, attempt)

    def measuring_of(self, run: Run) -> Took:
        """What measuring a milestone of a run takes."""
        network, took = build(run), self.most("measure")
        shapes = [network.shapes[name] for name in network.matrices]
        cubes = sum(m * n * min(m, n) for m, n in shapes)
        return Took(
            seconds=took.seconds + SECONDS_PER_CUBE * cubes,
            mem_mb=took.mem_mb + BYTES_PER_ENTRY * entries(run) / 1e6,
        )

    def draw(self, runs: Iterable[Run], attempt: int = 1) -> Job:
        """What a figure asks for that shows the matrices of runs."""
        took, shown = self.most("figures"), sum(map(entries, runs))
        return job(took.mem_mb + BYTES_PER_ENTRY * shown / 1e6, took.seconds, attempt)

    def like(self, network: str) -> Took:
        """What training a kind of network took; of a kind never measured the most of any."""
        if network in self.training:
            return self.training[network]
        took = self.training.values()
        return Took(seconds=max(t.seconds for t in took), mem_mb=max(t.mem_mb for t in took))

    def fit(self, runs: Iterable[Run], mem_mb: int) -> None:
        """Check that each run can be trained and measured within a machine's memory.

        Raises:
            UserError: one cannot; the message says what it needs.
        """
        for run in runs:
            needed = max(self.training_of(run, 1).mem_mb, self.measuring_of(run).mem_mb)
            if needed > mem_mb:
                raise UserError(
                    f"{run.id}: its {build(run).size:,} parameters in {run.precision} need about "
                    f"{needed / 1000:,.1f} GB of memory, and this machine (or container) has "
                    f"{mem_mb / 1000:,.1f} GB. Choose a smaller network.K or another machine; if "
                    "you know better, say --resources mem_mb=…"
                )

    def rule(self, name: str, attempt: int = 1) -> Job:
        """What a job of another rule asks for."""
        took = self.most(name)
        return job(took.mem_mb, took.seconds, attempt)

    def most(self, name: str) -> Took:
        """The most that a job of a rule took; of a rule never measured the most of any."""
        took = [self.rules[name]] if name in self.rules else [*self.rules.values()]
        return Took(seconds=max(t.seconds for t in took), mem_mb=max(t.mem_mb for t in took))


def entries(run: Run) -> int:
    """Numbers in the trained matrices of a network, and in those between its ReLU layers."""
    network = build(run)
    products = sum(len(factors) > 1 for factors in network.between.values())
    return network.size + products * network.K**2


def job(mem_mb: float, seconds: float, attempt: int) -> Job:
    """What a job that took so much asks for, rounded up to 100 MB and a minute."""
    times = 2 ** (attempt - 1)
    minutes = max(LEAST_MINUTES, math.ceil((START_SECONDS + TIME_SLACK * seconds) / 60))
    return Job(math.ceil(MEMORY_SLACK * mem_mb / 100) * 100 * times, minutes * times)


def measured_in(folder: Path) -> Path:
    """The file of needs for a folder: one of its own, or the project's."""
    own = folder / NAME
    return own if own.is_file() else PROJECT / NAME


def load(path: Path) -> Needs:
    """The file of measured needs.

    Raises:
        UserError: it is missing or not such a file.
    """
    try:
        return Needs.model_validate(YAML(typ="safe").load(path))
    except (OSError, YAMLError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: {reason}. Get it back with `git checkout -- {path}` (or, outside of a clone, "
            "by installing sparsedecay again), or measure anew with `sparsedecay resources`."
        ) from None


def measure(benchmarks: Path, runs: dict[str, Run]) -> tuple[Needs, int]:
    """Needs by the benchmark files of Snakemake, and of how many jobs; training counts where the
    run is among `runs`.

    Raises:
        UserError: there is no file of some kind of job.
    """
    trained: list[tuple[Run, int, dict[str, float]]] = []
    rules: dict[str, list[dict[str, float]]] = defaultdict(list)
    left_out: list[Path] = []
    for file in sorted(benchmarks.rglob("*.jsonl")):
        row, place = told(file), file.relative_to(benchmarks).with_suffix("").parts
        if row is None:
            left_out.append(file)
        elif place[0] != "train":
            rules[place[0]].append(row)
        elif place[1] in runs:
            run, epoch = runs[place[1]], int(place[2])
            trained.append((run, epoch - predecessor(epoch, run.stride), row))
    if left_out:
        more = f" and {len(left_out) - 1} more" if left_out[1:] else ""
        print(f"left out, as they tell no time and memory: {left_out[0]}{more}")
    networks = {run.network for run, _, _ in trained}
    kinds = sorted({run.network for run in runs.values()})
    missing = [name for name in ("data", "measure", "figures", "claims") if name not in rules]
    missing += [f"train ({name})" for name in kinds if name not in networks]
    if missing:
        raise UserError(
            f"{benchmarks}: holds no benchmarks of {', '.join(missing)}; make them with: "
            "snakemake all replicate readings"
        )
    needs = Needs(
        training={name: largest(name, trained) for name in sorted(networks)},
        rules={
            name: Took(
                seconds=max(row["s"] for row in rows), mem_mb=max(r["max_rss"] for r in rows)
            )
            for name, rows in sorted(rules.items())
        },
    )
    return needs, len(trained) + sum(map(len, rules.values()))


def told(file: Path) -> dict[str, float] | None:
    """Seconds `s` and memory `max_rss` in MB by the last line of a benchmark file; None if it lacks
    one, as Snakemake writes NA of jobs too short to be looked at."""
    try:
        row = json.loads(file.read_text(encoding="utf-8").splitlines()[-1])
        return {key: float(row[key]) for key in ("s", "max_rss")}
    except (OSError, IndexError, KeyError, ValueError, TypeError):
        return None


def work(run: Run, epochs: int) -> float:
    """Steps · data points · parameters, in 1e9."""
    return epochs * run.optimizer.batches * run.data.points * build(run).size / 1e9


def largest(network: str, trained: list[tuple[Run, int, dict[str, float]]]) -> Took:
    """What training the largest networks of a kind took: all but the slowest 5 % of the jobs, as a
    machine that does other things too may take any time."""
    rows = [one for one in trained if one[0].network == network]
    size = max(build(run).size for run, _, _ in rows)
    rows = [one for one in rows if build(one[0]).size == size]
    rates = [row["s"] / work(run, epochs) for run, epochs, row in rows]
    grown = max(BYTES_PER_PARAMETER[run.precision] for run, _, _ in rows) * size / 1e6
    memory = max(row["max_rss"] for _, _, row in rows) - grown
    return Took(seconds=float(np.quantile(rates, 0.95)), mem_mb=memory)


def main(arguments: list[str]) -> None:
    """Measure and write the file.

    Raises:
        UserError: there is nothing to measure, or the config has mistakes.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay resources", description=__doc__)
    add = parser.add_argument
    add("--config", nargs="+", type=Path, default=[Path("config/config.yaml")])
    add("--benchmarks", type=Path, default=Path("results/benchmarks"))
    add("--out", type=Path, default=Path(NAME))
    options = parser.parse_args(arguments)
    needs, jobs = measure(options.benchmarks, load_plan(options.config).runs)
    written = StringIO()
    written.write(HEAD.format(jobs=jobs))
    YAML().dump(needs.model_dump(), written)
    write_file(options.out, written.getvalue())
    print(written.getvalue(), end="")
