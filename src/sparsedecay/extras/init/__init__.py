"""Command `sparsedecay init`: a folder for a study of one's own.

    sparsedecay init study
    cd study
    snakemake

It holds a config, in which every key is explained, profiles, and a Snakefile that includes the
rules of the installed package, so that they are upgraded with it.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from sparsedecay.errors import UserError
from sparsedecay.extras.init.commented import commented
from sparsedecay.files.project import PROJECT, SNAKEFILE
from sparsedecay.files.storage import write_file

HERE = Path(__file__).parent
WRITTEN = {"Snakefile": "Snakefile", "README.md": "README.md", "gitignore": ".gitignore"}
"""Files beside this one, and what they are called in the new folder."""
CONFIG = "config/config.yaml"
COPIED = ("config/*.yaml", "config/schema.json", "profiles/*/*.yaml")
MANUAL = "config/README.md"


def contents() -> Iterator[tuple[str, str]]:
    """The files of a new study, by their places in it.

    Raises:
        UserError: the project's files are not where they should be.
    """
    if not Path(SNAKEFILE).is_file():
        raise UserError(f"{SNAKEFILE}: no such file; install sparsedecay again, from a wheel")
    for name, place in WRITTEN.items():
        yield place, (HERE / name).read_text("utf-8")
    for pattern in COPIED:
        for file in sorted(PROJECT.glob(pattern)):
            place = file.relative_to(PROJECT).as_posix()
            yield place, commented(file) if place == CONFIG else file.read_text("utf-8")
    # links to documents that only a clone has, as their words alone
    manual = (PROJECT / MANUAL).read_text("utf-8")
    yield MANUAL, re.sub(r"\[([^]]*)\]\(\.\./[^)]*\)", r"\1", manual)


def check_free(folder: Path, places: list[str]) -> None:
    """Check that a folder is new, or holds nothing but hidden files of others.

    Raises:
        UserError: it does not.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file; name a new folder")
    ours = {place.split("/")[0] for place in places}
    there = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if found := [name for name in there if name in ours or not name.startswith(".")]:
        raise UserError(f"{folder}: is not empty, it holds {found[0]}; name a new folder")


def main(arguments: list[str]) -> None:
    """Write the files.

    Raises:
        UserError: the folder is not empty, or the installation is incomplete.
    """
    parser = argparse.ArgumentParser(
        prog="sparsedecay init",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder")
    folder: Path = parser.parse_args(arguments).folder
    files = dict(contents())
    check_free(folder, [*files])
    for place, text in files.items():
        write_file(folder / place, text)
    print(
        f"{folder}: a study, with the paper's experiment in {CONFIG}; README.md tells more. Type:\n"
        f"\n    cd {quote(str(folder))}\n"
        "    snakemake figures/fig4.pdf --configfile config/smoke.yaml    # to try it: a minute\n"
        "    snakemake                                                    # the paper's figures"
    )
