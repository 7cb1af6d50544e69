"""Command `sparsedecay bench`: how fast the engines are, side by side on one core.

sparsedecay bench                                                all networks and regularizers
sparsedecay bench --network representer --regularizer eq2 --json
sparsedecay bench --growth docs/growth.png                       time and memory against size
sparsedecay bench --planning docs/planning.png                   and of planning, by runs
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from sparsedecay.errors import UserError
from sparsedecay.extras.bench import growth, planning
from sparsedecay.extras.bench.contestants import AS_WRITTEN, CONTESTANTS, absent
from sparsedecay.extras.bench.race import Race, alone, memory_mb, race
from sparsedecay.science.data.grid import Grid
from sparsedecay.science.initializations.uniform import Uniform
from sparsedecay.science.networks import NetworkName, Shape
from sparsedecay.science.optimizers.adam import Adam
from sparsedecay.science.regularizers import RegularizerName
from sparsedecay.science.run import Run
from sparsedecay.X import LITERAL

NETWORKS: tuple[NetworkName, ...] = get_args(NetworkName)
REGULARIZERS: tuple[RegularizerName, ...] = get_args(RegularizerName)
PHASES = {
    "early": tuple(name for name in CONTESTANTS if name != AS_WRITTEN),
    "late": ("compiled", "fused", "naive", "jax"),
    "denormals": ("compiled", "naive", AS_WRITTEN),
}


def experiment(
    options: argparse.Namespace, network: NetworkName, regularizer: RegularizerName
) -> Run:
    """The paper's experiment, at another size if asked for."""
    low_high = (-1.0, 1.0)
    levels = tuple(i / (options.levels - 1) for i in range(options.levels))
    return Run(
        data=Grid(levels=levels, dimension=4, target_range=low_high, seed=0),
        network=network,
        shape=Shape(L=options.L, K=options.K, d=options.d, skips="leap"),
        regularizer=regularizer,
        lam=1e-3,
        objective=LITERAL,
        initialization=Uniform(range=low_high, scale="none", seed=0),
        optimizer=Adam(learning_rate=1e-3, betas=(0.9, 0.999), eps=1e-8, batches=1),
        precision=options.precision,
        stride=50_000,
        record_every=250,
    )


def races(options: argparse.Namespace) -> Iterator[Race]:
    """One race for each case asked for."""
    asked = options.engines
    epochs = {"early": 0, "late": options.late, "denormals": options.denormals}
    phases = PHASES if options.phase == "all" else [options.phase]
    for network in NETWORKS if options.network == "all" else [options.network]:
        for regularizer in REGULARIZERS if options.regularizer == "all" else [options.regularizer]:
            if options.regularizer == "all" and (network, regularizer) == ("dense", "eq2"):
                continue  # not in the paper
            run = experiment(options, network, regularizer)
            for phase in phases:
                if options.phase == "all" and phase == "denormals" and regularizer == "none":
                    continue  # nothing decays but moments
                names = [name for name in asked or PHASES[phase] if absent(name) is None]
                yield race(run, phase, epochs[phase], names, options.rounds, options.seconds)


def table(race: Race) -> Iterator[str]:
    """A race as lines of text."""
    run, peak = race.run, race.peak / 1e9
    yield (
        f"{run.network}, {run.regularizer}, {race.phase} (from epoch {race.epoch:,}): "
        f"{race.flops / 1e6:,.1f} MFLOP, {peak:.0f} GFLOP/s: floor {race.floor_ms:.3f} ms"
    )
    naive = "naive" in race.results
    yield f"  {'':<22}{'ms/epoch':>10}{'±':>6}{'epochs/s':>10}{'GFLOP/s':>9}{'floor':>7}" + (
        f"{'naive/it':>10}" if naive else ""
    )
    for name, result in race.results.items():
        yield (
            f"  {name:<22}{result.median:>10.3f}{result.spread:>6.0%}{1e3 / result.median:>10,.0f}"
            f"{race.flops / result.median / 1e6:>9.1f}{race.share(name):>7.0%}"
            + (f"{race.ratio(name, 'naive'):>9.1f}x" if naive else "")
        )


def summary(race: Race) -> dict[str, Any]:
    """A race as JSON; `engine` is the fastest that this program trains with."""
    engines = [name for name in ("compiled", "fused", "autograd") if name in race.results]
    best = min(engines or race.results, key=lambda name: race.results[name].median)
    others = {
        name: {
            "ms_per_epoch": result.median,
            "spread": result.spread,
            "times_as_long": race.ratio(best, name),
        }
        for name, result in race.results.items()
    }
    ms = race.results[best].median
    return {
        "network": race.run.network,
        "regularizer": race.run.regularizer,
        "phase": race.phase,
        "epoch": race.epoch,
        "precision": race.run.precision,
        "engine": best,
        "ms_per_epoch": ms,
        "epochs_per_second": 1e3 / ms,
        "gflops": race.flops / ms / 1e6,
        "floor_ms": race.floor_ms,
        "floor_share": race.share(best),
        "peak_gflops": race.peak / 1e9,
        "memory_mb": memory_mb(),
        "contestants": others,
    }


def main(arguments: list[str]) -> None:
    """Measure as the arguments say.

    Raises:
        UserError: an engine asked for is not here.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay bench", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--network", choices=[*NETWORKS, "all"], default="all")
    add("--regularizer", choices=[*REGULARIZERS, "all"], default="all")
    add("--phase", choices=[*PHASES, "all"], default="all")
    add("--late", type=int, default=20_000, help="where the late phase begins (default: 20000)")
    add(
        "--denormals", type=int, default=4_000, help="where denormals have gathered (default: 4000)"
    )
    add("--engines", nargs="+", choices=CONTESTANTS, help="default: all that are here")
    add("--rounds", type=int, default=7, help="default: 7")
    add("--seconds", type=float, default=0.3, help="a turn of each engine (default: 0.3)")
    add("--precision", choices=["float32", "float64"], default="float32")
    add("--K", type=int, default=1296, help="ReLU neurons in a layer (default: 1296)")
    add("--L", type=int, default=2, help="ReLU layers (default: 2)")
    add("--d", type=int, default=16, help="width between blocks (default: 16)")
    add("--levels", type=int, default=3, help="levels in each of 4 dimensions (default: 3)")
    add("--json", action="store_true", help="one JSON object on the last line")
    add("--growth", type=Path, metavar="PICTURE", help="draw time and memory against K, N and L")
    add("--planning", type=Path, metavar="PICTURE", help="draw how long Snakemake plans, by runs")
    add("--repeat", type=int, default=1, help="times that each study is planned (default: 1)")
    options = parser.parse_args(arguments)
    if options.planning:
        planning.main(options.planning, options.repeat)
        return
    if options.growth:
        growth.main(options.growth)
        return
    for name in options.engines or CONTESTANTS:
        if reason := absent(name):
            if options.engines:
                raise UserError(f"--engines {name}: {reason}")
            print(f"without {name}: {reason}", flush=True)
    alone()
    told = []
    for result in races(options):
        print(*table(result), sep="\n", end="\n\n", flush=True)
        told.append(summary(result))
    if options.json:
        print(json.dumps(told[0] if len(told) == 1 else {**told[0], "cases": told}))
