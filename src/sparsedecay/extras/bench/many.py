"""`sparsedecay bench --batched`: runs times epochs a second, of batches against all cores.

sparsedecay bench --batched                          on the accelerator, or the processor
sparsedecay bench --batched --device cpu --sizes 1 32
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pandas as pd
import torch

from sparsedecay.engines import ENGINES, Device, prepare
from sparsedecay.engines.batched import devices
from sparsedecay.engines.batched.trainer import SHARE, Batch, bytes_of
from sparsedecay.engines.state import dtype, initial
from sparsedecay.files.machine import cores, processor
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run

SIZES = (1, 4, 16, 64, 256, 1024, 4096)
CASES: dict[str, dict[str, Any]] = {
    "shallow": {"network": "representer", "L": 1},
    "representer": {"network": "representer"},
    "dense": {"network": "dense", "regularizer": "weight_decay"},
}
"""Networks of the paper's size, by how they differ from `representer` with L = 2 and eq. 2."""


def rate(run: str, size: int, device: Device | None, seconds: float) -> float:
    """Runs times epochs a second of one process: of the compiled engine without a device, else of a
    batch of one run many times over, as what the numbers are makes no difference."""
    prepare()
    advance, epochs = begun(Run.model_validate_json(run), size, device), 1
    advance(2)
    while True:
        began = time.monotonic()
        advance(epochs)
        took = time.monotonic() - began
        if took >= seconds / 2:
            return size * epochs / took
        epochs = max(2 * epochs, int(epochs * seconds / max(took, 1e-6)))


def begun(run: Run, size: int, device: Device | None) -> Callable[[int], None]:
    """What trains for some epochs."""
    samples, state = run.data.samples(), initial(run)
    X, y = (torch.tensor(array, dtype=dtype(run)) for array in (samples.X, samples.y))
    if device is None:
        return ENGINES["compiled"].start(run, X, y, state).advance
    batch = Batch([run] * size, [X] * size, [y] * size, [state] * size, devices.chosen(device))
    return batch.advance


def measured(
    runs: dict[str, Run], sizes: Sequence[int], device: Device, rounds: int, seconds: float
) -> Iterator[tuple[str, pd.DataFrame]]:
    """For each case what each size, and the compiled engine on all cores, trains: a row for each
    round, in turns."""
    kind, busy = devices.chosen(device), cores()
    with ProcessPoolExecutor(busy, get_context("spawn")) as pool:

        def on_all_cores(run: str, size: int, device: Device | None) -> float:
            jobs = [pool.submit(rate, run, size, device, seconds) for _ in range(busy)]
            return sum(job.result() for job in jobs)

        for case, run in runs.items():
            # on a processor each core has a batch
            fit = SHARE * devices.free(kind) / bytes_of(run) / (busy if kind.type == "cpu" else 1)
            asked, rows = run.canonical(), []
            for number in range(rounds):
                row = {"compiled": on_all_cores(asked, 1, None)}
                for size in (size for size in sizes if size <= fit):
                    say(f"{case}: round {number + 1} of {rounds}, {size:,} at once")
                    if kind.type == "cpu":
                        row[f"{size}"] = on_all_cores(asked, size, "cpu")
                    else:
                        row[f"{size}"] = rate(asked, size, device, seconds)
                        devices.emptied(kind)
                rows.append(row)
            yield case, pd.DataFrame(rows)


def say(line: str) -> None:
    """How far it is, apart from what is measured."""
    print(f"  … {line}", file=sys.stderr, flush=True)


def report(
    runs: dict[str, Run], sizes: Sequence[int], device: Device, rounds: int, seconds: float
) -> dict[str, Any]:
    """Measure, print a table for each case, and return all as JSON has it."""
    kind = devices.described(devices.chosen(device))
    print(f"{processor()}, {cores()} cores; batches on {kind}\n")
    cases = []
    for case, table in measured(runs, sizes, device, rounds, seconds):
        run, middle = runs[case], table.median()
        print(f"{case}, {run.regularizer} ({build(run).about})")
        print(f"  {'at once':>20}{'runs x epochs/s':>18}{'± of median':>14}{'against':>10}")
        for name, value in middle.items():
            spread = statistics.median(abs(table[name] - value)) / value
            title = f"compiled, {cores()} cores" if name == "compiled" else f"{int(str(name)):,}"
            against = value / middle["compiled"]
            print(f"  {title:>20}{value:>18,.0f}{spread:>14.0%}{against:>9.2f}x")
        print(flush=True)
        cases.append({"case": case, "run": run.id, "rates": middle.to_dict()})
    return {"processor": processor(), "cores": cores(), "device": kind, "cases": cases}
