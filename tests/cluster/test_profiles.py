"""The profiles say what Snakemake understands, and the same where they should."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from snakemake.cli import get_argument_parser

ROOT = Path(__file__).parents[2]
PROFILES = {
    name: YAML(typ="safe").load(ROOT / "profiles" / name / "config.yaml")
    for name in ("default", "slurm", "cluster")
}


@pytest.mark.parametrize("name", PROFILES)
def test_every_key_is_an_option(name):
    known = {
        option for action in get_argument_parser()._actions for option in action.option_strings
    }
    assert {f"--{key}" for key in PROFILES[name]} <= known


@pytest.mark.parametrize("name", ["slurm", "cluster"])
def test_a_profile_of_a_cluster_has_all_of_the_default_one(name):
    default = PROFILES["default"]
    own = {"cores"}  # of the machine, of a submission
    assert {key: PROFILES[name][key] for key in default if key not in own} == {
        key: value for key, value in default.items() if key not in own
    }


def test_groups_and_their_sizes_fit_together():
    for name in ("slurm", "cluster"):
        groups = dict(entry.split("=") for entry in PROFILES[name]["groups"])
        sizes = dict(entry.split("=") for entry in PROFILES[name]["group-components"])
        assert groups.keys() == {"data", "train", "measure", "figure"}
        assert sizes.keys() == set(groups.values())
        # stretches of one run in one group would all begin anew when one of them fails
        assert "{epoch}" in groups["train"]


def test_the_lines_for_other_schedulers_are_commands():
    text = (ROOT / "profiles" / "cluster" / "config.yaml").read_text()
    lines = re.findall(r'^(?:# )?cluster-submit: "(.*)"$', text, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["sbatch", "qsub", "qsub", "qsub", "bsub"]
    for line in lines:
        for asked in ("{threads}", "{resources.mem_mb}", "{resources.runtime}"):
            assert asked in line


def test_what_the_guide_names_is_there():
    guide = (ROOT / "docs" / "hpc.md").read_text()
    for name in set(re.findall(r"`((?:profiles|workflow|config|docs|tests)/[\w./-]*)`", guide)):
        assert (ROOT / name).exists(), name
    parser = get_argument_parser()
    known = {option for action in parser._actions for option in action.option_strings}
    for option in set(re.findall(r"`(--[a-z-]+)", guide)) - {"--cluster"}:
        assert option in known, option
