"""The workflow as a module of another Snakefile (docs/module.md)."""

import json
import re
import shutil

import pytest
from filelock import FileLock

from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.workflow

MODULE = """
module {name}:
    snakefile: "{root}/Snakefile"
    config: {config}
    {more}

use rule * from {name} as {name}_*
"""
HOOKS = """
onstart:
    paper.onstart()

onsuccess:
    paper.onsuccess()
"""


class Elsewhere(Project):
    """A folder without the project's files; its code is that beside the module's Snakefile."""

    def start(self, *arguments, env=(), **options):
        return super().start(*arguments, env={"PYTHONPATH": "", **dict(env)}, **options)

    def write(self, *parts):
        (self.folder / "Snakefile").write_text("".join(parts))


def module(name="paper", config="config", more=""):
    return MODULE.format(name=name, root=ROOT, config=config, more=more)


@pytest.fixture
def elsewhere(tmp_path):
    found = Elsewhere(tmp_path / "mine")
    (found.folder / "config").mkdir(parents=True)
    for name in ("smoke", "smoke-readings"):
        shutil.copy(ROOT / f"config/{name}.yaml", found.folder / "config")
    found.write('configfile: "config/smoke.yaml"\n', module())
    return found


def counts(said):
    return dict(re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE))


def test_a_module_asks_for_the_same_jobs_as_the_workflow_itself(elsewhere, tmp_path):
    alone = Project(tmp_path / "alone").clone()
    for target in ("all", "replicate", "readings"):
        mine = counts(elsewhere.said("-n", f"paper_{target}"))
        assert mine == {
            name if name == "total" else f"paper_{name}": n
            for name, n in counts(alone.said("-n", target)).items()
        }


def test_modules_of_two_configs_replaced_rules_and_hooks(elsewhere):
    wide = module("wide", 'config | {"network": config["network"] | {"K": 30}}', 'prefix: "wide"')
    replaced = "\nuse rule train from paper as paper_train with:\n    threads: 2\n"
    elsewhere.write('configfile: "config/smoke.yaml"\n', module(), replaced, wide, HOOKS)
    figures = [f"{place}figures/fig3.pdf" for place in ("", "wide/")]
    said = elsewhere.said("--cores", "2", *figures)
    assert len(re.findall(r"rule paper_train:(?:\n    .+)*\n    threads: 2\n", said)) == 2
    shown = [
        json.loads((elsewhere.folder / figure).with_suffix(".json").read_text())
        for figure in figures
    ]
    assert {one["figure"] for one in shown} == {"fig3"}
    runs = [{run["run"] for run in one["runs"]} for one in shown]
    assert not runs[0] & runs[1]
    for place, names in zip(("results", "wide/results"), runs, strict=True):
        found = {path.name for path in (elsewhere.folder / place / "train").iterdir()}
        assert found == names
    # each module's files lie under its prefix, all of them
    assert {path.name for path in elsewhere.folder.iterdir() if path.name[0] != "."} == {
        *("Snakefile", "config", "figures", "results", "wide")
    }
    assert "Nothing to be done" in elsewhere.said(*figures, "--cores", "2")


def test_another_folder_in_the_place_of_one(elsewhere):
    elsewhere.write(
        'configfile: "config/smoke.yaml"\n',
        module(more='replace_prefix: {"results/": "mine/made/", "figures/": "pictures/"}'),
    )
    elsewhere.said("--cores", "2", "pictures/fig3.pdf")
    assert (elsewhere.folder / "mine/made/measure").is_dir()
    assert {path.name for path in elsewhere.folder.iterdir() if path.name[0] != "."} == {
        *("Snakefile", "config", "mine", "pictures")
    }
    assert "Nothing to be done" in elsewhere.said("--cores", "2", "pictures/fig3.pdf")


def test_a_module_of_a_module(elsewhere):
    between = elsewhere.folder / "between"
    between.mkdir()
    (between / "Snakefile").write_text(module("inner", more='prefix: "in"'))
    outer = MODULE.format(name="outer", root="between", config="config", more='prefix: "out"')
    elsewhere.write('configfile: "config/smoke.yaml"\n', outer)
    elsewhere.said("--cores", "2", "out/in/figures/fig3.pdf")
    made = {path.name for path in (elsewhere.folder / "out/in").iterdir()}
    assert made == {"results", "figures"}
    assert not (elsewhere.folder / "results").exists()
    mine = counts(elsewhere.said("-n", "outer_inner_all"))
    assert {"outer_inner_train", "outer_inner_figure"} <= mine.keys()


def test_optima_of_a_file_are_not_looked_for_under_a_prefix(elsewhere):
    """Their commands look for the table in `results/`."""
    (elsewhere.folder / "config/mine.csv").write_text("a,b\n0,1\n1,0\n2,3\n")
    file = """{"kind": "file", "file": "mine.csv", "input_columns": ["a"], "seed": 0,
        "output_columns": ["b"], "standardise": False, "test_fraction": 0}"""
    figures = """{"optimum": {"K": [4, 12], "lam": [1e-2], "regularizers": ["eq2"], "seeds": 1,
        "epoch": 1000, "gap": 1e-4, "slack": 1e-3}}"""
    asked = f'config | {{"data": {file}, "figures": {figures}, "claims": None}}'.replace("\n", " ")
    for prefix, told in (("", "rule paper_certify:"), ('prefix: "wide"', "under a prefix no opti")):
        elsewhere.write('configfile: "config/smoke.yaml"\n', module(config=asked, more=prefix))
        assert told in elsewhere.said("-n", "paper_optimum", code=1 if prefix else 0)


def test_the_engine_of_a_module_makes_nothing_out_of_date(elsewhere):
    asked = ("--cores", "2", "figures/fig3.pdf")
    elsewhere.said(*asked)
    file = "config/smoke.yaml"
    elsewhere.edit(file, "engine: compiled", "engine: fused")
    elsewhere.edit(file, "checkpoint_seconds: 60", "checkpoint_seconds: 30")
    assert "Nothing to be done" in elsewhere.said(*asked)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("K: 24", "K: many", "config of module paper: network.K"),
        ("smoke-readings.yaml", "nowhere.yaml", "(config/nowhere.yaml: no such file)"),
    ],
)
def test_a_mistake_is_told_by_the_modules_name(elsewhere, old, new, told):
    elsewhere.folder.joinpath("config/smoke.yaml").write_text(
        (ROOT / "config/smoke.yaml").read_text().replace(old, new, 1)
    )
    assert told in elsewhere.refused("-n", "paper_all")


def test_a_module_without_a_config_is_told(elsewhere):
    elsewhere.write(module(config="{}"))
    said = elsewhere.refused("-n", "figures/fig1.pdf")
    assert "module paper: has no config; add to it `config: config`" in said


def test_a_module_packs_no_archive(elsewhere):
    said = elsewhere.refused("-n", "paper_archive")
    assert f"its rules from elsewhere ({ROOT}): pack it in a clone" in said


def test_a_module_waits_for_who_works_in_the_folder(elsewhere):
    (elsewhere.folder / ".snakemake").mkdir()
    with FileLock(elsewhere.folder / ".snakemake/sparsedecay.lock"):
        said = elsewhere.refused("--cores", "1", "figures/fig1.pdf")
        elsewhere.said("-n", "figures/fig1.pdf")
    assert "Another Snakemake is at work in this folder" in said


def test_an_include_is_the_workflow_itself(elsewhere):
    everything = "\nrule everything:\n    input: rules.all.input\n    default_target: True\n"
    elsewhere.write(f'include: "{ROOT}/Snakefile"\n', everything)
    said = elsewhere.said("--cores", "1", "figures/fig1.pdf", "--configfile", "config/smoke.yaml")
    assert "rule figure:" in said
    assert (elsewhere.folder / "figures/fig1.pdf").exists()
    assert "rule all" not in (said := elsewhere.said("-n", "--configfile", "config/smoke.yaml"))
    assert "rule everything:" in said
    bad = elsewhere.folder / "config/config.yaml"
    bad.write_text((ROOT / "config/smoke.yaml").read_text().replace("K: 24", "K: many", 1))
    assert re.search(r"config/config.yaml:\d+: network.K", elsewhere.refused("-n"))
