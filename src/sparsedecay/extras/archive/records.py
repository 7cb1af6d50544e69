"""Snakemake's own record of what made what: `.snakemake/metadata`, a JSON file for each output.

records = Records(Path())
for job in records.chain(["figures/fig4.pdf"]):        # all jobs that led to it, first to last
    job.rule, job.inputs, job.outputs, job.began, job.ended
"""

from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from pydantic import BaseModel, ValidationError

from sparsedecay.errors import UserError

FOLDER = ".snakemake/metadata"


class Record(BaseModel):
    """What is read of a record; from an archive, it may hold anything."""

    rule: str
    input: tuple[str, ...]
    log: tuple[str, ...]
    shellcmd: str | None
    params: tuple[Any, ...]
    starttime: float | None
    endtime: float


@dataclass
class Job:
    """A job that Snakemake ran."""

    rule: str
    inputs: tuple[str, ...]
    logs: tuple[str, ...]
    command: str | None
    """What the shell was given; None of jobs that Snakemake did itself."""
    params: tuple[str, ...]
    began: float
    """Seconds since 1970."""
    ended: float
    outputs: list[str]

    @property
    def name(self) -> str:
        """What it made: the log's place without `results/logs`, or else its first output."""
        if self.logs:
            return self.logs[0].removeprefix("results/logs/").removesuffix(".log")
        return self.outputs[0]

    @property
    def benchmark(self) -> str | None:
        """The file with its time and memory."""
        return f"results/benchmarks/{self.name}.jsonl" if self.logs else None


def output_of(record: PurePath) -> str | None:
    """The output that a record in `FOLDER` is about; None if it is no record."""
    # a name too long for one file is cut into folders that begin with @
    name = "".join(part.removeprefix("@") for part in record.parts)
    try:
        return b64decode(name, altchars=b"-_", validate=True).decode()
    except ValueError:
        return None


class Records:
    """The records in a project's folder."""

    def __init__(self, project: Path) -> None:
        self.folder = project / FOLDER

    @cached_property
    def files(self) -> dict[str, Path]:
        """The record of each output, in the order of their names."""
        found = {
            output_of(file.relative_to(self.folder)): file
            for file in self.folder.rglob("*")
            if file.is_file()
        }
        # None stands for files that something else put there
        return dict(sorted((name, file) for name, file in found.items() if name is not None))

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """The job that made each output."""
        found: dict[str, Job] = {}
        same: dict[tuple[Any, ...], Job] = {}
        for output, file in self.files.items():
            job = self.read(file)
            # one job writes a record for each of its outputs
            key = (job.rule, job.inputs, job.logs, job.command, job.params)
            if key in same and same[key].logs:
                same[key].outputs.append(output)
                same[key].began = min(same[key].began, job.began)
                same[key].ended = max(same[key].ended, job.ended)
                job = same[key]
            else:
                job.outputs.append(output)
                same[key] = job
            found[output] = job
        return found

    @property
    def all(self) -> list[Job]:
        """Every job, once."""
        return list({id(job): job for job in self.jobs.values()}.values())

    def read(self, file: Path) -> Job:
        """One record, without the name of its output.

        Raises:
            UserError: it is no record.
        """
        try:
            record = Record.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            reason = str(error).splitlines()[-2 if isinstance(error, ValidationError) else 0]
            raise UserError(
                f"{file}: is no record of Snakemake ({reason.strip()}).\n"
                "Make it again with: snakemake --forceall"
            ) from None
        return Job(
            rule=record.rule,
            inputs=record.input,
            logs=record.log,
            command=record.shellcmd,
            params=tuple(map(str, record.params)),
            began=record.endtime if record.starttime is None else record.starttime,
            ended=record.endtime,
            outputs=[],
        )

    def chain(self, targets: Iterable[str]) -> list[Job]:
        """The jobs that the targets come from, directly or not, in the order they were run.

        Raises:
            UserError: a target has no record.
        """
        found: dict[int, Job] = {}
        waiting = list(targets)
        for name in waiting:
            if name not in self.jobs:
                raise UserError(
                    f"{name}: Snakemake has no record of how it was made.\n"
                    f"Make it again with: snakemake --force {name}"
                )
        while waiting:
            job = self.jobs.get(waiting.pop())
            if job is not None and id(job) not in found:
                found[id(job)] = job
                waiting += job.inputs
        return sorted(found.values(), key=lambda job: (job.ended, job.name))

    def of(self, jobs: Iterable[Job]) -> Iterator[Path]:
        """The files that hold the records of jobs."""
        for job in jobs:
            for output in job.outputs:
                yield self.files[output]
