"""Who may import whom: data flows one way, and what decides numbers stands alone."""

from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sparsedecay
from sparsedecay.files.fingerprint import imported, name_of

SOURCE = Path(sparsedecay.__file__).parent
TOP = {"errors", "foreign", "words"}
"""Modules that everyone may import; they import nothing."""
ALLOWED = {
    "science": set(),
    "engines": {"science"},
    "files": {"science"},
    "data": {"files", "science"},
    "train": {"engines", "files", "science"},
    "figures": {"files", "science"},
    "measure": {"files", "science"},
    "optimum": {"files", "science"},
    "claims": {"files", "science"},
    "study": {"claims", "engines", "figures", "files", "measure", "science"},
    "session": set(),
}
"""Rooms that a room may import. `extras` and `api` may import all; only the command line and `api`
import the first, only the root of the package and the estimators (`sklearn`) the second."""
TOPMOST = {"api", "extras", "sklearn"}


def rooms() -> dict[str, set[tuple[str, str]]]:
    """For each room the modules of other rooms that its modules import."""
    found = defaultdict(set)
    for file in SOURCE.rglob("*.py"):
        module = name_of(file)
        for other in imported(file.read_text()):
            if other.split(".")[0] != module.split(".")[0]:
                found[module.split(".")[0]].add((module, other))
    return found


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_lies_below_it(room):
    below = ALLOWED[room] | TOP
    wrong = [pair for pair in rooms()[room] if pair[1].split(".")[0] not in below]
    assert not wrong


def test_there_are_no_other_rooms_and_no_circles():
    folders = {name_of(file).split(".")[0] for file in SOURCE.rglob("*.py")}
    assert folders - {"", "__main__", "cli"} - TOPMOST - TOP == set(ALLOWED)
    list(TopologicalSorter(ALLOWED).static_order())
    for top in TOP:
        assert not imported((SOURCE / f"{top}.py").read_text())


@pytest.mark.parametrize(
    ("topmost", "allowed"),
    [
        ("extras", {"cli", "extras", "api"}),
        ("api", {"", "api", "sklearn"}),
        ("sklearn", {"sklearn", "extras"}),
    ],
)
def test_nothing_imports_the_topmost_rooms(topmost, allowed):
    for room, pairs in rooms().items():
        if room not in allowed:
            assert not [pair for pair in pairs if pair[1].split(".")[0] == topmost]


def test_no_module_is_longer_than_a_few_screens():
    for file in SOURCE.parent.rglob("*"):
        if file.suffix in (".py", ".h", ".cpp"):
            assert len(file.read_text().splitlines()) <= 400, file
