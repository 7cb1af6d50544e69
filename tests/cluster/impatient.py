"""Snakemake that asks Slurm every second what has become of its jobs.

Slurm's executor waits ten seconds longer each time that it finds none of them ended.
"""

import runpy

from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

RemoteExecutor.next_seconds_between_status_checks = property(lambda _: 1, lambda *_: None)
runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
