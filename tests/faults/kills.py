"""Kills Snakemake and its jobs at random moments, and looks at what is there after each."""

import os
import random
import shutil
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sparsedecay.files.provenance import file_digest
from tests.workflow.project import Project

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
VICTIMS = ("snakemake", "all", "job")
"""Snakemake alone; it and all its jobs, as by Ctrl-C; or one job."""
LONGEST = 8.0
"""Seconds after its start that Snakemake is killed at the latest: to the middle of training."""
PATIENCE = 600.0
"""Seconds, the most that it may take to end."""


def whole(project: Project) -> dict[str, str]:
    """SHA-256 of every result there is, but for files that are being written."""
    return {
        name: file_digest(project.folder / name)
        for name in project.files()
        if not Path(name).name.startswith(".")
    }


@dataclass
class Kills:
    """A project whose Snakemake is killed again and again."""

    project: Project
    right: dict[str, str]
    """What an undisturbed Snakemake makes."""
    random: random.Random
    targets: tuple[str, ...] = ()
    done: Counter = field(default_factory=Counter)
    compared: int = 0
    """Bytes."""

    @property
    def kills(self) -> int:
        """Signals that ended something."""
        sent = sum(count for name, count in self.done.items() if name.startswith("SIG"))
        return sent - self.done["ended well all the same"]

    def again(self, count: int) -> None:
        """So many kills, then to the end undisturbed; checks what is there after each."""
        while self.kills < count:
            if self.kill():
                self.check(complete=True)
                self.done["run to the end in between"] += 1
                self.wipe()
            else:
                self.check(complete=False)
            print(f"  {self.kills} of {count}", end="\r", flush=True)
        assert self.start().wait(PATIENCE) == 0, self.output
        self.note()
        self.check(complete=True)
        self.start().wait(PATIENCE)
        assert "Nothing to be done" in self.output

    @property
    def printed(self) -> Path:
        """Where Snakemake prints to; a file, as jobs that outlive it would hold a pipe."""
        return self.project.folder.with_name("printed")

    @property
    def output(self) -> str:
        return self.printed.read_text()

    def start(self) -> subprocess.Popen:
        """Snakemake as a user starts it, with a group of processes of its own."""
        with open(self.printed, "w") as printed:
            return self.project.start(
                *("--cores", "2", *self.targets),
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> bool:
        """Start Snakemake and kill; returns whether it had come to its end before."""
        process = self.start()
        number, victim = self.random.choice(SIGNALS), self.random.choice(VICTIMS)
        try:
            code = process.wait(self.random.uniform(0.3, LONGEST))
        except subprocess.TimeoutExpired:
            self.send(process, number, victim)
            process.wait(PATIENCE)
            self.note()
            # a job that had done its work does not mind
            self.done["ended well all the same"] += process.returncode == 0
            return False
        assert code == 0, self.output
        self.note()
        return True

    def send(self, process: subprocess.Popen, number: signal.Signals, victim: str) -> None:
        """Send a signal, and write down what was hit."""
        jobs = [child for child in descendants(process.pid) if is_job(child)]
        if victim == "job" and jobs:
            hit = self.random.choice(jobs)
            try:
                name = stage(hit)
                hit.send_signal(number)
                self.done[f"{number.name} to {name}"] += 1
            except psutil.NoSuchProcess:
                self.done["too late"] += 1
            return
        victim = "snakemake" if victim == "job" else victim
        try:
            (os.killpg if victim == "all" else os.kill)(process.pid, number)
            self.done[f"{number.name} to {victim}"] += 1
        except ProcessLookupError:
            self.done["too late"] += 1

    def note(self) -> None:
        """Count what Snakemake and the jobs say."""
        self.done["unlocked by itself"] += "was stopped here without notice" in self.output
        for log in (self.project.folder / "results/logs/train").rglob("*.log"):
            text = log.read_text()
            self.done["went on from a checkpoint"] += "goes on from its checkpoint" in text
            self.done["found finished"] += "was finished by an earlier job" in text
            if "goes on from" in text or "was finished" in text:
                log.write_text("")

    def check(self, complete: bool) -> None:
        """Every result that is there must be the right one, byte for byte."""
        there = whole(self.project)
        wrong = [name for name, digest in there.items() if self.right.get(name) != digest]
        assert wrong == []
        if complete:
            assert there.keys() == self.right.keys()
        self.compared += sum((self.project.folder / name).stat().st_size for name in there)

    def wipe(self) -> None:
        """Begin anew."""
        for part in ("results", "figures", ".snakemake"):
            shutil.rmtree(self.project.folder / part, ignore_errors=True)

    def told(self) -> str:
        """What was done, in lines."""
        lines = [f"\n{self.kills} kills, {self.compared / 1e6:,.0f} MB of results compared"]
        return "\n".join([*lines, *(f"  {n:5} {what}" for what, n in sorted(self.done.items()))])


def descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def is_job(process: psutil.Process) -> bool:
    """Whether a process is a stage of ours at work."""
    try:
        return stage(process) is not None
    except psutil.Error:
        return False


def stage(process: psutil.Process) -> str | None:
    """The stage that a process is at: train, measure, …"""
    command = process.cmdline()
    places = [i for i, word in enumerate(command) if word.endswith("/sparsedecay")]
    return command[places[0] + 1] if places and len(command) > places[0] + 1 else None


def slower(project: Project) -> Project:
    """The smoke experiment with training that takes some seconds, and many checkpoints."""
    for old, new in (
        ("epochs: 2000", "epochs: 60000"),
        ("stride: 1000", "stride: 30000"),
        ("checkpoint_seconds: 60", "checkpoint_seconds: 0.2"),
    ):
        project.edit("config/config.yaml", old, new)
    text = project.config.read_text()
    text = text.replace("epoch: 1000\n", "epoch: 30000\n").replace(
        "epoch: 2000\n", "epoch: 60000\n"
    )
    project.config.write_text(text.replace("[1000]", "[30000]"))
    return project


def folder_of(place: Path) -> Project:
    """A new copy of the project."""
    return slower(Project(place).clone())
