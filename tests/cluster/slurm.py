"""A real Slurm of one node on this machine, for as long as the tests run.

Debian's packages slurm-wlm and munge, started by hand on the loopback address: no system services,
no accounting data base.

    python -m tests.cluster.slurm FOLDER PID      stops it when a process has ended
"""

import math
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests import processes

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "scancel")
PLACE = Path("/etc/slurm/slurm.conf")
"""Where Slurm looks: the steps of a job do not inherit SLURM_CONF."""

CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={base}/munge/munge.socket
CredType=cred/munge
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmctldPidFile={base}/slurmctld.pid
SlurmdPidFile={base}/slurmd.pid
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool
SlurmctldLogFile={base}/slurmctld.log
SlurmdLogFile={base}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,batch_sched_delay=1
MessageTimeout=100
SlurmdTimeout=3600
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=256
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={base}/ended
MinJobAge=600
KillWait=5
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why no Slurm can be started here, if so."""
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian: apt-get install slurm-wlm munge)"
    if os.geteuid():
        return "only root can start Slurm"
    if PLACE.exists() and not PLACE.is_symlink():
        return f"{PLACE}: this machine has a Slurm of its own"
    return None


def others_run() -> bool:
    """Whether other tests on this machine run a Slurm at this moment."""
    file = PLACE.resolve().with_name("slurmctld.pid")
    return file.exists() and processes.lives(int(file.read_text()))


def run(*command: str) -> str:
    """What a command prints; the daemons that it may start outlast a test.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(
        command, env=processes.unmarked(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


class Slurm:
    """The scheduler in a folder; another process may have started it."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def up(self) -> None:
        """Start it and wait until its node takes jobs."""
        for name in ("munge", "state", "spool"):
            (self.base / name).mkdir(parents=True)
        (self.base / "munge").chmod(0o755)
        key = self.base / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        config = self.base / "slurm.conf"
        config.write_text(
            CONFIG.format(
                base=self.base,
                host=socket.gethostname().split(".")[0],
                controller=free_port(),
                daemon=free_port(),
                cores=os.cpu_count(),
                memory=memory - 512,
            )
        )
        PLACE.parent.mkdir(parents=True, exist_ok=True)
        PLACE.unlink(missing_ok=True)
        PLACE.symlink_to(config)
        run(
            "munged",
            "--force",
            f"--key-file={key}",
            f"--socket={self.base}/munge/munge.socket",
            f"--pid-file={self.base}/munged.pid",
            f"--log-file={self.base}/munged.log",
            f"--seed-file={self.base}/munge.seed",
        )
        run("slurmctld")
        self.start_slurmd()

    def start_slurmd(self) -> None:
        """Start the node's daemon and wait until the node takes jobs."""
        run("slurmd")
        processes.wait_for(self.takes_jobs, "a node that takes jobs")

    def takes_jobs(self) -> bool:
        shown = ["sinfo", "--noheader", "--format=%T"]
        done = subprocess.run(shown, capture_output=True, text=True, check=False)
        return done.stdout.strip() in ("idle", "mixed", "allocated")

    def stop(self, daemon: str) -> None:
        """Stop slurmd, slurmctld or munged; jobs of a node without slurmd go on."""
        with suppress(FileNotFoundError, ProcessLookupError):
            pid = int((self.base / f"{daemon}.pid").read_text())
            os.kill(pid, signal.SIGTERM)
            processes.wait_for_end(pid)

    def down(self) -> None:
        """Cancel all jobs and stop everything."""
        subprocess.run(["scancel", "--me"], capture_output=True, check=False)
        for daemon in ("slurmd", "slurmctld", "munged"):
            self.stop(daemon)
        if PLACE.is_symlink() and PLACE.readlink().parent == self.base:
            PLACE.unlink(missing_ok=True)

    def jobs(self, folder: Path, *states: str) -> list[str]:
        """Ids of the jobs submitted from a folder, or one in it, that are in one of the states."""
        asked = ["squeue", "--noheader", "--states=all", "--format=%i|%T|%Z"]
        rows = [line.split("|", 2) for line in run(*asked).splitlines()]
        return [
            job
            for job, state, place in rows
            if Path(place).is_relative_to(folder) and state in states
        ]

    def left(self, folder: Path) -> list[str]:
        """Those that have not ended."""
        return self.jobs(folder, "PENDING", "RUNNING", "COMPLETING")

    def wait_for_jobs(self, folder: Path) -> None:
        """Wait until all have ended."""
        processes.wait_for(lambda: not self.left(folder), f"no job of {folder} is left")

    def cancel(self, folder: Path) -> None:
        """Cancel them, and wait until they have ended."""
        if jobs := self.left(folder):
            subprocess.run(["scancel", *jobs], capture_output=True, check=False)
            self.wait_for_jobs(folder)

    def asked(self, job: str) -> tuple[str, str]:
        """Time limit and memory that a job has asked for."""
        shown = run("scontrol", "show", "job", "-o", job)
        fields = dict(part.split("=", 1) for part in shown.split() if "=" in part)
        return fields["TimeLimit"], fields["MinMemoryNode"]


def free_port() -> int:
    """A port that no one has, and that the system gives to no one who asks for any."""
    while True:
        port = random.SystemRandom().randrange(10_000, 30_000)
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


if __name__ == "__main__":
    processes.wait_for_end(int(sys.argv[2]), seconds=math.inf)
    Slurm(Path(sys.argv[1])).down()
    shutil.rmtree(sys.argv[1], ignore_errors=True)
