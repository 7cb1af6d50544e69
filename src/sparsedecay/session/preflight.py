"""Would Slurm take the jobs? Asked before any is submitted, since Snakemake does not pass on why a
group of jobs was refused.
"""

import subprocess
from collections.abc import Iterable
from typing import Any

from sparsedecay.errors import UserError

OPTIONS = {
    "slurm_account": "--account",
    "slurm_partition": "--partition",
    "qos": "--qos",
    "constraint": "--constraint",
    "gres": "--gres",
    "runtime": "--time",
    "mem_mb": "--mem",
}
"""Resources of a job, as the executor `slurm` passes them to sbatch."""


def check(jobs: Iterable[Any]) -> None:
    """Ask Slurm about the longest of the jobs and groups of each rule; nothing is submitted.

    Raises:
        UserError: it would refuse one, or there is no Slurm.
    """
    longest: dict[str, Any] = {}
    for job in jobs:
        rule = " and ".join(sorted(job.rules))
        if not job.is_local and minutes(job) >= minutes(longest.get(rule)):
            longest[rule] = job
    for rule, job in longest.items():
        words = [
            f"{option}={job.resources.get(name)}"
            for name, option in OPTIONS.items()
            if job.resources.get(name)
        ]
        words += [f"--cpus-per-task={job.threads}", "--wrap=true"]
        command = ["sbatch", "--test-only", *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise UserError(
                "sbatch is not installed here; start Snakemake on a login node of the cluster"
            ) from None
        if done.returncode:
            said = " ".join(line.removeprefix("sbatch: error: ") for line in reasons(done.stderr))
            raise UserError(
                f"Slurm would refuse jobs of rule {rule}: {said}\n"
                f"Asked for: {' '.join(words[:-1])}. Change default-resources, set-resources, "
                "cores or group-components in profiles/slurm/config.yaml, or say otherwise on the "
                "command line."
            )


def minutes(job: Any) -> int:
    """The time that a job asks for; nothing for no job."""
    return -1 if job is None else int(job.resources.get("runtime") or 0)


def reasons(text: str) -> list[str]:
    """The lines of an answer that tell what is wrong, or all of it."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [line for line in lines if "error:" in line] or lines
