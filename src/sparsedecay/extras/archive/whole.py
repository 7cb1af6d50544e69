"""Is an archive as it was packed? Every file against the SHA-256 in its manifest."""

import sys
from pathlib import Path

from pydantic import ValidationError

from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.names import LABEL, MANIFEST, unsafe
from sparsedecay.extras.archive.opening import Archive
from sparsedecay.extras.archive.settings import Label
from sparsedecay.files.provenance import file_digest
from sparsedecay.study.entries import show

MOST = 20
"""Files that a message lists."""


def whole(archive: Archive) -> Label:
    """Check every file, and print what was found; exits with 1 if one differs.

    Raises:
        UserError: there is no manifest, or results in a format that none of ours has.
    """
    if found := differences(archive):
        print(*found[:MOST], sep="\n")
        if len(found) > MOST:
            print(f"… and {len(found) - MOST:,} more")
        print(f"{archive.path}: is not as it was packed; get it again")
        sys.exit(1)
    label = read_label(archive)
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
    """What is missing, added or altered, by the manifest.

    Raises:
        UserError: as `whole`.
    """
    listed = manifest.read(archive.read(MANIFEST), f"{archive.path}: {MANIFEST}")
    there = set(archive.names) - {MANIFEST}
    if wrong := unsafe(there):
        raise UserError(
            f"{archive.path}: {wrong[0]} is in a format that no archive of sparsedecay holds; do "
            "not trust it"
        )
    problems = [f"missing: {name}" for name in sorted(listed.keys() - there)]
    problems += [f"added: {name}" for name in sorted(there - listed.keys())]
    problems += [
        f"altered: {name}"
        for name in sorted(listed.keys() & there)
        if archive.digest(name) != listed[name]
    ]
    return problems + beside(archive.path)


def beside(path: Path) -> list[str]:
    """What is wrong with the archive as a whole, if its SHA-256 lies beside it."""
    file = path.with_name(path.name + ".sha256")
    if not file.is_file():
        return []
    said = file.read_bytes()[:200].split()[:1]
    return (
        [] if said == [file_digest(path).encode()] else [f"altered: {path} is not what {file} says"]
    )


def read_label(archive: Archive) -> Label:
    """What the archive is.

    Raises:
        DamagedFile: it does not say.
    """
    try:
        label = Label.model_validate_json(archive.read(LABEL))
        if label.config in archive.entries:
            return label
        raise DamagedFile(f"{archive.path}: {LABEL}: its config is not in the archive")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = show(".".join(map(str, first["loc"])))
        raise DamagedFile(
            f"{archive.path}: {LABEL}: {key}: {first['msg']}; it was made by another version, "
            "which can verify it: look in its pyproject.toml"
        ) from None
