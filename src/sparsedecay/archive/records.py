"""Snakemake's own record of what made what: `.snakemake/metadata`, a JSON file for each output.

records = Records(Path())
for job in records.chain(["figures/fig4.pdf"]):        # all jobs that led to it, first to last
    job.rule, job.inputs, job.outputs, job.began, job.ended
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from sparsedecay.errors import UserError

FOLDER = ".snakemake/metadata"


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
    checksums: dict[str, str]
    """SHA-256 of inputs, hexadecimal."""

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


def output_of(record: PurePath) -> str:
    """The output that a record in `FOLDER` is about.

    Raises:
        ValueError: no output is meant.
    """
    # a name too long for one file is cut into folders that begin with @
    return urlsafe_b64decode("".join(part.removeprefix("@") for part in record.parts)).decode()


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
        return dict(sorted(found.items()))

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

    def read(self, file: Path) -> Job:
        """One record, without the name of its output.

        Raises:
            UserError: it is no record.
        """
        try:
            record = json.loads(file.read_bytes())
            ended = float(record["endtime"])
            return Job(
                rule=record["rule"],
                inputs=tuple(record["input"]),
                logs=tuple(record["log"]),
                command=record["shellcmd"],
                params=tuple(map(str, record["params"])),
                began=float(record["starttime"] or ended),
                ended=ended,
                outputs=[],
                checksums={
                    name: str(value).removeprefix("sha256:")
                    for name, value in (record["input_checksums"] or {}).items()
                    if str(value).startswith("sha256:")
                },
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{file}: is no record of Snakemake ({type(error).__name__}: {error}).\n"
                "Make it again with: snakemake --forceall"
            ) from None

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
