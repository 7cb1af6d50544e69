from pathlib import Path

import pytest

from sparsedecay.extras.compare import command


@pytest.fixture
def projects(tmp_path, monkeypatch):
    """Two empty projects in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name / "results").mkdir(parents=True)
    return Path("one"), Path("two")


@pytest.fixture
def compare(capsys):
    """What `sparsedecay compare` prints."""

    def run(*arguments: object) -> str:
        command.main([str(argument) for argument in arguments])
        return capsys.readouterr().out

    return run


@pytest.fixture
def status(capsys):
    """The exit status of `sparsedecay compare --exit-code`."""

    def run(*arguments: object) -> int:
        try:
            command.main([*map(str, arguments), "--exit-code"])
        except SystemExit as ended:
            return ended.code
        return 0

    return run
