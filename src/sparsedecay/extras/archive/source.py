"""The project's own files, and which commit they are.

In a git checkout these are the files that git knows, and new ones that it is not told to ignore. In
an unpacked archive they are the files that its manifest lists.
"""

import os
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.manifest import read as read_manifest
from sparsedecay.extras.archive.names import ADDED, LABEL, MANIFEST, is_made
from sparsedecay.extras.archive.settings import Label
from sparsedecay.files.provenance import file_digest
from sparsedecay.study.study import Study


@dataclass(frozen=True)
class Source:
    """The files of a project, by their places in it, and the commit they belong to."""

    project: Path
    files: tuple[str, ...]
    commit: str | None
    changed: tuple[str, ...]
    """Files that differ from the commit."""

    @property
    def digest(self) -> str:
        """Stands for the content of all files and the commit."""
        whole = sha256(str(self.commit).encode())
        for name in self.files:
            whole.update(f"\0{name}\0{file_digest(self.project / name)}".encode())
        return whole.hexdigest()


def source(project: Path) -> Source:
    """The source in a project's folder.

    Raises:
        UserError: it is neither a git checkout nor an unpacked archive.
    """
    top = git(project, "rev-parse", "--show-toplevel")
    if top and Path(top.rstrip("\n")).resolve() == project.resolve():
        return from_git(project)
    if (project / MANIFEST).exists() and (project / LABEL).exists():
        return from_archive(project)
    if (project / ".git").exists():
        said = explained(project)
        raise UserError(f"{project.resolve()}: git cannot say what belongs to it: {said}")
    raise UserError(
        f"{project.resolve()}: is neither a git checkout nor an unpacked archive, so it cannot be "
        "said which source belongs to the results. Clone the project with git, or begin a history: "
        "git init && git add . && git commit"
    )


def explained(project: Path) -> str:
    """Why git says nothing of a checkout."""
    try:
        command = ["git", "-C", str(project), "status"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "it is not installed"
    return done.stderr.strip() or "it has no work tree there"


def from_git(project: Path) -> Source:
    """The source in a git checkout.

    Raises:
        UserError: a file of it cannot be archived.
    """
    listed = git(project, "ls-files", "-z", "--cached", "--others", "--exclude-standard") or ""
    status = git(project, "status", "-z", "--porcelain", "--untracked-files=all", "--no-renames")
    commit = git(project, "rev-parse", "--verify", "--quiet", "HEAD")
    # in the root: what an earlier archive put there when it was unpacked
    names = {name for name in listed.split("\0") if name and name not in ADDED}
    changed = {line[3:] for line in (status or "").split("\0") if line} - ADDED
    for name in sorted(names):
        if reason := unfit(project / name):
            raise UserError(f"{name!r}: {reason}, which no archive can hold; replace or remove it")
    return Source(
        project,
        tuple(sorted(name for name in names if (project / name).is_file())),
        commit.strip() if commit else None,
        tuple(sorted(changed)),
    )


def from_archive(project: Path) -> Source:
    """The source in an unpacked archive.

    Raises:
        UserError: its manifest or label is damaged.
    """
    manifest = read_manifest((project / MANIFEST).read_bytes(), str(project / MANIFEST))
    try:
        label = Label.model_validate_json((project / LABEL).read_bytes())
    except ValidationError:
        raise UserError(f"{project / LABEL}: is damaged; unpack the archive again") from None
    listed = {n: d for n, d in manifest.items() if not is_made(n) and n not in ADDED}
    files = [name for name in listed if (project / name).is_file()]
    altered = {name for name in files if file_digest(project / name) != listed[name]}
    missing = listed.keys() - set(files)
    changed = {*label.changed, *altered, *missing}
    return Source(project, tuple(sorted(files)), label.commit, tuple(sorted(changed)))


def unfit(path: Path) -> str | None:
    """Why a file of the source cannot be archived."""
    if not str(path).isprintable():
        return "has a name with control characters or not in UTF-8"
    if path.is_symlink():
        return "is a link"
    return "is another repository" if path.is_dir() else None


def git(project: Path, *arguments: str) -> str | None:
    """What git says, or None where it fails or is not installed."""
    # not of a repository around the project, nor of one that a hook has set
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments], env=env, capture_output=True, check=False
        )
    except OSError:
        return None
    return done.stdout.decode(errors="surrogateescape") if done.returncode == 0 else None


def config_in(source: Source, config: Path, study: Study) -> str:
    """The place of a config in the source, which also holds the file of readings that it names.

    Raises:
        UserError: one of them lies outside, or git ignores it.
    """
    readings = [config.parent / study.claims.readings] if study.claims else []
    places = []
    for file in (config, *readings):
        try:
            place = file.resolve().relative_to(source.project.resolve()).as_posix()
        except ValueError:
            raise UserError(
                f"{file}: lies outside of the project, so an archive would lack it; copy it to "
                "config/"
            ) from None
        if place not in source.files:
            raise UserError(f"{file}: is no part of the source; does git ignore it?")
        places.append(place)
    return places[0]


def executable(project: Path, name: str) -> bool:
    """Whether a file of the source is a program."""
    return PurePosixPath(name).suffix != ".md" and os.access(project / name, os.X_OK)
