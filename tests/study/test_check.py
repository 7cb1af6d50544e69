"""`sparsedecay check`: what a config asks for."""

import re

import pytest

from sparsedecay.engines import compiled
from sparsedecay.errors import UserError
from sparsedecay.science import regularizers
from sparsedecay.science.run import Run
from sparsedecay.study import check as describe
from tests.study.made import CONFIG, PAPER

PAPER = str(PAPER)


@pytest.fixture
def output(capsys, tmp_path):
    """What is printed for the paper's config, with a text laid over it."""

    def run(*arguments: str, over: str = "") -> str:
        (tmp_path / "mine.yaml").write_text(over)
        files = [PAPER, str(tmp_path / "mine.yaml")] if over else [PAPER]
        describe.main([*files, *arguments])
        return capsys.readouterr().out

    return run


@pytest.fixture
def told(output):
    """The summary, by the names at its left."""

    def run(over: str = "") -> dict[str, str]:
        _, *lines = output(over=over).splitlines()
        return {line[2:17].strip(): line[17:] for line in lines}

    return run


NOTHING = "figures: {fig2: null, fig3: null, fig4: null, radon: null}\nclaims: null"


def test_the_papers_summary(told):
    summary = told()
    assert summary["data"] == "81 points in 4 dimensions (3 levels), targets from -1 to 1, seed 0"
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
    # a draw: 7 runs of 4 milestones, 4 of 12, 2 of one
    total = "130 runs to epoch 600,000, 780 milestones, 39,000,000 epochs to train"
    assert summary["replicate"] == total
    # the literal draw and 10 whole ones; 3 with weight decay: 3 runs of 4 milestones, 4 of 12 and a
    # dense one; 2 of 3 runs with eq2 of 4; 2 dense ones
    total = "175 runs to epoch 600,000, 1,067 milestones, 53,350,000 epochs to train"
    assert summary["readings"] == total
    assert summary["search"].startswith("86 readings: 220 runs to epoch 50,000, 220 milestones, ")
    assert summary["search"].endswith("; then all networks of the closest 5")
    assert "search" not in told("claims: {search: null}")


def test_a_sweep_is_told(told):
    """Of the example: 100 settings of 100 draws, and the figures of the paper besides."""
    summary = told((CONFIG / "sweep.yaml").read_text())
    assert summary["sweep"] == (
        "100 settings of 100 draws: 10,000 runs to epoch 50,000, 10,000 milestones, "
        "500,000,000 epochs to train"
    )
    assert summary["replicate"] == told()["replicate"]
    assert "sweep" not in told()


def test_later_files_count(told):
    summary = told(
        "training: {epochs: 120000}\nfigures: {fig3: null, fig4: null, radon: null}\nclaims: null\n"
    )
    assert not {"fig3", "dense"} & summary.keys()
    # each of 7 runs by way of 50,000 and 100,000
    assert summary["in all"] == "7 runs to epoch 120,000, 21 milestones, 840,000 epochs to train"


def test_an_epoch_off_the_grid_is_trained_beside_the_chain(told):
    fig3 = "{epoch: 60000, panels: [{network: representer, regularizer: eq2}]}"
    summary = told(f"figures: {{fig2: {{lam: [1e-3]}}, fig3: {fig3}, fig4: null, radon: null}}")
    assert summary["fig3"] == "1 run to epoch 60,000, 2 milestones, 60,000 epochs to train"
    # 3 runs to 200,000, and from 50,000 to 60,000 once more
    assert summary["in all"] == "3 runs to epoch 200,000, 13 milestones, 610,000 epochs to train"


def test_a_study_that_trains_nothing(told, output):
    assert told(NOTHING)["in all"] == "trains nothing"
    assert output("--runs", over=NOTHING) == ""


def test_runs_are_listed_and_printed_for_the_train_command(output):
    ids = output("--runs", over="claims: {search: null}").splitlines()
    # 9 runs of the figures and 4 shallow ones in each of 10 draws; the readings' in one: all 13 for
    # each of 10, 8 with weight decay for each of 3, 3 with eq2 for each of 2, 2 dense ones for one
    assert len(ids) == len(set(ids)) == 10 * 13 + 10 * 13 + 3 * 8 + 2 * 3 + 2
    for name in ids[:9] + ids[-3:]:
        text = output("--run", name)
        assert text.count("\n") == 1
        assert Run.model_validate_json(text).id == name


def test_an_unknown_run_is_told_the_nearest(output):
    with pytest.raises(UserError, match=r"the nearest is dense-none-seed\d-.*--runs lists them"):
        output("--run", "dense-none")
    with pytest.raises(UserError, match="no such run; it has none at all"):
        output("--run", "dense-none", over=NOTHING)


@pytest.fixture
def engine_lines(output):
    """What is said of engines."""
    return lambda: re.findall("^  engine +(.*)$", output(over="claims: null"), re.MULTILINE)


def test_all_runs_are_trained_by_the_engine_that_is_asked_for_if_it_was_built(
    engine_lines, monkeypatch, tmp_path
):
    assert engine_lines() == ["compiled"]
    for network in ("representer", "dense"):
        (tmp_path / f"{network}.h").touch()
    monkeypatch.setattr(compiled, "FOLDER", tmp_path)

    def slower(why):
        assert engine_lines() == [f"fused, about 3 times slower (compiled: {why})"]

    monkeypatch.setenv("CXX", "false")  # a compiler, or what looks like one
    slower(compiled.NOT_HERE)
    (tmp_path / "_avx2.cpython-27-x86_64-linux-gnu.so").touch()
    slower(compiled.OF_ANOTHER)
    monkeypatch.setenv("CXX", "no-such-compiler -O2")
    slower(compiled.UNBUILT)
    (tmp_path / "_avx2.so").touch()
    assert engine_lines() == ["compiled"]


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


def test_a_regularizer_without_a_gradient_of_its_own_is_trained_by_autograd(
    plain, output, engine_lines
):
    eq2, rest = sorted(engine_lines())
    assert eq2.startswith("autograd for ")
    assert eq2.endswith(
        " runs, about 10 times slower (compiled: plain has no `terms`; fused: plain has no "
        "`add_gradient`)"
    )
    assert re.fullmatch(r"compiled for \d+ runs", rest)
    counts = [int(line.split()[2]) for line in (eq2, rest)]
    runs = output("--runs", over="claims: null")
    assert sum(counts) == len(runs.split())
    assert counts[0] == len(re.findall("-eq2-", runs))


def test_a_run_that_no_engine_can_train_is_refused_with_all_reasons(plain, monkeypatch):
    monkeypatch.setattr(plain, "value", None)
    with pytest.raises(UserError) as caught:
        describe.main([PAPER])
    (line,) = str(caught.value).splitlines()
    assert re.match(r".*config\.yaml:\d+: training\.engine: compiled is not allowed: ", line)
    assert line.endswith(
        "no engine can train representer with eq2: compiled: plain has no `terms`; fused: plain "
        "has no `add_gradient`; autograd: plain has no `value`; batched: plain has no "
        "`add_gradient`; pathprox: it has no step of adam"
    )


class TestBatches:
    """In which batches runs would be trained together."""

    def test_runs_of_a_shape_are_together(self, told):
        summary = told(over="claims: null\ntraining: {engine: batched, device: cpu}")
        # 7 runs of figure 2 and 2 dense ones
        batches, where = summary["batches"].split(", on ")
        assert batches == "2 of up to 7 runs for each stretch, of 2 shapes"
        assert re.fullmatch(r"cpu: up to 0\.\d+ of [\d.]+ GB that are free", where)

    def test_so_many_as_fit(self, told, monkeypatch):
        from sparsedecay.engines.batched import trainer

        monkeypatch.setattr(trainer, "room", lambda run, device: 3)
        summary = told(over="claims: null\ntraining: {engine: batched, device: cpu}")
        assert summary["batches"].startswith("4 of up to 3 runs for each stretch")

    def test_a_device_that_only_jobs_find(self, told, monkeypatch):
        from sparsedecay.engines.batched import devices

        monkeypatch.setattr(devices, "available", lambda kind: kind == "cpu")
        summary = told(over="claims: null\ntraining: {engine: batched, device: cuda}")
        assert "this machine has no cuda" in summary["batches"]

    def test_other_engines_have_none(self, told):
        assert "batches" not in told(over="claims: null")
