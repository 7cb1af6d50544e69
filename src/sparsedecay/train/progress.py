"""How far a training is: a JSON file for the terminal, a plain line now and then for the log."""

import contextlib
import json
import time
from pathlib import Path

FILE_SECONDS, LINE_SECONDS = 0.5, 30.0


class Progress:
    """Reports one stretch from epoch `start` to `target`."""

    def __init__(self, run: str, start: int, target: int, file: Path | None) -> None:
        self.run, self.start, self.target, self.file = run, start, target, file
        self.began = self.filed = self.printed = time.monotonic()
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)

    def report(self, epoch: int, began_at: int, loss: float) -> None:
        """Tell the present epoch; `began_at` is the epoch at which this process began."""
        now = time.monotonic()
        if now - self.filed < FILE_SECONDS:
            return
        rate = (epoch - began_at) / (now - self.began)
        left = (self.target - epoch) / rate
        if self.file:
            news = {"run": self.run, "epoch": epoch, "start": self.start, "target": self.target}
            news |= {"epochs_per_second": rate, "loss": loss, "seconds_left": left}
            # Not flushed to the disk, as it is stale within a second; and no reason to fail.
            temporary = self.file.with_suffix(".tmp")
            with contextlib.suppress(OSError):
                temporary.write_text(json.dumps(news))
                temporary.replace(self.file)
        self.filed = now
        if now - self.printed >= LINE_SECONDS:
            percent = (epoch - self.start) / (self.target - self.start)
            print(
                f"{self.run}: epoch {epoch:,} of {self.target:,} ({percent:.0%}), "
                f"{rate:,.0f} epochs/s, mse {loss:.3g}, {left:,.0f} s left",
                flush=True,
            )
            self.printed = now

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.unlink(missing_ok=True)
