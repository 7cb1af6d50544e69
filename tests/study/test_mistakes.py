"""Mistakes as people make them: one line each that says what to do."""

import json
import re
from pathlib import Path

import pytest

from sparsedecay.errors import UserError
from sparsedecay.study.study import load_study
from tests.study.made import (
    DRAWN,
    PAPER,
    PLAIN,
    TEXT,
    changed,
    document,
    line_of,
    load,
    load_lines,
    refusal,
)
from tests.workflow.project import Project

L3, ONLY = (
    "fig3.layer: 3 is not allowed: networks of network.L = 2 hidden layers",
    "stand only once",
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epochs: 200000", "epochs: 2e5", f"{line_of('epochs: 2')}: training.epochs: 2e5 is not "
         "allowed; write a whole number of epochs from 1 to 1,000,000,000, such as 200000"),
        ("epochs: 200000", "epochs: 200000.0", "200000.0 is not allowed; .*, such as 200000"),
        ("epochs: 200000", "epochs: '200000'", "'200000' is not allowed; .*, without quotes"),
        ("K: 1296", "K: 10**5000", r"network.K: 10\*\*5000 is not allowed; write a whole number"),
        ("K: 1296", "K: 0", "network.K: 0 is not allowed; write a whole number from 1 to"),
        ("lam: 1.0e-3", "lam: -1e-3", "fig3.lam: -1e-3 is not allowed; write a number above 0"),
        ("lam: 1.0e-3", "lam: 1e400", "1e400 is not allowed; .*, at most 1.7e308 in magnitude"),
        ("lam: 1.0e-3", "lam: '1e-3'", "write a number above 0, without quotes"),
        ("levels: [0, 0.5, 1]", "levels: []", "levels: \\[\\] .* a list of 2 to 1,000 values"),
        ("levels: [0, 0.5, 1]", "levels: [0, 0]", f"levels: \\[0, 0\\] is not allowed: .* {ONLY}"),
        ("levels: [0, 0.5, 1]", "levels: [0, 0.0]", ONLY),
        ("dimension: 4", "dimension: 40", "data.levels, data.dimension: a grid of 3\\^40 points"),
        ("target_range: [-1, 1]", "target_range: [1, -1]", r"data.target_range: \[1, -1\] is not "
         "allowed: the first number must be smaller than the second"),
        ("\n  range: [-1, 1]", "\n  range: [1, 1]", r"initialization.range: \[1, 1\] is not allow"),
        ("target_range: [-1, 1]", "target_range: [1, 2, 3]", r"\[1, 2, 3\] .* a list of 2 values"),
        ("engine: compiled", "engine: compile", "did you mean compiled?"),
        ("network: representer", "network: Representer", "did you mean representer?"),
        ("decay, none]", "decay, null]", r"regularizers\[2\]: null is not allowed; .* mean none?"),
        ("decay, none]", "decay, eq2]", f"regularizers: .*{ONLY}"),
        ("[1.0e-1, 1.0e-3,", "[1.0e-1, 0.1,", f"fig2.lam: .*{ONLY}"),
        ("average_over: [W, V]", "average_over: [W, W]", f"average_over: .*{ONLY}"),
        ("regularizer: weight_decay}", "regularizer: eq2}", f"fig3.panels: .*{ONLY}"),
        ("optimizer:", "optimiser:", f"{line_of('optimizer:')}: optimiser: unknown key; did you "
         "mean optimizer?"),
        ("K: 1296", "k: 1296", "network.k: unknown key; did you mean network.K?"),
        ("K: 1296", "Kd: 1296", "network.Kd: unknown key; did you mean network.K?"),
        ("  fig1:", "  fig7:", "fig7: unknown key; allowed are collapse, fig1, fig2, fig3, fig4"),
        ("  K: 1296", "  K: 1296\n  engine: x", "unknown key; did you mean training.engine?"),
        ("  fig1:\n    L: 3", "  fig1: yes", "fig1: yes is .* write a section with the key L"),
        ("- {network: representer, regularizer: eq2}", "- eq2", r"panels\[0\]: eq2 is not allowed; "
         "write a section with the keys network, regularizer"),
        ("layer: 2", "layer: 3", L3),
        ("record_every: 250", "record_every: 50001", "must not exceed training.stride"),
        ("threshold: 1.0e-3", "threshold: 1.5e-3", "threshold: 1.5e-3 is .* significant digit"),
        ("threshold: 1.0e-3", "threshold: 10", "measures.threshold: 10 .* significant digit"),
        ("K: 1296", "K: 129600", "network.K: .* a dense network of 16,797,715,201 parameters"),
        ("skips: leap", "skips: leaps", "network.skips: leaps is .* leap, input or none; did you "
         "mean leap?"),
        ("skips: leap", "skips: null", "skips: null is not allowed; .* none; did you mean none?"),
        ("loss: mean", "loss: mse", "objective.loss: mse is not allowed; write mean or sum"),
        ("decay: objective", "decay: adamw", "objective.weight_decay: adamw is not allowed; write "
         "objective, adam or decoupled; did you mean adam?"),
        ("biases: true", "biases: yes", "objective.decay_biases: yes is .* write true or false"),
        ("scale: none", "scale: fan-in", "scale: fan-in is .* none or fan_in; did you mean fan_in"),
        ("eps: 1.0e-8", "eps: 1.0e-38", "optimizer.eps: 1.0e-38 is .* of at least 1.2e-38"),
        ("batches: 1", "batches: 82", "optimizer.batches: 82 is not allowed: 81 data points cannot "
         "be cut into so many minibatches; lower it"),
        ("[targets, weights]", "[targets, seeds]", r"vary\[1\]: seeds is .* targets or weights"),
        ("[targets, weights]", "[targets, targets]", f"claims.vary: .*{ONLY}"),
        ("[50000, 100000, 150000, 200000]", "[50000, 50000]", f"claims.milestones: .*{ONLY}"),
        ("milestones: [50000] ", "milestones: [5, 5] ", f"claims.dense_milestones: .*{ONLY}"),
        ("[162, 405, 810, 1296]", "[81]", r"claims.shallow.K: \[81\] .* 2 to 20 values"),
        ("readings: readings.yaml", "readings: ['a.yaml']", "claims.readings: .* write a word"),
        ("seed: 0", "seed: 0\n  seed: 0", f"mine.yaml:{line_of('seed: 0') + 1}: data.seed: stands "
         "twice, before in mine"),
        ("seed: 0", "<<: {seed: x}", "data.seed: x is not allowed"),
        ("targets: [all]", "targets: [sweep]", "archive.targets: .* it must hold all, the figures"),
        ("targets: [all]", "targets: [all, all]", f"archive.targets: .*{ONLY}"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_line_that_says_what_to_do(old, new, said):
    assert old in TEXT
    (line,) = refusal(TEXT.replace(old, new, 1))
    assert re.search(said, line), line


def test_a_figure_is_needed():
    (line,) = refusal(document() | {"figures": {}})
    assert line.startswith("mine.yaml:1: figures: at least one figure is needed: ")
    assert line.endswith(
        "collapse, fig1, fig2, fig3, fig4, generalisation, optimum, phase or radon"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"range": [1, -1]}, r"data\.range: \[1, -1\] is not allowed: the first number must be"),
        ({"target_range": [2, 2]}, r"data\.target_range: \[2, 2\] is not allowed: the first num"),
        (
            {"points": 0},
            r"data\.points: 0 is not allowed; write a whole number from 1 to 1,000,000",
        ),
        ({"levels": [0, 1]}, r"data\.levels: unknown key; allowed are "),
        ({"kind": "shpere"}, r"data\.kind: 'shpere' is not allowed; write box, .* teacher or toy"),
        ({"kind": "sphere"}, r"data\.radius: is missing; write a number above 0"),
    ],
)
def test_mistakes_in_other_kinds_of_data(changes, told):
    section = {"kind": "box", "range": [-1, 1], "outputs": 2, **DRAWN} | changes
    lines = refusal(json.dumps(PLAIN | {"data": section}))
    assert any(re.search(told, line) for line in lines), lines


def test_networks_too_large_for_their_data_are_refused():
    section = {"kind": "gaussian", "deviation": 1, **DRAWN, "points": 1_000_000}
    network = PLAIN["network"] | {"K": 3000}
    lines = refusal(json.dumps(PLAIN | {"data": section, "network": network}))
    told = "activations on 1,000,000 points; training holds them all at once"
    assert any(told in line for line in lines)


def test_all_mistakes_are_told_at_once():
    text = TEXT.replace("epochs: 200000", "epochs: 40000").replace("layer: 2", "layer: 9")
    lines = refusal(text.replace("threshold: 1.0e-3", "threshold: 12", 1))
    told = [re.search(r": ([\w.]+): ", line)[1] for line in lines]
    figures = ["fig3.epoch", "fig3.layer", "fig4.epoch", "fig4.layer", "radon.epochs"]
    assert told == ["measures.threshold", *(f"figures.{name}" for name in figures)]
    assert "beyond training.epochs (40,000); lower it, or raise training.epochs" in lines[1]
    lines = refusal(TEXT.replace("K: 1296", "K: 0").replace("seed: 0", "seed: -1"))
    assert len(lines) == 3


def test_many_mistakes_are_cut_short():
    levels = ", ".join(["x"] * 1000)
    lines = load_lines(TEXT.replace("levels: [0, 0.5, 1]", f"levels: [{levels}]"))
    assert len(lines) == 21
    assert lines[-1] == "… and 980 more mistakes"


@pytest.mark.parametrize(
    ("every", "good", "bad", "said"),
    [  # 7 runs of 200,000 epochs and 2 of 50,000: 1.5 million epochs
        (5, 16, 15, "stride: 15 is not allowed: it cuts the 9 runs of the figures into 100,0"),
        (10, 1000000, 1000010, "record_every: 10 is not allowed: it makes 100,001 records"),
    ],
)
def test_too_many_milestones_or_records_are_refused_at_once(every, good, bad, said):
    text = TEXT.replace("record_every: 250", f"record_every: {every}")
    assert load(text.replace("stride: 50000", f"stride: {good}")).training.stride == good
    (line,) = refusal(text.replace("stride: 50000", f"stride: {bad}"))
    assert f"training.{said}" in line


# --- several files


def test_the_file_that_holds_a_key_is_named():
    Path("a.yaml").write_text(TEXT)
    Path("b.yaml").write_text("network: {K: 0}\ntrainig: {}\n")
    Path("c.yaml").write_text("figures: {fig2: {lam: [1, x]}}\n")
    with pytest.raises(UserError) as caught:
        load_study([Path("a.yaml"), Path("b.yaml"), Path("c.yaml")], {"data": {"seed": "one"}})
    assert [line.partition(" is not")[0] for line in str(caught.value).splitlines()] == [
        "--config: data.seed: one",
        "b.yaml:1: network.K: 0",
        "c.yaml:1: figures.fig2.lam[1]: x",
        "b.yaml:2: trainig: unknown key; did you mean training?",
    ]


def test_a_key_that_no_file_has_names_them_all():
    Path("a.yaml").write_text("data: {seed: 0}\n")
    Path("b.yaml").write_text("data: {levels: [0, 1], dimension: 1}\n")
    with pytest.raises(UserError, match=r"^a\.yaml, b\.yaml: data\.target_range: is missing"):
        load_study([Path("a.yaml"), Path("b.yaml")])


def test_later_files_and_overrides_win():
    Path("b.yaml").write_text("training: {epochs: 250000}\ndata: {levels: [0, 1]}\n")
    study = load_study([PAPER, Path("b.yaml")])
    assert study.training.epochs == 250_000
    assert study.data.levels == (0, 1)
    assert study.training.stride == 50_000
    overrides = {
        "training": {"epochs": "300000"},
        "figures": {"fig3": "null"},
        "claims": "null",
        "objective": {"decay_biases": "false"},
    }
    study = load_study([PAPER, Path("b.yaml")], overrides)
    assert study.training.epochs == 300_000
    assert study.figures.names == ["fig1", "fig2", "fig4", "radon"]
    assert study.claims is None
    assert study.objective.decay_biases is False


@pytest.mark.parametrize(
    ("target", "section"), [("replicate", "claims"), ("readings", "claims"), ("sweep", "sweep")]
)
def test_an_archive_needs_the_sections_of_its_targets(target, section):
    whole = changed(("archive", "targets"), ["all", target])
    assert load(whole).archive.targets == ("all", target)
    del whole[section]
    (line,) = refusal(whole)
    assert "archive.targets: " in line
    assert f"{target} needs the section {section}; add it, or leave it out" in line


# --- as a user meets it


@pytest.mark.workflow
def test_snakemake_says_it_in_one_line(tmp_path):
    project = Project(tmp_path / "project")
    project.folder.mkdir()
    project.clone()
    project.edit("config/config.yaml", "K: 24", "K: 0")
    done = project.snakemake("-n", "--config", "training={epochs: 3000}")
    assert done.returncode == 1
    lines = (done.stdout + done.stderr).splitlines()
    assert [line for line in lines if not line.startswith("Using workflow specific profile")] == [
        "config/config.yaml:14: network.K: 0 is not allowed; "
        "write a whole number from 1 to 1,000,000"
    ]
