import shutil

import pytest

from tests.figures.made import milestone, study


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """A folder with results of every run that the figures show, made once and left as it is."""
    folder = tmp_path_factory.mktemp("results")
    for run in study(fig2={"lam": [10.0**-i for i in range(1, 6)]}).runs.values():
        for epoch in (40, 80):
            milestone(run, epoch, folder)
    return folder


@pytest.fixture
def project(results, tmp_path, monkeypatch):
    """A copy of it, made the current folder."""
    shutil.copytree(results, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path
