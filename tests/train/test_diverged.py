"""A run whose loss or weights become infinite or NaN: it ends there, and is marked."""

import dataclasses

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from sparsedecay.files.results import Results
from sparsedecay.files.storage import read_state, read_table
from sparsedecay.files.tables import LOSS, MAGNITUDES, MATRICES, SPECTRA, SUMMARY, TRAJECTORY
from sparsedecay.measure import command as measure
from sparsedecay.science.measures import Measures
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run, columns
from sparsedecay.train import loop
from sparsedecay.train.loop import train
from sparsedecay.train.records import Records
from tests.small import small_run, started
from tests.train.test_loop import ENGINES, arguments, assert_same_bits, files, stretches

MEASURES = Measures(
    threshold=1e-3, rank_threshold=1e-3, relative_rank_threshold=1e-3, average_over=("W", "V")
)


def growing(**values) -> Run:
    """Decay beside the gradient multiplies every weight by 1 - 1e-2 * 250 = -1.5 each epoch, so
    that the squared product of three or four matrices leaves float32 after some 30 epochs."""
    more = {"regularizer": "weight_decay", "weight_decay": "decoupled", "lam": 250.0}
    return small_run(**{"precision": "float32", "stride": 20, **more, **values})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("network", ["representer", "dense"])
def test_it_ends_at_a_record_and_later_milestones_pass_that_on(tmp_path, capsys, engine, network):
    run = growing(network=network)
    made = stretches(tmp_path, run, 20, 40, 60, 80, engine=engine)
    told = [read_state(stretch.state)[1] for stretch in made]
    assert [about["epoch"] for about in told] == ["20", "40", "60", "80"]
    marks = [about.get("diverged") for about in told]
    lost = int(next(mark for mark in marks if mark))
    assert lost % run.record_every == 0
    assert 20 < lost <= 60
    assert marks == [str(lost) if stretch.epoch >= lost else None for stretch in made]

    loss = pd.concat([pd.read_parquet(stretch.loss) for stretch in made])
    assert loss["epoch"].tolist() == list(range(0, lost, 10))
    assert np.isfinite(loss[["mse", "regularizer", "objective"]]).all(axis=None)
    for stretch, mark in zip(made, marks, strict=True):
        assert read_table(stretch.loss, LOSS).schema.names == LOSS.names
        table = read_table(stretch.magnitudes, MAGNITUDES)
        assert sorted(set(table["epoch"].to_pylist())) == [
            epoch for epoch in loss["epoch"] if stretch.start < epoch or stretch.start == epoch == 0
            if epoch <= stretch.epoch
        ]  # fmt: skip
        tensors, _ = read_state(stretch.state)
        if mark:
            assert all(tensor.isnan().all() for tensor in tensors.values())
        else:  # Adam's second moments may be infinite before the loss is
            assert all(tensors[name].isfinite().all() for name in build(run).shapes)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("diverged:")]
    assert len(lines) == marks.count(str(lost))
    assert f"{run.id}: loss or weights are not finite at epoch {lost}," in lines[0]
    assert "lower optimizer.learning_rate, lam or initialization.range" in lines[0]


@pytest.mark.parametrize("values", [{"learning_rate": 1e200}, {"learning_rate": 1e308, "lam": 0.0}])
@pytest.mark.parametrize("engine", ENGINES)
def test_steps_too_long(tmp_path, engine, values):
    (made,) = stretches(tmp_path, small_run(**values), 40, engine=engine)
    assert read_state(made.state)[1]["diverged"] == "10"
    assert pd.read_parquet(made.loss)["epoch"].tolist() == [0]


@pytest.mark.parametrize("engine", ENGINES)
def test_it_may_not_even_begin(tmp_path, engine):
    """Initial weights of 1e30: their products are infinite in float32."""
    run = small_run(precision="float32", stride=20)
    large = run.initialization.model_copy(update={"range": (-1e30, 1e30)})
    run = run.model_copy(update={"initialization": large})
    made = stretches(tmp_path, run, 20, 40, engine=engine)
    for stretch in made:
        assert read_state(stretch.state)[1]["diverged"] == "0"
        assert read_table(stretch.loss).num_rows == read_table(stretch.magnitudes).num_rows == 0


def test_one_weight_that_is_no_number_is_enough():
    """Also where the loss does not notice."""
    run = small_run()
    for name in ("W1", "b2", "c0_1", "V2"):
        engine = started("fused", run)
        records = Records(run, torch.tensor(run.data.samples().X))
        assert records.add(engine)
        engine.losses = lambda: (torch.tensor(0.5), torch.tensor(0.5))
        engine.parameters[name].view(-1)[-1] = torch.nan
        assert not records.add(engine)
        assert records.epochs == [0]


@pytest.mark.parametrize("engine", ENGINES)
def test_interrupted_before_it_diverges_the_bits_are_the_same(tmp_path, engine, monkeypatch):
    run = growing(stride=80)
    whole = stretches(tmp_path / "whole", run, 80, engine=engine)[0]
    lost = int(read_state(whole.state)[1]["diverged"])
    stretch = files(tmp_path / "cut", run, 80, engine=engine, checkpoint=tmp_path / "cut" / "c")
    stretch = dataclasses.replace(stretch, checkpoint_seconds=0.0)
    leave = loop.Interruption.leave

    def at_twenty(self, name, epoch):
        self.signal = 15 * (epoch >= 20)
        leave(self, name, epoch)

    monkeypatch.setattr(loop.Interruption, "leave", at_twenty)
    with pytest.raises(SystemExit):
        train(stretch)
    monkeypatch.undo()
    assert 20 <= int(read_state(stretch.checkpoint)[1]["epoch"]) < lost
    train(stretch)
    assert not stretch.checkpoint.exists()
    for name in ("loss", "magnitudes"):
        made = [getattr(one, name).read_bytes() for one in (whole, stretch)]
        assert made[0] == made[1]
    (one, told), (two, also_told) = read_state(whole.state), read_state(stretch.state)
    assert told == also_told
    assert all(one[name].isnan().all() and two[name].isnan().all() for name in one | two)


def test_a_run_that_does_not_diverge_is_not_marked(tmp_path):
    """And a milestone of a run that will is that of any other run."""
    early = stretches(tmp_path, growing(), 20)[0]
    assert "diverged" not in read_state(early.state)[1]
    again = stretches(tmp_path / "again", growing(stride=40), 20)[0]
    assert_same_bits(early.state, again.state)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The run, where it diverged, and a folder of results with its milestones 20, 40, 60, 80."""
    folder = tmp_path_factory.mktemp("diverged")
    run = growing()
    made = stretches(folder, run, 20, 40, 60, 80)
    for stretch in made:
        out = folder / "measure" / run.id / str(stretch.epoch)
        measure.main(arguments(stretch, measures=MEASURES.canonical(), out=out))
    return run, int(read_state(made[-1].state)[1]["diverged"]), Results(folder)


def test_what_was_measured_before_stays_and_the_rest_is_null(measured):
    run, lost, results = measured
    for epoch in (20, 40, 60, 80):
        after = epoch >= lost
        assert results.diverged(run.id, epoch) == (lost if after else None)
        row = results.table(run.id, epoch, "summary").iloc[0]
        found = [
            "mse", "mse_tail_median", "regularizer_value", "objective", "average_sparsity",
            "active_neurons", "distinct_neurons", "relative_mse", "on_spike",
        ]  # fmt: skip
        assert row[found].isna().all() if after else row[found].notna().all()
        of_others = [name for name, value in columns(run).items() if value is None]
        without = {"test_mse", "recovered"}  # it has no test rows and no teacher
        known = set(SUMMARY.names) - {*found, *of_others, *without, "diverged"}
        assert row[sorted(known)].notna().all()
        matrices = results.table(run.id, epoch, "matrices").set_index("matrix")
        assert set(matrices.index) == {"W1", "V1", "C1", "W2", "V2", "C2", "A2"}
        assert matrices.loc["A2", ["rows", "columns"]].tolist() == [6, 6]
        assert matrices.loc["W2", ["rows", "columns"]].tolist() == [6, 3]
        assert matrices["rank"].isna().all() == matrices["max_abs"].isna().all() == after
        spectra = results.table(run.id, epoch, "spectra")
        assert set(spectra["matrix"]) == set(matrices.index)
        assert spectra["singular_value"].isna().all() == after

        trajectory = results.table(run.id, epoch, "trajectory")
        recorded = trajectory[trajectory["measure"] == "average_sparsity"]["epoch"].tolist()
        begin = epoch - 10 if epoch > 20 else 0
        assert recorded == [e for e in range(begin, epoch + 1, 10) if e < lost]
        marks = trajectory[trajectory["measure"] == "diverged"]
        assert marks[["epoch", "value"]].to_numpy().tolist() == ([[epoch, lost]] if after else [])


def test_its_tables_have_the_usual_columns(measured):
    run, _, results = measured
    expected = {"trajectory": TRAJECTORY, "spectra": SPECTRA}
    for name, schema in {**expected, "matrices": MATRICES, "summary": SUMMARY}.items():
        path = results.folder / "measure" / run.id / "80" / f"{name}.parquet"
        assert pq.read_schema(path).remove_metadata().equals(schema.remove_metadata())
