"""Command `sparsedecay check`: is a config in order, and what does it ask for?

sparsedecay check config/config.yaml
sparsedecay check config/config.yaml --runs            run ids, one a line
sparsedecay check config/config.yaml --run RUN_ID      that run as JSON, for `sparsedecay train`
"""

import argparse
import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from sparsedecay.engines import chosen
from sparsedecay.errors import UserError
from sparsedecay.files.machine import cores, memory_mb
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run, chain, predecessor
from sparsedecay.study.plan import Plan, load_plan
from sparsedecay.study.resources import MEMORY_SLACK, Needs, measured_in
from sparsedecay.study.resources import load as load_needs
from sparsedecay.study.study import Study, Training
from sparsedecay.words import count


def summary(plan: Plan) -> Iterator[tuple[str, str]]:
    """What a config asks for, as names and texts."""
    study = plan.study
    yield "data", study.data.about
    yield from (("", remark) for remark in study.data.remarks)
    networks = {run.network: build(run) for run in study.runs.values()}
    for name, network in networks.items():
        size = f"{network.size:,} parameters in {study.training.precision}"
        yield name, f"{network.about}: {size}"
    for text in engines(study.training, plan.runs.values()):
        yield "engine", text
    yield from batches(plan)
    for figure in study.figures.names:
        yield figure, asked(study, study.milestones(figure))
    yield "in all", asked(study, study.shown)
    yield from taken(plan, load_needs(measured_in(Path())))
    if study.claims:
        yield "replicate", asked(study, plan.milestones["replicate"])
        yield "readings", asked(study, plan.milestones["readings"])
        if study.claims.search:
            told = (
                f"{count(len(plan.searched), 'reading')}: {asked(study, plan.milestones['screen'])}"
            )
            yield "search", f"{told}; then all networks of the closest {study.claims.search.keep}"
    if plan.grid:
        settings = count(len(plan.grid.settings), "setting")
        swept = asked(study, plan.milestones["sweep"])
        yield "sweep", f"{settings} of {plan.grid.asked.seeds:,} draws: {swept}"


def batches(plan: Plan) -> Iterator[tuple[str, str]]:
    """In which batches the engine `batched` would train what some target asks for: how many there
    are, of how many runs, and what they take of the device's memory."""
    training, found = plan.study.training, Counter[tuple[object, ...]]()
    example: dict[tuple[object, ...], Run] = {}
    for run in plan.runs.values():
        engine, _ = chosen(run, training.engine, training.device)
        if engine is not None and engine.name == "batched":
            from sparsedecay.engines.batched.trainer import shapes  # torch takes a second

            found[shapes(run)] += 1
            example.setdefault(shapes(run), run)
    if not found:
        return
    from sparsedecay.engines.batched import devices
    from sparsedecay.engines.batched.trainer import bytes_of, room

    if training.device != "auto" and not devices.available(training.device):
        text = f"{count(len(found), 'shape')} of networks and data; this machine has no "
        yield (
            "batches",
            f"{text}{training.device}, so how many fit into a batch is told by its jobs",
        )
        return
    device = devices.chosen(training.device)
    rooms = {shape: room(run, device) for shape, run in example.items()}
    number = sum(-(-runs // rooms[shape]) for shape, runs in found.items())
    largest = max(
        found, key=lambda shape: min(found[shape], rooms[shape]) * bytes_of(example[shape])
    )
    runs = min(found[largest], rooms[largest])
    yield (
        "batches",
        f"{number:,} of up to {count(max(min(found[s], rooms[s]) for s in found), 'run')} for each "
        f"stretch, of {count(len(found), 'shape')}, on {devices.described(device)}: "
        f"up to {runs * bytes_of(example[largest]) / 1e9:,.2g} of "
        f"{devices.free(device) / 1e9:,.1f} GB that are free",
    )


def taken(plan: Plan, needs: Needs) -> Iterator[tuple[str, str]]:
    """Memory and time that the networks of the figures take on this machine, going by jobs that
    were measured."""
    study, memory, busy = plan.study, memory_mb(), cores()
    stride, training = study.training.stride, study.training
    made = {(run.id, step) for run, epoch in study.shown for step in chain(epoch, stride)}
    if not made:
        return
    jobs = []
    for name, epoch in made:
        run = study.runs[name]
        engine, _ = chosen(run, training.engine, training.device)
        epochs = epoch - predecessor(epoch, stride)
        jobs.append(needs.training_of(run, epochs, engine.slowdown if engine else 1))
        jobs.append(needs.measuring_of(run))
    largest = max(job.mem_mb for job in jobs)
    fit = int(min(busy, memory // (MEMORY_SLACK * largest)))
    told = f"up to {largest / 1000:,.1f} GB a job; this machine has {memory / 1000:,.1f} GB"
    if largest > memory:
        yield "memory", f"{told}, which is too little"
    elif fit < busy:
        yield "memory", f"{told}, so {max(1, fit)} of such jobs run at a time on {busy} cores"
    else:
        yield "memory", told
    minutes = sum(job.seconds for job in jobs) / 60 / max(1, fit)
    time = f"{minutes:,.0f} min" if minutes < 100 else f"{minutes / 60:,.0f} h"
    yield "time", f"up to {time} on {count(max(1, fit), 'core')} as fast as those once measured"


def engines(training: Training, runs: Iterable[Run]) -> Iterator[str]:
    """Which engine will train how many runs, and why not the one that is asked for."""
    found = [*replaced(training, runs)]
    for name, number, why in found:
        yield (name if len(found) == 1 else f"{name} for {count(number, 'run')}") + why
    if not found:
        yield f"{training.engine}, for no run"


def replaced(training: Training, runs: Iterable[Run]) -> Iterator[tuple[str, int, str]]:
    """Engines by how many runs they will train, with how much slower each is than the one that is
    asked for, and why that cannot: "" of that one itself."""
    found: Counter[tuple[str, str]] = Counter()
    for run in runs:
        engine, reasons = chosen(run, training.engine, training.device)
        if engine is not None:
            times = f", about {engine.slowdown} times slower" if engine.slowdown > 1 else ""
            found[engine.name, f"{times} ({'; '.join(reasons)})" if reasons else ""] += 1
    for (name, why), number in found.items():
        yield name, number, why


def instead(training: Training, runs: Iterable[Run]) -> Iterator[str]:
    """A line for each engine that takes the place of the one that is asked for."""
    for name, number, why in replaced(training, runs):
        if why:
            yield f"Engine {name} trains {count(number, 'run')}{why}."


def asked(study: Study, shown: list[tuple[Run, int]]) -> str:
    """What some milestones take to make, if nothing is there yet."""
    if not shown:
        return "trains nothing"
    stride = study.training.stride
    # those on the way too, each stretch once
    made = {(run.id, step) for run, epoch in shown for step in chain(epoch, stride)}
    runs = count(len({run.id for run, _ in shown}), "run")
    longest = max(epoch for _, epoch in shown)
    epochs = sum(epoch - predecessor(epoch, stride) for _, epoch in made)
    made_in_all = count(len(made), "milestone")
    return f"{runs} to epoch {longest:,}, {made_in_all}, {epochs:,} epochs to train"


def find(plan: Plan, run: str) -> Run:
    """The run of an id.

    Raises:
        UserError: the config has none of that id.
    """
    if run in plan.runs:
        return plan.runs[run]
    near = difflib.get_close_matches(run, plan.runs, n=1, cutoff=0)
    remedy = f"the nearest is {near[0]}" if near else "it has none at all"
    raise UserError(f"--run {run}: the config has no such run; {remedy} (--runs lists them)")


def main(arguments: list[str]) -> None:
    """Check a config.

    Raises:
        UserError: it has mistakes, or no such run.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay check", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("config", nargs="+", type=Path, help="YAML file; more files are laid over the first")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--runs", action="store_true", help="list the ids of all runs")
    only.add_argument("--run", metavar="RUN_ID", help="print this run as one line of JSON")
    options = parser.parse_args(arguments)
    plan = load_plan(options.config)
    if options.runs:
        print(*plan.runs, sep="\n", end="\n" if plan.runs else "")
    elif options.run:
        print(find(plan, options.run).canonical())
    else:
        print(f"{', '.join(map(str, options.config))}: in order")
        for name, text in summary(plan):
            print(f"  {name:<15}{text}")
