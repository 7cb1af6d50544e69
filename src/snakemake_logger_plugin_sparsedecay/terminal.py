"""A few lines at the bottom of the terminal that stay there while everything else scrolls above.

The lines are kept out of the terminal's scrolling region, as `apt` does. `rich.live` redraws
instead: it wipes the last lines on the screen, and with them whatever a job has meanwhile
printed there by itself, such as the traceback of a script that fails. Here anybody may print
at any time, and nothing is lost."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TextIO

SAVE, RESTORE = "\0337", "\0338"  # the place of the cursor
WHOLE_SCREEN = "\033[r"  # scroll everything again; moves the cursor
ERASE_BELOW = "\033[J"
ASCII = str.maketrans({"━": "#", "─": "-", "…": "~"})


class BottomLines:
    """The lines at the bottom. The caller sees to it that only one thread uses it at a time."""

    def __init__(self, stream: TextIO, nocolor: bool) -> None:
        self._stream = stream
        self._nocolor = nocolor
        self._height = 0
        self._size: os.terminal_size | None = None

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
        """Replace the lines by these, none of which may be wider than the terminal."""
        if self._height and size != self._size:
            self.remove()  # a terminal that is resized forgets the scrolling region
        codes = []
        growth = len(lines) - self._height
        if growth > 0:  # make room: scroll up as far as necessary, keep the cursor at its text
            codes.append("\033D" * growth + f"\033[{growth}A")
        if growth:
            freed = range(size.lines - self._height + 1, size.lines - len(lines) + 1)
            codes.append(SAVE + "".join(f"\033[{row};1H\033[2K" for row in freed))
            codes.append(f"\033[1;{size.lines - len(lines)}r" + RESTORE)
        codes.append(SAVE)
        for row, line in enumerate(lines, start=size.lines - len(lines) + 1):
            codes.append(f"\033[{row};1H\033[0m{self._dress(line)}\033[K")
        codes.append(RESTORE)
        self._height, self._size = len(lines), size
        self._write("".join(codes))

    def remove(self) -> None:
        """Give the terminal back as it was. The cursor is above the lines, so they are all that
        is below it, wherever a resize has moved them."""
        if self._height:
            self._height = 0
            self._write(SAVE + WHOLE_SCREEN + RESTORE + ERASE_BELOW)

    def _dress(self, line: str) -> str:
        if "utf" not in (self._stream.encoding or "").lower():
            return line.translate(ASCII)
        return line if self._nocolor else re.sub("━+", "\033[32m\\g<0>\033[0m", line)

    def _write(self, text: str) -> None:
        # in one piece, so that what others print cannot come in between
        self._stream.write(text)
        self._stream.flush()
