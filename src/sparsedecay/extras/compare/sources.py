"""Finds what A and B stand for: a results folder, an archive, or a config, in a file or in git.

side("A", "old.zip", None, stack)               Side
side("B", "HEAD~1:config/config.yaml", None, stack)
"""

import os
import shlex
import subprocess
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.opening import opened
from sparsedecay.extras.compare.sides import PICTURES, Folder, Milestone, Side, parameters
from sparsedecay.files import paths
from sparsedecay.science.run import columns
from sparsedecay.study.study import load_study
from sparsedecay.words import count

MAX_BYTES = 2_000_000_000
"""Of all files of an archive together, unpacked."""
LAYOUT = paths.measured("<run>", "<epoch>", "summary")
READ = ("summary.parquet", "matrices.parquet", "claims.parquet")
DEFAULT = "config/config.yaml"
"""The config of a revision that is named alone."""
MAKE = "snakemake --configfile"
UNKNOWN = "Needed a single revision"
"""All that git says of a name that it does not know."""


def side(letter: str, name: str, results: Path | None, stack: ExitStack) -> Side:
    """The side of a name; files and folders win over revisions. `results` is where the milestones
    of configs are looked up (default: results), and `stack` holds temporary folders.

    Raises:
        UserError: nothing of that name is there, or it cannot be read.
    """
    path = Path(name)
    if os.path.isdir(name):
        return from_folder(name, path, "results folder")
    if os.path.exists(name):
        if path.suffix not in (".yaml", ".yml"):
            return from_archive(name, path, stack)
        return from_config(letter, name, path, results, f"{MAKE} {shlex.quote(name)}")
    shown, spec, content = show(name)
    file = temporary(stack) / "config.yaml"
    file.write_bytes(content)
    copy = f"git show {shlex.quote(spec)} > config/other.yaml"
    return from_config(letter, shown, file, results, f"{copy} && {MAKE} config/other.yaml")


def from_folder(name: str, path: Path, kind: str, alias: tuple[str, str] = ("", "")) -> Side:
    """All milestones in a project or results folder.

    Raises:
        UserError: it holds none, or a table that cannot be read.
    """
    folder = Folder(results_in(path) or path, alias)
    listed = folder.listed()
    measured = [pair for pair in listed if folder.has(*pair)]
    if not measured:
        raise UserError(
            f"{name}: holds no measured results ({LAYOUT}); name a folder that does, or make them "
            "there with: snakemake"
        )
    milestones = [folder.milestone(*pair) for pair in measured]
    left_out = count(len(listed) - len(measured), "milestone")
    notes = (f"{name}: left out: {left_out} without summary.parquet.",) * (listed != measured)
    figures, claims = folder.figures(), folder.claims()
    return Side(name, kind, milestones, figures, claims, notes=notes, alias=alias)


def from_archive(name: str, archive: Path, stack: ExitStack) -> Side:
    """All milestones in a .zip, at its top or in one folder.

    Raises:
        UserError: it cannot be unpacked, or holds no results, or several.
    """
    folder = temporary(stack)
    with opened(archive) as found:
        names = [entry for entry in found.names if is_read(PurePosixPath(entry))]
        if sum(found.entries[entry].file_size for entry in names) > MAX_BYTES:
            raise UserError(
                f"{archive}: its tables and figures are larger than the {MAX_BYTES:,} bytes "
                "that are unpacked; name the unpacked folder instead"
            )
        found.unpack(folder, names)
    within = [] if results_in(folder) else [p for p in sorted(folder.iterdir()) if results_in(p)]
    if len(within) > 1:
        several = ", ".join(path.name for path in within)
        raise UserError(f"{name}: holds several results ({several}); unpack it and name one")
    top = within[0] if within else folder
    return from_folder(name, top, "archive", (f"{folder}/", f"{name}: "))


def is_read(entry: PurePosixPath) -> bool:
    """Whether an entry of an archive is a table or figure that a comparison reads."""
    figure = entry.parent.name == "figures" and entry.suffix in PICTURES
    return "__MACOSX" not in entry.parts and (figure or entry.name in READ)


def from_config(letter: str, name: str, file: Path, results: Path | None, remedy: str) -> Side:
    """The milestones that a config file shows. Messages call it `name`, and `remedy` makes its
    results, in the folder where they are.

    Raises:
        UserError: --results is no folder, or the config is refused; that message begins with the
            side.
    """
    if results and not results.is_dir():
        raise UserError(f"--results {results}: no such folder; name one that holds measure/")
    place = results or Path("results")
    folder = Folder(results_in(place) or place)
    home = folder.path.resolve().parent
    remedy += "" if home == Path.cwd() else f" --directory {shlex.quote(str(home))}"
    try:
        study = load_study([file])
    except UserError as error:
        # messages about configs name files as seen from here
        seen = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
        told = str(error).replace(str(seen), name)
        raise UserError(f"{letter}, {name}: is no config of this version:\n{told}") from None
    milestones, others = [], 0
    for run, epoch in study.shown:
        asked = parameters(columns(run), study.measures.model_dump(mode="json"))
        made = folder.has(run.id, epoch)
        found = folder.milestone(run.id, epoch) if made else Milestone(run.id, epoch, asked, None)
        milestones.append(found)
        others += any(found.parameters[n] != asked[n] for n in asked if n.startswith("measures."))
    note = (
        f"{others} of {len(milestones)} milestones of {letter} were measured by other "
        "definitions than its config asks for; snakemake measures them again without training"
    )
    sections, notes = study.model_dump(mode="json"), (note,) * (others > 0)
    return Side(name, "config", milestones, config=sections, remedy=remedy, notes=notes)


def results_in(folder: Path) -> Path | None:
    """The results folder in a project folder, or the folder itself if it is one."""
    if (folder / "results").is_dir():
        return folder / "results"
    return folder if (folder / "measure").is_dir() else None


def temporary(stack: ExitStack) -> Path:
    return Path(stack.enter_context(TemporaryDirectory(prefix="sparsedecay-")))


def show(name: str) -> tuple[str, str, bytes]:
    """A config in git: what messages call it, what git calls it, and its content. The name is
    REV:path, or REV for config/config.yaml.

    Raises:
        UserError: git is not there, or knows no such revision or file. It says what was tried.
    """
    revision, _, path = name.partition(":")
    # git takes paths from the repository's root, which a project may lie below
    spec = f"{revision}:{path or './' + DEFAULT}"
    shown = f"{revision}:{path or DEFAULT}"
    tried = f"{name}: there is no file or folder of this name"
    try:
        why, _ = git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        # cat-file, unlike show, refuses what is no file
        refused, content = git("cat-file", "blob", "--end-of-options", spec)
    except OSError:
        raise UserError(
            f"{tried}, and git, which may know it as a revision, cannot be run; name a results "
            "folder, a .zip or a .yaml, or install git"
        ) from None
    if why:
        because = "" if why == UNKNOWN else f" ({why})"
        raise UserError(
            f"{tried}, and git knows no revision {revision!r} here{because}; name a results "
            "folder, a .zip, a .yaml, or a revision as `git log` lists them"
        )
    if refused:
        raise UserError(
            f"{shown}: the revision has no such file ({refused}); name one of those that "
            f"`git ls-tree -r --name-only {revision}` lists, as {revision}:path.yaml"
        )
    return shown, spec, content


def git(*arguments: str) -> tuple[str, bytes]:
    """The first line of git's complaint, empty if it has none, and what it answers.

    Raises:
        OSError: git is not installed.
    """
    done = subprocess.run(
        ["git", *arguments], capture_output=True, env=os.environ | {"LC_ALL": "C"}
    )
    if not done.returncode:
        return "", done.stdout
    complaint = done.stderr.decode(errors="replace").strip() or "git gives no reason"
    return complaint.splitlines()[0].removeprefix("fatal: "), b""
