"""Names in an archive, and what kind of file each is."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from sparsedecay.extras.archive.records import FOLDER, output_of

MANIFEST = "SHA256SUMS"
"""SHA-256 of every other file, as `sha256sum --check` reads it."""
LABEL = "archive.json"
README = "READ-ME-FIRST.md"
CRATE = "ro-crate-metadata.json"
ADDED = frozenset({MANIFEST, LABEL, README, CRATE})
"""Files of an archive that are neither source nor made by the workflow."""

MADE = ("results/", "figures/", ".snakemake/")
READMES = ("results/README.md", "figures/README.md")
KINDS = {
    "source": "source, configuration, environment",
    "data": "data",
    "tables": "tables",
    "weights": "weights of milestones",
    "figures": "figures with sidecars",
    "logs": "logs",
    "benchmarks": "benchmarks",
    "records": "Snakemake's records",
    "about": "about this archive",
}
"""Kinds of files, in the order they are listed, and their names."""
ENDINGS = {
    "data": (".parquet",),
    "tables": (".parquet", ".json", ".md", ".html"),
    "weights": (".safetensors",),
    "figures": (".pdf", ".png", ".svg", ".json"),
    "logs": (".log",),
    "benchmarks": (".jsonl",),
}
"""How the names of results may end. None is a format that runs code when it is read."""


def is_made(name: str) -> bool:
    """Whether the workflow makes the file."""
    return name.startswith(MADE) and name not in READMES


def kind(name: str) -> str:
    """The kind of a file in an archive, a key of `KINDS`."""
    if name in ADDED:
        return "about"
    if not is_made(name):
        return "source"
    if name.startswith(".snakemake/"):
        return "records"
    if name.startswith("figures/"):
        return "figures"
    room = name.split("/")[1]
    if name.endswith(".safetensors"):
        return "weights"
    return room if room in ("data", "logs", "benchmarks") else "tables"


def unsafe(names: Iterable[str]) -> list[str]:
    """Results in a format that none of them has."""
    return [name for name in names if is_made(name) and not is_known(name)]


def is_known(name: str) -> bool:
    """Whether a result is one of ours, by its name."""
    if kind(name) == "records":
        within = PurePosixPath(name).is_relative_to(FOLDER)
        output = output_of(PurePosixPath(name).relative_to(FOLDER)) if within else None
        # a record names a file in the project
        place = PurePosixPath(output or "/")
        return not (place.is_absolute() or ".." in place.parts)
    return is_plain(name.rpartition("/")[2], ENDINGS[kind(name)])


def is_plain(name: str, endings: tuple[str, ...]) -> bool:
    """Whether a file's name ends in one of the endings."""
    return name.endswith(endings)
