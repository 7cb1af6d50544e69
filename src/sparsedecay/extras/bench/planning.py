"""How long Snakemake plans a study of many runs, and how much memory that takes.

Nothing is trained: the jobs of `snakemake -n sweep` are counted and timed in an empty folder. Each
job of a cluster starts Snakemake anew, so the time that one job takes to start is measured too.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from sparsedecay.errors import UserError
from sparsedecay.figures import style
from sparsedecay.study.plan import load_plan

ROOT = Path(__file__).resolve().parents[4]
HEAD = """\
sweep:
  seeds: {seeds}
  vary: [targets, weights]
  milestones: [50000]
"""
ONE = "[{network: representer, regularizer: eq2}]"
TWO = ONE[:-1] + ", {network: representer, regularizer: weight_decay}]"
WAIT = """\
import os, sys
_, status, usage = os.wait4(os.spawnv(os.P_NOWAIT, sys.argv[2], sys.argv[2:]), 0)
open(sys.argv[1], "w").write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Runs a command in a small process of its own, as a command's memory is at least its parent's."""
SWEEPS = {
    100: f"  networks: {ONE}\n  lam: [1.0e-3]\n  settings: {{}}\n",
    1_000: f"  networks: {TWO}\n  lam: [1, 1.0e-1, 1.0e-2, 1.0e-3, 1.0e-4]\n  settings: {{}}\n",
    10_000: f"  networks: {TWO}\n  lam: [1, 1.0e-1, 1.0e-2, 1.0e-3, 1.0e-4]\n"
    "  settings: {network.d: [2, 4, 8, 16, 32], optimizer.learning_rate: [1.0e-3, 3.0e-3]}\n",
}
"""By number of runs, of 100 seeds each: one milestone a run, as in config/sweep.yaml."""


@dataclass(frozen=True)
class Planned:
    """One study, planned: medians of all repetitions."""

    runs: int
    jobs: int
    seconds: float
    """Of `snakemake -n`, which prints every job."""
    quiet: float
    """Seconds of `snakemake -n --quiet`, which only plans."""
    mb: float
    """Most memory of these."""
    start: float
    """Seconds until Snakemake knows what one job is to do."""


def timed(arguments: Sequence[str], folder: Path) -> tuple[float, float, str]:
    """Seconds and MB that Snakemake takes in a folder, and what it prints.

    Raises:
        UserError: it fails.
    """
    memory = folder / "memory"
    command = [sys.executable, "-c", WAIT, str(memory), sys.executable, "-m", "snakemake"]
    command += arguments
    command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with open(folder / "printed", "w+", encoding="utf-8") as printed:
        start = time.perf_counter()
        done = subprocess.run(
            command, stdout=printed, stderr=subprocess.STDOUT, env=environment, cwd=folder
        )
        seconds = time.perf_counter() - start
        printed.seek(0)
        text = printed.read()
    if done.returncode:
        raise UserError(f"snakemake {' '.join(arguments)}: failed:\n{text[-2000:]}")
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return seconds, int(memory.read_text()) / unit, text


def measure(runs: int, sweep: str, repeat: int, folder: Path) -> Planned:
    """Plan one study, in an empty folder."""
    config = folder / "sweep.yaml"
    config.write_text(HEAD.format(seeds=100) + sweep, encoding="utf-8")
    files = [ROOT / "config" / "config.yaml", config]
    plan = load_plan(files)
    found = len({run.id for run, _ in plan.milestones["sweep"]})
    if found != runs:
        raise ValueError(f"{found} runs instead of {runs}")
    one = f"data:data={next(reversed(plan.data_sets))}"
    given = ["--configfile", *map(str, files)]
    full = [timed(["-n", "sweep", *given], folder) for _ in range(repeat)]
    quiet = [
        timed(["-n", "sweep", "--quiet", "rules", "progress", *given], folder)
        for _ in range(repeat)
    ]
    started = ["-n", "--allowed-rules", "data", "--target-jobs", one, *given]
    starts = [timed(started, folder) for _ in range(max(3, repeat))]
    (jobs,) = set(re.findall(r"^total +(\d+)$", full[0][2], re.MULTILINE))
    return Planned(
        runs,
        int(jobs),
        median(seconds for seconds, _, _ in full),
        median(seconds for seconds, _, _ in quiet),
        median(mb for _, mb, _ in full),
        median(seconds for seconds, _, _ in starts),
    )


def draw(planned: Sequence[Planned], picture: Path) -> None:
    """Time on the left, memory on the right, against the number of runs."""
    runs = [one.runs for one in planned]
    curves = {
        "plan and list all jobs": ([one.seconds for one in planned], "#0072B2", "o", "-"),
        "plan them": ([one.quiet for one in planned], "#D55E00", "s", (0, (4, 1.2))),
        "start one job": ([one.start for one in planned], "#000000", "^", (0, (1, 1))),
    }
    with style.printed():
        figure = Figure(figsize=(style.FULL, 2.3))
        left = style.place(figure, 0.5, 0.42, 2.75, 1.72)
        right = style.place(figure, 3.85, 0.42, 2.75, 1.72)
        for label, (values, colour, marker, line) in curves.items():
            mark = {"marker": marker, "markersize": 4, "color": colour, "linestyle": line}
            left.loglog(runs, values, label=label, **mark)
        right.loglog(runs, [one.mb for one in planned], marker="o", markersize=4, color="#0072B2")
        left.legend(frameon=False, loc="upper left")
        left.set_ylabel("time, seconds")
        right.set_ylabel("memory, MB")
        # whole decades
        left.set_ylim(1, 100)
        right.set_ylim(100, 10_000)
        for ax in (left, right):
            ax.set_xlabel("runs in the study")
            ax.set_xticks(runs)
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            ax.xaxis.set_minor_locator(NullLocator())
        figure.savefig(picture, dpi=style.PNG_DPI, metadata={"Software": None})


def main(picture: Path, repeat: int = 1) -> None:
    """Measure all studies, tell them and draw.

    Raises:
        UserError: the project's Snakefile is not here, or Snakemake fails.
    """
    if not (ROOT / "Snakefile").exists():
        raise UserError(f"{ROOT}: holds no Snakefile; run this in a clone of the project")
    print(f"{'runs':>7}{'jobs':>8}{'plan':>9}{'quiet':>9}{'memory':>10}{'one job':>10}", flush=True)
    planned = []
    for runs, sweep in SWEEPS.items():
        with tempfile.TemporaryDirectory() as folder:
            one = measure(runs, sweep, repeat, Path(folder))
        planned.append(one)
        print(
            f"{one.runs:>7,}{one.jobs:>8,}{one.seconds:>7.1f} s{one.quiet:>7.1f} s"
            f"{one.mb:>7,.0f} MB{one.start:>8.2f} s",
            flush=True,
        )
    draw(planned, picture)
    print(f"written: {picture}")
