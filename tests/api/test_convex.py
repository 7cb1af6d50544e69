"""Certificates from Python are those of the commands."""

import numpy as np
import pytest

import sparsedecay as sd
from sparsedecay.files.storage import read_table
from sparsedecay.optimum import certify

RUN = sd.Run(
    data={"dimension": 2, "levels": (0, 1)},
    L=1,
    K=8,
    lam=1e-2,
    stride=2000,
    precision="float64",
    optimizer={"learning_rate": 1e-2},
)


def test_the_commands_numbers(tmp_path):
    state = sd.train(RUN, 2000, progress=False)
    found = sd.certify(state)
    state.save(tmp_path / "a.safetensors")
    certify.main([str(tmp_path / "a.safetensors"), "--out", str(tmp_path / "a.parquet")])
    theirs = read_table(tmp_path / "a.parquet").to_pylist()[0]
    for name in theirs.keys() - {"sparsest_neurons"}:
        ours = found[name]
        same = ours if isinstance(ours, str) else pytest.approx(ours, rel=1e-6, abs=1e-9)
        assert theirs[name] == same, name


def test_the_optimum_is_between_bound_and_every_network():
    found = sd.optimum(RUN, gap=1e-6)
    trained = sd.certify(sd.train(RUN, 2000, progress=False))
    assert found.bound <= found.objective <= trained["objective"] * (1 + 1e-9)
    assert found.gap <= 1e-6
    X, y = RUN.samples[:2]
    p = found.network.parameters
    loss = np.mean((found.network(X) - y) ** 2)
    charged = np.abs(p["C1"]).sum() + (p["V1"] ** 2).sum() + (p["W1"] ** 2).sum()
    assert loss + RUN.lam * charged == pytest.approx(found.objective, rel=1e-6)
    assert found.sparsest.neurons <= found.network.neurons


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda s: sd.certify(s), ValueError, "no certificate of the global optimum"),
        (lambda s: sd.optimum(s.run), ValueError, "one ReLU layer"),
        (lambda s: sd.certify(s.run), TypeError, "state: give a State, not Run"),
        (lambda s: sd.optimum(s), TypeError, "run: give a Run, not State"),
        (lambda s: sd.optimum(RUN, gap=0), ValueError, "gap: 0 is not above 0"),
        (lambda s: sd.optimum(RUN.replace(regularizer="none")), ValueError, "without a weight"),
    ],
)
def test_mistakes(states, make, error, said):
    with pytest.raises(error, match=said):
        make(states[0])
