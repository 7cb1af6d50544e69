"""A loss of power between any two file operations, and a disk that is full at any of them."""

import os
import random
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from sparsedecay.extras.archive.history import History
from sparsedecay.files.provenance import file_digest
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
LONG = os.environ.get("FAULTS") == "long"
HOOK = Path(__file__).with_name("hook")
RULES = ("data", "train", "measure", "merge", "figure", "statements", "findings")
ROOMS = ("data", "train", "measure", "figure", "statements")
"""Those whose outputs have a folder of their own."""
PAGE, MOST = 4096, 20
SOME = 2
"""Operations of a rule that fail in the short version."""


class Stage:
    """One job of a rule, called by hand again and again in a copy of the results."""

    def __init__(self, project: Project, rule: str, python: str) -> None:
        self.folder, self.python = project.folder, python
        jobs = [job for job in History(project.folder).all if job.rule == rule]
        self.job = max(jobs, key=lambda job: job.name)
        # checkpoints at every look at the clock
        self.command = self.job.command.replace("--checkpoint-seconds 60", "--checkpoint-seconds 0")
        self.right = self.outputs()
        assert self.right.keys() == set(self.job.outputs)
        count = self.folder.parent / "count"
        self.clear()
        assert self.run(FAULT_AT="0", FAULT_COUNT=str(count)) == 0
        self.operations = int(count.read_text())
        assert self.outputs() == self.right

    def outputs(self) -> dict[str, str]:
        there = [name for name in self.job.outputs if (self.folder / name).exists()]
        return {name: file_digest(self.folder / name) for name in there}

    def clear(self) -> None:
        """As before the job: no output, no checkpoint."""
        for name in self.job.outputs:
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "results/checkpoints", ignore_errors=True)

    def run(self, **fault: str) -> int:
        """Run the job; with a fault, if one is named."""
        path = [*([str(HOOK)] if fault else []), str(self.folder / "src")]
        programs = f"{Path(self.python).parent}{os.pathsep}{os.environ['PATH']}"
        more = {"PYTHONPATH": os.pathsep.join(path), "PATH": programs}
        if fault:
            more |= {"FAULT_ROOT": str(self.folder), **fault}
        return subprocess.run(
            ["bash", "-c", self.command], cwd=self.folder, env={**os.environ, **more}, check=False
        ).returncode

    @property
    def said(self) -> str:
        return (self.folder / self.job.logs[0]).read_text()

    def check_that_no_room_is_told(self) -> None:
        assert "Traceback" not in self.said
        assert "there is no room on the disk" in self.said
        assert "Make room and give the same command again" in self.said


@pytest.mark.parametrize("fault", ["stop", "full"])
@pytest.mark.parametrize("rule", RULES if LONG else ("train", "measure"))
def test_any_file_operation_may_fail(study, warm, rule, fault):
    """What is there is right or not there at all, and the next call comes to the same end."""
    stage = Stage(study, rule, warm.python)
    assert stage.operations >= 3
    numbers = range(1, stage.operations + 1)
    if not LONG:
        numbers = sorted(random.Random(rule + fault).sample(numbers, SOME))
    told = Counter()
    for number in numbers:
        stage.clear()
        code = stage.run(FAULT_AT=str(number), FAULT=fault)
        assert stage.outputs().items() <= stage.right.items()
        if fault == "stop":
            assert code == 137
        elif code:
            told["told"] += 1
            stage.check_that_no_room_is_told()
        else:
            told["did without"] += 1
            assert stage.outputs() == stage.right
        assert stage.run() == 0, stage.said
        assert stage.outputs() == stage.right
        left = [p for p in stage.folder.rglob("results/**/.*.tmp") if ".snakemake" not in p.parts]
        assert not [path for path in left if path.parent.name in stage.job.outputs]
    print(f"{rule}: {len(numbers)} operations, {fault} at each", dict(told))


@pytest.mark.parametrize("rule", ROOMS if LONG else ("measure",))
def test_there_may_be_any_room(study, warm, mount, rule):
    """Also less than one file takes, so that a library stops in the middle of it."""
    stage = Stage(study, rule, warm.python)
    place = (stage.folder / stage.job.outputs[0]).parent
    needed = sum(-(-(stage.folder / name).stat().st_size // PAGE) for name in stage.job.outputs)
    mount(place, f"size={PAGE}")
    pages = range(1, needed + 1, max(1, needed // MOST)) if LONG else [needed // 2]
    for room in pages:
        stage.clear()
        mount(place, f"size={room * PAGE}")
        if stage.run():
            stage.check_that_no_room_is_told()
        else:
            assert room >= needed - 1
        assert stage.outputs().items() <= stage.right.items()
        assert not list(place.glob(".*.tmp"))
        mount(place, "size=100m")
        assert stage.run() == 0, stage.said
        assert stage.outputs() == stage.right
    print(f"{rule}: room for {len(pages)} of up to {needed} pages")
