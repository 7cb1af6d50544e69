"""`sparsedecay init`: what it writes, and where it writes nothing."""

import json
import re

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from sparsedecay.errors import UserError
from sparsedecay.extras import init
from sparsedecay.files.project import PROJECT
from sparsedecay.study.plan import load_plan
from sparsedecay.study.schema import json_schema, leaves, node_at
from sparsedecay.study.study import Study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("somewhere") / "a study"
    init.main([str(folder)])
    return folder


def test_all_that_a_study_needs_is_there(study):
    assert {path.name for path in study.iterdir()} == {
        *("Snakefile", "README.md", ".gitignore", "config", "profiles")
    }
    profiles = {path.parent.name for path in study.glob("profiles/*/config.yaml")}
    assert profiles == {"default", "slurm", "cluster"}
    for file in (study / "profiles").rglob("*.yaml"):
        assert file.read_text() == (PROJECT / file.relative_to(study)).read_text()


def test_the_config_asks_for_the_same_runs(study):
    """Also the examples, over it or by themselves."""
    asked = [load_plan([place / "config/config.yaml"]) for place in (study, PROJECT)]
    assert asked[0].study == asked[1].study
    assert asked[0].about == asked[1].about
    assert list(load_plan([study / "config/smoke.yaml"]).runs)
    for name in ("closest", "optimum", "sweep"):
        load_plan([study / "config/config.yaml", study / f"config/{name}.yaml"])
    schema = json.loads((study / "config/schema.json").read_text())
    config = YAML(typ="safe").load(study / "config/config.yaml")
    Draft202012Validator(schema).validate(config)


def test_each_key_of_the_config_is_explained_above_it(study):
    schema = json_schema(Study)
    lines = (study / "config/config.yaml").read_text().splitlines()
    assert max(map(len, lines)) <= 110
    keyed = [i for i, line in enumerate(lines) if re.match(r" *\w+:( |$)", line)]
    assert len(keyed) > 60
    for i in keyed:
        indent = len(lines[i]) - len(lines[i].lstrip())
        assert lines[i - 1].startswith(" " * indent + "# "), lines[i]
    told = " ".join(line.strip(" #") for line in lines if line.lstrip().startswith("#"))
    for path in (("training", "stride"), ("claims", "shallow", "K"), ("figures", "fig3", "epoch")):
        assert " ".join(node_at(schema, path)["description"].split()) in told
    # those that are not there, and those within lists
    for path in leaves(schema):
        if path[0] in ("claims", "archive", "measures") or "panels" in path[:3]:
            name = path[-1] if path[-1] != 0 else path[-2]
            assert re.search(rf"^ *{name}:", "\n".join(lines), re.M) or f"`{name}`" in told, path
    assert "`sweep`" in told


def test_what_is_read_there_leads_nowhere_else(study):
    for file in study.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#:\s]+)", file.read_text()):
            assert (file.parent / link).exists(), f"{file}: {link}"
    readme = (study / "README.md").read_text()
    for named in re.findall(r"(?:config|profiles)/[\w./]+\w", readme):
        assert (study / named).exists(), named


@pytest.mark.parametrize("there", ["results/x", "config/mine.yaml", ".gitignore"])
def test_a_folder_that_holds_something_is_left_alone(tmp_path, there):
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).touch()
    with pytest.raises(UserError, match=rf"is not empty, it holds {there.split('/')[0]}; name a"):
        init.main([str(tmp_path)])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / there]


def test_a_file_is_no_folder_and_hidden_files_of_others_stay(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file; name a new folder"):
        init.main([str(tmp_path / "file")])
    (tmp_path / "file").unlink()
    (tmp_path / ".git").mkdir()
    init.main([str(tmp_path)])
    assert (tmp_path / "Snakefile").exists()


def test_what_to_type_next_is_told(tmp_path, capsys):
    init.main([str(tmp_path / "a b")])
    said = capsys.readouterr().out
    assert f"cd '{tmp_path}/a b'" in said
    assert "snakemake figures/fig4.pdf --configfile config/smoke.yaml" in said


def test_an_incomplete_installation_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(init, "SNAKEFILE", str(tmp_path / "Snakefile"))
    with pytest.raises(UserError, match="no such file; install sparsedecay again"):
        init.main([str(tmp_path / "study")])
