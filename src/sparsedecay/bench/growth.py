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


def main(picture: Path) -> None:
    """Measure all sizes and draw."""
    figure, axes = plt.subplots(
        2, 3, figsize=(9, 5), sharex="col", sharey="row", layout="constrained"
    )
    for network, directions in SIZES.items():
        for column, (direction, sizes) in enumerate(directions.items()):
            measured = []
            for size, arguments in sizes.items():
                measured.append(measure(network, arguments))
                ms, mb = measured[-1]
                print(f"{network} {direction} = {size:,}: {ms:.3f} ms, {mb:.0f} MB", flush=True)
            for row, values in enumerate(zip(*measured, strict=True)):
                power = exponent(list(sizes), list(values))
                label = f"{network}: {direction}$^{{{power:.1f}}}$"
                axes[row, column].loglog(
                    list(sizes), values, "o-", label=label, color=COLOURS[network], markersize=3
                )
    for column, direction in enumerate(MEANING):
        axes[1, column].set_xlabel(MEANING[direction])
        for row in range(2):
            axes[row, column].legend(frameon=False, fontsize=8)
            axes[row, column].grid(alpha=0.3)
    axes[0, 0].set_ylabel("time per epoch, ms")
    axes[1, 0].set_ylabel("memory of the process, MB")
    figure.savefig(picture, dpi=130)
    print(f"written: {picture}")
