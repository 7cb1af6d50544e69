from pathlib import Path

import pytest

from sparsedecay.errors import UserError
from sparsedecay.extras.compare import command
from tests.extras.compare.made import milestone
from tests.small import small_run


@pytest.fixture
def projects(tmp_path, monkeypatch):
    """Two empty projects in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name / "results").mkdir(parents=True)
    return Path("one"), Path("two")


@pytest.fixture
def alike(projects):
    """Two projects with the same milestone."""
    for project in projects:
        milestone(project, small_run())
    return projects


@pytest.fixture
def compare(capsys):
    """What `sparsedecay compare` prints."""

    def run(*arguments: object) -> str:
        command.main([str(argument) for argument in arguments])
        return capsys.readouterr().out

    return run


@pytest.fixture
def refusal(compare):
    """The message of `sparsedecay compare` that it does not."""

    def run(*arguments: object) -> str:
        with pytest.raises(UserError) as caught:
            compare(*arguments)
        return str(caught.value)

    return run


@pytest.fixture
def status(compare):
    """The exit status of `sparsedecay compare --exit-code`."""

    def run(*arguments: object) -> int:
        try:
            compare(*arguments, "--exit-code")
        except SystemExit as ended:
            return ended.code
        return 0

    return run
