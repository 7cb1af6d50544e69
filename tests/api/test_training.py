"""`train` gives the pipeline's bits, in memory and in its folders, however it is cut."""

import os
import signal
import threading
import time

import pandas as pd
import pytest
import torch

import sparsedecay as sd
from sparsedecay import data
from sparsedecay.files import paths
from sparsedecay.files.storage import read_state, read_table
from sparsedecay.measure import command as measure
from sparsedecay.science.run import predecessor
from sparsedecay.train import command
from tests.api.conftest import SMALL
from tests.engines.test_engines import ENGINES


def pipeline(folder, run, epoch, engine):
    """What the rules do for one milestone, by their commands."""
    places = {
        n: folder / f(run.id, epoch)
        for n, f in (("state", paths.state), ("loss", paths.loss), ("magnitudes", paths.magnitudes))
    }
    table = folder / paths.data(run.data.id)
    if not table.exists():
        data.main(["--data", run.data.canonical(), "--out", str(table)])
    words = ["--run", run.canonical(), "--epoch", str(epoch), "--data", str(table)]
    files = [w for name, file in places.items() for w in (f"--{name}", str(file))]
    begun = predecessor(epoch, run.stride)
    before = ["--previous", str(folder / paths.state(run.id, begun))] if begun else []
    command.main([*words, *files, *before, "--engine", engine, "--device", "cpu"])
    return places


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_bytes_as_the_pipeline(tmp_path, engine):
    run = sd.Run(**SMALL)
    asked = {"engine": engine, "device": "cpu", "progress": False}
    state = sd.train(run, 150, **asked)
    there = sd.train(run, 150, results=tmp_path / "mine", **asked)
    theirs = [pipeline(tmp_path, run, epoch, engine) for epoch in (100, 150)]
    for epoch, places in zip((100, 150), theirs, strict=True):
        for name, file in places.items():
            mine = tmp_path / "mine" / file.relative_to(tmp_path / "results")
            assert mine.read_bytes() == file.read_bytes(), (epoch, name)
    stored, _ = read_state(theirs[1]["state"])
    for one in (state, there):
        assert one.engine == engine
        assert all(torch.equal(tensor, stored[name]) for name, tensor in one.raw.parameters.items())
        assert torch.equal(one.raw.moments["second"]["W1"], stored["second.W1"])
    assert state.trajectory.equals(there.trajectory)
    assert state.trajectory.epoch.unique().tolist() == [0, 50, 100, 150]


def test_measured_as_the_pipeline_measures(tmp_path):
    run = sd.Run(**SMALL)
    state = sd.train(run, 100, progress=False)
    places = pipeline(tmp_path, run, 100, "compiled")
    from sparsedecay.api.state import MEASURES
    from sparsedecay.science.measures import Measures

    words = ["--run", run.canonical(), "--epoch", "100", "--measures"]
    words += [Measures(**MEASURES).canonical(), "--data", str(tmp_path / paths.data(run.data.id))]
    files = [w for name, file in places.items() for w in (f"--{name}", str(file))]
    measure.main([*words, *files, "--out", str(tmp_path / "out")])
    for name, table in state.tables().items():
        theirs = read_table(tmp_path / "out" / f"{name}.parquet").to_pandas()
        pd.testing.assert_frame_equal(table, theirs)


def test_going_on_is_the_same_as_going_through():
    run = sd.Run(**SMALL)
    whole = sd.train(run, 200, progress=False)
    part = sd.train(sd.train(run, 130, progress=False), 200, progress=False)
    assert all(torch.equal(t, part.raw.parameters[n]) for n, t in whole.raw.parameters.items())
    assert part.trajectory.epoch.unique().tolist() == [0, 50, 100, 130, 150, 200]


def test_milestones_that_are_there_are_taken(folder, monkeypatch):
    from sparsedecay.train import loop

    asked = []
    monkeypatch.setattr(loop, "complete", lambda stretch: asked.append(stretch.epoch))
    assert sd.train(sd.Run(**SMALL), 200, results=folder, progress=False).epoch == 200
    assert asked == []


def interrupt_soon():
    def later():
        time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=later)
    thread.start()
    return thread


LONG = sd.Run(K=24, d=4, stride=10**7, record_every=10**4)


def test_an_interrupt_in_memory_leaves_what_was_reached():
    thread = interrupt_soon()
    with pytest.raises(KeyboardInterrupt, match=r"stopped at epoch") as stopped:
        sd.train(LONG, 10**7, progress=False)
    thread.join()
    reached = stopped.value.state
    assert 0 < reached.epoch < 10**7
    assert reached.trajectory.epoch.max() == reached.epoch
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again = sd.train(LONG, reached.epoch, progress=False)
    assert all(torch.equal(t, again.raw.parameters[n]) for n, t in reached.raw.parameters.items())


def test_an_interrupt_in_a_folder_goes_on_from_its_checkpoint(tmp_path):
    thread = interrupt_soon()
    with pytest.raises(KeyboardInterrupt, match=r"goes on from here"):
        sd.train(LONG, 10**7, results=tmp_path, progress=False)
    thread.join()
    checkpoint = tmp_path.parent / tmp_path.name / "checkpoints" / LONG.id / f"{10**7}.safetensors"
    _, about = read_state(checkpoint)
    assert 0 < int(about["epoch"]) < 10**7


def test_torch_is_left_as_it_was():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        sd.train(sd.Run(**SMALL), 10, progress=False)
        assert torch.get_num_threads() == 2
        assert float(torch.full((1,), 5e-324, dtype=torch.float64) * 1.0) > 0
    finally:
        torch.set_num_threads(threads)


def test_it_trains_beside_the_main_thread():
    found = []
    thread = threading.Thread(
        target=lambda: found.append(sd.train(sd.Run(**SMALL), 10, progress=False).epoch)
    )
    thread.start()
    thread.join()
    assert found == [10]


def test_a_run_that_diverges_says_so(tmp_path):
    run = sd.Run(**{**SMALL, "optimizer": {"kind": "sgd", "learning_rate": 1e6, "momentum": 0.0}})
    for results in (None, tmp_path):
        with pytest.warns(UserWarning, match=r"diverged"):
            state = sd.train(run, 150, results=results, progress=False)
        assert state.epoch == 150
        assert state.diverged == 50
        assert state.measure()["diverged"] == 50
        assert state.trajectory.iloc[-1].measure == "diverged"
        with pytest.raises(ValueError, match=r"has diverged"):
            state.prune()


def test_the_bar_tells_how_far_it_is(capfd):
    sd.train(LONG, 400_000)
    assert "representer, eq2, lam 0.001" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"epochs": 0}, ValueError, "epochs: 0 is no whole number above 0"),
        ({"epochs": 1.5}, ValueError, "epochs: 1.5"),
        ({"run": "paper"}, TypeError, "run: give a Run or a State, not str"),
        ({"engine": "jax"}, ValueError, "engine: there is no 'jax'; there are compiled"),
        ({"run": sd.Run(K=1_000_000, d=2000)}, ValueError, "K: it makes a representer network"),
        ({"run": sd.Run(optimizer={"batches": 100})}, ValueError, "optimizer: 81 points"),
        (
            {"run": sd.Run(regularizer="l1", optimizer={"kind": "pathprox"})},
            ValueError,
            "no engine can train it",
        ),
    ],
)
def test_mistakes(arguments, error, said):
    with pytest.raises(error, match=said):
        sd.train(**{"run": sd.Run(**SMALL), "epochs": 10, **arguments})


def test_a_state_goes_on_in_memory_only(states, tmp_path):
    with pytest.raises(ValueError, match=r"results: a State goes on in memory"):
        sd.train(states[0], 300, results=tmp_path)
    with pytest.raises(ValueError, match=r"no whole number above 200"):
        sd.train(states[0], 200)


def test_a_damaged_milestone_is_told(folder, tmp_path):
    import shutil

    place = tmp_path / "results"
    shutil.copytree(folder, place)
    run = sd.Run(**SMALL)
    file = place / "train" / run.id / "200" / "state.safetensors"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"is damaged"):
        sd.train(run, 200, results=place)
