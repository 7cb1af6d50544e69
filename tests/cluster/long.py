"""A project in which a few runs train for seconds: long enough to be disturbed."""

import os
from pathlib import Path

from sparsedecay.study.plan import load_plan
from tests.workflow.project import ROOT, Project

EPOCHS = 4_000_000
OVERLAY = f"""\
training: {{epochs: {EPOCHS}, stride: {EPOCHS}, record_every: 200000, checkpoint_seconds: 0.5}}
figures: {{fig3: {{epoch: {EPOCHS}}}, fig4: {{epoch: {EPOCHS}}}}}
"""


class Long:
    """A project; its runs are told by number."""

    def __init__(self, project: Project) -> None:
        self.folder, self.project = project.folder, project
        self.overlay = project.folder / "config" / "long.yaml"
        self.config = ["--configfile", "config/config.yaml", "config/long.yaml"]

    def make(self) -> "Long":
        """Put the project's files there, and the data set, so that only training is left."""
        self.project.clone()
        self.overlay.write_text(OVERLAY)
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

    def checkpoint(self, number: int) -> Path:
        return self.folder / "results/checkpoints" / self.run(number).id / f"{EPOCHS}.safetensors"

    def log(self, number: int) -> str:
        file = self.folder / "results/logs/train" / self.run(number).id / f"{EPOCHS}.log"
        return file.read_text() if file.exists() else ""

    def processes(self, number: int) -> list[int]:
        """Processes, on this machine, that train a run."""
        checkpoint = str(self.checkpoint(number).relative_to(self.folder))
        found = []
        for file in Path("/proc").glob("[1-9]*"):
            try:
                words = (file / "cmdline").read_bytes().decode().split("\0")
                here = Path(os.readlink(file / "cwd")) == self.folder
            except OSError:
                continue
            # not the shell around it, whose command is one word
            if here and {"train", checkpoint} <= set(words):
                found.append(int(file.name))
        return found

    def bits(self, number: int) -> dict[str, bytes]:
        """All files of a trained run."""
        return {path.name: path.read_bytes() for path in self.trained(number).iterdir()}
