"""Snakemake's own history of what made what: `.snakemake/metadata`, a JSON file for each output.

history = History(Path())
for job in history.chain(["figures/fig4.pdf"]):        # all jobs that led to it, first to last
    job.rule, job.inputs, job.outputs, job.began, job.ended
"""

from base64 import b64decode
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePath
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from sparsedecay.errors import UserError
from sparsedecay.files.storage import again, problem

FOLDER = ".snakemake/metadata"


class Job(BaseModel):
    """A job that Snakemake ran, as the records of its outputs tell."""

    rule: str
    inputs: tuple[str, ...] = Field(alias="input")
    logs: tuple[str, ...] = Field(alias="log")
    command: str | None = Field(alias="shellcmd")
    """What the shell was given; None of jobs that Snakemake did itself."""
    params: tuple[Annotated[str, BeforeValidator(str)], ...]
    starttime: float | None
    """Seconds since 1970; None if the results came from a cache."""
    ended: float = Field(alias="endtime")
    outputs: list[str] = []

    @property
    def began(self) -> float:
        """Seconds since 1970."""
        return self.ended if self.starttime is None else self.starttime

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


class History:
    """The records in a project's folder."""

    def __init__(self, project: Path) -> None:
        self.folder = project / FOLDER

    @cached_property
    def files(self) -> dict[str, Path]:
        """The record of each output, in the order of their names."""
        places = (file for file in self.folder.rglob("*") if file.is_file())
        found = ((output_of(file.relative_to(self.folder)), file) for file in places)
        # None stands for files that something else put there
        return dict(sorted((name, file) for name, file in found if name is not None))

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """The job that made each output.

        Raises:
            UserError: a record is none of Snakemake's.
        """
        found: dict[str, Job] = {}
        same: dict[object, Job] = {}
        for output, file in self.files.items():
            try:
                job = Job.model_validate_json(file.read_bytes())
            except (OSError, ValidationError) as error:
                reason = problem(error) if isinstance(error, ValidationError) else str(error)
                told = f"{file}: is no record of Snakemake ({reason})."
                raise UserError(f"{told}\nMake it again with: snakemake --forceall") from None
            job.outputs = []  # a record from an archive may hold anything
            # one job writes a record for each of its outputs; without a log it has but one
            alike = (job.rule, job.inputs, job.logs, job.command, job.params)
            found[output] = whole = same.setdefault(alike if job.logs else output, job)
            whole.outputs.append(output)
            whole.starttime = min(whole.began, job.began)
            whole.ended = max(whole.ended, job.ended)
        return found

    @property
    def all(self) -> list[Job]:
        """Every job, once."""
        return list({id(job): job for job in self.jobs.values()}.values())

    def chain(self, targets: Iterable[str]) -> list[Job]:
        """The jobs that the targets come from, directly or not, in the order they were run.

        Raises:
            UserError: a target has no record.
        """
        waiting, found = list(targets), dict[int, Job]()
        if lost := [name for name in waiting if name not in self.jobs]:
            reason = "Snakemake has no record of how it was made"
            if self.folder.with_name("metadata.db").exists():
                raise UserError(
                    f"{lost[0]}: {reason} in {self.folder}, but a data base of records lies beside "
                    "it; archives hold files of records, so make the results without "
                    "--persistence-backend db"
                )
            raise UserError(f"{lost[0]}: {reason}.\n{again(lost[0])}")
        while waiting:
            job = self.jobs.get(waiting.pop())
            if job is not None and id(job) not in found:
                found[id(job)] = job
                waiting += job.inputs
        return sorted(found.values(), key=lambda job: (job.ended, job.name))
