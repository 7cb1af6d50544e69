"""Writing an archive whose bytes depend on nothing but the files in it."""

import hashlib
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sparsedecay.errors import UserError
from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.names import MANIFEST
from sparsedecay.extras.archive.opening import BLOCK, opened
from sparsedecay.extras.archive.whole import differences
from sparsedecay.files.provenance import file_digest
from sparsedecay.files.storage import atomic

DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a .zip can tell."""
UNIX = 3


def digest(content: Path | bytes) -> str:
    """SHA-256 of a file or of its content, hexadecimal."""
    return (
        file_digest(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()
    )


def size(content: Path | bytes) -> int:
    """Bytes of a file or of its content."""
    return content.stat().st_size if isinstance(content, Path) else len(content)


def pack(out: Path, files: Mapping[str, Path | bytes], programs: frozenset[str]) -> str:
    """Write the files and their manifest; returns the SHA-256 of the archive.

    Raises:
        UserError: a file changed meanwhile, or has a name that a .zip or the manifest cannot hold.
    """
    digests = {name: digest(content) for name, content in files.items()}
    for name in digests:
        if not name.isprintable() or "\\" in name:
            raise UserError(f"{name!r}: a file of such a name cannot be archived; rename it")
    listed = manifest.write(digests)
    with atomic(out, sum(size(content) for content in files.values())) as temporary:
        with ZipFile(temporary, "w") as archive:
            for name in sorted(files):
                if add(archive, name, files[name], name in programs) != digests[name]:
                    raise UserError(
                        f"{name}: changed while it was archived; wait until nothing else runs here"
                    )
            add(archive, MANIFEST, listed, False)
        with opened(temporary) as archive:  # that it can be opened, and is right
            if wrong := differences(archive):
                raise UserError(f"{out}: was not written as it should be: {wrong[0]}")
        return file_digest(temporary)


def add(archive: ZipFile, name: str, content: Path | bytes, program: bool) -> str:
    """Add one file; returns the SHA-256 of what was added."""
    entry = ZipInfo(name, DATE)
    entry.create_system = UNIX
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | (0o755 if program else 0o644)) << 16
    whole = hashlib.sha256()
    entry.file_size = size(content)
    with archive.open(entry, "w") as target:
        for block in blocks(content):
            whole.update(block)
            target.write(block)
    return whole.hexdigest()


def blocks(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with open(content, "rb") as file:
        while block := file.read(BLOCK):
            yield block
