"""Command `sparsedecay verify`: is an archive whole, and does it give its figures?

    sparsedecay verify sparsedecay-0.1.0.zip                  every file against its SHA-256
    sparsedecay verify sparsedecay-0.1.0.zip --rerender       draw all figures again, and compare
    sparsedecay verify sparsedecay-0.1.0.zip --retrain RUN    train a run again, and compare

The first runs nothing that is in the archive. The other two run its Snakefile and its code, in an
empty folder; if that is not the code of this copy of sparsedecay, they ask for --trust.

Exit status: 0; 1 if something is not as it should be; 2 if the archive cannot be used at all.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.names import ADDED, is_made
from sparsedecay.extras.archive.opening import Archive, opened
from sparsedecay.extras.archive.rerender import rerender
from sparsedecay.extras.archive.retrain import retrain
from sparsedecay.extras.archive.whole import whole
from sparsedecay.files.provenance import file_digest

HARMLESS = ("docs/", "tests/", "config/", "README.md")
"""Source that is not run when figures are drawn or networks trained."""


def main(arguments: list[str]) -> None:
    """Verify an archive.

    Raises:
        UserError: it cannot be opened, is refused, or is no archive of sparsedecay.
    """
    parser = argparse.ArgumentParser(
        prog="sparsedecay verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("archive", type=Path)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--rerender", action="store_true", help="draw all figures again, and compare")
    only.add_argument("--retrain", metavar="RUN", help="train this run again, and compare")
    add("--folder", type=Path, help="unpack there, and leave it (default: a temporary folder)")
    add("--cores", default="all", help="for the workflow (default: all)")
    add("--trust", action="store_true", help="run the archive's code though it is not this one's")
    options = parser.parse_args(arguments)
    with opened(options.archive) as archive, ExitStack() as stack:
        label = whole(archive)
        if not (options.rerender or options.retrain):
            return
        if not options.trust:
            same_code(archive)
        folder = empty(options.folder, stack)
        archive.unpack(folder)
        print(f"unpacked in {folder}", flush=True)
        if options.rerender:
            right = rerender(archive, label, folder, options.cores)
        else:
            right = retrain(archive, label, folder, options.retrain, options.cores)
    sys.exit(0 if right else 1)


def same_code(archive: Archive) -> None:
    """Check that the code of the archive is that of this copy.

    Raises:
        UserError: it is not.
    """
    here = Path(__file__).parents[4]
    source = [
        name
        for name in archive.names
        if not (name.startswith(HARMLESS) or is_made(name) or name in ADDED)
    ]
    other = [
        name
        for name in source
        if not (here / name).is_file() or archive.digest(name) != file_digest(here / name)
    ]
    if other:
        raise UserError(
            f"{archive.path}: its code is not that of this copy of sparsedecay ({other[0]}"
            f"{f' and {len(other) - 1} more files' if other[1:] else ''}), and it would be run. "
            "If you trust whoever made it, add --trust"
        )


def empty(folder: Path | None, stack: ExitStack) -> Path:
    """The folder to unpack in.

    Raises:
        UserError: it is not empty.
    """
    if folder is None:
        return Path(stack.enter_context(TemporaryDirectory(prefix="sparsedecay-")))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"--folder {folder}: is not empty; name a new one")
    return folder.resolve()
