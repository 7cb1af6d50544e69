"""Reading and writing: Parquet tables, safetensors states and JSON, whole or not at all.

Every file is written beside its place, flushed to disk and renamed. Tables and states are sealed:
they hold the SHA-256 of all their bytes (with zeros in the place of the digest itself), and are
read only if it is right. A file that cannot be read, or lacks what it must hold, is a `DamagedFile`
that names the command which makes it again.
"""

import contextlib
import errno
import glob
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from sparsedecay.errors import DamagedFile, UserError

M = TypeVar("M", bound=BaseModel)


def schema(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    """A table's columns, each (name, type, unit or meaning); the last becomes field metadata."""
    return pa.schema([pa.field(n, t, nullable=True, metadata={"unit": u}) for n, t, u in columns])


@contextmanager
def atomic(path: Path, size: int = 0) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place once it is complete and on the disk.

    Args:
        size: about how many bytes it will have, to be told if there is no room.

    Raises:
        UserError: it cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # what a process that was killed left: only one at a time writes a file
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
            left.unlink(missing_ok=True)
        yield temporary
        with open(temporary, "rb") as written:
            # as of any other file: safetensors makes its own for the user alone
            with contextlib.suppress(PermissionError):  # a file system without permissions
                os.fchmod(written.fileno(), 0o666 & ~umask())
            os.fsync(written.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise unwritten(path, error, size) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def umask() -> int:
    """What the user keeps from others in new files; to be read, it must be set."""
    os.umask(mask := os.umask(0))
    return mask


def is_full(error: OSError) -> bool:
    """Whether there is no room for what was to be written."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)


def unwritten(path: Path, error: OSError, size: int = 0) -> UserError:
    """That a file could not be written, and what to do."""
    if is_full(error):
        return UserError(
            f"{path}: there is no room on the disk: {shortage(path, error, size)} and give the "
            "same command again; nothing that was finished is lost."
        )
    reason = error.strerror or str(error).splitlines()[0]
    return UserError(f"{path}: cannot be written: {reason}; check that place and its permissions")


def shortage(path: Path, error: OSError, size: int) -> str:
    """What a file found too little of, and what to do about it."""
    there = next(folder for folder in path.absolute().parents if folder.exists())
    disk = os.statvfs(there)
    free = disk.f_frsize * disk.f_bavail
    needed = f"about {size / 1e6:,.3f} MB are needed, " if size else ""
    told = f"{needed}{free / 1e6:,.3f} MB are free there"
    if error.errno == errno.EDQUOT:
        return f"your quota is used up (`quota -s` tells), though {told}. Delete files of yours"
    if disk.f_files and not disk.f_favail:  # some file systems count none
        return (
            f"it holds the {disk.f_files:,} files that it can hold (inodes; `df -i` tells), though "
            f"{told}. Delete or pack files"
        )
    if free > size + disk.f_frsize:
        return f"{told}, so it may be a quota or a limit of files. Make room"
    return f"{told}. Make room"


FORMAT = 1
"""Of tables, states and requests; files of before formats had numbers are of this one too."""
SEAL = "sha256:"
BLANK = f"{SEAL}{'0' * 64}"
SEALED = re.compile(rb"sha256:([0-9a-f]{64})")


def seal(path: Path) -> None:
    """Put the SHA-256 of a file into the place that holds `BLANK`.

    Raises:
        UserError: more than one place holds it.
    """
    content = path.read_bytes()
    if content.count(BLANK.encode()) != 1:
        raise UserError(f"{BLANK} stands in a value; that text is reserved, so choose another")
    at = content.index(BLANK.encode())
    with open(path, "r+b") as file:
        file.seek(at + len(SEAL))
        file.write(hashlib.sha256(content).hexdigest().encode())


def check_seal(content: bytes, needed: bool = True) -> None:
    """Check a file's bytes against the seal among them, before anything else is made of them.

    Args:
        needed: whether there must be one.

    Raises:
        ValueError: they are others than those that were written.
    """
    seals = list(SEALED.finditer(content))
    for found in seals:
        whole = hashlib.sha256(content[: found.start()])
        whole.update(BLANK.encode())
        whole.update(content[found.end() :])
        if found[1].decode() == whole.hexdigest():
            return
    if needed or seals:
        raise ValueError("its bytes are not those that were written: wrong SHA-256")


def check_format(path: Path, number: object) -> None:
    """Whether a file of a format can be read.

    Raises:
        DamagedFile: it is of a later version.
    """
    if str(number) != str(FORMAT):
        raise DamagedFile(
            f"{path}: has format {number} of a later sparsedecay; this one reads {FORMAT}.\n"
            f"{again(path)}"
        )


def write_file(path: Path, content: str | bytes) -> None:
    """Bytes, or a text as UTF-8.

    Raises:
        UserError: as `atomic`.
    """
    content = content.encode() if isinstance(content, str) else content
    with atomic(path, len(content)) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    write_file(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_table(path: Path, table: pa.Table, metadata: Mapping[str, str]) -> None:
    """Parquet with zstd and the given file metadata; the same table gives the same bytes."""
    write_groups(path, [table], table.schema, metadata, table.nbytes)


def write_groups(
    path: Path,
    groups: Iterable[pa.Table],
    schema: pa.Schema,
    metadata: Mapping[str, str],
    size: int = 0,
) -> None:
    """Parquet as `write_table` writes it, but table after table, each a row group of its own: only
    one of them is in memory, and readers skip those whose values they do not ask for."""
    about = {**(schema.metadata or {}), "format": str(FORMAT), **metadata}
    schema = schema.with_metadata(about)
    with atomic(path, size) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as file:
            for table in groups:
                table = table.replace_schema_metadata(schema.metadata)
                file.write_table(table, row_group_size=max(1, table.num_rows))
            file.add_key_value_metadata({"sha256": BLANK})
        seal(temporary)


def open_table(path: Path, sealed: bool = True) -> pq.ParquetFile:
    """A table to be read in parts, all of it checked.

    Raises:
        DamagedFile: as `read_table`.
    """

    with guarded(path):
        content = path.read_bytes()
        check_seal(content, sealed)
        file = pq.ParquetFile(pa.BufferReader(content))
        about = file.schema_arrow.metadata or {}
        check_format(path, about.get(b"format", b"1").decode())
    return file


def read_table(path: Path, expected: pa.Schema | None = None, sealed: bool = True) -> pa.Table:
    """A table as written by `write_table`, with at least the expected columns.

    Args:
        sealed: whether it must have a seal; tables of earlier versions have none.

    Raises:
        DamagedFile: it cannot be read, its bytes are not those that were written, or columns are
            missing or of another type.
    """

    with guarded(path):
        table = open_table(path, sealed).read()
        about = table.schema.metadata or {}
        about = {k: v for k, v in about.items() if k not in (b"format", b"sha256")}
        for field in expected or ():
            if (
                field.name not in table.schema.names
                or table.schema.field(field.name).type != field.type
            ):
                raise ValueError(f"it has no column {field.name} of type {field.type}")
    return table.replace_schema_metadata(about)


def sealed_request(asked: BaseModel) -> str:
    """A request as it stands in a file: one line of JSON, with the SHA-256 of what is asked."""
    text = canonical(asked.model_dump(mode="json", exclude_defaults=True))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f'{{"asked":{text},"format":{FORMAT},"sha256":"{digest}"}}'


def canonical(value: Any) -> str:
    """JSON in one line, with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def read_request(path: Path, kind: type[M]) -> M:
    """What a stage is asked for, as `sealed_request` wrote it into a file.

    Raises:
        UserError: the file is missing, or is no such request.
    """

    with guarded(path):
        document = json.loads(path.read_bytes())
        if not isinstance(document, dict):
            raise ValueError("it is no JSON object")
        if odd := document.keys() - {"asked", "format", "sha256"}:
            raise ValueError(f"it has a key that no request has: {min(odd)}")
        check_format(path, document.get("format", 1))
        text = canonical(document["asked"])
        if document["sha256"] != hashlib.sha256(text.encode()).hexdigest():
            raise ValueError("it is not what was written: wrong SHA-256")
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise DamagedFile(f"{path}: is no request: {problem(error)}.\n{again(path)}") from None


def write_state(path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
    """Named torch tensors as safetensors; the same tensors give the same bytes."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    # as one entry, because safetensors writes several in random order
    about = json.dumps({"format": str(FORMAT), **metadata, "sha256": BLANK}, sort_keys=True)
    with atomic(path, sum(tensor.nbytes for tensor in whole.values())) as temporary:
        try:
            save_file(whole, temporary, {"about": about})
        except SafetensorError as error:
            raise OSError(str(error)) from None
        seal(temporary)


def read_state(path: Path, framework: str = "pt") -> tuple[dict[str, Any], dict[str, str]]:
    """All tensors (`framework`: "pt" torch, "np" numpy) and the metadata of a safetensors file.

    Raises:
        DamagedFile: it cannot be read, or its bytes are not those that were written.
    """

    with guarded(path):
        content = path.read_bytes()
        check_seal(content)
        size = int.from_bytes(content[:8], "little")
        about = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["about"])
        del about["sha256"]
        check_format(path, about.pop("format", "1"))
        library = import_module("safetensors.numpy" if framework == "np" else "safetensors.torch")
        tensors = library.load(content)
    return tensors, about


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Reads a file, with every way of failing told in terms of the file.

    Raises:
        UserError: the file is missing, or may not be read.
        DamagedFile: it is not what it should be.
    """
    from safetensors import SafetensorError

    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; make it with: snakemake {path}") from None
    except PermissionError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except (
        pa.ArrowException,
        SafetensorError,
        ValueError,
        LookupError,
        TypeError,
        RecursionError,
        OSError,
    ) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DamagedFile(
            f"{path}: is damaged or not what its name says ({reason}).\n{again(path)}"
        ) from None


def problem(error: ValidationError, show: Callable[[str], str] = str) -> str:
    """The first thing that is wrong with values: its key as `show` writes it, and why."""
    first = error.errors(include_url=False)[0]
    key = ".".join(map(str, first["loc"]))
    return f"{show(key)}: {first['msg']}" if key else first["msg"]


def misplaced(path: Path, expected: str) -> DamagedFile:
    """That a file is whole, but another's."""
    return DamagedFile(f"{path}: does not hold {expected}.\n{again(path)}")


def again(path: Path | str) -> str:
    """The line of a message that says how a result is made again."""
    return f"Make it again with: snakemake --force {path}"
