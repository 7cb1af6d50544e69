"""One training job and its files; and the list of those that a workflow asks for.

Nothing here imports torch: a job whose stretch another one has finished has no need of it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparsedecay.engines import Device
from sparsedecay.files import fingerprint
from sparsedecay.files.provenance import metadata
from sparsedecay.files.storage import write_file
from sparsedecay.science.run import Run, predecessor


def say(line: str) -> None:
    """Tell the log."""
    print(line, flush=True)


def nobody(epoch: int, mse: float) -> None:
    """Looks at no training."""


@dataclass(frozen=True)
class Stretch:
    """One training job: a run, the milestone it ends at, and its files."""

    run: Run
    epoch: int
    data: Path
    previous: Path | None
    state: Path
    loss: Path
    magnitudes: Path
    checkpoint: Path | None = None
    progress: Path | None = None
    benchmark: Path | None = None
    engine: str = "compiled"
    device: Device = "auto"
    checkpoint_seconds: float = 60.0
    tell: Callable[[str], None] = say
    """Takes what the log is to say."""
    watch: Callable[[int, float], None] = nobody
    """Is told the epoch and the last recorded error, now and then."""

    @property
    def start(self) -> int:
        return predecessor(self.epoch, self.run.stride)

    @property
    def files(self) -> list[Path]:
        """What it makes, the state first."""
        return [self.state, self.loss, self.magnitudes]


def identity(run: Run) -> Mapping[str, str]:
    """What the files of a milestone say of what made them, whatever engine and processor."""
    return metadata(run.canonical(), fingerprint.training(run))


LISTED = "listed.jsonl"
"""The list's name in the folder of checkpoints."""
PLACES = ("data", "previous", "state", "loss", "magnitudes", "checkpoint", "benchmark")


@dataclass(frozen=True)
class Asked:
    """A stretch as it stands in the list, with its run as JSON: to read the runs of thousands takes
    as long as to train a small one."""

    run: str
    epoch: int
    places: Mapping[str, Any]
    """Those of its files, and where its job's checkpoint and benchmark are, by `PLACES`."""

    @property
    def ready(self) -> bool:
        """Whether what it begins with is there."""
        needed = self.places["data"], self.places["previous"]
        return all(place is None or place.exists() for place in needed)

    def like(self, own: Stretch) -> Stretch:
        """The stretch, to be trained as another one is."""
        run = Run.model_validate_json(self.run)
        settings = ("engine", "device", "checkpoint_seconds", "tell")
        same: dict[str, Any] = {name: getattr(own, name) for name in settings}
        return Stretch(run=run, epoch=self.epoch, **self.places, **same)


def write_asked(file: Path, asked: Iterable[Asked]) -> None:
    """Write the list, a line of JSON each."""
    lines = [
        json.dumps(
            {"run": one.run, "epoch": one.epoch}
            | {name: str(place) for name, place in one.places.items() if place}
        )
        for one in asked
    ]
    write_file(file, "".join(f"{line}\n" for line in lines))


def read_asked(file: Path) -> Iterator[Asked]:
    """The list in its order; empty if there is none."""
    if not file.exists():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        places = {name: Path(told[name]) if name in told else None for name in PLACES}
        yield Asked(told["run"], told["epoch"], places)
