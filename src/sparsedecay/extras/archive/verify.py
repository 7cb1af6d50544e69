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
from pathlib import Path
from tempfile import TemporaryDirectory

from sparsedecay.errors import UserError
from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.history import History
from sparsedecay.extras.archive.opening import Archive, opened
from sparsedecay.extras.archive.retrain import Workflow, retrain, unlike
from sparsedecay.files.provenance import file_digest, versions

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
    with opened(options.archive) as archive:
        label = manifest.whole(archive)
        if not (options.rerender or options.retrain):
            return
        if not options.trust:
            same_code(archive)
        with TemporaryDirectory(prefix="sparsedecay-") as temporary:
            folder = (options.folder or Path(temporary)).resolve()
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise UserError(f"--folder {options.folder}: is not empty; name a new one")
            archive.unpack(folder)
            print(f"unpacked in {folder}", flush=True)
            workflow = Workflow(folder, label.config, options.cores)
            if options.rerender:
                right = rerender(label, workflow)
            else:
                right = retrain(archive, label, workflow, options.retrain)
    sys.exit(0 if right else 1)


def same_code(archive: Archive) -> None:
    """Check that the code of the archive is that of this copy.

    Raises:
        UserError: it is not.
    """
    here = Path(__file__).parents[4]
    other = [
        name
        for name in archive.names
        if manifest.kind(name) == "source"
        and not name.startswith(HARMLESS)
        and not ((here / name).is_file() and archive.digest(name) == file_digest(here / name))
    ]
    if other:
        raise UserError(
            f"{archive.path}: its code is not that of this copy of sparsedecay ({other[0]}"
            f"{f' and {len(other) - 1} more files' if other[1:] else ''}), and it would be run. "
            "If you trust whoever made it, add --trust"
        )


def rerender(label: manifest.Label, workflow: Workflow) -> bool:
    """Whether Snakemake finds nothing to be done in an unpacked archive, and renders the same
    figures again from its tables, byte for byte.

    Raises:
        UserError: Snakemake fails.
    """
    said = workflow.snakemake(*label.targets, "--dry-run", shown=False)
    if "Nothing to be done" not in said:
        print(said, file=sys.stderr)
        print("Snakemake would do the jobs above, though everything should be there")
        return False
    print("Snakemake finds nothing to be done", flush=True)
    folder = workflow.folder
    listed = manifest.read_sums((folder / manifest.SUMS).read_bytes(), manifest.SUMS)
    names, figures = [], 0
    for job in History(folder).all:
        if job.rule != "figure":
            continue
        if not listed.keys() >= {name for name in job.inputs if manifest.is_made(name)}:
            print(f"{job.name}: not drawn, as it shows weights that the archive was made without")
            continue
        figures += 1
        # by the manifest, as records of strangers may name anything
        names += [n for n in job.outputs if n in listed and manifest.kind(n) == "figures"]
    for name in names:
        (folder / name).unlink()
    workflow.snakemake(*names)
    differ = [name for name in names if file_digest(folder / name) != listed[name]]
    print(f"{len(names) - len(differ)} of {len(names)} files of {figures} figures: the same bytes")
    if differ:
        other = [f"packed with {one}" for one in unlike(label.versions, versions())]
        print("differ:", *differ, sep="\n  ")
        print(*(other or ["though machine and versions are those of the archive"]), sep="\n")
    return not differ
