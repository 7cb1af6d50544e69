"""Finds what A and B stand for: a results folder, an archive, or a config, in a file or in git.

side("A", "old.zip", None, stack)               Side
side("B", "HEAD~1:config/config.yaml", None, stack)
"""

import os
import shlex
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sparsedecay.errors import UserError
from sparsedecay.extras.compare.archive import unpack
from sparsedecay.extras.compare.configs import from_config
from sparsedecay.extras.compare.results import Results
from sparsedecay.extras.compare.revision import show
from sparsedecay.extras.compare.sides import Side
from sparsedecay.extras.compare.words import count

PICTURES = (".png", ".pdf", ".svg")
LAYOUT = "results/measure/<run>/<epoch>/summary.parquet"


def side(letter: str, name: str, results: Path | None, stack: ExitStack) -> Side:
    """The side of a name; files and folders win over revisions. `results` is where the milestones
    of configs are looked up (default: results), and `stack` holds temporary folders.

    Raises:
        UserError: nothing of that name is there, or it cannot be read.
    """
    path = Path(name)
    if os.path.isdir(name):
        return from_folder(name, path, "results folder")
    if os.path.exists(name) and path.suffix in (".yaml", ".yml"):
        found = from_config(letter, name, path, here(results))
        return with_remedy(found, shlex.quote(name), results)
    if os.path.exists(name):
        return from_archive(name, path, stack)
    shown, spec, content = show(name)
    file = temporary(stack) / "config.yaml"
    file.write_bytes(content)
    found = from_config(letter, shown, file, here(results))
    save = f"git show {shlex.quote(spec)} > config/other.yaml && "
    return with_remedy(found, "config/other.yaml", results, save)


def from_folder(name: str, folder: Path, kind: str, alias: tuple[str, str] = ("", "")) -> Side:
    """All milestones in a project or results folder.

    Raises:
        UserError: it holds none, or a table that cannot be read.
    """
    results = Results(results_in(folder) or folder, alias)
    listed = results.listed()
    measured = [pair for pair in listed if results.has(*pair)]
    if not measured:
        raise UserError(
            f"{name}: holds no measured results ({LAYOUT}); name a folder that does, or make them "
            "there with: snakemake"
        )
    left_out = count(len(listed) - len(measured), "milestone")
    note = f"{name}: left out: {left_out} without summary.parquet."
    return Side(
        name,
        kind,
        [results.milestone(*pair) for pair in measured],
        figures=figures(results.folder),
        claims=results.claims(),
        notes=() if listed == measured else (note,),
        alias=alias,
    )


def from_archive(name: str, archive: Path, stack: ExitStack) -> Side:
    """All milestones in a .zip, at its top or in one folder.

    Raises:
        UserError: it cannot be unpacked, or holds no results, or several.
    """
    folder = temporary(stack)
    unpack(archive, folder)
    within = sorted(path for path in folder.iterdir() if path.is_dir())
    tops = [path for path in [folder, *within] if results_in(path)]
    if folder in tops:
        tops = [folder]
    if len(tops) > 1:
        names = ", ".join(path.name for path in tops)
        raise UserError(f"{name}: holds several results ({names}); unpack it and name one of them")
    return from_folder(name, tops[0] if tops else folder, "archive", (f"{folder}/", f"{name}: "))


def results_in(folder: Path) -> Path | None:
    """The results folder in a project folder, or the folder itself if it is one."""
    if (folder / "results").is_dir():
        return folder / "results"
    return folder if (folder / "measure").is_dir() else None


def here(results: Path | None) -> Results:
    """Where the milestones of configs are looked up.

    Raises:
        UserError: --results is no folder.
    """
    if results and not results.is_dir():
        raise UserError(f"--results {results}: no such folder; name one that holds measure/")
    folder = results or Path("results")
    return Results(results_in(folder) or folder)


def figures(results: Path) -> dict[str, dict[str, Path]]:
    """The pictures beside a results folder, by name and ending."""
    # a folder of another name is a copy; what lies beside it need not belong to it
    home = results if results.name == "results" else results.resolve()
    folder = home.parent / "figures"
    found: dict[str, dict[str, Path]] = {}
    if home.name == "results" and folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix in PICTURES:
                found.setdefault(path.stem, {})[path.suffix] = path
    return found


def with_remedy(found: Side, config: str, results: Path | None, before: str = "") -> Side:
    """A config's side with the command that makes what is missing."""
    place = here(results).folder.resolve().parent
    folder = "" if place == Path.cwd() else f" --directory {shlex.quote(str(place))}"
    return replace(found, remedy=f"{before}snakemake --configfile {config}{folder}")


def temporary(stack: ExitStack) -> Path:
    return Path(stack.enter_context(TemporaryDirectory(prefix="sparsedecay-")))
