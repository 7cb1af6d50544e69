"""The house in one picture: its rooms, and who imports whom, as the source says it."""

import ast
import html
import re
from functools import cache
from pathlib import Path

from sparsedecay.files.fingerprint import ROOT, file_of, imported, name_of

FREE = ("errors", "foreign", "words", "__init__", "__main__")
"""Modules that belong to no room."""


@cache
def rooms() -> dict[str, set[str]]:
    """For each room the rooms that its modules import."""
    found: dict[str, set[str]] = {}
    for file in sorted(ROOT.rglob("*.py")):
        room = name_of(file).split(".")[0]
        if room and room not in FREE:
            others = {name.split(".")[0] for name in imported(file.read_text("utf-8"))}
            found[room] = found.get(room, set()) | others
    # what only the command line imports by name: all commands
    found["cli"] |= found.keys()
    # the benchmark of the estimators stands above all of these
    found["extras"] -= {"sklearn"}
    # and what tells of the command line is no part of it
    return {room: (others & found.keys()) - {room, "cli"} for room, others in found.items()}


def floor(room: str) -> int:
    """How many rooms lie below one, each imported by the next."""
    return 1 + max((floor(other) for other in rooms()[room]), default=-1)


def purpose(room: str) -> str:
    """The first sentence of its docstring."""
    file = file_of(room) or Path()
    text = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split()).split(". ")[0].rstrip(".")


def picture() -> str:
    """The rooms in HTML, floor by floor, the highest first; text where there is no style."""
    floors: dict[int, list[str]] = {}
    for room in rooms():
        floors.setdefault(floor(room), []).append(room)
    parts = []
    for level in sorted(floors, reverse=True):
        boxes = "\n".join(map(box, sorted(floors[level])))
        parts.append(f'<div class="floor">\n{boxes}\n</div>')
    body = "\n".join(parts)
    return f'<div class="house">\n{body}\n</div>'


def box(room: str) -> str:
    """One room: its name, what it is for, what it imports."""
    below = sorted(rooms()[room], key=lambda other: (-floor(other), other))
    names = "all rooms" if room == "cli" else ", ".join(below)
    told = f"imports {names}" if below else "imports no other room"
    words = re.sub("`(.+?)`", r"<code>\1</code>", html.escape(purpose(room), quote=False))
    return f'<p class="room"><b>{room}</b> {words}. <i>{told}</i></p>'
