"""Measures against values worked out by hand."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from sparsedecay import data
from sparsedecay.errors import DamagedFile
from sparsedecay.files.storage import read_state
from sparsedecay.measure import command as measure
from sparsedecay.science import measures as measured
from sparsedecay.science.data import Teacher, untested
from sparsedecay.science.measures import Measures, rows
from sparsedecay.science.networks import build
from sparsedecay.science.networks.dense import Dense
from sparsedecay.science.networks.representer import Representer
from sparsedecay.train.loop import train
from sparsedecay.train.stretch import Stretch

MEASURES = Measures(
    threshold=1e-3, rank_threshold=1e-3, relative_rank_threshold=1e-3, average_over=("W", "V")
)


def test_sparsity_counts_entries_above_the_threshold():
    matrix = np.array([[0.0, 1e-3, -1e-3], [-1.1e-3, 2.0, 1e-9]])
    assert measured.sparsity(matrix, 1e-3) == 2 / 6  # "above" excludes the threshold itself


def test_ranks_of_a_known_spectrum():
    sigma = np.array([2.0, 1.0, 0.5, 1e-3, 1e-9])
    assert measured.rank(sigma, 1e-3) == 3
    assert measured.relative_rank(sigma, 0.3) == 2
    assert measured.stable_rank(sigma) == pytest.approx((4 + 1 + 0.25) / 4, rel=1e-6)
    assert measured.relative_rank(np.zeros(3), 0.1) == 0
    assert measured.stable_rank(np.zeros(3)) == 0


@pytest.mark.parametrize(("m", "d", "n"), [(30, 4, 20), (3, 5, 8), (6, 6, 2)])
def test_singular_values_of_a_product_need_not_form_it(m, d, n):
    rng = np.random.default_rng(0)
    W, V = rng.normal(size=(m, d)), rng.normal(size=(d, n))
    expected = np.linalg.svd(W @ V, compute_uv=False)[: min(m, d, n)]
    np.testing.assert_allclose(measured.singular_values(W, V), expected, atol=1e-12)


def test_a_neuron_is_active_when_it_fires_and_is_read():
    network = Representer(d_in=1, d_out=1, L=1, K=4, d=1)
    p = {
        "W1": np.array([[1.0], [-1.0], [1.0], [1e-4]]),
        "b1": np.array([0.0, 0.0, 0.0, 0.0]),
        "V1": np.array([[1.0, 1.0, 1e-4, 1.0]]),
        "C1": np.array([[1.0]]),
        "c0_1": np.array([0.0]),
    }
    X = np.array([[0.5], [1.0]])  # the second never fires, the third and fourth are too faint
    (active,) = measured.active_neurons(network, p, X, 1e-3)
    assert active.tolist() == [0]
    p["V1"] = np.array([[-1.0, 1.0, 2e-3, 1.0]])
    (active,) = measured.active_neurons(network, p, X, 1e-3)
    assert active.tolist() == [0, 2]


def test_a_neuron_read_by_a_skip_alone_is_active():
    network = Dense(d_in=1, d_out=1, L=2, K=1, d=1)
    p = {name: np.ones(shape) for name, shape in network.shapes.items()}
    p["b1"], p["A2"] = np.zeros(1), np.zeros((1, 1))
    assert measured.active_neurons(network, p, np.array([[1.0]]), 1e-3)[0].tolist() == [0]
    p["C2"] = np.zeros((1, 1))
    assert measured.active_neurons(network, p, np.array([[1.0]]), 1e-3)[0].tolist() == []


def shallow(neurons, outgoing):
    """A network of one hidden layer of two inputs, from (w1, w2, b) of each neuron."""
    features = np.array(neurons, dtype=float)
    network = Representer(d_in=2, d_out=1, L=1, K=len(features), d=1)
    p = {
        "W1": features[:, :2],
        "b1": features[:, 2],
        "V1": np.array([outgoing], dtype=float),
        "C1": np.zeros((1, 2)),
        "c0_1": np.zeros(1),
    }
    return network, p


@pytest.mark.parametrize(
    ("neurons", "count"),
    [
        ([(1, 2, 0.5)], 1),
        ([(1, 2, 0.5), (2, 4, 1), (0.01, 0.02, 0.005)], 1),  # of other lengths
        ([(1, 2, 0.5), (-1, -2, -0.5)], 2),  # antiparallel: they fire on opposite sides
        ([(1, 2, 0.5), (1, 2, -0.5)], 2),  # the bias matters
        ([(1, 0, 0), (1, 0, 0.1)], 1),  # cosine 0.995
        ([(1, 0, 0), (1, 0, 0.2)], 2),  # cosine 0.981
        ([(1, 0, 0), (0, 1, 0), (3, 0, 0), (0, 0.1, 0), (1, 1, 0)], 3),
        # a chain in which each is parallel to the next: the longest takes both in
        ([(1, 0, 0.1), (2, 0, 0), (1, 0, -0.1)], 1),
        # so that the length decides who is first: one end does not take in the other
        ([(2, 0, 0.2), (1, 0, 0), (1, 0, -0.1)], 2),
    ],
)
def test_parallel_neurons_count_once(neurons, count):
    for sign in (1, -1):
        outgoing = [1 if i % 2 else sign for i in range(len(neurons))]
        network, p = shallow(neurons, outgoing)
        assert measured.distinct_neurons(network, p, [np.arange(len(neurons))]) == [count]


def test_only_active_neurons_are_told_apart():
    network, p = shallow([(1, 0, 0), (0, 1, 0), (-1, 0, 0), (2, 0, 0)], [1, 1, 1, 1])
    assert measured.distinct_neurons(network, p, [np.array([0, 3])]) == [1]
    assert measured.distinct_neurons(network, p, [np.array([1, 2])]) == [2]
    assert measured.distinct_neurons(network, p, [np.array([], dtype=int)]) == [0]


def test_neurons_that_count_as_one_can_be_merged():
    """Parallel weights and bias: one neuron with the summed outgoing weight does the same."""
    network, p = shallow([(1, 2, 0.5), (2, 4, 1)], [3, -0.5])
    merged, q = shallow([(1, 2, 0.5)], [3 - 0.5 * 2])
    X = np.random.default_rng(0).normal(size=(20, 2))
    before, after = (n.forward(w, X, measured.relu) for n, w in ((network, p), (merged, q)))
    np.testing.assert_allclose(before, after)
    active = measured.active_neurons(network, p, X, 1e-3)
    assert measured.distinct_neurons(network, p, active) == [1]


@pytest.mark.parametrize("skip", ["leap", "input", "none"])
def test_dense_neurons_are_told_apart_by_their_skip_too(skip):
    network = Dense(d_in=1, d_out=1, L=2, K=2, d=1, skip=skip)
    p = {name: np.ones(shape) for name, shape in network.shapes.items()}
    both = [np.array([0, 1])] * 2
    assert measured.distinct_neurons(network, p, both) == [1, 1]
    if skip != "none":
        p["C1"] = np.array([[1.0], [-1.0]])  # the skip into the second layer
        assert measured.distinct_neurons(network, p, both) == [1, 2]
        p["C2"] = np.full_like(p["C2"], 9.0)  # that into the output is no neuron's
        assert measured.distinct_neurons(network, p, both) == [1, 2]


def test_linear_nodes_in_use_are_those_above_a_tenth_of_the_largest():
    W = np.array([[3.0, 1.0, 0.0, 0.0], [4.0, 0.0, 0.0, 1.0]])  # columns of norm 5, 1, 0, 1
    V = np.array([[0.0, 2.0], [0.6, 0.8], [1.0, 1.0], [0.0, 1.01]])  # 2, 1, sqrt 2, 1.01
    assert measured.linear_nodes(W, V) == (2, 2), "terms of 10, 1, 0 and 1.01: above 1"
    assert measured.linear_nodes(1e-6 * W, V) == (2, 2), "it knows no scale"
    assert measured.linear_nodes(0 * W, V) == (0, 0)


def test_nodes_that_learned_the_same_pattern_are_one_pattern():
    rng = np.random.default_rng(0)
    w, v = rng.normal(size=30), rng.normal(size=20)
    W, V = np.outer(w, [1.0, 2.0, 0.0, -1.0]), np.outer([0.5, 1.0, 1.0, 1.0], v)
    assert measured.rank(measured.singular_values(W, V), 1e-6) == 1
    assert measured.linear_nodes(W, V) == (3, 1), "also of opposite sign"
    for angle, patterns in ((0.4, 1), (0.5, 2)):  # cosines of 0.92 and 0.88 around 0.9
        V = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
        assert measured.linear_nodes(np.ones((3, 2)), V) == (2, patterns)


@pytest.mark.parametrize(("above", "rank"), [(1.01, 2), (0.99, 1)])
def test_the_default_rank_is_that_of_torch(above, rank):
    tolerance = 40 * np.finfo(np.float32).eps
    A = np.zeros((40, 30))
    A[0, 0], A[1, 1] = 3.0, 3.0 * tolerance * above
    sigma = measured.singular_values(A)
    assert measured.default_rank(sigma, 40, 30) == rank
    assert torch.linalg.matrix_rank(torch.from_numpy(A).float()) == rank


def test_a_milestone_lies_on_a_spike_if_its_error_is_far_above_the_records(make_run):
    run = make_run(K=3, d=2)
    p = {name: np.zeros(shape) for name, shape in build(run).shapes.items()}
    # outputs 0: a mean squared error and square of 1
    samples = untested(run.data.samples().X, np.ones((8, 1)))
    for tail, spike in ((1.0, False), (0.96, False), (0.94, True)):
        row = rows.summary(run, p, samples, np.full(20, tail), MEASURES)
        assert (row["on_spike"], row["relative_mse"]) == (spike, pytest.approx(tail))


def test_a_teachers_neurons_are_recovered_if_their_hyperplanes_are():
    """Either sign counts, any length does, and a neuron that does not matter counts for none."""
    teacher = Teacher(np.array([[1.0, 0], [0, 1], [0.6, 0.8]]), np.array([0.5, 0, 1]), np.eye(3))
    W = np.array([[-2.0, 0], [0, 3], [0.6, 0.8], [1, 1]])
    p = {"W1": W, "b1": np.array([-1.0, 0.05, 1, 0])}
    assert measured.recovered(teacher, p, np.array([0, 1, 3])) == 2
    assert measured.recovered(teacher, p, np.arange(4)) == 3
    assert measured.recovered(teacher, p | {"b1": np.array([1.0, 3, 1, 0])}, np.array([0, 1])) == 0


def test_a_matrix_is_alive_if_it_is_not_small_and_its_layer_matters(make_run):
    run = make_run(K=3, d=2)
    p = {name: np.full(shape, 0.5) for name, shape in build(run).shapes.items()}

    def alive(**changes):
        found = rows.matrices(run, 40, p | changes, run.data.samples().X, MEASURES)["matrices"]
        return next(row["alive"] for row in found if row["matrix"] == "A2")

    assert alive()
    assert not alive(V2=0 * p["V2"]), "nothing comes out of its layer"
    assert not alive(b2=np.full(3, 99.0)), "nothing goes through"
    for entry, large in ((0.0099, False), (0.0101, True)):  # A has entries 2 * 0.5 * entry
        assert alive(W2=np.full((3, 2), entry), b2=np.full(3, -1.0)) == large


def test_the_average_counts_each_chosen_matrix_once():
    by_matrix = {"W1": 0.1, "V1": 0.2, "C1": 1.0, "W2": 0.3, "V2": 0.4}
    assert measured.average_sparsity(by_matrix, ["W", "V"]) == pytest.approx(0.25)
    assert measured.average_sparsity(by_matrix, ["W", "V", "C"]) == pytest.approx(0.4)
    assert measured.average_sparsity(by_matrix, ["C"]) == 1.0
    assert measured.average_sparsity({"W1": 0.0, "A2": 1.0, "C1": 9}, ["W"]) == 0.5


@pytest.fixture
def milestone(tmp_path, make_run):
    """A trained milestone and its measured tables: (run, folder, arguments of the command)."""

    def make(**values):
        run = make_run(**values)
        data.main(["--data", run.data.canonical(), "--out", str(tmp_path / "data.parquet")])
        files = {
            "state": tmp_path / "state.safetensors",
            "loss": tmp_path / "loss.parquet",
            "magnitudes": tmp_path / "magnitudes.parquet",
        }
        train(Stretch(run, 40, tmp_path / "data.parquet", None, **files))
        arguments = ["--run", run.canonical(), "--epoch", "40", "--out", str(tmp_path / "tables")]
        arguments += ["--measures", MEASURES.canonical(), "--data", str(tmp_path / "data.parquet")]
        for name, file in files.items():
            arguments += [f"--{name}", str(file)]
        return run, tmp_path, arguments

    return make


@pytest.mark.parametrize("network", ["representer", "dense"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_tables_agree_with_each_other(milestone, network, precision):
    """What training recorded at the last epoch is what is measured from the stored weights."""
    run, folder, arguments = milestone(network=network, precision=precision)
    measure.main(arguments)
    tables = {
        name: pd.read_parquet(folder / "tables" / f"{name}.parquet")
        for name in ("trajectory", "spectra", "matrices", "summary")
    }
    trajectory = tables["trajectory"]
    assert sorted(trajectory.epoch.unique()) == [0, 10, 20, 30, 40]
    last = trajectory[trajectory.epoch == 40]
    summary = tables["summary"].iloc[0]
    rel = {"float32": 1e-4, "float64": 1e-12}[precision]
    for name in ("mse", "objective"):
        recorded = last[last.measure == name].value.item()
        assert summary[name] == pytest.approx(recorded, rel=rel)
    average = last[last.measure == "average_sparsity"].value.item()
    assert summary.average_sparsity == average
    matrices = tables["matrices"].set_index("matrix")
    for row in last[last.measure == "sparsity"].itertuples():
        assert matrices.loc[row.matrix].sparsity == row.value
    assert summary.objective == pytest.approx(summary.mse + run.lam * summary.regularizer_value)
    assert summary.mse_tail_median == trajectory[trajectory.measure == "mse"].value.median()
    spectrum = tables["spectra"].query("matrix == 'A2'").singular_value
    assert matrices.loc["A2"].spectral_norm == spectrum.iloc[0]
    assert matrices.loc["A2"]["rank"] == (spectrum > 1e-3).sum()
    assert len(spectrum) == {"representer": 3, "dense": 6}[network]
    assert summary.K == 6
    assert summary.points == 8
    nodes = matrices.linear_nodes.dropna()
    assert nodes.index.tolist() == (["A2"] if network == "representer" else [])
    assert (nodes >= matrices.patterns[nodes.index]).all()
    assert matrices.alive.dropna().to_dict() == {"A2": True}
    A2 = matrices.loc["A2"]
    assert A2.sigma2_ratio == pytest.approx(spectrum.iloc[1] / spectrum.iloc[0])

    def recorded(measure, matrix):
        rows = last[(last.measure == measure) & (last.matrix == matrix)]
        return rows.value.tolist()

    for row in last[last.measure == "frobenius_norm"].itertuples():
        assert matrices.loc[row.matrix].frobenius_norm == pytest.approx(row.value, rel=rel)
    for layer, active in enumerate(summary.active_neurons, start=1):
        assert recorded("active_neurons", f"h{layer}") == [active]
    sigma = [value for i in (1, 2, 3) for value in recorded(f"singular_value_{i}", "A2")]
    expected = spectrum.tolist() if network == "representer" else []
    assert sigma == pytest.approx(expected, rel=rel)
    assert summary.relative_mse == summary.mse_tail_median / summary.target_mean_square
    assert len(summary.active_neurons) == len(summary.distinct_neurons) == 2
    pairs = zip(summary.distinct_neurons, summary.active_neurons, strict=True)
    assert all(1 <= distinct <= active <= 6 for distinct, active in pairs)


READING = {
    "skips": "input",
    "loss": "sum",
    "weight_decay": "decoupled",
    "decay_biases": False,
    "scale": "fan_in",
    "batches": 3,
}


@pytest.mark.parametrize("reading", [{}, READING])
def test_the_summary_tells_the_reading(milestone, reading):
    _, folder, arguments = milestone(network="dense", regularizer="weight_decay", **reading)
    measure.main(arguments)
    row = pd.read_parquet(folder / "tables" / "summary.parquet").iloc[0]
    literal = ["leap", "mean", "objective", True, "none", 1]
    expected = dict(zip(READING, literal, strict=True)) | reading
    expected["initial_scale"] = expected.pop("scale")
    assert row[list(expected)].to_dict() == expected


@pytest.mark.parametrize(
    ("reading", "loss", "decay"),
    [
        ({"loss": "mean", "weight_decay": "objective"}, 1, 1),
        ({"loss": "sum", "weight_decay": "objective"}, 8, 1),  # 8 points
        ({"loss": "mean", "weight_decay": "adam"}, 1, 0.5),
        ({"loss": "sum", "weight_decay": "adam"}, 8, 0.5),
        ({"loss": "mean", "weight_decay": "decoupled"}, 1, 0.5),
        ({"loss": "sum", "weight_decay": "adam", "decay_biases": False, "batches": 3}, 8, 0.5),
    ],
)
@pytest.mark.parametrize("regularizer", ["eq2", "weight_decay", "none"])
def test_the_objective_is_that_of_the_reading(milestone, reading, loss, decay, regularizer):
    """As recorded while training and as measured from the weights."""
    lam = 0.0 if regularizer == "none" else 0.5
    run, folder, arguments = milestone(regularizer=regularizer, lam=lam, **reading)
    measure.main(arguments)
    row = pd.read_parquet(folder / "tables" / "summary.parquet").iloc[0]
    tensors, _ = read_state(folder / "state.safetensors", "np")
    p = {name: tensors[name] for name in build(run).shapes}
    if regularizer == "weight_decay":
        counted = [n for n in p if p[n].ndim == 2 or reading.get("decay_biases", True)]
        assert row.regularizer_value == pytest.approx(sum((p[n] ** 2).sum() for n in counted))
    decay = decay if regularizer == "weight_decay" else 1
    assert row.objective == pytest.approx(loss * row.mse + decay * lam * row.regularizer_value)
    recorded = pd.read_parquet(folder / "loss.parquet").iloc[-1]
    for name in ("mse", "objective"):
        assert row[name] == pytest.approx(recorded[name], rel=1e-12)
    trajectory = pd.read_parquet(folder / "tables" / "trajectory.parquet")
    last = trajectory[(trajectory.epoch == 40) & (trajectory.measure == "objective")]
    assert last.value.item() == recorded.objective


def test_the_tables_tell_units_and_provenance(milestone):
    _, folder, arguments = milestone()
    measure.main(arguments)
    for file in (folder / "tables").iterdir():
        schema = pq.read_schema(file)
        assert all(field.metadata[b"unit"] for field in schema)
        about = {key.decode(): value.decode() for key, value in schema.metadata.items()}
        assert json.loads(about["settings"]) == json.loads(MEASURES.canonical())
        assert "science.measures.rows=" in about["code"]
        assert "torch" in json.loads(about["versions"])


def test_measuring_again_gives_the_same_bytes(milestone):
    _, folder, arguments = milestone()
    measure.main(arguments)
    first = {file.name: file.read_bytes() for file in (folder / "tables").iterdir()}
    measure.main(arguments)
    assert first == {file.name: file.read_bytes() for file in (folder / "tables").iterdir()}


def test_the_state_of_another_run_is_refused(milestone, make_run):
    _, _, arguments = milestone()
    other = make_run(seed=7)
    arguments[1] = other.canonical()
    with pytest.raises(DamagedFile, match=f"is not epoch 40 of {other.id}"):
        measure.main(arguments)
