"""What figures and statements read: never another milestone's."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from sparsedecay.engines.state import initial
from sparsedecay.errors import UserError
from sparsedecay.files import paths
from sparsedecay.files.provenance import file_digest
from sparsedecay.files.results import Results
from sparsedecay.files.samples import table
from sparsedecay.files.storage import write_state, write_table
from sparsedecay.files.tables import CERTIFICATES, OPTIMA, STATEMENTS, SUMMARY
from sparsedecay.science.networks import build
from tests.small import small_run


def stored(folder, run, epoch=40, about=None, **tensors):
    """A state with parameters of ones, at the place of a run's milestone 40."""
    path = folder / "train" / run.id / "40" / "state.safetensors"
    whole = {name: torch.ones(shape) for name, shape in build(run).shapes.items()} | tensors
    told = {"run": run.canonical(), "epoch": str(epoch)} if about is None else about
    write_state(path, {name: t for name, t in whole.items() if t is not None}, told)
    return path


def test_a_milestone_comes_back_in_float64(tmp_path):
    run = small_run()
    path = stored(tmp_path, run)
    results = Results(tmp_path)
    network, p = results.trained(run.id, 40)
    assert network.shapes == {name: array.shape for name, array in p.items()}
    assert {array.dtype for array in p.values()} == {np.dtype("float64")}
    assert results.opened == {paths.state(run.id, 40): file_digest(path)}


@pytest.mark.parametrize(
    "values",
    [
        {"about": {}},
        {"about": {"run": "{}", "epoch": "40"}},
        {"about": {"run": "{", "epoch": "40"}},
        {"about": {"run": small_run(seed=1).canonical(), "epoch": "40"}},
        {"epoch": 80},
        {"W1": None},
        {"W1": torch.ones(2, 2)},
    ],
)
def test_another_state_is_refused(tmp_path, values):
    run = small_run()
    stored(tmp_path, run, **values)
    with pytest.raises(UserError, match=f"does not hold epoch 40 of {run.id}.*\\n.*--force"):
        Results(tmp_path).trained(run.id, 40)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_start_of_a_run_is_that_of_its_training(tmp_path, precision):
    run = small_run(precision=precision)
    stored(tmp_path, run)
    network, p = Results(tmp_path).start(run.id, 40)
    begun = initial(run).parameters
    assert p.keys() == begun.keys() == network.shapes.keys()
    for name, tensor in begun.items():
        assert p[name].dtype == np.float64
        np.testing.assert_array_equal(p[name], tensor.double().numpy())


def test_a_data_set_comes_back(tmp_path):
    run = small_run()
    place = tmp_path / "data" / run.data.id / "data.parquet"
    write_table(place, table(run.data.samples()), {})
    results = Results(tmp_path)
    for one, other in zip(results.samples(run.data.id), run.data.samples(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert results.opened == {paths.data(run.data.id): file_digest(place)}
    write_table(place, pa.table({"z": [1.0]}), {})
    with pytest.raises(UserError, match="does not hold a data set"):
        results.samples(run.data.id)


def test_statements_and_divergence_come_from_their_tables(tmp_path):
    run = small_run()
    for epoch, lost in ((40, None), (80, 60)):
        row = {"run": run.id, "epoch": epoch, "diverged": lost}
        path = tmp_path / "measure" / run.id / str(epoch) / "summary.parquet"
        write_table(path, pa.Table.from_pylist([row], schema=SUMMARY), {})
    table = pa.Table.from_pylist([{"claim": "dense"}], schema=STATEMENTS)
    write_table(tmp_path / "claims" / "claims.parquet", table, {})
    results = Results(tmp_path)
    assert results.diverged(run.id, 40) is None
    assert results.diverged(run.id, 80) == 60
    assert results.statements("claims")["claim"].tolist() == ["dense"]
    assert results.rows(run.id, 80, "summary", diverged=60)["epoch"].tolist() == [80]
    with pytest.raises(UserError, match="does not hold a row with network = dense"):
        results.rows(run.id, 40, "summary", network="dense")
    with pytest.raises(UserError, match=r"readings\.parquet: no such file"):
        results.statements("readings")


def test_a_table_of_another_run_or_epoch_is_refused(tmp_path):
    run, other = small_run(), small_run(seed=1)
    for row in ({"run": other.id, "epoch": 40}, {"run": run.id, "epoch": 80}, None):
        path = tmp_path / "measure" / run.id / "40" / "summary.parquet"
        write_table(path, pa.Table.from_pylist([row] if row else [], schema=SUMMARY), {})
        with pytest.raises(UserError, match=f"does not hold epoch 40 of {run.id}"):
            Results(tmp_path).table(run.id, 40, "summary")


def test_a_certificate_comes_back_if_it_is_that_of_the_milestone(tmp_path):
    run = small_run()
    path = tmp_path / "optimum" / "certificates" / run.id / "40.parquet"
    for epoch in (40, 80):
        row = {"run": run.id, "epoch": epoch, "K": 6, "bound": 0.5}
        write_table(path, pa.Table.from_pylist([row], schema=CERTIFICATES), {})
        if epoch == 40:
            results = Results(tmp_path)
            found = results.certificate(run.id, 40)
            assert (found["K"], found["bound"], found["gap"]) == (6, 0.5, None)
            assert results.opened == {paths.certificate(run.id, 40): file_digest(path)}
        else:
            with pytest.raises(UserError, match=f"does not hold epoch 40 of {run.id}"):
                Results(tmp_path).certificate(run.id, 40)


def test_an_optimum_comes_back_if_it_is_that_of_the_problem(tmp_path):
    path = tmp_path / "optimum" / "one" / "optimum.parquet"
    for problem in ("one", "other"):
        row = {"problem": problem, "bound": 0.5}
        write_table(path, pa.Table.from_pylist([row], schema=OPTIMA), {})
        results = Results(tmp_path)
        if problem == "one":
            assert results.optimum("one")["bound"] == 0.5
            assert results.opened == {paths.optimum("one", "optimum.parquet"): file_digest(path)}
    with pytest.raises(UserError, match="does not hold the optimum of one"):
        results.optimum("one")
