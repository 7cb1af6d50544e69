"""Milestones, records, checkpoints: the same bits however a stretch is cut."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest

from sparsedecay import data, engines
from sparsedecay.engines import compiled, prepare
from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.files.storage import read_state
from sparsedecay.train.loop import SIGNALS, train
from sparsedecay.train.progress import Progress
from sparsedecay.train.stretch import Stretch
from tests.engines.test_engines import ENGINES
from tests.small import small_run


def files(folder, run, epoch, **values):
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "data.parquet"
    if not table.exists():
        data.main(["--data", run.data.canonical(), "--out", str(table)])
    values = {"data": table, "previous": None, **values}
    return Stretch(
        run=run,
        epoch=epoch,
        state=folder / f"{epoch}.safetensors",
        loss=folder / f"{epoch}-loss.parquet",
        magnitudes=folder / f"{epoch}-magnitudes.parquet",
        **values,
    )


def stretches(folder, run, *epochs, **values):
    """The stretches to these milestones, trained one after the other."""
    made = []
    for epoch in epochs:
        previous = made[-1].state if made else None
        made.append(files(folder, run, epoch, previous=previous, **values))
        train(made[-1])
    return made


def arguments(stretch, **values):
    """A stretch and other values as a command has them."""
    names = ("epoch", "data", "state", "loss", "magnitudes")
    values |= {"run": stretch.run.canonical()} | {name: getattr(stretch, name) for name in names}
    return [str(word) for name, value in values.items() for word in (f"--{name}", value)]


def assert_same_bits(one, two):
    (one, _), (two, _) = read_state(one), read_state(two)
    assert one.keys() == two.keys()
    assert [name for name in one if not one[name].equal(two[name])] == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("network", ["representer", "dense"])
@pytest.mark.parametrize("batches", [1, 3])
def test_through_milestones_and_in_one_go(tmp_path, network, engine, batches):
    values = {"network": network, "precision": "float32", "K": 40, "batches": batches}
    through = stretches(tmp_path / "a", small_run(**values, stride=30), 30, 60, engine=engine)
    (whole,) = stretches(tmp_path / "b", small_run(**values, stride=60), 60, engine=engine)
    assert_same_bits(through[-1].state, whole.state)
    for table in ("loss", "magnitudes"):
        joined, once = (
            pd.concat([pd.read_parquet(getattr(one, table)) for one in made], ignore_index=True)
            for made in (through, [whole])
        )
        others = [name for name in once if name not in ("run", "exceeding")]
        assert joined[others].equals(once[others])
    assert once.epoch.unique().tolist() == [0, 10, 20, 30, 40, 50, 60]


def test_records_are_at_multiples_and_at_the_milestone(tmp_path):
    made = stretches(tmp_path, small_run(stride=20), 20, 25)
    recorded = [pd.read_parquet(stretch.loss).epoch.tolist() for stretch in made]
    assert recorded == [[0, 10, 20], [25]]
    _, about = read_state(made[-1].state)
    assert about["epoch"] == "25"


def start(stretch):
    values = {"checkpoint": stretch.checkpoint, "checkpoint-seconds": 0.05}
    command = [sys.executable, "-m", "sparsedecay", "train", *arguments(stretch, **values)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize(
    ("number", "batches"),
    [(number, 1) for number in ("SIGTERM", "SIGINT", "SIGUSR2", "SIGKILL")] + [("SIGKILL", 3)],
)
def test_killed_and_resumed_gives_the_same_bits(tmp_path, number, batches):
    """Also amid an order of minibatches."""
    number = signal.Signals[number]
    epochs = 20_000
    run = small_run(precision="float32", stride=epochs, record_every=100, K=32, batches=batches)
    killed = files(tmp_path / "killed", run, epochs, checkpoint=tmp_path / "killed" / "check")
    process = start(killed)
    deadline = time.monotonic() + 60
    while not killed.checkpoint.exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.poll() is None, process.stdout.read()
    os.kill(process.pid, number)
    output, _ = process.communicate()
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number
        assert f"{number.name} at epoch" in output
    assert not killed.state.exists()

    process = start(killed)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "goes on from its checkpoint at epoch" in output
    assert not killed.checkpoint.exists()

    (whole,) = stretches(tmp_path / "whole", run, epochs)
    assert_same_bits(killed.state, whole.state)
    assert killed.loss.read_bytes() == whole.loss.read_bytes()
    assert killed.magnitudes.read_bytes() == whole.magnitudes.read_bytes()


@pytest.mark.parametrize("how", ["another run", "damaged", "another stretch", "another engine"])
def test_a_foreign_checkpoint_is_ignored_with_a_warning(tmp_path, capsys, monkeypatch, how):
    run = small_run(stride=40)
    checkpoint = tmp_path / "check.safetensors"
    other = small_run(stride=40, seed=1) if how == "another run" else run
    epoch = 30 if how == "another stretch" else 40
    made = files(
        tmp_path / "other",
        other,
        epoch,
        checkpoint=checkpoint,
        checkpoint_seconds=0,
        engine="autograd" if how == "another engine" else "fused",
    )
    # keep the last checkpoint of a finished training
    monkeypatch.setattr(type(checkpoint), "unlink", lambda *_, **__: None)
    train(made)
    monkeypatch.undo()
    if how == "damaged":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-8])
    shutil.rmtree(checkpoint.with_suffix(".kept"))
    (made,) = stretches(tmp_path / "run", run, 40, checkpoint=checkpoint)
    assert f"warning: the checkpoint {checkpoint} is ignored" in capsys.readouterr().out
    (clean,) = stretches(tmp_path / "clean", run, 40)
    assert_same_bits(made.state, clean.state)


def test_the_previous_milestone_must_be_of_this_run_and_epoch(tmp_path):
    run, other = small_run(stride=20), small_run(stride=20, seed=1)
    previous = stretches(tmp_path / "other", other, 20)[0].state
    with pytest.raises(DamagedFile, match=f"(?s){previous}.*another run.*snakemake --force"):
        train(files(tmp_path, run, 40, previous=previous))
    with pytest.raises(DamagedFile, match="holds epoch 10, not 20"):
        stretches(tmp_path, run, 10, 40)


def test_the_data_must_be_the_runs(tmp_path):
    run = small_run()
    other = small_run(data_seed=1)
    table = tmp_path / "other.parquet"
    data.main(["--data", other.data.canonical(), "--out", str(table)])
    with pytest.raises(DamagedFile, match=f"{table}: is not the data set of {run.id}"):
        train(files(tmp_path, run, 40, data=table))


STATE_AFTER_TRAINING = """
import sys
from pathlib import Path
import torch
from sparsedecay.science.run import Run
from sparsedecay.train.loop import train
from sparsedecay.train.stretch import Stretch

run, folder = Run.model_validate_json(sys.argv[1]), Path(sys.argv[2])
names = ("data.parquet", None, "state", "loss", "magnitudes")
train(Stretch(run, 20, *(name and folder / name for name in names)))
denormal = torch.full((100,), 1e-30) * 1e-10
print("threads", torch.get_num_threads(), "denormals", int(denormal.count_nonzero()))
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_training_takes_one_thread_and_flushes_denormals(tmp_path, threads):
    """Whatever the environment says: more threads or kept denormals would give other bits, and
    denormals an epoch up to eight times as long."""
    run = small_run(precision="float32", stride=20)
    data.main(["--data", run.data.canonical(), "--out", str(tmp_path / "data.parquet")])
    done = subprocess.run(
        [sys.executable, "-c", STATE_AFTER_TRAINING, run.canonical(), str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "threads 1 denormals 0"


def test_without_the_compiled_engine_the_fused_one_trains_and_says_so(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(compiled.Compiled, "missing", lambda *_: "no compiler")
    run = small_run(precision="float32")
    (one,) = stretches(tmp_path / "a", run, 10, engine="compiled")
    assert "note: fused trains, as compiled cannot: no compiler" in capsys.readouterr().out
    (two,) = stretches(tmp_path / "b", run, 10, engine="fused")
    assert one.state.read_bytes() == two.state.read_bytes(), (
        "the engine that trained is the one that is named"
    )


def test_a_run_that_no_engine_can_train_is_told(tmp_path, monkeypatch):
    run = small_run()
    for engine in engines.ENGINES.values():
        monkeypatch.setattr(type(engine), "supports", lambda self, run: f"not with {self.name}")
    told = (
        "no engine can train it: fused cannot: not with fused; compiled cannot: not with compiled"
    )
    with pytest.raises(UserError, match=f"{run.id}: {told}; autograd cannot: not with autograd"):
        train(files(tmp_path, run, 40, engine="fused"))


def test_without_the_previous_milestone_there_is_no_beginning(tmp_path):
    with pytest.raises(UserError, match="--previous: the milestone at epoch 20 is needed"):
        train(files(tmp_path, small_run(stride=20), 40))


@pytest.mark.parametrize("number", SIGNALS)
def test_every_signal_to_end_makes_a_checkpoint(tmp_path, monkeypatch, capsys, number):
    run = small_run(stride=80)
    stretch = files(tmp_path, run, 80, checkpoint=tmp_path / "c" / "80.safetensors")
    handlers = [signal.getsignal(each) for each in SIGNALS]
    report = Progress.report

    def interrupt(self, epoch, *rest):
        report(self, epoch, *rest)
        if epoch >= 20:
            signal.raise_signal(number)

    monkeypatch.setattr(Progress, "report", interrupt)
    with pytest.raises(SystemExit) as left:
        train(stretch)
    assert left.value.code == 128 + number
    assert f"{number.name} at epoch" in capsys.readouterr().out
    assert [signal.getsignal(each) for each in SIGNALS] == handlers
    monkeypatch.undo()
    train(stretch)
    assert "goes on from its checkpoint at epoch" in capsys.readouterr().out
    (whole,) = stretches(tmp_path / "whole", run, 80)
    assert_same_bits(stretch.state, whole.state)


def test_a_processor_that_keeps_denormals_is_told_of(monkeypatch, capsys):
    monkeypatch.setattr("torch.set_flush_denormal", lambda _: False)
    prepare()
    assert "warning: this processor cannot flush denormals" in capsys.readouterr().out


def test_beside_the_main_thread_no_signal_is_caught(tmp_path):
    run, told = small_run(stride=20), []
    stretch = files(tmp_path, run, 20, tell=told.append)
    thread = threading.Thread(target=train, args=(stretch,))
    thread.start()
    thread.join()
    assert "reached epoch 20" in told[0]
    assert stretch.state.exists()
