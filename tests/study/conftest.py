import pytest

from sparsedecay.study.plan import load_plan
from tests.study.made import PAPER


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def plan():
    """That of the paper's config, to be left as it is."""
    return load_plan([PAPER])


@pytest.fixture(scope="session")
def paper(plan):
    """Its study."""
    return plan.study
