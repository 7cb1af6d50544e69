import errno
import json
import multiprocessing
import os
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from pydantic import BaseModel, RootModel
from safetensors import SafetensorError
from safetensors.torch import save_file

from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.files import storage

TABLE = pa.table({"epoch": [1, 2], "value": [0.5, float("nan")]})


class Asked(BaseModel):
    """What some stage is asked for."""

    epoch: int
    name: str = "é"


WRITE = {
    "table": lambda path: storage.write_table(path, TABLE, {"note": "x"}),
    "state": lambda path: storage.write_state(path, {"W1": torch.arange(3.0)}, {"note": "x"}),
    "request": lambda path: path.write_text(
        storage.sealed_request(Asked(epoch=3)), encoding="utf-8"
    ),
}
READ = {
    "table": storage.read_table,
    "state": storage.read_state,
    "request": lambda path: storage.read_request(path, Asked),
}


@pytest.fixture(params=WRITE)
def kind(request):
    """Of a file."""
    return request.param


@pytest.fixture
def path(tmp_path, kind):
    """Of a whole file of this kind."""
    WRITE[kind](tmp_path / "file")
    return tmp_path / "file"


def fail(path, error=RuntimeError):
    with storage.atomic(path, 4_000_000) as temporary:
        temporary.write_text("half")
        raise error


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "folder" / "file"
    with pytest.raises(RuntimeError):
        fail(path)
    assert list(path.parent.iterdir()) == []
    storage.write_json(path, {"b": 1, "a": "ü"})
    with pytest.raises(RuntimeError):
        fail(path)
    assert path.read_text() == '{\n  "a": "ü",\n  "b": 1\n}\n'  # the old file is still whole
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_the_same_content_gives_the_same_bytes(path, kind, tmp_path):
    WRITE[kind](tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_a_state_comes_back_as_it_went(tmp_path):
    tensors = {"W1": torch.randn(3, 4).T, "step": torch.tensor(5.0)}
    storage.write_state(tmp_path / "state", tensors, {"epoch": "5", "a": "b", "c": "d"})
    back, about = storage.read_state(tmp_path / "state")
    assert about == {"epoch": "5", "a": "b", "c": "d"}
    assert all(back[name].equal(tensor) for name, tensor in tensors.items())
    arrays, _ = storage.read_state(tmp_path / "state", "np")
    np.testing.assert_array_equal(arrays["W1"], tensors["W1"].numpy())


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "folder"])
def test_damage_is_named_with_the_remedy(path, kind, damage):
    content = {"truncated": path.read_bytes()[: path.stat().st_size // 2], "text": b"not this"}
    path.unlink()
    path.mkdir() if damage == "folder" else path.write_bytes(content.get(damage, b""))
    with pytest.raises(DamagedFile, match=f"^{path}: .*\nMake it .*: snakemake --force {path}$"):
        READ[kind](path)


def test_a_table_without_its_columns_is_damaged(tmp_path):
    storage.write_table(tmp_path / "file", TABLE, {})
    for expected in (("epoch", pa.string()), ("run", pa.string())):
        with pytest.raises(DamagedFile, match=f"no column {expected[0]}"):
            storage.read_table(tmp_path / "file", pa.schema([expected]))


def write_often(path):
    for _ in range(50):
        storage.write_json(path, list(range(5000)))
    os._exit(0)


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = tmp_path / "file"
    storage.write_json(path, list(range(5000)))
    whole = path.read_text()
    writer = multiprocessing.get_context("fork").Process(target=write_often, args=[path])
    writer.start()
    while writer.is_alive():
        assert path.read_text() == whole
    writer.join()


@pytest.mark.parametrize("kind", ["table", "state"])
def test_every_bit_is_covered_by_the_seal(path, kind):
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(DamagedFile, match="wrong SHA-256"):
            READ[kind](path)
    path.write_bytes(whole)
    READ[kind](path)


# --- formats


def test_a_file_of_a_later_format_is_refused(tmp_path, monkeypatch, kind):
    path = tmp_path / "file"
    with monkeypatch.context() as later:
        later.setattr(storage, "FORMAT", 2)
        WRITE[kind](path)
    readers = [READ[kind], *([storage.open_table] if kind == "table" else [])]
    for read in readers:
        with pytest.raises(DamagedFile) as caught:
            read(path)
        first, remedy = str(caught.value).splitlines()
        assert first == f"{path}: has format 2 of a later sparsedecay; this one reads 1."
        assert remedy == f"Make it again with: snakemake --force {path}"


def without_format(path, kind) -> None:
    """A file as it was written before formats had numbers."""
    if kind == "request":
        document = json.loads(path.read_text(encoding="utf-8"))
        del document["format"]
        path.write_text(json.dumps(document), encoding="utf-8")
        return
    if kind == "state":
        about = {"note": "x", "sha256": storage.BLANK}
        save_file({"W1": torch.arange(3.0)}, path, {"about": json.dumps(about)})
    else:
        table = TABLE.replace_schema_metadata({"note": "x"})
        with pq.ParquetWriter(path, table.schema) as file:
            file.write_table(table)
            file.add_key_value_metadata({"sha256": storage.BLANK})
    storage.seal(path)


def test_a_file_without_a_format_is_one_of_before(path, kind):
    now = READ[kind](path)
    assert b"format" in path.read_bytes()
    without_format(path, kind)
    before = READ[kind](path)
    if kind == "table":
        assert before["epoch"].equals(now["epoch"])
        assert before.schema.metadata == now.schema.metadata == {b"note": b"x"}
        assert storage.open_table(path).metadata.num_rows == 2
    elif kind == "state":
        assert before[0]["W1"].equal(now[0]["W1"])
        assert before[1] == now[1] == {"note": "x"}
    else:
        assert before == now == Asked(epoch=3)


def test_tables_of_earlier_versions_have_no_seal(tmp_path):
    pq.write_table(TABLE, file := tmp_path / "file")
    assert storage.read_table(file, sealed=False)["epoch"].to_pylist() == [1, 2]
    with pytest.raises(DamagedFile, match="wrong SHA-256"):
        storage.read_table(file)


def test_what_looks_like_a_seal_is_none(tmp_path):
    """Another digest in a file's own metadata, or in its data."""
    table = pa.table({"text": [f"sha256:{'a' * 64}"]})
    storage.write_table(tmp_path / "file", table, {"input": f"sha256:{'b' * 64}"})
    assert storage.read_table(tmp_path / "file")["text"].to_pylist() == table["text"].to_pylist()


def test_what_a_killed_process_left_is_removed(tmp_path):
    (tmp_path / ".file.123.tmp").write_text("half")
    (tmp_path / ".file2.123.tmp").write_text("another's")
    storage.write_json(tmp_path / "file", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".file2.123.tmp", "file"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, r"no room on the disk: about 4\.000 MB are needed, .* MB are free there"),
        (errno.EDQUOT, "no room on the disk"),
        (errno.EACCES, "cannot be written: Permission denied; check"),
        (errno.EROFS, "cannot be written: Read-only file system; check"),
    ],
)
def test_what_cannot_be_written_is_told(tmp_path, number, words):
    with pytest.raises(UserError, match=f"{tmp_path}/file: .*{words}"):
        fail(tmp_path / "file", OSError(number, os.strerror(number)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "disk", "words"),
    [
        (errno.ENOSPC, {"f_files": 12, "f_favail": 0}, "it holds the 12 files that it can hold"),
        (
            errno.ENOSPC,
            {"f_files": 0, "f_favail": 0, "f_bavail": 1},
            r"0\.004 MB are free there. Make",
        ),
        (errno.ENOSPC, {"f_bavail": 10**6}, "free there, so it may be a quota or a limit of files"),
        (errno.EDQUOT, {}, r"your quota is used up \(`quota -s` tells\), though about 4\.000 MB"),
    ],
)
def test_what_there_is_too_little_of(tmp_path, monkeypatch, number, disk, words):
    """A disk of 12 files, one that counts none, one with room for them, and a quota."""
    about = SimpleNamespace(**{"f_frsize": 4096, "f_bavail": 1, "f_files": 9, "f_favail": 9} | disk)
    monkeypatch.setattr("os.statvfs", lambda folder: about)
    with pytest.raises(UserError, match=f"no room on the disk: .*{words}.* same command again"):
        fail(tmp_path / "file", OSError(number, os.strerror(number)))


@pytest.mark.parametrize("mask", [0o002, 0o022, 0o077])
def test_others_may_read_and_write_what_the_umask_lets_them(tmp_path, mask):
    """States too, which safetensors makes for the user alone."""
    before = os.umask(mask)
    try:
        storage.write_json(tmp_path / "json", 1)
        storage.write_table(tmp_path / "table", pa.table({"x": [1]}), {})
        storage.write_state(tmp_path / "state", {"W": torch.ones(3)}, {})
    finally:
        assert os.umask(before) == mask, "and it stays as it was"
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {0o666 & ~mask}


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(UserError, match=r"cannot be written: Is a directory"):
        storage.write_json(tmp_path / "file", 1)


@pytest.mark.parametrize(
    ("metadata", "error", "words"),
    [
        # it would be sealed in its place, and so be changed
        ({"title": storage.BLANK}, None, "reserved"),
        ({}, "I/O error: No space left on device (os error 28)", r"no room .*: about 0\.004 MB"),
    ],
)
def test_a_state_that_cannot_be_written(tmp_path, monkeypatch, metadata, error, words):
    if error:
        full = Mock(side_effect=SafetensorError(error))
        monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(UserError, match=words):
        storage.write_state(tmp_path / "file", {"W": torch.ones(1000)}, metadata)
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_or_may_not_be_read_is_not_called_damaged(path, kind, monkeypatch):
    path.unlink()
    with pytest.raises(UserError) as missing:
        READ[kind](path)
    denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    monkeypatch.setattr("pathlib.Path.read_bytes", Mock(side_effect=denied))
    with pytest.raises(UserError) as closed:
        READ[kind](path)
    assert str(missing.value) == f"{path}: no such file; make it with: snakemake {path}"
    assert str(closed.value) == f"{path}: Permission denied"
    assert {type(missing.value), type(closed.value)} == {UserError}


REQUEST = storage.sealed_request(Asked(epoch=3))
NO_REQUEST = {
    "is damaged or not what its name says": [
        *("", "{", "[]", "{}", '{"asked": 1}', '"a"', "null", "[" * 9999, "\xff"),
    ],
    r"is .* \(it is not what was written: wrong SHA-256\)": [REQUEST.replace("3", "4", 1)],
    r"is .* \(it has a key that no request has: gormat\)": [REQUEST.replace("format", "gormat")],
    "is no request: epoch: ": [storage.sealed_request(RootModel[dict]({"epoch": "x"}))],
    "is no request: Input should be": [storage.sealed_request(RootModel[int](3))],
}


@pytest.mark.parametrize(
    ("words", "text"), [(w, text) for w in NO_REQUEST for text in NO_REQUEST[w]]
)
def test_what_is_no_request_is_told(tmp_path, words, text):
    file = tmp_path / "request.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(DamagedFile, match=f"^{file}: {words}.*\nMake it again with: snakemake --f"):
        storage.read_request(file, Asked)
