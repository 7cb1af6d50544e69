"""A folder that snakedeploy makes: a module whose rules come from a git repository."""

import os
import re
import shutil
import subprocess

import pytest

from sparsedecay.files.provenance import file_digest
from tests.test_repository import tool
from tests.workflow.project import ROOT, Project
from tests.workflow.test_module import Elsewhere, counts

pytestmark = pytest.mark.workflow
HOST = "https://github.com/"


@pytest.fixture
def deploy(tmp_path, monkeypatch):
    """Deploys a local repository as if it lay at GitHub; also says which folder it is in."""
    program = tool("bin/snakedeploy")
    repository = Project(tmp_path / "host/owner/sparsedecay")
    repository.folder.mkdir(parents=True)
    repository.checkout()
    # git takes the local repository for the one at the host
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{tmp_path}/host/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", HOST)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def deployed(tag, source=f"{HOST}owner/sparsedecay"):
        repository.git("tag", tag)
        folder = tmp_path / tag
        command = [str(program), "deploy-workflow", source, str(folder), "--tag", tag]
        done = subprocess.run(command, env=os.environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        shutil.copyfile(ROOT / "config/smoke.yaml", folder / "config/config.yaml")
        return Elsewhere(folder)

    return deployed, repository


def test_it_runs_with_the_rules_of_a_tag(deploy, built):
    study = deploy[0]("v1")
    assert (
        'github("owner/sparsedecay", path="Snakefile", tag="v1")'
        in (study.folder / "workflow/Snakefile").read_text()
    )
    assert counts(study.said("-n")) == counts((built.folder / "log").read_text())
    study.said("figures/fig1.pdf")
    figure = "figures/fig1.pdf"
    assert file_digest(study.folder / figure) == file_digest(built.folder / figure)
    assert "Nothing to be done" in study.said(figure)


def test_rules_of_another_version_than_the_package_are_refused(deploy):
    deployed, repository = deploy
    repository.edit("workflow/rules/train.smk", "threads: 1", "threads: 2")
    repository.git("commit", "--all", "--quiet", "--message", "Another version")
    said = deployed("v2").refused("-n")
    assert "these rules are of another version than the package that is installed" in said


def test_it_runs_from_a_folder_once_that_is_named(deploy):
    """Of a repository in a folder snakedeploy names the Snakefile as if it lay in the new one."""
    deployed, repository = deploy
    study = deployed("v3", str(repository.folder))
    file = study.folder / "workflow/Snakefile"
    (written,) = re.findall(r'^ +("Snakefile")$', file.read_text(), re.MULTILINE)
    study.edit("workflow/Snakefile", written, f'"{ROOT}/Snakefile"')
    study.said("figures/fig1.pdf")
    assert (study.folder / "figures/fig1.pdf").exists()
