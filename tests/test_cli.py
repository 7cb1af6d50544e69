"""What the command line says, and with which status it ends."""

import errno
import shutil
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from unittest.mock import Mock

import pytest

from sparsedecay import cli

CONFIG = Path(__file__).parents[1] / "config" / "config.yaml"


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
    (mine := tmp_path / "mine.yaml").write_text("network: {K: 0}\n")
    assert called(monkeypatch, "check", CONFIG, mine) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{mine}:1: network.K: 0 is not allowed; write ")
    assert said.err.count("\n") == 1


def test_a_place_that_cannot_be_used(monkeypatch, tmp_path, capsys):
    (tmp_path / "README.md").mkdir()
    shutil.copy(CONFIG, tmp_path)
    assert called(monkeypatch, "document", "--folder", tmp_path) == 2
    told = f"{tmp_path / 'README.md'}: Is a directory; check that place\n"
    assert capsys.readouterr().err == told


def test_a_disk_without_room_for_a_folder(monkeypatch, tmp_path, capsys):
    full = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "mine"))
    monkeypatch.setattr(cli.importlib, "import_module", Mock(side_effect=full))
    assert called(monkeypatch, "train") == 2
    assert f"{tmp_path}/mine: there is no room on the disk" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "status"), [(BrokenPipeError, 1), (KeyboardInterrupt, 130)])
def test_a_reader_that_leaves_and_ctrl_c(monkeypatch, error, status):
    monkeypatch.setattr(cli.importlib, "import_module", Mock(side_effect=error))
    assert called(monkeypatch, "check") == status
