"""How time and memory grow: of training with neurons K, data N and layers L; of planning with runs.

Everything is measured in a process of its own, so that its memory is its own. Planning trains
nothing: the jobs of `snakemake -n sweep` are counted and timed in an empty folder. Each job of a
cluster starts Snakemake anew, so the time that one job takes to start is measured too.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from itertools import cycle
from pathlib import Path
from statistics import median
from subprocess import PIPE, STDOUT
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from ruamel.yaml import YAML

from sparsedecay.errors import UserError
from sparsedecay.figures import style
from sparsedecay.files.project import PROJECT
from sparsedecay.files.timing import RSS_UNIT
from sparsedecay.study.plan import load_plan

ROOT = PROJECT.resolve()
WAIT = """\
import os, sys
_, status, usage = os.wait4(os.spawnv(os.P_NOWAIT, sys.argv[2], sys.argv[2:]), 0)
open(sys.argv[1], "w").write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Runs a command in a small process of its own, as a command's memory is at least its parent's."""
SIZES = {
    "neurons in a layer, K": ("--K", {324 * 2**i: 324 * 2**i for i in range(7)}),
    "data points, N": ("--levels", {levels**4: levels for levels in range(2, 7)}),
    "ReLU layers, L": ("--L", {L: L for L in (1, 2, 3, 4, 6, 8)}),
}
"""By their meaning: the option that sets the size, and its value for each size."""
TOO_LARGE = {("dense", 20_736)}
"""Takes some 15 GB."""
RUNS = (100, 1_000, 10_000)
"""Sizes of the studies that are planned: the largest is config/sweep.yaml."""
Curve = tuple[str, Sequence[int], Sequence[float]]
"""Label, sizes, values."""


def timed(arguments: Sequence[str], folder: Path) -> tuple[float, float, str]:
    """Seconds and MB that `python -m …` takes in a folder, and what it prints.

    Raises:
        UserError: it fails.
    """
    memory = folder / "memory"
    command = [sys.executable, "-c", WAIT, str(memory), sys.executable, "-m", *arguments]
    where: dict[str, Any] = {"cwd": folder, "env": os.environ | {"PYTHONPATH": str(ROOT / "src")}}
    start = time.perf_counter()
    done = subprocess.run(command, stdout=PIPE, stderr=STDOUT, encoding="utf-8", **where)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise UserError(f"{' '.join(arguments)}: failed:\n{done.stdout[-2000:]}")
    return seconds, int(memory.read_text()) * RSS_UNIT / 1e6, done.stdout


def render(panels: Sequence[tuple[str, str, list[Curve]]], columns: int, picture: Path) -> None:
    """Panels (x axis, y axis, curves), both axes logarithmic, row by row. Where there are
    several rows, panels share the axes of their row and column."""
    looks = [style.marked("representer", kind) for kind in style.REGULARIZERS]
    rows = len(panels) // columns
    with style.printed():
        figure = Figure((style.FULL, 2.3 * rows), layout="constrained")
        shared: dict[str, Any] = {"sharex": "col", "sharey": "row"} if rows > 1 else {}
        grid = figure.subplots(rows, columns, squeeze=False, **shared)
        for ax, (x, y, curves) in zip(grid.flat, panels, strict=True):
            for (label, sizes, values), look in zip(curves, cycle(looks), strict=False):
                ax.loglog(sizes, values, label=label, **look)
            if curves[0][0]:
                ax.legend(frameon=False)
            ax.grid(alpha=0.3)
            ax.set(xlabel=x, ylabel=y)
            if shared:
                ax.label_outer()
            sizes = max((sizes for _, sizes, _ in curves), key=len)
            ax.set_xticks(sizes[:: 1 + len(sizes) // 7])
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
                axis.set_minor_locator(NullLocator())
        figure.savefig(picture, dpi=style.PNG_DPI, metadata={"Software": None})
    print(f"written: {picture}")


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Slope in the double logarithmic picture, over the larger half of the sizes."""
    half = len(sizes) // 2
    return float(np.polyfit(np.log(sizes[half:]), np.log(values[half:]), 1)[0])


def trained(network: str, option: str, value: int) -> dict[str, float]:
    """What `sparsedecay bench --json` tells of one size."""
    bench = "sparsedecay bench --json --phase early --regularizer weight_decay --rounds 5"
    asked = ["--engines", "compiled", "--network", network, option, str(value)]
    with tempfile.TemporaryDirectory() as folder:
        text = timed([*bench.split(), *asked], Path(folder))[2]
    told: dict[str, float] = json.loads(text.splitlines()[-1])
    ms, mb = told["ms_per_epoch"], told["memory_mb"]
    print(f"{network} {option} {value}: {ms:.3f} ms, {mb:.0f} MB", flush=True)
    return told


def training(networks: Iterable[str], picture: Path) -> None:
    """Measure training at all sizes, told as they come, and render time above memory.

    Raises:
        UserError: it fails.
    """
    above, below = [], []
    for meaning, (option, values) in SIZES.items():
        times: list[Curve] = []
        memories: list[Curve] = []
        for network in networks:
            sizes = [size for size in values if (network, size) not in TOO_LARGE]
            told = pd.DataFrame(trained(network, option, values[size]) for size in sizes)
            power = f"{meaning[-1]}$^{{{exponent(sizes, told['ms_per_epoch']):.1f}}}$"
            times.append((f"{network}: {power}", sizes, told["ms_per_epoch"]))
            memories.append((network, sizes, told["memory_mb"]))
        above.append((meaning, "time per epoch, ms", times))
        below.append((meaning, "memory of the process, MB", memories))
    render([*above, *below], len(SIZES), picture)


def study(runs: int, folder: Path) -> list[Path]:
    """The files that ask for config/sweep.yaml, with as few settings as make so many runs."""
    sweep = YAML(typ="safe").load(ROOT / "config" / "sweep.yaml")["sweep"]
    if runs < 10_000:
        sweep["settings"] = {}
    if runs < 1_000:
        sweep |= {key: sweep[key][:1] for key in ("networks", "lam")}
    config = folder / "sweep.yaml"
    config.write_text(json.dumps({"sweep": sweep}), encoding="utf-8")
    return [ROOT / "config" / "config.yaml", config]


def planned(runs: int, repeat: int, folder: Path) -> dict[str, float]:
    """Plan one study in an empty folder, and tell medians of all repetitions: the number of `jobs`,
    seconds of `snakemake -n`, which prints every job (`plan`), of `snakemake -n --quiet` (`quiet`)
    and until Snakemake knows what one job is to do (`start`), and the most `memory`, MB.

    Raises:
        UserError: Snakemake fails.
    """
    files = study(runs, folder)
    data = next(reversed(load_plan(files).data_sets))
    asked = {
        "plan": ["sweep"],
        "quiet": ["sweep", "--quiet", "rules", "progress"],
        "start": ["--allowed-rules", "data", "--target-jobs", f"data:data={data}"],
    }
    where = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    told: dict[str, float] = {}
    for name, arguments in asked.items():
        command = ["snakemake", "-n", *arguments, "--configfile", *map(str, files), *where]
        times = max(3, repeat) if name == "start" else repeat
        seconds, memory, texts = zip(*(timed(command, folder) for _ in range(times)), strict=True)
        told[name] = median(seconds)
        if name == "plan":
            (jobs,) = set(re.findall(r"^total +(\d+)$", texts[0], re.MULTILINE))
            told |= {"jobs": int(jobs), "memory": median(memory)}
    return told


def planning(repeat: int, picture: Path) -> None:
    """Measure how long all studies are planned, tell it, and render it.

    Raises:
        UserError: the project's Snakefile is not here, or Snakemake fails.
    """
    if not (ROOT / "Snakefile").exists():
        raise UserError(f"{ROOT}: holds no Snakefile; run this in a clone of the project")
    print(f"{'runs':>7}{'jobs':>8}{'plan':>9}{'quiet':>9}{'memory':>10}{'one job':>10}", flush=True)
    told = {}
    for runs in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            told[runs] = one = planned(runs, repeat, Path(folder))
        print(
            f"{runs:>7,}{one['jobs']:>8,}{one['plan']:>7.1f} s{one['quiet']:>7.1f} s"
            f"{one['memory']:>7,.0f} MB{one['start']:>8.2f} s",
            flush=True,
        )

    def curves(**labels: str) -> list[Curve]:
        return [(s, RUNS, [one[name] for one in told.values()]) for name, s in labels.items()]

    times = curves(plan="plan and list all jobs", quiet="plan them", start="start one job")
    panels = [("time, seconds", times), ("memory, MB", curves(memory=""))]
    render([("runs in the study", *panel) for panel in panels], 2, picture)
