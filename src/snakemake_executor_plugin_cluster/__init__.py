"""Snakemake executor plugin: any scheduler with a command to submit jobs, as `--cluster` once did.

    snakemake --cluster "sbatch --parsable -c {threads}" figures/fig4.pdf

Snakemake 8 dropped that option; its plugin cluster-generic does the work, but does not know what
becomes of a job that is cancelled. This is the same plugin, which also knows how to ask Slurm, PBS,
SGE and LSF (`status.sh`) and how to cancel. It keeps the old options, too: --cluster-status,
--cluster-cancel, --cluster-cancel-nargs and --cluster-sidecar are its settings, and --cluster CMD
is read as --executor cluster --cluster-submit CMD.
"""

import json
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

from snakemake_executor_plugin_cluster_generic import Executor as GenericExecutor
from snakemake_executor_plugin_cluster_generic import common_settings
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.settings import ExecutorSettingsBase

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

CANCEL = {"sbatch": "scancel", "qsub": "qdel", "bsub": "bkill"}
"""Command that cancels jobs, by the command that submits them."""
QUEUED = Path(".snakemake/queued")
STATUS = Path(__file__).with_name("status.sh")
JOBS = ["--jobs", "100"]
"""Most jobs in the queue at once, unless the user says so."""
GONE = {
    "--cluster-sync": "submit with --cluster instead, the status of jobs is asked for",
    "--cluster-config": "use --default-resources and --set-resources, or a profile",
    "--drmaa": "use --cluster, or for Slurm --workflow-profile slurm",
}
"""Options of earlier versions that are gone for good, and what to do instead."""


def translated(arguments: list[str]) -> list[str]:
    """Command line arguments in which `--cluster CMD` stands as Snakemake knows it today.

    Raises:
        SystemExit: an option of the same family is gone, or the command is missing.
    """
    found: list[str] = []
    waiting = iter(arguments)
    said = ("-j", "--jobs", "--profile", "--workflow-profile")
    jobs = [] if any(argument.startswith(said) for argument in arguments) else JOBS
    for argument in waiting:
        name, equals, value = argument.partition("=")
        if name in GONE:
            sys.exit(f"{name}: Snakemake has no such option any more; {GONE[name]}.")
        if argument == "--":
            return [*found, argument, *waiting]
        if name != "--cluster":
            found.append(argument)
            continue
        value = value if equals else next(waiting, "")
        if not value.strip():
            sys.exit('--cluster: a command is missing; write --cluster "sbatch --parsable"')
        found += ["--executor", "cluster", "--cluster-submit", value, *jobs]
    return found


# Snakemake imports its plugins before it reads its arguments; nothing else comes early enough.
if Path(sys.argv[0]).name in ("snakemake", "__main__.py"):
    sys.argv[1:] = translated(sys.argv[1:])


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """Become the options --cluster-submit, --cluster-status, …; the attributes with the ending
    `_cmd` are what the generic executor asks for. (Snakemake does not understand `str | None`.)"""

    submit: Optional[str] = field(  # noqa: UP045
        default=None,
        metadata={
            "help": "Command that submits a job script and prints the job's id, such as "
            "'sbatch --parsable -c {threads}'; `--cluster CMD` is short for this.",
            "required": True,
        },
    )
    status: Optional[str] = field(  # noqa: UP045
        default=None,
        metadata={
            "help": "Command that prints success, running or failed for a job id. Not needed for "
            "sbatch, qsub and bsub."
        },
    )
    cancel: Optional[str] = field(  # noqa: UP045
        default=None,
        metadata={"help": "Command that cancels job ids. Not needed for sbatch, qsub and bsub."},
    )
    cancel_nargs: int = field(
        default=20, metadata={"help": "Job ids handed to the cancel command at once."}
    )
    sidecar: Optional[str] = field(  # noqa: UP045
        default=None, metadata={"help": "Command of a process that runs alongside."}
    )

    @property
    def scheduler(self) -> str:
        """The program that submits, without its folder."""
        words = shlex.split(self.submit or "")
        return Path(words[0]).name if words else ""

    @property
    def submit_cmd(self) -> str | None:
        return self.submit

    @property
    def status_cmd(self) -> str | None:
        if self.status is None and self.scheduler in CANCEL:
            return f"sh {shlex.quote(str(STATUS))} {self.scheduler}"
        return self.status

    @property
    def cancel_cmd(self) -> str | None:
        return self.cancel or CANCEL.get(self.scheduler)

    @property
    def sidecar_cmd(self) -> str | None:
        return self.sidecar


class Executor(GenericExecutor):
    """The generic executor with the settings above, and a note of each job in the queue, so that
    what is left there when Snakemake is killed can be found (sparsedecay.session.leftovers).
    Snakemake's own note is overwritten as soon as the job starts (its issue 762)."""

    def report_job_submission(self, job_info: SubmittedJobInfo, register_job: bool = True) -> None:
        """A job is in the queue."""
        super().report_job_submission(job_info, register_job)
        if job_info.external_jobid:
            # the interface leaves it out
            settings = self.workflow.executor_settings  # type: ignore[attr-defined]
            commands = {"status": settings.status_cmd, "cancel": settings.cancel_cmd}
            QUEUED.mkdir(parents=True, exist_ok=True)
            note(job_info.external_jobid).write_text(json.dumps(commands))

    def report_job_success(self, job_info: SubmittedJobInfo) -> None:
        """A job has ended well."""
        forget(job_info)
        super().report_job_success(job_info)

    def report_job_error(self, job_info: SubmittedJobInfo, msg: Any = None, **kwargs: Any) -> None:
        """A job has failed, or could not be submitted."""
        forget(job_info)
        super().report_job_error(job_info, msg, **kwargs)


def note(jobid: str) -> Path:
    """The file that stands for a job in the queue."""
    return QUEUED / quote(jobid, safe="")


def forget(job_info: SubmittedJobInfo) -> None:
    if job_info.external_jobid:
        note(job_info.external_jobid).unlink(missing_ok=True)
