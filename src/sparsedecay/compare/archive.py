"""Results in a .zip: the files that a comparison reads, unpacked into a temporary folder."""

import zlib
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from sparsedecay.config.entries import show
from sparsedecay.errors import UserError

MAX_BYTES = 2_000_000_000
"""Of all files together, unpacked."""
TABLES = ("summary.parquet", "matrices.parquet", "claims.parquet")
PICTURES = (".png", ".pdf", ".svg")


def unpack(archive: Path, folder: Path) -> None:
    """Put tables and figures of an archive into a folder; all other entries are left packed.

    Raises:
        UserError: it is no archive, damaged, encrypted or too large, or an entry leads out of it.
    """
    try:
        with ZipFile(archive) as opened:
            for entry in opened.infolist():
                check(archive, entry)
            entries = [entry for entry in opened.infolist() if is_read(entry)]
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise UserError(
                    f"{archive}: its tables and figures are larger than the {MAX_BYTES:,} bytes "
                    "that are unpacked; name the unpacked folder instead"
                )
            opened.extractall(folder, entries)
    except (BadZipFile, zlib.error, EOFError) as error:
        raise UserError(
            f"{archive}: is damaged or no .zip ({error}); get it again, or name a folder"
        ) from None
    # RuntimeError: it is encrypted; NotImplementedError: packed in an unknown way
    except (RuntimeError, NotImplementedError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"{archive}: cannot be unpacked ({reason}); unpack it by hand and name the folder"
        ) from None


def check(archive: Path, entry: ZipInfo) -> None:
    """Refuse an entry that would be written outside the folder.

    Raises:
        UserError: its name leads out of the archive.
    """
    name = PurePosixPath(entry.orig_filename.replace("\\", "/"))
    drive = ":" in name.parts[0] if name.parts else False
    if name.is_absolute() or ".." in name.parts or drive:
        raise UserError(
            f"{archive}: the entry {show(entry.orig_filename)} leads out of the archive; nothing "
            "was unpacked. Do not trust it; pack it anew from the folder that holds results/"
        )


def is_read(entry: ZipInfo) -> bool:
    """Whether an entry is a table or figure that a comparison reads."""
    path = PurePosixPath(entry.filename)
    if entry.is_dir() or "__MACOSX" in path.parts:
        return False
    return path.name in TABLES or (path.parent.name == "figures" and path.suffix in PICTURES)
