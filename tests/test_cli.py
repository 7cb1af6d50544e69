"""What the command line says, and with which status it ends."""

import errno
import shutil
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from sparsedecay import cli


def called(monkeypatch, *arguments):
    """The status with which `sparsedecay …` ends."""
    monkeypatch.setattr(sys, "argv", ["sparsedecay", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as end:
        return end.code
    return 0


def test_a_terminal_that_lacks_characters(monkeypatch):
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(BytesIO(), encoding="ascii"))
    assert called(monkeypatch) == 0
    sys.stdout.seek(0)
    assert sys.stdout.read().startswith(r"usage: sparsedecay COMMAND \u2026")


def test_an_unknown_command(monkeypatch):
    assert "sparsedecay: unknown command 'trian'\nusage" in called(monkeypatch, "trian")


def test_a_users_mistake_is_one_line(monkeypatch, tmp_path, capsys):
    assert called(monkeypatch, "check", tmp_path / "mine.yaml") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_place_that_cannot_be_used(monkeypatch, tmp_path, capsys):
    (tmp_path / "README.md").mkdir()
    shutil.copy(Path(__file__).parents[1] / "config/config.yaml", tmp_path)
    assert called(monkeypatch, "document", "--folder", tmp_path) == 2
    told = f"{tmp_path / 'README.md'}: Is a directory; check that place\n"
    assert capsys.readouterr().err == told


def test_a_disk_without_room_for_a_folder(monkeypatch, tmp_path, capsys):
    def stops(name):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "mine"))

    monkeypatch.setattr(cli.importlib, "import_module", stops)
    assert called(monkeypatch, "train") == 2
    assert f"{tmp_path}/mine: there is no room on the disk" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "status"), [(BrokenPipeError, 1), (KeyboardInterrupt, 130)])
def test_a_reader_that_leaves_and_ctrl_c(monkeypatch, error, status):
    def stops(name):
        raise error

    monkeypatch.setattr(cli.importlib, "import_module", stops)
    assert called(monkeypatch, "check") == status
