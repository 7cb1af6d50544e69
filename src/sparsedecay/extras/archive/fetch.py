"""Command `sparsedecay fetch`: take the results of an archive into this folder.

    sparsedecay fetch sparsedecay-0.1.0.zip

Data, tables, weights, figures, logs and Snakemake's records are taken, so that Snakemake has
nothing to do if the code and the config are those of the archive. What is here already stays.
Nothing in the archive is run.
"""

import argparse
from pathlib import Path, PurePath

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.history import FOLDER, History, output_of
from sparsedecay.extras.archive.manifest import is_made, kind, whole
from sparsedecay.extras.archive.opening import Archive, opened
from sparsedecay.files.provenance import file_digest


def main(arguments: list[str]) -> None:
    """Take results.

    Raises:
        UserError: the archive cannot be used, or this is no project's folder.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay fetch", description=__doc__)
    parser.add_argument("archive", type=Path)
    options = parser.parse_args(arguments)
    project = Path()
    if not (project / "Snakefile").is_file():
        raise UserError(f"{project.resolve()}: holds no Snakefile; go to the project's folder")
    if str(options.archive) in ("", "."):
        raise UserError("no archive is named; write: make fetch-results ARCHIVE=FILE.zip")
    with opened(options.archive) as archive:
        whole(archive)
        new, same, kept = sort(archive, project)
        archive.unpack(project, new)
    print(f"taken: {len(new):,} files; here already: {len(same):,} the same")
    if kept:
        print(f"left as they are, though the archive has others: {len(kept):,}, as {kept[0]}")


def sort(archive: Archive, project: Path) -> tuple[list[str], list[str], list[str]]:
    """The results of an archive that are not here, that are the same here, and that differ. A
    record belongs to its output: it is taken where that is taken, or has none here."""
    made = [name for name in archive.names if is_made(name)]
    results = [name for name in made if kind(name) != "records"]
    records = {n: output_of(PurePath(n).relative_to(FOLDER)) for n in made if kind(n) == "records"}
    old = {name for name in results if (project / name).is_file()}
    same = {name for name in old if archive.digest(name) == file_digest(project / name)}
    here = ({*History(project).files} | old - same) - (set(results) - old)
    new = [
        name for name in (*results, *records) if name not in old and records.get(name) not in here
    ]
    return new, sorted(same), sorted(old - same)
