"""Command `sparsedecay train`: one run from its previous milestone to the next."""

import argparse
from pathlib import Path
from typing import get_args

from sparsedecay.engines import ENGINES, Device
from sparsedecay.science.run import Run
from sparsedecay.train import kept
from sparsedecay.train.stretch import Stretch


def main(arguments: list[str]) -> None:
    """Train as the arguments say."""
    parser = argparse.ArgumentParser(prog="sparsedecay train", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add(
        "--run",
        required=True,
        help="the run as JSON; `sparsedecay check CONFIG --run RUN_ID` prints it",
    )
    add("--epoch", required=True, type=int, help="milestone to train to")
    add("--data", required=True, type=Path, help="data set, Parquet")
    add("--previous", type=Path, help="state of the previous milestone, if there is one")
    add("--state", required=True, type=Path, help="state to write, safetensors")
    add("--loss", required=True, type=Path, help="table to write: loss by epoch")
    add("--magnitudes", required=True, type=Path, help="table to write: weights' magnitudes")
    add("--checkpoint", type=Path, help="where a killed job leaves its state")
    add("--progress", type=Path, help="JSON file that tells how far it is")
    add("--benchmark", type=Path, help="JSON file that tells what it took")
    add("--engine", choices=ENGINES, default="compiled", help="default: compiled")
    add("--device", choices=get_args(Device), default="auto", help="of `batched`; default: auto")
    add("--checkpoint-seconds", type=float, default=60.0, help="default: 60")
    add("--listed", type=Path, help="stretches that the workflow asks for, to train with this one")
    add("--memory-mb", type=float, help="what the process may take, to train others with this one")
    options = vars(parser.parse_args(arguments))
    together = {name: options.pop(name) for name in ("listed", "memory_mb")}
    own = Stretch(run=Run.model_validate_json(options.pop("run")), **options)
    if kept.taken(own, waits=own.engine != "batched"):
        return
    from sparsedecay.train.together import train  # torch takes a second

    train(own, **together)
