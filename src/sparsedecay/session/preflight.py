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
    for job in sorted(jobs, key=minutes, reverse=True):
        if not job.is_local:
            longest.setdefault(" and ".join(sorted(job.rules)), job)
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
            # the lines that tell what is wrong, or all
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            reasons = [line for line in lines if "error:" in line] or lines
            said = " ".join(line.removeprefix("sbatch: error: ") for line in reasons)
            raise UserError(
                f"Slurm would refuse jobs of rule {rule}: {said}\n"
                f"Asked for: {' '.join(words[:-1])}. Change default-resources, set-resources, "
                "cores or group-components in profiles/slurm/config.yaml, or say otherwise on the "
                "command line."
            )


def minutes(job: Any) -> int:
    """The time that a job asks for."""
    return int(job.resources.get("runtime") or 0)
