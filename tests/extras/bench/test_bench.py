"""What is raced computes the same training, and what is told is what was measured."""

import json
import multiprocessing
import os

import numpy as np
import pytest
import torch

from sparsedecay.errors import UserError
from sparsedecay.extras.bench import command, growth, limits, many
from sparsedecay.extras.bench.contestants import CONTESTANTS, Naive, absent
from sparsedecay.files.machine import processor
from tests.small import beginning, small_run, started

SMALL = ["--K", "24", "--d", "4", "--levels", "2", "--rounds", "2", "--seconds", "0.01"]


@pytest.fixture
def one_core(monkeypatch):
    """Measuring without keeping the tests' own process on one core."""
    monkeypatch.setattr(command, "keep_to_one_core", command.prepare)


def parameters(contestant) -> dict[str, np.ndarray]:
    if isinstance(contestant, Naive):
        return {name: tensor.detach().numpy() for name, tensor in contestant.p.items()}
    return {name: np.asarray(array) for name, array in contestant.state[0].items()}


SLOW = pytest.param("torch.compile", marks=pytest.mark.heavy)  # half a minute each


@pytest.mark.parametrize("name", ["naive", "naive, as written", SLOW, "jax"])
@pytest.mark.parametrize("network", ["representer", "dense"])
@pytest.mark.parametrize("regularizer", ["eq2", "weight_decay", "none"])
def test_the_peers_train_as_the_reference_does(name, network, regularizer):
    if reason := absent(name):
        pytest.skip(reason)
    run = small_run(network=network, regularizer=regularizer, L=3)
    reference = started("autograd", run)
    reference.advance(5)
    X, y, _ = beginning(run)
    contestant = CONTESTANTS[name](run, X, y, reference.state())
    already = 3 if name in ("torch.compile", "jax") else 0  # epochs that compiling takes
    contestant.advance(20 - already)
    reference.advance(20)
    for key, value in reference.parameters.items():
        np.testing.assert_allclose(
            parameters(contestant)[key], value.detach().numpy(), rtol=1e-8, atol=1e-10
        )


def test_as_written_leaves_denormals_flushed_for_the_others():
    contestant = CONTESTANTS["naive, as written"](run := small_run(), *beginning(run))
    torch.set_flush_denormal(True)
    contestant.advance(1)
    assert float(torch.tensor(1e-30) * torch.tensor(1e-12)) == 0


def test_operations_by_hand():
    """The paper's sizes: 22.5 and 820.9 million, as worked out on paper."""
    paper = {"levels": (0.0, 0.5, 1.0), "dimension": 4, "K": 1296, "d": 16}
    # W1 and C1 twice, all else three times; 2 N = 162 operations for each weight
    weights = 2 * 1296 * 4 + 3 * 16 * 1296 + 2 * 16 * 4 + 3 * 1296 * 16 + 3 * 1296 + 3 * 16
    assert command.flops(small_run(**paper)) == 162 * weights
    weights = 2 * 1296 * 4 + 3 * 1296**2 + 2 * 1296 * 4 + 3 * 1296 + 3 * 1296
    assert command.flops(small_run(network="dense", **paper)) == 162 * weights


def test_json_on_the_last_line(one_core, capsys):
    case = ["--network", "representer", "--regularizer", "eq2", "--phase", "early"]
    command.main([*case, *SMALL, "--engines", "fused", "naive", "--json"])
    out, err = capsys.readouterr()
    *lines, last = out.splitlines()
    told = json.loads(last)
    assert told["network"] == "representer"
    assert told["regularizer"] == "eq2"
    assert told["engine"] == "fused"
    fused, naive = told["contestants"]["fused"], told["contestants"]["naive"]
    assert told["ms_per_epoch"] == fused["ms_per_epoch"]
    assert fused["times_as_long"] == 1
    # the median of ratios and the ratio of medians: far apart only where something is mixed up
    ratio = naive["ms_per_epoch"] / fused["ms_per_epoch"]
    assert ratio / 10 < naive["times_as_long"] < ratio * 10
    flops = command.flops(small_run(levels=(0.0, 1.0), dimension=4, K=24, d=4))
    assert told["gflops"] == pytest.approx(flops / told["ms_per_epoch"] / 1e6)
    assert told["floor_ms"] == pytest.approx(flops / told["peak_gflops"] / 1e6)
    assert told["floor_share"] == pytest.approx(told["floor_ms"] / told["ms_per_epoch"])
    assert any(line.split()[:1] == ["fused"] for line in lines)
    assert fused["least_ms"] <= fused["ms_per_epoch"]
    assert told["arithmetic_ms"] == told["floor_ms"]
    assert 0 < told["traffic_ms"] < 1
    assert told["limit"] in ("arithmetic", told["held_in"])
    assert told["processor"] == processor()
    assert "fused gets ready" in err
    assert "round 2 of 2" in err


def test_one_job_beside_another(capsys, monkeypatch):
    """On the core that this process is not kept on; nothing is told where there is no other."""
    case = ["--network", "representer", "--regularizer", "eq2", "--phase", "early", *SMALL]
    for other, told in ((None, False), (max(os.sched_getaffinity(0)), True)):
        monkeypatch.setattr(command, "keep_to_one_core", lambda other=other: other)
        command.main([*case, "--engines", "fused", "naive", "--json"])
        fused = json.loads(capsys.readouterr().out.splitlines()[-1])["contestants"]["fused"]
        assert ("beside" in fused) == told
        assert not told or 0.1 < fused["beside"] < 100
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("size", "level"),
    [(1000, "cache 1"), (40_000, "cache 2"), (3_000_000, "cache 3"), (50_000_000, "memory")],
)
def test_where_so_much_lies(tmp_path, size, level):
    caches = (("1", "Data", "32K"), ("1", "Instruction", "64K"), ("2", "Unified", "1024K"))
    for i, about in enumerate((*caches, ("3", "Unified", "32M"))):
        (tmp_path / f"index{i}").mkdir()
        for name, text in zip(("level", "type", "size"), about, strict=True):
            (tmp_path / f"index{i}" / name).write_text(f"{text}\n")
    assert limits.held_in(size, tmp_path) == level


def test_all_cases_of_the_paper_early_and_late(one_core, capsys):
    command.main([*SMALL, "--late", "10", "--denormals", "5", "--engines", "fused", "--json"])
    cases = json.loads(capsys.readouterr().out.splitlines()[-1])["cases"]
    told = {(case["network"], case["regularizer"], case["phase"], case["epoch"]) for case in cases}
    assert told == {
        (network, regularizer, phase, epoch)
        for network, regularizers in (
            ("representer", ("eq2", "weight_decay", "none")),
            ("dense", ("weight_decay", "none")),
        )
        for regularizer in regularizers
        for phase, epoch in (("early", 0), ("late", 10), ("denormals", 5))
        if (regularizer, phase) != ("none", "denormals")
    }


def test_an_absent_engine_is_named(one_core, monkeypatch):
    monkeypatch.setattr(command, "absent", lambda name: "not here" if name == "jax" else None)
    with pytest.raises(UserError, match="--engines jax: not here"):
        command.main(["--engines", "jax"])


def test_the_exponent_of_a_power_law():
    sizes = [1, 2, 4, 8, 16, 32]
    assert growth.exponent(sizes, [7 * size**1.5 for size in sizes]) == pytest.approx(1.5)
    assert growth.exponent(sizes, [9, 9, 9, *(size**2 for size in sizes[3:])]) == pytest.approx(2)


def test_training_is_rendered_at_the_sizes_measured(tmp_path, monkeypatch, capsys):
    """With the sizes of these tests, by the engine that is always there."""
    timed, render, panels = growth.timed, growth.render, []
    small = [*SMALL, "--engines", "fused"]
    monkeypatch.setattr(growth, "timed", lambda asked, folder: timed([*asked, *small], folder))
    monkeypatch.setattr(growth, "SIZES", {"ReLU layers, L": ("--L", {1: 1, 2: 2, 3: 3, 4: 4})})
    monkeypatch.setattr(growth, "TOO_LARGE", {("dense", 4)})
    monkeypatch.setattr(growth, "render", lambda *a: (panels.extend(a[0]), render(*a)))
    command.main(["--growth", str(tmp_path / "growth.png")])
    assert (tmp_path / "growth.png").stat().st_size > 10_000
    assert [[(label.split(":")[0], sizes) for label, sizes, _ in p[2]] for p in panels] == 2 * [
        [("representer", [1, 2, 3, 4]), ("dense", [1, 2, 3])]
    ]
    assert len(capsys.readouterr().out.splitlines()) == 8


@pytest.mark.workflow
def test_a_small_study_is_planned(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(growth, "RUNS", (100,))
    command.main(["--planning", str(tmp_path / "planning.png")])
    head, row, _ = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["runs", "jobs", "plan"]
    told = row.split()
    # 100 data sets, trainings and measures; a request, two tables and the target itself
    assert told[:2] == ["100", "304"]
    assert 0.5 < float(told[2]) < 100
    assert 50 < float(told[6].replace(",", "")) < 250, "not the memory of these tests"
    assert (tmp_path / "planning.png").stat().st_size > 10_000


@pytest.mark.parametrize("runs", growth.RUNS)
def test_the_sweeps_have_as_many_runs_as_they_say(runs, tmp_path):
    plan = growth.load_plan(growth.study(runs, tmp_path))
    assert len({run.id for run, _ in plan.grid.milestones}) == runs


def test_memory_is_that_of_the_command_alone(tmp_path):
    """Not of the process that measures, which holds more."""
    held = bytearray(300_000_000)
    seconds, memory, printed = growth.timed(["this"], tmp_path)
    assert "Beautiful is better than ugly." in printed
    assert 0 < seconds < 60
    assert 1 < memory < 100
    assert len(held)


def test_a_failure_is_told(tmp_path):
    with pytest.raises(UserError, match=r"(?s)^snakemake --nonsense: failed:\n.*nonsense"):
        growth.timed(["snakemake", "--nonsense"], tmp_path)


def test_elsewhere_there_is_nothing_to_plan(tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "ROOT", tmp_path)
    with pytest.raises(UserError, match="holds no Snakefile; run this in a clone"):
        command.main(["--planning", str(tmp_path / "planning.png")])


def test_batches_against_all_cores(capsys):
    case = ["--batched", "--network", "representer", *SMALL, "--sizes", "1", "3", "--json"]
    command.main([*case, "--device", "cpu"])
    *lines, last = capsys.readouterr().out.splitlines()
    told = json.loads(last)
    assert [one["case"] for one in told["cases"]] == ["shallow", "representer"]
    assert told["device"] == "cpu"
    for one in told["cases"]:
        assert one["rates"].keys() == {"compiled", "1", "3"}
        assert all(rate > 0 for rate in one["rates"].values())
    title = f"compiled, {told['cores']} cores"
    assert sum(line.strip().startswith(title) and line.endswith("1.00x") for line in lines) == 2


def test_only_batches_that_fit_are_measured(capsys, monkeypatch):
    monkeypatch.setattr(many.devices, "free", lambda device: 5e5)
    monkeypatch.setattr(many, "cores", lambda: 1)
    case = ["--batched", "--network", "dense", *SMALL, "--sizes", "1", "2", "1000", "--json"]
    command.main([*case, "--device", "cpu"])
    (told,) = json.loads(capsys.readouterr().out.splitlines()[-1])["cases"]
    assert told["rates"].keys() == {"compiled", "1", "2"}


def test_a_device_that_is_not_here_is_told(monkeypatch):
    monkeypatch.setattr(many.devices, "available", lambda kind: False)
    with pytest.raises(UserError, match="--device mps: torch finds none here"):
        command.main(["--batched", "--device", "mps"])
