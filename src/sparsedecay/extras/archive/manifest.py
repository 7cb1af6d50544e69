"""What an archive says of itself, and whether that is true.

`archive.json` says what it is, `SHA256SUMS` what each file is: a line `SHA-256  name`, as sha256sum
writes it. A file's name says its kind.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.extras.archive.history import FOLDER, output_of
from sparsedecay.extras.archive.opening import Archive
from sparsedecay.files.provenance import file_digest
from sparsedecay.files.storage import problem
from sparsedecay.science.settings import Settings
from sparsedecay.study.entries import show
from sparsedecay.study.sections import Target

SUMS = "SHA256SUMS"
"""SHA-256 of every other file, as `sha256sum --check` reads it."""
LABEL = "archive.json"
README = "READ-ME-FIRST.md"
CRATE = "ro-crate-metadata.json"
ADDED = frozenset({SUMS, LABEL, README, CRATE})
"""Files of an archive that are neither source nor made by the workflow."""

MADE = ("results/", "figures/", ".snakemake/")
READMES = ("results/README.md", "figures/README.md")
KINDS = {
    "source": ("source, configuration, environment", ""),
    "data": ("data", r"results/data/.+\.parquet"),
    "tables": ("tables", r"results/(?!data/|logs/|benchmarks/).+\.(parquet|json|md|html)"),
    "weights": ("weights of milestones", r"results/.+\.safetensors"),
    "figures": ("figures with sidecars", r"figures/.+\.(pdf|png|svg|json|gif)"),
    "logs": ("logs", r"results/logs/.+\.log"),
    "benchmarks": ("benchmarks", r"results/benchmarks/.+\.jsonl"),
    "records": ("Snakemake's records", rf"{re.escape(FOLDER)}/.+"),
    "about": ("about this archive", ""),
}
"""Kinds of files, in the order they are listed: their names, and the names of results of each kind.
No format here runs code when it is read."""
LINE = re.compile(r"^([0-9a-f]{64})  (.+)$", re.MULTILINE)
MOST = 20
"""Files that a message lists."""

Printable = Annotated[str, Field(max_length=1000, pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$")]
"""Text that a terminal only shows: without control characters."""
Version = Annotated[str, Field(pattern=r"^[\w.+-]{1,40}$")]


class Label(Settings):
    """The file `archive.json` of an archive: what it is, for programs."""

    format: Literal[1] = 1
    """Of this file and of the archive; archives from before there was a number have none."""
    name: Literal["sparsedecay"]
    version: Version
    """Of sparsedecay."""
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")] | None
    """Of git; null if the source was never in git."""
    changed: tuple[Printable, ...]
    """Source files that differ from that commit, or are not in it."""
    config: Printable
    """The config file of the results, in the project's folder."""
    targets: tuple[Target, ...]
    weights: bool
    versions: dict[Printable, Printable]
    """Python, libraries and kind of machine where it was packed."""


class Head(BaseModel):
    """What every format of a label begins with."""

    format: Annotated[int, Field(ge=1, le=1000)] = 1
    version: Version


def read_label(content: bytes, place: str) -> Label:
    """What an archive is.

    Raises:
        UserError: it is of another format.
        DamagedFile: it does not say.
    """
    try:
        head = Head.model_validate_json(content)
        if head.format != 1:
            raise UserError(
                f"{place}: is of format {head.format}, and this sparsedecay reads format 1; "
                f"sparsedecay {head.version}, which made it, can read it"
            )
        return Label.model_validate_json(content)
    except ValidationError as error:
        raise DamagedFile(
            f"{place}: {problem(error, show)}; it was made by another version, which can "
            "verify it: look in its pyproject.toml"
        ) from None


def is_made(name: str) -> bool:
    """Whether the workflow makes the file."""
    return name.startswith(MADE) and name not in READMES


def kind(name: str) -> str:
    """The kind of a file in an archive, a key of `KINDS`; "" of a result in a format that none of
    them has, and of a record of what lies outside a project."""
    if name in ADDED:
        return "about"
    if not is_made(name):
        return "source"
    found = next((kind for kind, (_, names) in KINDS.items() if re.fullmatch(names, name)), "")
    if found == "records":
        output = PurePosixPath(output_of(PurePosixPath(name).relative_to(FOLDER)) or "/")
        return "" if output.is_absolute() or ".." in output.parts else found
    return found


def write_sums(digests: Mapping[str, str]) -> bytes:
    """The manifest of files by name."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def read_sums(content: bytes, place: str) -> dict[str, str]:
    """SHA-256 by name.

    Raises:
        DamagedFile: it is not exactly what `write_sums` writes.
    """
    digests = {name: sha for sha, name in LINE.findall(content.decode(errors="replace"))}
    if write_sums(digests) != content or not all(map(str.isprintable, digests)):
        raise DamagedFile(f"{place}: is no list of SHA-256 sums, or is damaged")
    return digests


def whole(archive: Archive) -> Label:
    """Check every file, and print what was found; exits with 1 if one differs.

    Raises:
        UserError: there is no manifest or label, or results in a format that none of ours has.
    """
    if found := differences(archive):
        print(*found[:MOST], sep="\n")
        if len(found) > MOST:
            print(f"… and {len(found) - MOST:,} more")
        print(f"{archive.path}: is not as it was packed; get it again")
        sys.exit(1)
    label = read_label(archive.read(LABEL), f"{archive.path}: {LABEL}")
    if label.config not in archive.entries:
        raise DamagedFile(f"{archive.path}: {LABEL}: its config is not in the archive")
    changes = f", with {len(label.changed)} files changed" if label.changed else ""
    commit = f"commit {label.commit}{changes}" if label.commit else "no commit"
    print(
        f"{archive.path}: {len(archive.names):,} files, {archive.size / 1e6:,.1f} MB, all as they "
        f"were packed\n{label.name} {label.version}, {commit}; {label.config}: "
        f"{', '.join(label.targets)}{'' if label.weights else ', without weights'}",
        flush=True,
    )
    return label


def differences(archive: Archive) -> list[str]:
    """What is missing, added or altered, by the manifest, and by the archive's own SHA-256 if that
    lies beside it.

    Raises:
        UserError: as `whole`.
    """
    listed = read_sums(archive.read(SUMS), f"{archive.path}: {SUMS}")
    there = set(archive.names) - {SUMS}
    if wrong := next((name for name in archive.names if not kind(name)), None):
        raise UserError(
            f"{archive.path}: {wrong} is in a format that no archive of sparsedecay holds; do "
            "not trust it"
        )
    problems = [f"missing: {name}" for name in sorted(listed.keys() - there)]
    problems += [f"added: {name}" for name in sorted(there - listed.keys())]
    both = sorted(listed.keys() & there)
    problems += [f"altered: {name}" for name in both if archive.digest(name) != listed[name]]
    beside = archive.path.with_name(archive.path.name + ".sha256")
    if beside.is_file():
        said = beside.read_bytes()[:200].split()[:1]
        if said != [file_digest(archive.path).encode()]:
            problems.append(f"altered: {archive.path} is not what {beside} says")
    return problems
