"""`sparsedecay optimum` and `sparsedecay certify`, on a small problem."""

import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.files.samples import table
from sparsedecay.files.storage import read_state, read_table, write_state, write_table
from sparsedecay.files.tables import CERTIFICATES, OPTIMA
from sparsedecay.optimum import certify, solve
from sparsedecay.science.convex.problem import Neurons, Posed, form
from sparsedecay.science.measures import Measures
from sparsedecay.science.measures.rows import summary
from sparsedecay.science.networks import build
from sparsedecay.science.regularizers import KINDS
from tests.small import small_run

RUN = small_run(L=1, K=12, dimension=2, levels=(0.0, 0.5, 1.0), lam=0.01)
POSED = Posed.of(RUN)


@pytest.fixture
def solved(tmp_path, monkeypatch):
    """An optimum in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_table(Path("data.parquet"), table(RUN.data.samples()), {})
    solve.main(["--problem", POSED.canonical(), "--data", "data.parquet", "--out", "best"])
    return tmp_path / "best"


def state(parameters, name="state.safetensors", **about):
    tensors = {key: torch.tensor(np.asarray(value)) for key, value in parameters.items()}
    write_state(Path(name), tensors, {"run": RUN.canonical(), "epoch": "7", **about})
    return name


def random(seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(-1, 1, shape) for name, shape in build(RUN).shapes.items()}


def test_the_files_tell_the_optimum_and_its_proof(solved):
    row = read_table(solved / "optimum.parquet", OPTIMA).to_pylist()[0]
    problem = certify.drawn(POSED)
    for name, count, objective in (
        ("optimum", row["neurons"], row["objective"]),
        ("sparsest", row["sparsest"], row["sparsest_objective"]),
    ):
        tensors, about = read_state(solved / f"{name}.safetensors", "np")
        neurons = Neurons.of(tensors)
        assert len(neurons.v) == count <= 9
        assert problem.objective(neurons) == pytest.approx(objective, rel=1e-12)
        assert Posed.model_validate_json(about["settings"]) == POSED
    assert row["bound"] <= row["objective"] <= row["bound"] * (1 + 1.1e-4)
    assert row["sparsest_objective"] <= row["objective"] * 1.001
    assert row["proved"]
    certify.main([str(solved / "optimum.parquet")])


def test_the_networks_are_measured_like_any_other(solved):
    """Padded to a run's width they are an ordinary state."""
    p = Neurons.of(read_state(solved / "sparsest.safetensors", "np")[0]).parameters(12, False)
    measures = Measures(
        threshold=1e-3, rank_threshold=1e-3, relative_rank_threshold=1e-3, average_over=("W", "V")
    )
    found = summary(RUN, p, RUN.data.samples(), np.array([0.0]), measures)
    row = read_table(solved / "optimum.parquet", OPTIMA).to_pylist()[0]
    assert found["active_neurons"] == [row["sparsest"]]
    assert found["objective"] == pytest.approx(row["sparsest_objective"])


def test_a_certificate_adds_up(solved, capsys):
    place = str(solved / "optimum.parquet")
    certify.main([state(random()), "--optimum", place, "--out", "one.parquet"])
    row = read_table(Path("one.parquet"), CERTIFICATES).to_pylist()[0]
    assert (row["run"], row["epoch"], row["K"], row["points"]) == (RUN.id, 7, 12, 9)
    assert sum(row[name] for name in certify.PARTS) == pytest.approx(
        row["objective"] - row["bound"]
    )
    assert all(row[name] >= -1e-9 for name in certify.PARTS)
    assert row["own_bound"] <= row["bound"] < row["optimum"] < row["objective"]
    assert "12 of 12" in capsys.readouterr().out
    # the optimum itself, as a state, has no gap
    best = Neurons.of(read_state(solved / "optimum.safetensors", "np")[0]).parameters(12, False)
    certify.main([state(best, "best.safetensors"), "--optimum", place, "--out", "two.parquet"])
    row = read_table(Path("two.parquet"), CERTIFICATES).to_pylist()[0]
    assert row["gap"] <= 1.1e-4
    assert row["imbalance"] == pytest.approx(0, abs=1e-9)


def test_without_an_optimum_it_solves_for_one(solved, capsys):
    certify.main([state(random()), "--network", "tuned.safetensors"])
    told = capsys.readouterr().out
    tuned = certify.trained(Path("tuned.safetensors"))
    assert tuned[:2] == (RUN, 7)
    objective = certify.drawn(POSED).objective(Neurons.of(tuned[2]))
    known = read_table(solved / "optimum.parquet", OPTIMA)["objective"][0].as_py()
    line = next(line for line in told.splitlines() if "optimum" in line)
    assert float(line.split()[3].rstrip(",")) == pytest.approx(known, rel=1e-4)
    assert objective == pytest.approx(known, rel=1e-4)
    certify.main([state(random()), "--network", "few.safetensors", "--slack", "0.3"])
    few = Neurons.of(certify.trained(Path("few.safetensors"))[2])
    assert certify.drawn(POSED).objective(few) <= known * 1.3001
    count, best = (int((n.v != 0).sum()) for n in (few, Neurons.of(tuned[2])))
    assert 0 < count < best
    for wrong in (["--slack", "0.1"], ["--network", "x", "--slack", "0"]):
        with pytest.raises(SystemExit):
            certify.main([state(random()), *wrong])
    narrow = small_run(L=1, K=1, dimension=2, levels=(0.0, 0.5, 1.0), lam=0.01)
    p = {name: np.ones(shape) for name, shape in build(narrow).shapes.items()}
    tensors = {key: torch.tensor(array) for key, array in p.items()}
    write_state(Path("narrow.safetensors"), tensors, {"run": narrow.canonical(), "epoch": "1"})
    with pytest.raises(UserError, match="do not fit into a width of 1"):
        certify.main(["narrow.safetensors", "--network", "no.safetensors"])


@pytest.mark.parametrize("what", ["z", "bound"])
def test_a_wrong_proof_is_refused(solved, what):
    """One number changed."""
    path = solved / "optimum.parquet"
    whole = read_table(path)
    row = whole.to_pylist()[0]
    if what == "z":
        row["z"][0] += 0.05 * max(map(abs, row["z"]))
    else:
        row["bound"] *= 1.001
    about = {k.decode(): v.decode() for k, v in whole.schema.metadata.items()}
    kept = {name: about[name] for name in ("settings", "code", "versions")}
    write_table(path, type(whole).from_pylist([row], schema=OPTIMA), kept)
    with pytest.raises(UserError, match="is not proved"):
        certify.main([str(path)])


def test_what_is_no_state_or_another_problem_is_told(solved):
    with pytest.raises(DamagedFile, match="is no state of training"):
        certify.main([str(solved / "optimum.safetensors")])
    with pytest.raises(UserError, match="has diverged at epoch 3"):
        certify.main([state(random(), diverged="3")])
    other = Posed.of(small_run(L=1, K=12, dimension=2, levels=(0.0, 0.5, 1.0), lam=0.02))
    with pytest.raises(DamagedFile, match=other.id):
        certify.stored(solved / "optimum.parquet", other)
    pq.write_table(read_table(solved / "optimum.parquet").select(["bound"]), "cut.parquet")
    with pytest.raises(DamagedFile):
        certify.main(["cut.parquet"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"L": 2}, "network.L: 1"),
        ({"regularizer": "none"}, "norm of the weights into them"),
        ({"regularizer": "l1"}, "norm of the weights into them"),
        ({"regularizer": "weight_decay", "weight_decay": "decoupled"}, "no fixed objective"),
        ({"lam": 0.0}, "without a weight lam"),
    ],
)
def test_what_is_not_convex_has_no_certificate(changes, told):
    values = {"L": 1, "K": 4, "dimension": 2} | changes
    with pytest.raises(UserError, match=told):
        Posed.of(small_run(**values))


def test_the_forms_of_regularizers():
    assert form(KINDS["eq2"]()) == (2, False, False)
    assert form(KINDS["weight_decay"]()) == (2, True, True)
    assert form(KINDS["path"]()) == (1, False, False)
    assert form(KINDS["eq2_skips_squared"]()) == (2, False, True)
    assert isinstance(form(KINDS["eq2_unsquared"]()), str)


@pytest.mark.parametrize("regularizer", ["eq2", "weight_decay", "path", "eq2_skips_squared"])
def test_the_objective_is_that_of_training_at_balance(regularizer):
    run = RUN.model_copy(update={"regularizer": regularizer})
    posed = Posed.of(run)
    problem = posed.problem(*RUN.data.samples()[:2])
    neurons = Neurons.of(random(1))
    p = neurons.parameters(12, problem.form.biases)
    squares = ((RUN.data.samples().y[:, 0] - neurons.outputs(RUN.data.samples().X)) ** 2).mean()
    value = KINDS[regularizer]().value(build(run), p)
    assert problem.objective(neurons) == pytest.approx(squares + run.penalty * value)


def test_equal_problems_have_one_name_whatever_the_network():
    wide = small_run(L=1, K=99, dimension=2, levels=(0.0, 0.5, 1.0), lam=0.01, seed=5)
    assert Posed.of(wide) == POSED
    assert Posed.of(wide).id == POSED.id


def test_of_a_deep_network_it_tells_what_is_known(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = small_run(lam=0.003)
    rng = np.random.default_rng(0)
    p = {name: rng.uniform(-1, 1, shape) for name, shape in build(run).shapes.items()}
    tensors = {key: torch.tensor(array) for key, array in p.items()}
    write_state(Path("deep.safetensors"), tensors, {"run": run.canonical(), "epoch": "7"})
    certify.main(["deep.safetensors"])
    told = capsys.readouterr().out
    X, y = run.data.samples()[:2]
    objective = certify.trained_objective(run, p, X, y)
    assert f"objective     {objective:.9g}" in told
    assert "there is no certificate of it" in told
    assert "block 2       imbalance" in told
    low, high = re.findall(r"lies between (\S+) and (\S+), proved", told)[0]
    assert 0 < float(low) <= float(high.rstrip(",")) < objective
    with pytest.raises(SystemExit):
        certify.main(["deep.safetensors", "--out", "x.parquet"])
