"""What jobs ask a scheduler for."""

import json

import pytest

from sparsedecay.errors import UserError
from sparsedecay.science.networks import build
from sparsedecay.study import resources
from sparsedecay.study.resources import Job, Needs, Took, job, load, main
from tests.small import small_run
from tests.study.made import CONFIG, PAPER

NEEDS = Needs(
    training={"representer": Took(seconds=0.2, mem_mb=300), "dense": Took(seconds=0.1, mem_mb=400)},
    rules={"measure": Took(seconds=4, mem_mb=210)},
)


def test_by_hand():
    # 60 s to start, and three times 100 s: six minutes; 1.5 times 210 MB, rounded up
    assert job(210, 100, attempt=1) == Job(400, 6)
    assert job(210, 100, attempt=2) == Job(800, 12)
    assert job(210, 100, attempt=4) == Job(3200, 48)
    assert job(10, 1, attempt=1) == Job(100, 5), "never less than five minutes"


def test_training_grows_with_epochs_data_and_parameters():
    run = small_run(network="dense", K=1000, levels=(0.0, 0.5, 1.0), dimension=4)
    size = build(run).size
    seconds = 0.1 * 50_000 * 81 * size / 1e9
    asked = NEEDS.train(run, 50_000)
    assert asked.minutes == -(-(60 + 3 * seconds) // 60)
    assert asked.mem_mb == -(-1.5 * (400 + 108e-6 * size) // 100) * 100, "in float64"
    single = NEEDS.train(run.model_copy(update={"precision": "float32"}), 50_000)
    assert single.mem_mb == -(-1.5 * (400 + 66e-6 * size) // 100) * 100
    assert NEEDS.train(run, 50_000, slowdown=3).minutes == -(-(60 + 9 * seconds) // 60)
    batches = small_run(network="dense", K=1000, levels=(0.0, 0.5, 1.0), dimension=4, batches=3)
    assert NEEDS.train(batches, 50_000).minutes == -(-(60 + 9 * seconds) // 60)
    small = small_run()
    assert NEEDS.train(small, 10_000_000).minutes == -(-(60 + 3 * 1000) // 60), "0.1 ms a step"


def test_measuring_and_drawing_grow_with_the_matrices():
    small, large = (
        small_run(network="dense", K=K, levels=(0.0, 0.5), dimension=4) for K in (6, 3000)
    )
    assert NEEDS.measure(small) == job(210, 4, attempt=1)
    # 9.4 s and 475 MB were measured, 143 MB of them without any network
    took = NEEDS.measuring_of(large)
    assert 9.4 < took.seconds < 20
    assert 475 - 143 < took.mem_mb - 210 < 400
    assert NEEDS.measure(large, attempt=2).mem_mb == 2 * NEEDS.measure(large).mem_mb
    product = small_run(K=3000, d=3)
    assert NEEDS.measuring_of(product).mem_mb - 210 == pytest.approx(40 * 9, rel=0.02), "A = W V"
    needs = Needs(training=NEEDS.training, rules={"figures": Took(seconds=9, mem_mb=300)})
    assert needs.draw([]) == job(300, 9, attempt=1)
    assert needs.draw([large, large]).mem_mb > needs.draw([large]).mem_mb > needs.draw([]).mem_mb


def test_what_fits_into_no_memory_is_refused():
    run = small_run(network="dense", K=3000, precision="float32")
    NEEDS.fit([run], mem_mb=1000)
    with pytest.raises(
        UserError, match=f"{run.id}: its 9,0.* parameters in float32 need about 1.0 GB"
    ):
        NEEDS.fit([small_run(), run], mem_mb=900)


def test_the_committed_file_is_enough_for_what_was_measured(plan):
    """The paper's jobs took up to 1.4 minutes (representer) and 15 (dense) on a busy machine."""
    needs = load(CONFIG.parent / "workflow" / "resources.yaml")
    for run in plan.study.runs.values():
        asked = needs.train(run, 50_000)
        least, most = {"representer": (3, 20), "dense": (15, 60)}[run.network]
        assert least <= asked.minutes <= most
        assert 500 <= asked.mem_mb <= 1000
    rules = {"data", "measure", "figures", "claims", "solve", "certify", "film", "explore"}
    assert needs.rules.keys() == rules
    assert needs.rule("never measured").minutes == needs.rule("solve").minutes, "the most of any"


@pytest.fixture
def benchmarks(tmp_path, plan):
    """Benchmark files as Snakemake writes them."""

    def write(place: str, seconds: float, memory: float) -> None:
        file = tmp_path / f"{place}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"s": seconds, "max_rss": memory}) + "\n")

    for number, run in enumerate(plan.study.runs.values()):
        for epoch in (50_000, 100_000):
            write(f"train/{run.id}/{epoch}", 100 + number, 350 + number)
    write("train/unknown-run/50000", 1e6, 1e6)
    for stage in ("data", "measure", "figures", "claims"):
        write(f"{stage}/one", 2, 100)
        write(f"{stage}/two", 3, 90)
    return tmp_path


def test_measured_from_benchmarks(benchmarks, plan, tmp_path, capsys):
    out = tmp_path / "out.yaml"
    main(["--benchmarks", str(benchmarks), "--config", str(PAPER), "--out", str(out)])
    assert out.read_text() == capsys.readouterr().out
    needs = load(out)
    assert needs.rules["measure"] == Took(seconds=3, mem_mb=100)
    runs = enumerate(plan.study.runs.values())
    slowest, run = [(i, run) for i, run in runs if run.network == "representer"][-1]
    rate = (100 + slowest) * 1e9 / (50_000 * 81 * build(run).size)
    assert needs.training["representer"].seconds == pytest.approx(rate, rel=0.06)
    assert needs.training["representer"].mem_mb < 350 + slowest


@pytest.mark.parametrize(
    "text", ["", '{"s": 2.0, "max_rss": "NA"}\n', '{"s": 2.0}\n', "[1]\n", "{", '{"s": null}\n']
)
def test_benchmarks_that_tell_nothing_are_left_out_and_named(benchmarks, plan, text, capsys):
    """Snakemake writes NA of a job too short to be looked at."""
    needs, jobs = resources.measure(benchmarks, plan.runs)
    (benchmarks / "measure/three.jsonl").write_text(text)
    (benchmarks / "train" / next(iter(plan.study.runs)) / "150000.jsonl").write_text(text)
    assert resources.measure(benchmarks, plan.runs) == (needs, jobs)
    assert f"{benchmarks / 'measure/three.jsonl'} and 1 more" in capsys.readouterr().out


@pytest.mark.parametrize("stage", ["train", "measure"])
def test_what_is_missing_is_told(benchmarks, plan, tmp_path, stage):
    (benchmarks / stage).rename(tmp_path.parent / f"{tmp_path.name}-away")
    with pytest.raises(UserError, match=f"no benchmarks of .*{stage}.*snakemake all"):
        resources.measure(benchmarks, plan.runs)


@pytest.mark.parametrize("text", ["", "training: 3", "a: [", "training: {}\nrules: {}\nmore: 1"])
def test_a_broken_file_is_told(tmp_path, text):
    file = tmp_path / "resources.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=f"{file}: .*git checkout"):
        load(file)


def test_a_study_may_have_a_file_of_its_own(tmp_path):
    """Where it has none, the project's counts."""
    shared = resources.measured_in(tmp_path)
    assert load(shared) == load(CONFIG.parent / "workflow/resources.yaml")
    own = tmp_path / "workflow/resources.yaml"
    own.parent.mkdir()
    own.write_text(shared.read_text())
    assert resources.measured_in(tmp_path) == own
