"""What a stranger's .zip may hold, and what is refused before anything is unpacked."""

import copy
import re
import stat
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedecay.errors import UserError
from sparsedecay.extras.archive import opening
from sparsedecay.extras.archive.opening import opened, what_is_wrong
from tests.extras.archive.made import TEXTS, small, zipped


def refusal(path, tmp_path):
    """What is told of an archive that is refused; nothing of it is anywhere."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError) as caught:
        unpacked(path, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    return str(caught.value)


def unpacked(path, tmp_path):
    """The folder into which an archive is unpacked."""
    with opened(path) as archive:
        archive.unpack(tmp_path / "folder")
    return tmp_path / "folder"


def entry(name, kind=stat.S_IFREG, rights=0o644):
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | rights) << 16
    return info


def test_a_whole_archive_is_unpacked_as_it_was(tmp_path):
    with opened(small(tmp_path / "a.zip")) as archive:
        archive.unpack(tmp_path / "folder")
        assert archive.size == sum(info.file_size for info in archive.entries.values())
    for name, content in TEXTS.items():
        assert (tmp_path / "folder" / name).read_bytes() == content


def test_programs_stay_programs(tmp_path):
    files = {entry("run", rights=0o755): b"#!/bin/sh\n", "text": b""}
    folder = unpacked(zipped(tmp_path / "a.zip", files), tmp_path)
    assert (folder / "run").stat().st_mode & stat.S_IXUSR
    assert not (folder / "text").stat().st_mode & stat.S_IXUSR


KINDS = (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR)
REFUSED = {
    "(leads out of the archive|written in an odd way); nothing was unpacked": [
        *("./x", "a//b", "a/./b", "../x", "results/../../x", "/x", "C:/x", "..", "results/.."),
        *("..\\x", "a\\b", "\\\\host\\x"),
    ],
    "control characters, or none; nothing was unpacked": [
        "a\nb",
        "a\x1b[31mb",
        "results/\x07",
        "\u202efdp.exe",
    ],
    "is a link": [entry("results/x", stat.S_IFLNK)],
    "no ordinary file": [entry("results/x", kind) for kind in KINDS],
    "stands there twice": ["good", "GOOD"],
    "is a file and a folder": ["good/data/x"],
}


@pytest.mark.filterwarnings("ignore:Duplicate")
@pytest.mark.parametrize(("words", "bad"), [(w, bad) for w in REFUSED for bad in REFUSED[w]])
def test_entries_that_are_refused(tmp_path, words, bad):
    said = refusal(zipped(tmp_path / "a.zip", {entry("good"): b"", bad: b"/etc/passwd"}), tmp_path)
    assert re.search(words, said)
    assert said.isprintable()


def test_records_may_differ_in_case_alone(tmp_path):
    names = [".snakemake/metadata/QQ==", ".snakemake/metadata/Qq=="]
    with opened(zipped(tmp_path / "a.zip", dict.fromkeys(names, b"{}"))) as archive:
        assert archive.names == names
    path = zipped(tmp_path / "a.zip", dict.fromkeys([names[0], f"{names[0]}/x"], b"{}"))
    assert "is a file and a folder" in refusal(path, tmp_path)


def test_absurd_sizes(tmp_path):
    path = zipped(tmp_path / "a.zip", {"results/data/zeros.parquet": bytes(100_000_000)})
    assert path.stat().st_size < 200_000
    assert "would unpack from" in refusal(path, tmp_path)


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("SMALL_WHOLE", 1_000_000, "would unpack from"),
        ("MAX_ENTRIES", 2, "has 20 entries; at most 2 are opened"),
    ],
)
def test_absurd_sizes_in_small_parts(tmp_path, monkeypatch, limit, value, words):
    monkeypatch.setattr(opening, limit, value)
    path = zipped(tmp_path / "a.zip", {f"{i}": bytes(100_000) for i in range(20)})
    assert words in refusal(path, tmp_path)


def test_a_link_in_the_way_is_replaced(tmp_path):
    (tmp_path / "folder/figures").mkdir(parents=True)
    (tmp_path / "folder/figures/fig1.pdf").symlink_to(tmp_path / "outside")
    unpacked(small(tmp_path / "a.zip"), tmp_path)
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "folder/figures/fig1.pdf").is_symlink()


def test_what_happens_within_is_not_the_archives_fault(tmp_path):
    with pytest.raises(FileNotFoundError), opened(small(tmp_path / "a.zip")):
        (tmp_path / "nothing").read_bytes()


def test_entries_that_share_bytes(tmp_path):
    """The same compressed bytes under many names: small files, a huge whole."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0", bytes(9_000_000))
        for name in ("1", "2"):
            archive.filelist.append(copy.copy(archive.filelist[0]))
            archive.filelist[-1].filename = name
    assert "share bytes" in refusal(tmp_path / "a.zip", tmp_path)


def test_a_size_that_lies(tmp_path):
    """An entry that says it is small, and is not: no more than it says is ever read."""
    path = zipped(tmp_path / "a.zip", {"results/x.log": bytes(1_000_000)})
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<L", 1_000_000), struct.pack("<L", 100)))
    with pytest.raises(UserError, match=r"is damaged \(results/x\.log: Bad CRC"):
        unpacked(path, tmp_path)
    assert not [path for path in (tmp_path / "folder").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("flag_bits", 1, "is encrypted"),
        ("compress_type", zipfile.ZIP_BZIP2, "unknown way 12"),
        ("compress_type", zipfile.ZIP_LZMA, "unknown way 14"),
    ],
)
def test_ways_of_packing(field, value, words):
    info = entry("x")
    setattr(info, field, value)
    assert words in what_is_wrong(info)


def test_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 100}))
    with pytest.raises(UserError, match=r"MB are needed to unpack .* make room"):
        unpacked(small(tmp_path / "a.zip"), tmp_path)
    assert not [path for path in (tmp_path / "folder").rglob("*") if path.is_file()]


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_anything_else_is_told(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "a.zip"
    path.write_bytes(content)
    assert "a.zip" in refusal(path, path.parent)


def test_what_is_not_there(tmp_path):
    assert "no such file" in refusal(tmp_path / "a.zip", tmp_path)
    assert "cannot be read: Is a directory" in refusal(tmp_path, tmp_path)


def test_a_zip_of_a_later_version(tmp_path):
    path = zipped(tmp_path / "a.zip", {"x": b""})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 6] = 200  # the version it takes to unpack it
    path.write_bytes(content)
    assert re.search(r"is no \.zip that can be read .*version", refusal(path, tmp_path))


def test_a_small_file_that_is_large(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "SMALL", 1)
    with opened(zipped(tmp_path / "a.zip", {"x": b"1234567890", "y": b"12345678901"})) as archive:
        assert archive.read("x") == b"1234567890"
        with pytest.raises(UserError, match="y is far too large"):
            archive.read("y")
