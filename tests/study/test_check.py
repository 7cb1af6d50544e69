"""`sparsedecay check`: what a config asks for."""

import re
import sys

import pytest

from sparsedecay import cli
from sparsedecay.engines import compiled
from sparsedecay.errors import UserError
from sparsedecay.science import regularizers
from sparsedecay.science.run import Run
from sparsedecay.study import check as describe
from tests.study.made import CONFIG, PAPER

PAPER = str(PAPER)


def output(capsys, *arguments: str) -> str:
    describe.main(list(arguments))
    return capsys.readouterr().out


def told(capsys, *arguments: str) -> dict[str, str]:
    """The summary, by the names at its left."""
    _, *lines = output(capsys, *arguments).splitlines()
    return {line[2:15].strip(): line[15:] for line in lines}


def test_the_papers_summary(capsys):
    summary = told(capsys, PAPER)
    assert summary["data"] == ("81 points in 4 dimensions (3 levels), targets from -1 to 1, seed 0")
    # W1, b1, V1, C1, c0_1; W2, b2, V2, C2, c0_2
    size = (1296 * 4 + 1296 + 16 * 1296 + 16 * 4 + 16) + (1296 * 16 + 1296 + 1296 + 16 + 1)
    assert summary["representer"].startswith("L = 2, K = 1,296, d = 16: ")
    assert f": {size:,} parameters in float32" in summary["representer"]
    # W1, b1; A2, C1, b2; V2, C2, c0
    size = (1296 * 4 + 1296) + (1296**2 + 1296 * 4 + 1296) + (1296 + 1296 + 1)
    assert summary["dense"] == f"L = 2, K = 1,296: {size:,} parameters in float32"
    assert summary["fig1"] == "trains nothing"
    fig2 = "7 runs to epoch 200,000, 28 milestones, 1,400,000 epochs to train"
    assert summary["fig2"] == fig2
    assert summary["fig3"] == "4 runs to epoch 50,000, 4 milestones, 200,000 epochs to train"
    # two of figure 3's runs are figure 2's, and all are figure 4's
    total = "9 runs to epoch 200,000, 30 milestones, 1,500,000 epochs to train"
    assert summary["in all"] == total
    # a draw: 7 + 5 runs of 4 milestones, 2 of one
    total = "140 runs to epoch 200,000, 500 milestones, 25,000,000 epochs to train"
    assert summary["replicate"] == total
    # the literal draw and 3 whole ones; 3 with 3 + 5 runs of 4 milestones and a dense one; 2 dense
    total = "85 runs to epoch 200,000, 301 milestones, 15,050,000 epochs to train"
    assert summary["readings"] == total


def test_a_sweep_is_told(capsys):
    """Of the example: 100 settings of 100 draws, and the paper's figures beside it."""
    summary = told(capsys, PAPER, str(CONFIG / "sweep.yaml"))
    assert summary["sweep"] == (
        "100 settings of 100 draws: 10,000 runs to epoch 50,000, 10,000 milestones, "
        "500,000,000 epochs to train"
    )
    assert summary["replicate"] == told(capsys, PAPER)["replicate"]
    assert "sweep" not in told(capsys, PAPER)


def test_later_files_count(capsys, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("training: {epochs: 120000}\nfigures: {fig3: null, fig4: null}\nclaims: null\n")
    summary = told(capsys, PAPER, str(mine))
    assert "fig3" not in summary
    assert "dense" not in summary
    # each of 7 runs by way of 50,000 and 100,000
    assert summary["in all"] == "7 runs to epoch 120,000, 21 milestones, 840,000 epochs to train"


def test_an_epoch_off_the_grid_is_trained_beside_the_chain(capsys, tmp_path):
    mine = tmp_path / "mine.yaml"
    only = "panels: [{network: representer, regularizer: eq2}]"
    mine.write_text(
        f"figures: {{fig2: {{lam: [1e-3]}}, fig3: {{epoch: 60000, {only}}}, fig4: null}}"
    )
    summary = told(capsys, PAPER, str(mine))
    assert summary["fig3"] == "1 run to epoch 60,000, 2 milestones, 60,000 epochs to train"
    # 3 runs to 200,000, and from 50,000 to 60,000 once more
    assert summary["in all"] == "3 runs to epoch 200,000, 13 milestones, 610,000 epochs to train"


def test_a_study_that_trains_nothing(capsys, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("figures: {fig2: null, fig3: null, fig4: null}\nclaims: null")
    assert told(capsys, PAPER, str(mine))["in all"] == "trains nothing"
    assert output(capsys, PAPER, str(mine), "--runs") == ""


def test_runs_are_listed_and_printed_for_the_train_command(capsys):
    ids = output(capsys, PAPER, "--runs").splitlines()
    # 9 runs of the figures and 5 shallow ones in each of 10 draws; the readings' in one: all 14 for
    # each of 3, 9 with weight decay for each of 3, 2 dense ones for one
    assert len(ids) == len(set(ids)) == 10 * 14 + 3 * 14 + 3 * 9 + 2
    for name in ids[:9] + ids[-3:]:
        text = output(capsys, PAPER, "--run", name)
        assert text.count("\n") == 1
        assert Run.model_validate_json(text).id == name


def test_an_unknown_run_is_told_the_nearest(tmp_path):
    with pytest.raises(UserError, match=r"the nearest is dense-none-seed\d-.*--runs lists them"):
        describe.main([PAPER, "--run", "dense-none"])
    mine = tmp_path / "mine.yaml"
    mine.write_text("figures: {fig2: null, fig3: null, fig4: null}\nclaims: null")
    with pytest.raises(UserError, match="no such run; it has none at all"):
        describe.main([PAPER, str(mine), "--run", "dense-none"])


def test_mistakes_end_with_status_2_and_no_stack_trace(capsys, tmp_path, monkeypatch):
    mine = tmp_path / "mine.yaml"
    mine.write_text("network: {K: 0}\n")
    monkeypatch.setattr(sys, "argv", ["sparsedecay", "check", PAPER, str(mine)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith(f"{mine}:1: network.K: 0 is not allowed; write ")


def engine_lines(capsys, *files: str) -> list[str]:
    """What is said of engines."""
    lines = output(capsys, PAPER, *files).splitlines()
    return [line[15:] for line in lines if line.startswith("  engine ")]


def test_all_runs_are_trained_by_the_engine_that_is_asked_for(capsys):
    assert engine_lines(capsys) == ["compiled"]


def test_an_engine_that_was_not_built_is_replaced_and_the_remedy_named(
    capsys, monkeypatch, tmp_path
):
    for network in ("representer", "dense"):
        (tmp_path / f"{network}.h").touch()
    monkeypatch.setattr(compiled, "FOLDER", tmp_path)
    (line,) = engine_lines(capsys)
    assert line == (
        f"fused, about three times slower (compiled: {compiled.UNBUILT}; install a C++ compiler, "
        "then `make clean setup`)"
    )
    (tmp_path / "_avx2.so").touch()
    assert engine_lines(capsys) == ["compiled"]


class Plain(regularizers.Regularizer):
    """The largest entry of each matrix: a value and nothing else."""

    name = "plain"
    title = "plain"

    def value(self, network, p):
        return sum(abs(p[name]).max() for name in network.matrices)


@pytest.fixture
def plain(monkeypatch):
    """A regularizer that no list knows takes the place of eq2."""
    monkeypatch.setitem(regularizers.KINDS, "eq2", Plain)
    return Plain


def test_a_regularizer_without_a_gradient_of_its_own_is_trained_by_autograd(capsys, plain):
    eq2, rest = sorted(engine_lines(capsys))
    assert eq2.startswith("autograd for ")
    assert eq2.endswith(
        " runs, about ten times slower (compiled: plain has no `terms`; fused: plain has no "
        "`add_gradient`)"
    )
    assert re.fullmatch(r"compiled for \d+ runs", rest)
    counts = [int(line.split()[2]) for line in (eq2, rest)]
    assert sum(counts) == len(output(capsys, PAPER, "--runs").split())
    assert counts[0] == len(re.findall("-eq2-", output(capsys, PAPER, "--runs")))


def test_a_run_that_no_engine_can_train_is_refused_with_all_reasons(plain, monkeypatch):
    monkeypatch.setattr(plain, "value", None)
    with pytest.raises(UserError) as caught:
        describe.main([PAPER])
    (line,) = str(caught.value).splitlines()
    assert re.match(r".*config\.yaml:\d+: training\.engine: compiled is not allowed: ", line)
    assert line.endswith(
        "no engine can train representer with eq2: compiled: plain has no `terms`; fused: plain "
        "has no `add_gradient`; autograd: plain has no `value`"
    )
