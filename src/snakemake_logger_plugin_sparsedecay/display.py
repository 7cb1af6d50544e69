"""What is shown of running trainings, and the lines at the bottom of the terminal that show it."""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, Field, ValidationError

NEWS = "diverged: "  # begins the line of a training job's log that the user shall see
MAX_BYTES = 4096  # a progress file has about 200 bytes; never read a huge file in its place
MAX_COUNT = 10**12
BAR = ""  # a column without a heading
BAR_WIDTH = (6, 30)  # least, most
GAP = "  "

# By headings: the first of these that fits is used. What matters least goes first.
LAYOUTS: tuple[tuple[str, ...], ...] = (
    (BAR, "done", "epoch", "epochs/s", "loss", "left"),
    (BAR, "epoch", "epochs/s", "loss", "left"),
    (BAR, "done", "epochs/s", "loss", "left"),
    ("done", "epochs/s", "loss", "left"),
    ("done", "loss", "left"),
    ("done", "left"),
    ("done",),
)
SAVE, RESTORE = "\0337", "\0338"  # the place of the cursor
ASCII = str.maketrans({"━": "#", "─": "-", "…": "~"})


class Progress(BaseModel, frozen=True, strict=True):
    """What a training job last said about itself; None where it did not say."""

    epoch: int = Field(ge=0, le=MAX_COUNT)
    target: int = Field(ge=0, le=MAX_COUNT)
    epochs_per_second: float | None = Field(None, ge=0, lt=1e9)
    loss: float | None = None  # may be NaN or infinite, which the reader should see
    seconds_left: float | None = Field(None, ge=0)

    def columns(self, bar_width: int = 0) -> dict[str, str]:
        """What stands in each column, by its heading."""
        share = min(self.epoch / self.target, 1.0) if self.target else 1.0
        total = f"{self.target:,}"
        rate, loss, left = self.epochs_per_second, self.loss, self.seconds_left
        return {
            BAR: ("━" * int(share * bar_width)).ljust(bar_width, "─"),
            "done": f"{int(100 * share)} %",  # rounded down: 100 % means done
            "epoch": f"{self.epoch:>{len(total)},}/{total}",
            "epochs/s": "" if rate is None else f"{rate:.2g}" if rate < 10 else f"{rate:,.0f}",
            "loss": "" if loss is None else f"{loss:.2e}",
            "left": "" if left is None else clock(left),
        }


Row = tuple[str, Progress | None]
"""A job's name and what it last said; None while it waits in a queue or starts."""


def tail(path: Path, not_before: float = 0.0) -> bytes:
    """The last bytes of a file; none if it cannot be read or last changed before that time."""
    try:
        info = path.stat()
        # opening a named pipe would block for ever
        if not stat.S_ISREG(info.st_mode) or info.st_mtime < not_before:
            return b""
        with path.open("rb") as file:
            file.seek(max(0, info.st_size - MAX_BYTES))
            return file.read(MAX_BYTES)
    except (OSError, ValueError):
        return b""


def read_progress(path: Path, not_before: float = 0.0) -> Progress | None:
    """Read a progress file; None if there is none, it makes no sense, or is left over from a
    job that was killed earlier (last changed before the time `not_before`)."""
    try:
        return Progress.model_validate_json(tail(path, not_before))
    except ValidationError:
        return None


def read_news(log: Path) -> str | None:
    """What a job that has ended wants the user to know, from the end of its log."""
    lines = tail(log).decode(errors="replace").splitlines()
    return next((printable(line) for line in reversed(lines) if line.startswith(NEWS)), None)


def printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def crop(text: str, width: int) -> str:
    """The text, its end replaced by `…` if it is too long."""
    return text if len(text) <= width else text[: width - 1] + "…"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, as `0:01:02`."""
    return str(timedelta(seconds=round(min(seconds, 1e9))))


def short_names(jobs: Sequence[tuple[str, str]]) -> list[str]:
    """What to call the jobs (run, epoch): the run without its hash, as long as that is unique."""
    names = [re.sub(r"-[0-9a-f]{8,}$", "", run) for run, _ in jobs]
    whole = (f"{run}@{epoch}" for run, epoch in jobs)
    uses = Counter(names)
    return [printable(n if uses[n] == 1 else w) for n, w in zip(names, whole, strict=True)]


def plain_line(name: str, progress: Progress) -> str:
    """One line of prose for a log file."""
    said = progress.columns()
    parts = [f"{name}: epoch {progress.epoch:,} of {progress.target:,} ({said['done']})"]
    words = {"epochs/s": "{} epochs/s", "loss": "loss {}", "left": "{} left"}
    return ", ".join(parts + [words[key].format(said[key]) for key in words if said[key]])


def table(jobs: Sequence[Row], width: int) -> list[str]:
    """Headings and a line for each job, in the columns that fit into `width`."""

    def fill(columns: Sequence[str], bar_width: int) -> tuple[list[list[str]], list[int]]:
        empty = {BAR: "─" * bar_width, "done": "…", "epochs/s": "starting"}
        said = [(name, p.columns(bar_width) if p else empty) for name, p in jobs]
        rows = [["run", *columns], *([name, *(s.get(c, "") for c in columns)] for name, s in said)]
        return rows, [max(map(len, column)) for column in zip(*rows, strict=True)]

    least, most = BAR_WIDTH
    for columns in LAYOUTS:
        free = width - len(GAP) * len(columns) - sum(fill(columns, least)[1])
        if free >= 0:
            break
    rows, (first, *others) = fill(columns, min(least + max(free, 0), most))
    first = max(first + min(free, 0), 1)  # the last layout may not fit either
    lines = ([crop(name, first).ljust(first), *map(str.rjust, r, others)] for name, *r in rows)
    return [crop(GAP.join(line).rstrip(), width) for line in lines]


def overall(done: int, total: int, elapsed: float, others: Iterable[str]) -> str:
    """How far the workflow is; `others` are the rules of the running jobs that do not train."""
    text = f"{done} of {total} jobs done, {clock(elapsed)} elapsed"
    if counts := sorted(Counter(others).items()):
        text += ", also running: "
        text += ", ".join(rule if n == 1 else f"{n} {rule}" for rule, n in counts)
    return text


def live_area(heading: str, jobs: Sequence[Row], width: int, height: int) -> list[str]:
    """At most `height` lines (at least 4): the heading as a rule between Snakemake's messages and
    the rest, and the training jobs."""
    lines = [f"── {crop(heading, width - 6)} ".ljust(width, "─")]
    if jobs:
        # jobs that wait in a cluster's queue must not crowd out those that run
        jobs = sorted(jobs, key=lambda job: job[1] is None)
        shown = len(jobs) if len(jobs) <= height - 2 else height - 3
        lines += table(jobs[:shown], width)
        if shown < len(jobs):
            lines.append(f"and {len(jobs) - shown} more")
    return lines


class BottomLines:
    """A few lines that stay at the bottom of the terminal while everything else scrolls above.

    They are kept out of the terminal's scrolling region, as `apt` does. `rich.live` redraws
    instead: it wipes the last lines on the screen, and with them whatever a job has meanwhile
    printed there by itself, such as the error of a script that fails. Here anybody may print at
    any time, and nothing is lost. The caller sees to it that one thread uses it at a time."""

    def __init__(self, stream: TextIO, nocolor: bool) -> None:
        self._stream = stream
        self._nocolor = nocolor
        self._shape: tuple[int, os.terminal_size] | None = None  # number of lines, the terminal

    def size(self) -> os.terminal_size | None:
        """The terminal's size; None if there is no terminal or none that can do this."""
        if os.name != "posix" or os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
            return None
        try:
            size = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError, AttributeError):
            return None
        return size if size.columns >= 40 and size.lines >= 8 else None

    def show(self, lines: Sequence[str], size: os.terminal_size) -> None:
        """Replace the lines by these; none may be wider than the terminal."""
        height = len(lines)
        text = ""
        if self._shape != (height, size):  # a terminal that is resized forgets the region
            self.remove()
            self._shape = height, size
            # scroll up as far as necessary, keep the cursor at its text
            text = "\033D" * height + f"\033[{height}A"
            text += SAVE + f"\033[1;{size.lines - height}r" + RESTORE
        for row, line in enumerate(lines, start=size.lines - height + 1):
            text += SAVE + f"\033[{row};1H\033[0m{self._dress(line)}\033[K" + RESTORE
        self._write(text)

    def remove(self) -> None:
        """Give the terminal back as it was. The cursor is above the lines, so they are all that
        is below it, wherever a resize has moved them."""
        if self._shape:
            self._shape = None
            self._write(f"{SAVE}\033[r{RESTORE}\033[J")

    def _dress(self, line: str) -> str:
        if "utf" not in (self._stream.encoding or "").lower():
            return line.translate(ASCII)
        return line if self._nocolor else re.sub("━+", "\033[32m\\g<0>\033[0m", line)

    def _write(self, text: str) -> None:
        # in one piece, so that what others print cannot come in between
        self._stream.write(text)
        self._stream.flush()
