"""Results in a .zip: the files that a comparison reads, unpacked into a temporary folder."""

from pathlib import Path, PurePosixPath

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.opening import opened

MAX_BYTES = 2_000_000_000
"""Of all files together, unpacked."""
TABLES = ("summary.parquet", "matrices.parquet", "claims.parquet")
PICTURES = (".png", ".pdf", ".svg")


def unpack(archive: Path, folder: Path) -> None:
    """Put tables and figures of an archive into a folder; all other entries are left packed.

    Raises:
        UserError: it is no archive, damaged or too large, or an entry is not allowed.
    """
    with opened(archive) as found:
        names = [name for name in found.names if is_read(name)]
        if sum(found.entries[name].file_size for name in names) > MAX_BYTES:
            raise UserError(
                f"{archive}: its tables and figures are larger than the {MAX_BYTES:,} bytes "
                "that are unpacked; name the unpacked folder instead"
            )
        found.unpack(folder, names)


def is_read(name: str) -> bool:
    """Whether an entry is a table or figure that a comparison reads."""
    path = PurePosixPath(name)
    if "__MACOSX" in path.parts:
        return False
    return path.name in TABLES or (path.parent.name == "figures" and path.suffix in PICTURES)
