"""How time and memory grow with the number of neurons K, of data N and of layers L.

Each size is measured in a process of its own, so that its memory is its own.
"""

import json
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("agg")
from matplotlib import pyplot as plt

SIZES: dict[str, dict[str, dict[int, list[str]]]] = {
    "representer": {
        "K": {1296 * 2**i // 4: ["--K", str(1296 * 2**i // 4)] for i in range(7)},
        "N": {levels**4: ["--levels", str(levels)] for levels in (2, 3, 4, 5, 6)},
        "L": {L: ["--L", str(L)] for L in (1, 2, 3, 4, 6, 8)},
    },
    "dense": {
        "K": {1296 * 2**i // 4: ["--K", str(1296 * 2**i // 4)] for i in range(6)},
        "N": {levels**4: ["--levels", str(levels)] for levels in (2, 3, 4, 5, 6)},
        "L": {L: ["--L", str(L)] for L in (1, 2, 3, 4, 6, 8)},
    },
}
MEANING = {"K": "neurons in a layer, K", "N": "data points, N", "L": "ReLU layers, L"}
Measured = dict[tuple[str, str], list[tuple[int, float, float]]]
"""By network and direction: size, milliseconds per epoch, MB."""
COLOURS = {"representer": "#0072b2", "dense": "#d55e00"}


def measure(network: str, arguments: list[str]) -> tuple[float, float]:
    """Milliseconds per epoch and MB at one size."""
    command = [sys.executable, "-m", "sparsedecay", "bench", "--json", "--phase", "early"]
    command += ["--network", network, "--regularizer", "weight_decay", "--engines", "compiled"]
    command += ["--rounds", "5", *arguments]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    last = json.loads(told.splitlines()[-1])
    return last["ms_per_epoch"], last["memory_mb"]


def exponent(sizes: list[int], values: list[float]) -> float:
    """Slope in the double logarithmic picture, over the larger half of the sizes."""
    half = len(sizes) // 2
    return float(np.polyfit(np.log(sizes[half:]), np.log(values[half:]), 1)[0])


def measure_all() -> Measured:
    """All sizes, told as they come."""
    measured: Measured = {}
    for network, directions in SIZES.items():
        for direction, sizes in directions.items():
            for size, arguments in sizes.items():
                ms, mb = measure(network, arguments)
                print(f"{network} {direction} = {size:,}: {ms:.3f} ms, {mb:.0f} MB", flush=True)
                measured.setdefault((network, direction), []).append((size, ms, mb))
    return measured


def draw(measured: Measured, picture: Path) -> None:
    """Time above, memory below, a column for each direction."""
    figure, axes = plt.subplots(
        2, 3, figsize=(9, 5.4), sharex="col", sharey="row", layout="constrained"
    )
    for (network, direction), values in measured.items():
        column = list(MEANING).index(direction)
        sizes, ms, mb = (list(part) for part in zip(*values, strict=True))
        power = exponent(sizes, ms)
        style = {"color": COLOURS[network], "markersize": 3}
        label = f"{network}: {direction}$^{{{power:.1f}}}$"
        axes[0, column].loglog(sizes, ms, "o-", label=label, **style)
        axes[1, column].loglog(sizes, mb, "o-", label=network, **style)
        if network == "representer":  # which goes furthest
            every = sizes[::2] if direction == "K" else sizes
            axes[1, column].set_xticks(every, [f"{size:,}" for size in every], fontsize=8)
    for column, meaning in enumerate(MEANING.values()):
        axes[1, column].set_xlabel(meaning)
        for row in range(2):
            axes[row, column].legend(frameon=False, fontsize=8)
            axes[row, column].grid(alpha=0.3)
            axes[row, column].minorticks_off()
    axes[1, 0].set_yticks([300, 1000, 3000], ["300", "1,000", "3,000"])
    axes[0, 0].set_ylabel("time per epoch, ms")
    axes[1, 0].set_ylabel("memory of the process, MB")
    figure.savefig(picture, dpi=130, metadata={"Software": None})


def main(picture: Path) -> None:
    """Measure all sizes and draw."""
    draw(measure_all(), picture)
    print(f"written: {picture}")
