"""What goes into an archive: what its targets are made of, by way of Snakemake's records.

found = contents(Path(), plan, asked)
found.files                                  {"figures/fig4.pdf": Path("figures/fig4.pdf"), …}
found.left_out                               ("results/train/…/150000/state.safetensors", …)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.names import unsafe
from sparsedecay.extras.archive.records import Job, Records
from sparsedecay.extras.archive.settings import Archive, Target
from sparsedecay.extras.archive.source import Source
from sparsedecay.files import paths
from sparsedecay.study.plan import Plan

DRAWN = ("pdf", "png", "svg", "json")
FOUND = ("findings.md", "verdict.html", "findings.html", "method.html")


def wanted(plan: Plan, target: Target) -> list[str]:
    """The files that a target of the workflow makes, without those they are made of."""
    if target == "sweep":
        return [paths.swept(table) for table in paths.MERGED]
    if target == "all":
        merged = [paths.merged(table) for table in paths.MERGED] if plan.study.shown else []
        return [*drawn(plan.study.figures.names), *merged]
    if target == "replicate":
        return drawn(plan.replicated)
    return [*drawn(["readings"]), *(f"results/claims/{name}" for name in FOUND)]


def drawn(figures: list[str]) -> list[str]:
    """The files of some figures."""
    return [paths.figure(name, ending) for name in figures for ending in DRAWN]


@dataclass(frozen=True)
class Contents:
    """The files of an archive that are not about the archive itself."""

    files: dict[str, Path]
    """By their place in the archive."""
    jobs: list[Job]
    """What the workflow did to make them, first to last."""
    left_out: tuple[str, ...]
    """States that no figure reads, or that were asked to be left out."""


def contents(project: Path, plan: Plan, asked: Archive, source: Source) -> Contents:
    """The files that belong into an archive of the project.

    Raises:
        UserError: a file is missing, or has no record, or a format that no archive holds.
    """
    records = Records(project)
    jobs = records.chain([file for target in asked.targets for file in wanted(plan, target)])
    made = {file for job in jobs for file in job.outputs}
    read = {file for job in jobs if job.rule == "figure" for file in job.inputs}
    states = {file for file in made if file.endswith(".safetensors")}
    left_out = states - read if asked.weights else states
    files = {name: project / name for name in (*source.files, *sorted(made - left_out))}
    missing = [name for name, path in files.items() if not path.is_file()]
    if missing:
        raise UserError(
            f"{missing[0]}: is missing{f', with {n} more' if (n := len(missing) - 1) else ''}.\n"
            f"Make it again with: snakemake --force {missing[0]}"
        )
    files |= {name: project / name for name in said(jobs) if (project / name).is_file()}
    files |= {str(file.relative_to(project)): file for file in records.of(jobs)}
    if wrong := unsafe(files):
        raise UserError(f"{wrong[0]}: is in a format that no archive holds")
    return Contents(dict(sorted(files.items())), jobs, tuple(sorted(left_out)))


def said(jobs: list[Job]) -> Iterator[str]:
    """Logs and benchmarks of jobs. Those whose results came from a cache have none."""
    for job in jobs:
        yield from job.logs
        if job.benchmark:
            yield job.benchmark
