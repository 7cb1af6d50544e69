"""Several outputs: all engines train the same networks, and all that follows knows them."""

import numpy as np
import pytest
import torch

from sparsedecay.engines import ENGINES
from sparsedecay.engines.state import initial
from sparsedecay.errors import UserError
from sparsedecay.science.convex import deep
from sparsedecay.science.convex.problem import Posed
from sparsedecay.science.data.grid import Grid
from sparsedecay.science.measures import Measures
from sparsedecay.science.measures.rows import matrices, summary
from sparsedecay.science.networks import build
from sparsedecay.science.regularizers import KINDS
from sparsedecay.train.records import Records
from tests.small import small_run, started

MEASURES = Measures(
    threshold=1e-3, rank_threshold=1e-3, relative_rank_threshold=1e-3, average_over=("W", "V")
)


def run_with(outputs, **changes):
    """A small run whose data have so many outputs."""
    run = small_run(**changes)
    grid = Grid(levels=(0.0, 1.0), dimension=3, target_range=(-1, 1), seed=0, outputs=outputs)
    return run.model_copy(update={"data": grid})


@pytest.mark.parametrize("loss", ["mean", "sum"])
@pytest.mark.parametrize("regularizer", ["eq2", "weight_decay", "path"])
@pytest.mark.parametrize("outputs", [2, 5, 19])
@pytest.mark.parametrize("network", ["representer", "dense"])
def test_engines_agree(network, outputs, regularizer, loss):
    """19 outputs are more than a register holds."""
    run = run_with(outputs, network=network, regularizer=regularizer, loss=loss)
    states = {}
    for name in ("compiled", "fused", "autograd"):
        if ENGINES[name].supports(run) is None and ENGINES[name].missing() is None:
            trainer = started(name, run)
            trainer.advance(30)
            states[name] = trainer.state().parameters
            mse = float(trainer.losses()[0].detach())
            assert mse == pytest.approx(float(mean_squared_error(run, states[name])))
    assert len(states) >= 2
    reference = states.pop("autograd")
    assert reference[f"V{run.shape.L}"].shape[0] == outputs
    for name, state in states.items():
        for key, tensor in reference.items():
            error = float((state[key] - tensor).abs().max())
            assert error < 1e-9, f"{name}, {key}"


def mean_squared_error(run, parameters):
    """Mean over data and outputs of the squared error."""
    X, y, *_ = run.data.samples()
    p = {name: tensor.detach().numpy() for name, tensor in parameters.items()}
    return ((build(run).forward(p, X, lambda z: np.maximum(z, 0)) - y) ** 2).mean()


@pytest.mark.parametrize("network", ["representer", "dense"])
def test_minibatches_have_all_outputs(network):
    run = run_with(3, network=network, batches=3)
    ends = []
    for name in ("compiled", "fused", "autograd"):
        if ENGINES[name].missing() is None:
            trainer = started(name, run)
            trainer.advance(7)
            ends.append(trainer.state().parameters)
    for key, tensor in ends[-1].items():
        for other in ends[:-1]:
            torch.testing.assert_close(other[key], tensor, rtol=0, atol=1e-9)


def test_with_one_output_the_run_is_the_old_one():
    old, new = small_run(), run_with(1)
    assert new.id == old.id
    assert run_with(2).id != old.id
    np.testing.assert_array_equal(old.data.samples().y, new.data.samples().y)


def test_measures_by_hand():
    run = run_with(2, loss="sum", lam=0.5)
    p = {name: np.zeros(shape) for name, shape in build(run).shapes.items()}
    p["c0_2"][:] = [1.0, -2.0]
    samples = run.data.samples()._replace(y=np.tile([[0.0, 0.0]], (8, 1)))
    samples = samples._replace(test_X=samples.X[:2], test_y=np.array([[1.0, 0.0], [1.0, 0.0]]))
    row = summary(run, p, samples, np.array([]), MEASURES)
    assert row["mse"] == pytest.approx((1 + 4) / 2)
    assert row["objective"] == pytest.approx(8 * (1 + 4))
    assert row["test_mse"] == pytest.approx(4 / 2)
    assert row["recovered"] is None
    names = {one["matrix"] for one in matrices(run, 1, p, samples.X, MEASURES)["matrices"]}
    assert {"V2", "C2", "A2"} <= names
    assert initial(run).parameters["V2"].shape == (2, 6)


@pytest.mark.parametrize(("loss", "terms"), [("sum", 8 * 3), ("mean", 1)])
def test_the_recorded_objective_sums_over_outputs(loss, terms):
    run = run_with(3, loss=loss, lam=0.5)
    records = Records(run, torch.tensor(run.data.samples().X))
    assert records.objective(2.0, 10.0) == pytest.approx(terms * 2.0 + 0.5 * 10.0)


@pytest.mark.parametrize("regularizer", sorted(KINDS.keys() & {"eq2", "weight_decay"}))
def test_what_is_certified_for_one_output_is_refused_for_more(regularizer):
    run = run_with(2, L=1, regularizer=regularizer)
    with pytest.raises(UserError, match="its data have 2 outputs"):
        Posed.of(run)
    with pytest.raises(UserError, match="its data have 2 outputs"):
        deep.parts(run)
