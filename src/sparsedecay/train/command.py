"""Command `sparsedecay train`: one run from its previous milestone to the next."""

import argparse
from pathlib import Path

from sparsedecay.engines import ENGINES
from sparsedecay.files.timing import timed
from sparsedecay.science.run import Run
from sparsedecay.train.loop import Stretch, train


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
    add("--checkpoint-seconds", type=float, default=60.0, help="default: 60")
    options = vars(parser.parse_args(arguments))
    with timed(options.pop("benchmark")):
        train(Stretch(run=Run.model_validate_json(options.pop("run")), **options))
