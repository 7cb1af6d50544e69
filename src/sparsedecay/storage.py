"""Reading and writing: Parquet tables, safetensors states and JSON, whole or not at all.

Every file is written beside its place, flushed to disk and renamed. A file that cannot be read, or
lacks what it must hold, is a `DamagedFile` that names the command which makes it again.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from sparsedecay.errors import DamagedFile, UserError

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


def schema(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    """A table's columns, each (name, type, unit or meaning); the last becomes field metadata."""
    return pa.schema([pa.field(n, t, nullable=True, metadata={"unit": u}) for n, t, u in columns])


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place once it is complete and on the disk."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_table(path: Path, table: pa.Table, metadata: Mapping[str, str]) -> None:
    """Parquet with zstd and the given file metadata; the same table gives the same bytes."""
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata})
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def write_groups(
    path: Path, groups: Iterable[pa.Table], schema: pa.Schema, metadata: Mapping[str, str]
) -> None:
    """Parquet as `write_table` writes it, but table after table, each a row group of its own: only
    one of them is in memory, and readers skip those whose values they do not ask for."""
    schema = schema.with_metadata({**(schema.metadata or {}), **metadata})
    with atomic(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as file:
        for table in groups:
            table = table.replace_schema_metadata(schema.metadata)
            file.write_table(table, row_group_size=max(1, table.num_rows))


def read_table(path: Path, expected: pa.Schema | None = None) -> pa.Table:
    """A table as written by `write_table`, with at least the expected columns.

    Raises:
        DamagedFile: it cannot be read, or columns are missing or of another type.
    """

    def read() -> pa.Table:
        table = pq.ParquetFile(path).read()
        for field in expected or ():
            if (
                field.name not in table.schema.names
                or table.schema.field(field.name).type != field.type
            ):
                raise ValueError(f"it has no column {field.name} of type {field.type}")
        return table

    return reading(path, read)


def read_request(path: Path, kind: type[M]) -> M:
    """What a stage is asked for, as `Settings.canonical` wrote it into a file.

    Raises:
        UserError: the file is missing, or is no such request.
    """
    try:
        return kind.model_validate_json(reading(path, path.read_bytes))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise DamagedFile(
            f"{path}: is no request: {key + ': ' if key else ''}{first['msg']}.\n"
            f"Make it again with: snakemake --force {path}"
        ) from None


def write_state(path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
    """Named torch tensors as safetensors; the same tensors give the same bytes."""
    from safetensors.torch import save_file

    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    with atomic(path) as temporary:
        # as one entry, because safetensors writes several in random order
        save_file(whole, temporary, {"about": json.dumps(metadata, sort_keys=True)})


def read_state(path: Path, framework: str = "pt") -> tuple[dict[str, Any], dict[str, str]]:
    """All tensors (`framework`: "pt" torch, "np" numpy) and the metadata of a safetensors file."""
    from safetensors import safe_open

    def read() -> tuple[dict[str, Any], dict[str, str]]:
        with safe_open(path, framework=framework) as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118

    return reading(path, read)


def read_about(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, without its tensors."""
    from safetensors import safe_open

    def read() -> dict[str, str]:
        with safe_open(path, framework="np") as file:
            return json.loads((file.metadata() or {}).get("about", "{}"))

    return reading(path, read)


def reading(path: Path, read: Callable[[], T]) -> T:
    """What `read` returns, with every way of failing told in terms of the file."""
    from safetensors import SafetensorError

    try:
        return read()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; make it with: snakemake {path}") from None
    except PermissionError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except (pa.ArrowException, SafetensorError, ValueError, KeyError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DamagedFile(
            f"{path}: is damaged or not what its name says ({reason}).\n"
            f"Make it again with: snakemake --force {path}"
        ) from None


def misplaced(path: Path, expected: str) -> DamagedFile:
    """That a file is whole, but another's."""
    return DamagedFile(
        f"{path}: does not hold {expected}.\nMake it again with: snakemake --force {path}"
    )
