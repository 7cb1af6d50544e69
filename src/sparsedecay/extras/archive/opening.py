"""Opening a .zip from a stranger: nothing in it is run, and nothing leaves the folder it is put in.

    with opened(Path("results.zip")) as archive:
        archive.names
        archive.digest("figures/fig4.pdf")
        archive.unpack(Path("empty"))

What is refused as a whole: names that lead out of the folder, links and devices, two entries of one
name, entries that share bytes or unpack to absurd sizes, encryption.
"""

import hashlib
import shutil
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sparsedecay.errors import UserError
from sparsedecay.files.storage import atomic
from sparsedecay.study.entries import show

MAX_RATIO, SMALL = 1000, 10_000_000
"""An entry may be packed this much, or unpack to so many bytes. Zeros reach 1,032."""
MAX_WHOLE_RATIO, SMALL_WHOLE = 50, 1_000_000_000
"""The same of the whole; tables, pictures, logs and text together stay far below."""
MAX_ENTRIES = 1_000_000
BLOCK = 1 << 20


class Archive:
    """An open .zip whose entries were all found harmless."""

    def __init__(self, path: Path, opened: ZipFile) -> None:
        self.path = path
        self._opened = opened
        self.entries = {info.filename: info for info in opened.infolist() if not info.is_dir()}

    @property
    def names(self) -> list[str]:
        return sorted(self.entries)

    @property
    def size(self) -> int:
        """Bytes of all files, unpacked."""
        return sum(info.file_size for info in self.entries.values())

    def blocks(self, name: str) -> Iterator[bytes]:
        """The content of a file, in pieces.

        Raises:
            UserError: it is damaged.
        """
        try:
            with self._opened.open(self.entries[name]) as file:
                while block := file.read(BLOCK):
                    yield block
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise UserError(
                f"{self.path}: is damaged ({show(name)}: {error}); get it again"
            ) from None

    def read(self, name: str) -> bytes:
        """A small file.

        Raises:
            UserError: it is not there, too large, or damaged.
        """
        if name not in self.entries:
            raise UserError(f"{self.path}: holds no {name}, so it is no archive of sparsedecay")
        if self.entries[name].file_size > SMALL * 10:
            raise UserError(f"{self.path}: {name} is far too large")
        return b"".join(self.blocks(name))

    def digest(self, name: str) -> str | None:
        """SHA-256 of a file, hexadecimal; None if it is damaged."""
        whole = hashlib.sha256()
        try:
            for block in self.blocks(name):
                whole.update(block)
        except UserError:
            return None
        return whole.hexdigest()

    def unpack(self, folder: Path, names: Iterable[str] | None = None) -> None:
        """Write files, all or those named, to the same places in a folder.

        Raises:
            UserError: one is damaged, or there is no room.
        """
        names = self.names if names is None else list(names)
        needed = sum(self.entries[name].file_size for name in names)
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise UserError(
                f"{folder}: {needed / 1e6:,.0f} MB are needed to unpack {self.path}, and "
                f"{free / 1e6:,.0f} MB are free; make room, or choose another folder"
            )
        for name in names:
            target = folder / name
            # a link in its place is replaced, not followed
            with atomic(target) as temporary, open(temporary, "wb") as file:
                for block in self.blocks(name):
                    file.write(block)
            if self.entries[name].external_attr >> 16 & stat.S_IXUSR:
                target.chmod(0o755)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """A .zip, checked entry by entry before anything is read.

    Raises:
        UserError: it is no .zip, damaged, or refused.
    """
    try:
        file = ZipFile(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (BadZipFile, EOFError) as error:
        raise UserError(f"{path}: is damaged or no .zip ({error}); get it again") from None
    except (NotImplementedError, ValueError, RuntimeError) as error:
        raise UserError(f"{path}: is no .zip that can be read ({error}); get it again") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    with file:
        refuse(path, file.infolist())
        yield Archive(path, file)


def refuse(path: Path, entries: list[ZipInfo]) -> None:
    """Check all entries.

    Raises:
        UserError: one is not allowed; the message names it.
    """
    if len(entries) > MAX_ENTRIES:
        raise UserError(f"{path}: has {len(entries):,} entries; at most {MAX_ENTRIES:,} are opened")
    seen: set[str] = set()
    for entry in entries:
        if reason := what_is_wrong(entry):
            raise UserError(
                f"{path}: the entry {show(entry.orig_filename)} {reason}; nothing was unpacked. Do "
                "not trust this archive"
            )
        name = one_name(entry)
        if name in seen:
            raise UserError(f"{path}: the entry {show(entry.filename)} stands there twice")
        seen.add(name)
    files = {one_name(entry) for entry in entries if not entry.is_dir()}
    for name in seen:
        for parent in PurePosixPath(name).parents:
            if str(parent) in files:
                raise UserError(f"{path}: the entry {show(str(parent))} is a file and a folder")
    packed, size = sum(entry.compress_size for entry in entries), path.stat().st_size
    whole = sum(entry.file_size for entry in entries)
    if whole > max(SMALL_WHOLE, MAX_WHOLE_RATIO * size):
        raise UserError(f"{path}: would unpack from {size:,} to {whole:,} bytes; do not trust it")
    if packed > size:
        raise UserError(f"{path}: its entries share bytes, so that it unpacks to an absurd size")


def one_name(entry: ZipInfo) -> str:
    """The same for names that differ in case alone, which are one file on some systems; but
    Snakemake names its records without regard to that."""
    name = entry.filename.rstrip("/")
    return name if name.startswith(".snakemake/") else name.casefold()


def what_is_wrong(entry: ZipInfo) -> str | None:
    """Why an entry is not unpacked."""
    name = PurePosixPath(entry.orig_filename.replace("\\", "/"))
    drive = ":" in name.parts[0] if name.parts else False
    # not a/./b or a//b either: one place has one name
    if str(name) != entry.orig_filename.rstrip("/").replace("\\", "/"):
        return "has a name that is written in an odd way"
    if name.is_absolute() or ".." in name.parts or drive or "\\" in entry.orig_filename:
        return "leads out of the archive"
    if not entry.orig_filename.isprintable() or not name.parts:
        return "has a name with control characters, or none"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a link"
    if kind not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
        return "is no ordinary file"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return f"is packed in the unknown way {entry.compress_type}"
    if entry.file_size > max(SMALL, MAX_RATIO * entry.compress_size):
        return f"would unpack from {entry.compress_size:,} to {entry.file_size:,} bytes"
    return None
