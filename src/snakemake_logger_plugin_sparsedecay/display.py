"""What the live area and the plain lines say. No terminal handling here: text in, text out."""

from __future__ import annotations

import json
import math
import re
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

NEWS = "diverged: "  # begins the line of a training job's log that the user shall see
MAX_BYTES = 4096  # a progress file has about 200 bytes; never read a huge file in its place
MAX_COUNT = 10**12
MAX_RATE = 1e9
GAP = "  "
BAR_WIDTH = (6, 30)  # least, most

# Rows are as wide as the terminal allows: the first of these that fits is used (True: short
# forms, "1m2s left"). What matters least goes first; name and percent always stay.
LAYOUTS: tuple[tuple[tuple[str, ...], bool], ...] = (
    (("bar", "percent", "epochs", "rate", "loss", "left"), False),
    (("bar", "percent", "epochs", "rate", "loss", "left"), True),
    (("bar", "percent", "rate", "loss", "left"), False),
    (("bar", "percent", "rate", "loss", "left"), True),
    (("percent", "rate", "loss", "left"), True),
    (("percent", "loss", "left"), True),
    (("percent", "left"), True),
    (("percent",), True),
)
# Least widths, so that columns do not jump about while the numbers in them change.
COLUMN_WIDTH = {"percent": 5, "rate": 7, "loss": 13, "left": 15}
SHORT_LEFT_WIDTH = 10


@dataclass(frozen=True)
class Progress:
    """What a training job last said about itself; None where it did not say."""

    epoch: int
    target: int
    rate: float | None = None  # epochs per second
    loss: float | None = None  # may be NaN or infinite, which the reader should see
    seconds_left: float | None = None

    @property
    def fraction(self) -> float:
        return min(self.epoch / self.target, 1.0) if self.target else 1.0

    @property
    def percent(self) -> str:
        return f"{int(100 * self.fraction)} %"  # rounded down: 100 % means done


def read_progress(path: Path, not_before: float = 0.0) -> Progress | None:
    """Read a progress file; None if there is none, it makes no sense, or is left over from a
    job that was killed earlier (last changed before the time `not_before`)."""
    try:
        info = path.stat()
        # opening a named pipe would block for ever
        if not stat.S_ISREG(info.st_mode) or info.st_mtime < not_before:
            return None
        with path.open("rb") as file:
            said = json.loads(file.read(MAX_BYTES))
        epoch, target = _number(said["epoch"]), _number(said["target"])
        if epoch is None or target is None:
            return None
        if not (0 <= epoch <= MAX_COUNT and 0 <= target <= MAX_COUNT):
            return None
        rate = _number(said.get("epochs_per_second"))
        seconds_left = _number(said.get("seconds_left"))
        return Progress(
            epoch=int(epoch),
            target=int(target),
            rate=rate if rate is not None and 0 <= rate < MAX_RATE else None,
            loss=_number(said.get("loss")),
            seconds_left=seconds_left if seconds_left is not None and seconds_left >= 0 else None,
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def read_news(log: Path) -> str | None:
    """What a job that has ended wants the user to know, from the end of its log."""
    try:
        if not stat.S_ISREG(log.stat().st_mode):
            return None
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - MAX_BYTES))
            lines = file.read(MAX_BYTES).decode(errors="replace").splitlines()
    except OSError:
        return None
    return next((printable(line) for line in reversed(lines) if line.startswith(NEWS)), None)


def printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _number(value: object) -> float | None:
    """A JSON number as a float, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def format_duration(seconds: float) -> str:
    """At most ten characters, no more exact than useful: `42 s`, `1 min 2 s`, `2 h 5 min`."""
    if not math.isfinite(seconds) or seconds >= 100 * 86400:
        return "> 99 d"
    seconds = round(seconds)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 60:
        return f"{seconds} s"
    if minutes < 10:
        return f"{minutes} min {seconds % 60} s"
    if hours < 1:
        return f"{minutes} min"
    if hours < 10:
        return f"{hours} h {minutes % 60} min"
    if days < 2:
        return f"{hours} h"
    return f"{days} d {hours % 24} h"


def format_rate(rate: float) -> str:
    """A number of epochs per second: `431`, `2.3`, `12k`."""
    if rate < 0.1:
        return "<0.1"
    if rate < 9.95:
        return f"{rate:.1f}"
    for factor, unit in ((1, ""), (1e3, "k")):
        if rate / factor < 9999.5:
            return f"{rate / factor:,.0f}{unit}"
    return f"{rate / 1e6:,.0f}M"


def short_names(jobs: Sequence[tuple[str, str]]) -> list[str]:
    """What to call the jobs (run, epoch): the run without its hash, as long as that is unique."""

    runs = [printable(run) for run, _ in jobs]
    shorts = [re.sub(r"-[0-9a-f]{8,}$", "", run) for run in runs]
    same_short, same_run = Counter(shorts), Counter(runs)
    return [
        short
        if same_short[short] == 1
        else (run if same_run[run] == 1 else f"{run}@{printable(epoch)}")
        for short, run, (_, epoch) in zip(shorts, runs, jobs, strict=True)
    ]


def plain_line(name: str, progress: Progress) -> str:
    """One line of prose for a log file."""
    parts = [f"{name}: epoch {progress.epoch:,} of {progress.target:,} ({progress.percent})"]
    if progress.rate is not None:
        parts.append(f"{format_rate(progress.rate)} epochs/s")
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.2e}")
    if progress.seconds_left is not None:
        parts.append(f"{format_duration(progress.seconds_left)} left")
    return ", ".join(parts)


def job_rows(jobs: Sequence[tuple[str, Progress | None]], width: int) -> list[str]:
    """One aligned row per job, none wider than `width`; a job without progress is starting."""
    for columns, short in LAYOUTS:
        cells = [_cells(progress, short) for _, progress in jobs]
        widths = {"name": max((len(name) for name, _ in jobs), default=0)}
        for column in columns:
            least = SHORT_LEFT_WIDTH if short and column == "left" else COLUMN_WIDTH.get(column, 0)
            widths[column] = max([least, *(len(cell.get(column, "")) for cell in cells)])
        free = width - sum(widths.values()) - len(GAP) * len(columns)
        if free >= (BAR_WIDTH[0] if "bar" in columns else 0):
            break
    widths["name"] = max(widths["name"] + min(free, 0), 1)  # the last layout may not fit either
    rows = []
    for (name, progress), cell in zip(jobs, cells, strict=True):
        row = [crop(name, widths["name"]).ljust(widths["name"])]
        for column in columns:
            if column == "bar":
                row.append(bar(progress.fraction if progress else 0.0, min(free, BAR_WIDTH[1])))
            elif column == "left":  # the last one, so it may end where it likes
                row.append(cell.get(column, ""))
            else:
                row.append(cell.get(column, "").rjust(widths[column]))
        rows.append(crop(GAP.join(row).rstrip(), width))
    return rows


def _cells(progress: Progress | None, short: bool) -> dict[str, str]:
    """The text of each column but name and bar."""
    if progress is None:
        return {"left": "starting"}
    cells = {"percent": progress.percent}
    cells["epochs"] = f"{progress.epoch:,}/{progress.target:,}" + ("" if short else " epochs")
    if progress.rate is not None:
        cells["rate"] = f"{format_rate(progress.rate)}/s"
    if progress.loss is not None:
        cells["loss"] = f"loss {progress.loss:.2e}"
    if progress.seconds_left is not None:
        left = format_duration(progress.seconds_left)
        if short:
            left = left.replace(" min", "m").replace(" ", "")
        cells["left"] = f"{left} left"
    return cells


def bar(fraction: float, width: int) -> str:
    """A progress bar that can be read without colour."""
    done = int(fraction * width)
    return "━" * done + "─" * (width - done)


def crop(text: str, width: int) -> str:
    """The text, its end replaced by `…` if it is too long."""
    return text if len(text) <= width else text[: width - 1] + "…"


def overall_line(done: int, total: int, elapsed: float, others: Iterable[str], width: int) -> str:
    """How far the workflow is, as a rule between Snakemake's messages and the rows below;
    `others` are the rules of the running jobs that have no row."""
    text = f"{done} of {total} jobs done, " if total else ""
    text += f"{format_duration(elapsed)} elapsed"
    counts = Counter(others)
    if counts:
        names = (rule if n == 1 else f"{n} {rule}" for rule, n in sorted(counts.items()))
        text += ", also running: " + ", ".join(names)
    return f"── {crop(text, width - 6)} ".ljust(width, "─")


def live_area(
    overall: str, jobs: Sequence[tuple[str, Progress | None]], width: int, height: int
) -> list[str]:
    """The lines of the live area, at most `height` (at least 2)."""
    # jobs that wait in a cluster's queue must not crowd out those that run
    jobs = sorted(jobs, key=lambda job: job[1] is None)
    shown = len(jobs) if len(jobs) < height else height - 2
    lines = [overall, *job_rows(jobs[:shown], width)]
    if shown < len(jobs):
        lines.append(crop(f"and {len(jobs) - shown} more", width))
    return lines
