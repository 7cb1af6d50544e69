"""What an epoch could take at least, and what two at a time cost.

floors(run, peak)                   milliseconds of arithmetic, and of moving values and moments
beside(work, core)                  milliseconds of a turn while another core does the same
"""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from timeit import repeat, timeit

import torch

from sparsedecay.engines.state import dtype
from sparsedecay.extras.bench.work import flops
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
MOMENTS = 3
"""Numbers that Adam reads and writes of each parameter: its value and both moments."""


def floors(run: Run, peak: float) -> dict[str, float | str]:
    """`arithmetic_ms`: all products at so many FLOP/s; `traffic_ms`: values and moments read and
    written once, from where so much lies, `held_in`, which is measured by adding to as many
    numbers."""
    numbers = MOMENTS * build(run).size
    found = torch.zeros(numbers, dtype=dtype(run))
    size = numbers * found.element_size()
    number = max(1, 10**8 // size)
    took = min(repeat(lambda: found.add_(1), number=number, repeat=5)) / number
    return {
        "arithmetic_ms": flops(run) / peak * 1e3,
        "traffic_ms": took * 1e3,
        "held_in": held_in(size),
    }


def held_in(size: int, caches: Path = CACHES) -> str:
    """The smallest cache of a core that holds so many bytes, or the memory."""
    for folder in sorted(caches.glob("index*"), key=lambda f: (f / "level").read_text()):
        text, kind = ((folder / name).read_text().strip() for name in ("size", "type"))
        units = {"K": 2**10, "M": 2**20}
        if kind != "Instruction" and size <= int(text[:-1]) * units.get(text[-1], 1):
            return f"cache {(folder / 'level').read_text().strip()}"
    return "memory"


def beside(work: Callable[[], None], core: int, rounds: int) -> list[float]:
    """Seconds of each of so many turns, while a copy of this process does the same on another core
    all the time."""
    child = multiprocessing.get_context("fork").Process(target=busy, args=(work, core), daemon=True)
    child.start()
    try:
        work()
        return [timeit(work, number=1) for _ in range(rounds)]
    finally:
        child.kill()
        child.join()


def busy(work: Callable[[], None], core: int) -> None:
    """Work without end."""
    os.sched_setaffinity(0, {core})
    while True:
        work()
