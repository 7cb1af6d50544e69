"""Draws all figures of an archive again from its tables, and compares them byte for byte."""

from pathlib import Path

from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.names import MANIFEST, is_made, kind
from sparsedecay.extras.archive.opening import Archive
from sparsedecay.extras.archive.records import Records
from sparsedecay.extras.archive.settings import Label
from sparsedecay.extras.archive.workflow import Workflow
from sparsedecay.files.provenance import file_digest, versions


def rerender(archive: Archive, label: Label, folder: Path, cores: str) -> bool:
    """Whether Snakemake finds nothing to be done in the unpacked archive, and draws the same
    figures again.

    Raises:
        UserError: Snakemake fails.
    """
    workflow = Workflow(folder, label.config, cores)
    if not workflow.idle(list(label.targets)):
        print("Snakemake would do the jobs above, though everything should be there")
        return False
    print("Snakemake finds nothing to be done", flush=True)
    listed = manifest.read((folder / MANIFEST).read_bytes(), MANIFEST)
    figures = [job for job in Records(folder).all if job.rule == "figure"]
    jobs = [job for job in figures if listed.keys() >= {n for n in job.inputs if is_made(n)}]
    for job in figures:
        if job not in jobs:
            print(f"{job.name}: not drawn, as it shows weights that the archive was made without")
    # by the manifest, as records of strangers may name anything
    drawn = [
        name for job in jobs for name in job.outputs if name in listed and kind(name) == "figures"
    ]
    for name in drawn:
        (folder / name).unlink()
    workflow.make(drawn)
    differ = [name for name in drawn if file_digest(folder / name) != listed[name]]
    print(
        f"{len(drawn) - len(differ)} of {len(drawn)} files of {len(jobs)} figures: the same bytes"
    )
    if differ:
        print("differ:", *differ, sep="\n  ")
        print(*other_versions(label), sep="\n")
    return not differ


def other_versions(label: Label) -> list[str]:
    """What is not here as it was where the archive was packed."""
    here = versions()
    return [
        f"packed with {name} {label.versions.get(name)}, drawn with {name} {version}"
        for name, version in here.items()
        if label.versions.get(name) != version
    ] or ["though machine and versions are those of the archive"]
