"""A config as a side: what it shows, looked up in the results that are here."""

from pathlib import Path
from typing import Any

from sparsedecay.errors import UserError
from sparsedecay.extras.compare.results import Results
from sparsedecay.extras.compare.sides import DEFINITIONS, Milestone, Side, hashable
from sparsedecay.science.measures import Measures
from sparsedecay.science.run import Run
from sparsedecay.study.study import Study, load_study


def from_config(letter: str, name: str, file: Path, results: Results) -> Side:
    """The milestones that a config file shows; `name` is what messages call the file.

    Raises:
        UserError: the config is refused; the message begins with the side.
    """
    try:
        study = load_study([file])
    except UserError as error:
        told = str(error).replace(str(relative(file)), name)
        raise UserError(f"{letter}, {name}: is no config of this version:\n{told}") from None
    milestones = [milestone(study, run, epoch, results) for run, epoch in study.shown]
    return Side(
        name,
        "config",
        milestones,
        config=study.model_dump(mode="json"),
        notes=tuple(notes(letter, study, milestones)),
    )


def relative(file: Path) -> Path:
    """A file as messages about configs name it."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def milestone(study: Study, run: Run, epoch: int, results: Results) -> Milestone:
    """A milestone from its tables, or as it will be."""
    if results.has(run.id, epoch):
        return results.milestone(run.id, epoch)
    return Milestone(run.id, epoch, parameters(run) | asked(study.measures), None)


def notes(letter: str, study: Study, milestones: list[Milestone]) -> list[str]:
    """What the reader must know of a config's results."""
    wanted = asked(study.measures).items()
    others = [m for m in milestones if not wanted <= m.parameters.items()]
    if not others:
        return []
    return [
        f"{len(others)} of {len(milestones)} milestones of {letter} were measured by other "
        "definitions than its config asks for; snakemake measures them again without training"
    ]


def parameters(run: Run) -> dict[str, Any]:
    """The columns of the summary that say what was run, as `sparsedecay measure` fills them."""
    data, shape, optimizer = run.data, run.shape, run.optimizer
    found = {
        "network": run.network,
        "regularizer": run.regularizer,
        "lam": run.lam,
        "L": shape.L,
        "K": shape.K,
        "d": shape.d,
        "skips": shape.skips,
        "loss": run.objective.loss,
        "weight_decay": run.objective.weight_decay,
        "decay_biases": run.objective.decay_biases,
        "levels": data.levels,
        "dimension": data.dimension,
        "points": data.points,
        "target_low": data.target_range[0],
        "target_high": data.target_range[1],
        "target_seed": data.seed,
        "initial_low": run.initialization.range[0],
        "initial_high": run.initialization.range[1],
        "initial_scale": run.initialization.scale,
        "weight_seed": run.initialization.seed,
        "learning_rate": optimizer.learning_rate,
        "beta1": optimizer.betas[0],
        "beta2": optimizer.betas[1],
        "eps": optimizer.eps,
        "batches": optimizer.batches,
        "precision": run.precision,
        "stride": run.stride,
        "record_every": run.record_every,
    }
    return {name: hashable(value) for name, value in found.items()}


def asked(measures: Measures) -> dict[str, Any]:
    """The definitions of measures that a config asks for."""
    values = measures.model_dump(mode="json")
    return {name: hashable(values[name.removeprefix("measures.")]) for name in DEFINITIONS}
