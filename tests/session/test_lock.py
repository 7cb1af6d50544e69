"""One process at a time holds the lock to a folder, and only it removes marks."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from sparsedecay.errors import UserError
from sparsedecay.session.lock import FolderLock, obstacle

HOLD = """
import sys, time
from pathlib import Path
import pytest

from sparsedecay.errors import UserError
from sparsedecay.session.lock import FolderLock
lock = FolderLock(Path())
assert lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def held(folder):
    """Another process has the lock; killed at the end."""
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def marks(folder):
    (folder / ".snakemake/locks").mkdir(parents=True, exist_ok=True)
    (folder / ".snakemake/locks/0.output.lock").write_text("results/x\n")


def test_a_claim_is_given_once_and_ends_with_the_process(tmp_path):
    marks(tmp_path)
    lock = FolderLock(tmp_path)
    with held(tmp_path) as process:
        assert not lock.acquire()
        assert lock.possible
        assert not lock.clear(), "the marks of the living stay"
        assert lock.holder().startswith(f"process {process.pid} on {os.uname().nodename}, since ")
        began = time.monotonic()
        assert not lock.acquire(patience=0.3), "it waits for those who only look"
        assert time.monotonic() - began >= 0.3
    assert lock.acquire()
    assert lock.acquire(), "again by the same process"
    assert lock.clear()
    assert not (tmp_path / ".snakemake/locks").exists()
    assert not lock.clear(), "there is nothing left"
    lock.release()
    assert FolderLock(tmp_path).acquire()


def test_what_the_holder_wrote_is_not_trusted(tmp_path):
    folder = tmp_path / ".snakemake"
    folder.mkdir()
    for text in ("", "{}", "[1]", '{"process": "x", "host": 1}', "\0", "[" * 99_999):
        (folder / "sparsedecay.json").write_text(text)
        assert FolderLock(tmp_path).holder() == "another process"


def test_a_folder_without_locks(tmp_path, monkeypatch):
    def acquire(self, timeout=None):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    lock = FolderLock(tmp_path)
    marks(tmp_path)
    assert not lock.acquire()
    assert not lock.possible
    assert not lock.clear()
    lock.release()
    assert any((tmp_path / ".snakemake/locks").iterdir())


def test_a_lock_of_another_user(tmp_path, monkeypatch):
    """It is not as if there were no locks."""

    def acquire(self, timeout=None):
        raise PermissionError(13, "Permission denied", str(tmp_path / "sparsedecay.lock"))

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    with pytest.raises(UserError, match=r"sparsedecay\.lock: belongs to someone else.*--directory"):
        FolderLock(tmp_path).acquire()


def test_what_stands_in_the_way(tmp_path, monkeypatch):
    assert obstacle(tmp_path) is None
    (tmp_path / "figures").symlink_to(tmp_path / "nothing")
    assert obstacle(tmp_path).startswith(f"{tmp_path / 'figures'}: is no folder")
    (tmp_path / "nothing").mkdir()
    assert obstacle(tmp_path) is None
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path / "figures")
    assert obstacle(tmp_path).startswith(f"{tmp_path / 'nothing'}: cannot be written; change its")
