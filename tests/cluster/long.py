"""A project in which a few runs train, each of which can be held at its first checkpoint."""

import shutil
from pathlib import Path

import psutil

from sparsedecay.study.plan import load_plan
from tests.processes import wait_for
from tests.workflow.project import ROOT, Project

EPOCHS = 1_200_000
OVERLAY = f"""\
training: {{epochs: {EPOCHS}, stride: {EPOCHS}, record_every: 100000, checkpoint_seconds: 0.02}}
figures: {{fig3: {{epoch: {EPOCHS}}}, fig4: {{epoch: {EPOCHS}}}}}
"""
HOOK = Path(__file__).with_name("hook") / "sitecustomize.py"


class Long:
    """A project; its runs are told by number."""

    def __init__(self, project: Project) -> None:
        self.folder, self.project = project.folder, project
        self.overlay = project.folder / "config" / "long.yaml"
        self.config = ["--configfile", "config/config.yaml", "config/long.yaml"]
        self.watched = project.folder / "watched"

    def make(self) -> "Long":
        """Put the project's files there, and the data set, so that only training is left."""
        self.project.clone()
        self.overlay.write_text(OVERLAY)
        shutil.copy(HOOK, self.folder / "src")
        self.watched.mkdir()
        data = f"results/data/{self.run(0).data.id}/data.parquet"
        done = self.project.snakemake("--cores", "1", *self.config, "--", data)
        assert done.returncode == 0, done.stderr
        return self

    def run(self, number: int):
        plan = load_plan([ROOT / "config" / "smoke.yaml", self.overlay])
        return [run for run in plan.study.runs.values() if run.network == "representer"][number]

    def asked(self, how: list[str], *numbers: int) -> list[str]:
        """Arguments of Snakemake for training these runs."""
        states = [f"{self.trained(i).relative_to(self.folder)}/state.safetensors" for i in numbers]
        return [*how, *self.config, "--", *states]

    def trained(self, number: int) -> Path:
        return self.folder / "results/train" / self.run(number).id / str(EPOCHS)

    def log(self, number: int) -> str:
        file = self.folder / "results/logs/train" / self.run(number).id / f"{EPOCHS}.log"
        return file.read_text() if file.exists() else ""

    def hold(self, *numbers: int) -> None:
        """Let the next training of these runs stop at its first checkpoint."""
        for number in numbers:
            (self.watched / self.run(number).id).touch()

    def let_go(self, *numbers: int) -> None:
        """Let no training of these runs stop that has not yet."""
        for number in numbers:
            (self.watched / self.run(number).id).unlink()

    def held(self, number: int) -> psutil.Process | None:
        """The process whose training is held, once it is."""
        pid = (self.watched / self.run(number).id).read_text()
        process = psutil.Process(int(pid)) if pid else None
        return process if process and process.status() == psutil.STATUS_STOPPED else None

    def wait_until_held(self, number: int) -> psutil.Process:
        wait_for(lambda: self.held(number), f"run {number} with a checkpoint")
        return self.held(number)

    @property
    def trained_twice_at_once(self) -> bool:
        return (self.watched / "twice").exists()

    def bits(self, number: int) -> dict[str, bytes]:
        """All files of a trained run."""
        return {path.name: path.read_bytes() for path in self.trained(number).iterdir()}
