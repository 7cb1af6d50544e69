"""Runs from Python are those of a config, and mistakes in them are told in a sentence."""

import numpy as np
import pandas as pd
import pytest

import sparsedecay as sd
from sparsedecay.science.data.file import File
from sparsedecay.study.study import load_study
from tests.test_packaging import ROOT

RNG = np.random.default_rng(0)
X, Y = RNG.random((9, 2)), RNG.random(9)


def test_the_defaults_are_the_papers_config():
    study = load_study([ROOT / "config/config.yaml"])
    assert {run.id for run in sd.paper()} == study.runs.keys()
    from sparsedecay.api.state import MEASURES

    assert study.measures.model_dump() == MEASURES


def test_replace_is_the_run_with_these_arguments():
    base = sd.Run(network="dense", skips="input", initialization={"range": (-0.4, 0.4)}, seed=3)
    assert base.replace(lam=0.5, K=7) == sd.Run(
        network="dense",
        skips="input",
        lam=0.5,
        K=7,
        initialization={"range": (-0.4, 0.4), "seed": 3},
    )
    assert base.initialization.seed == 3
    assert base.replace(seed=4).initialization.range == (-0.4, 0.4)
    assert base.replace(optimizer={"learning_rate": 0.1}).optimizer.betas == (0.9, 0.999)
    assert sd.Run(lam=np.float64(1e-3), K=np.int64(1296)) == sd.Run()


def test_a_table_in_memory_is_the_file_it_writes(tmp_path):
    frame = pd.DataFrame(X, columns=["a", "b, c"]).assign(target=Y / 3)
    for values in ({}, {"standardise": True, "test_fraction": 0.3, "seed": 5}):
        made = sd.table(frame, "target", **values)
        made.write(tmp_path / "mine.csv")
        asked = {"standardise": False, "test_fraction": 0.0, "seed": 0, **values}
        columns = {"input_columns": ("a", "b, c"), "output_columns": ("target",)}
        file = {"kind": "file", "file": str(tmp_path / "mine.csv")}
        read = File.model_validate({**file, **columns, **asked})
        assert made.canonical() == read.canonical()
        for one, two in zip(made.samples(), read.samples(), strict=True):
            assert np.array_equal(one, two)
    assert sd.Run(data=made).id == sd.Run(data=read).id
    assert np.array_equal(sd.Run(data=(X, Y)).samples.y[:, 0], Y)


def test_several_targets_and_names():
    two = sd.table(X, np.column_stack([Y, Y]))
    assert (two.d_in, two.d_out, two.output_columns) == (2, 2, ("y1", "y2"))
    assert sd.table(pd.DataFrame({"y": Y}), Y).output_columns == ("target y",)
    frame = pd.DataFrame({"a": Y, "b": Y, "c": Y})
    assert sd.table(frame, ["b", "c"]).input_columns == ("a",)


NAN, INF = X.copy(), X.copy()
NAN[2, 1], INF[0, 0] = np.nan, np.inf


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: sd.Run(data=(NAN, Y)), ValueError, "X: row 2, column 1 is nan"),
        (lambda: sd.Run(data=(INF, Y)), ValueError, "X: row 0, column 0 is inf"),
        (lambda: sd.Run(data=(X, NAN[:, 1])), ValueError, "y: row 2, column 0 is nan"),
        (lambda: sd.Run(data=(X.astype(str), Y)), TypeError, "X: it holds something else"),
        (lambda: sd.Run(data=([["1", "2"]] * 9, Y)), TypeError, "X: it holds something else"),
        (lambda: sd.Run(data=(X + 1j, Y)), TypeError, "X: it holds something else"),
        (lambda: sd.Run(data=(X[:1], Y[:1])), ValueError, "X: it has 1 row; at least two"),
        (lambda: sd.Run(data=(X[:, :0], Y)), ValueError, "X: it is empty"),
        (lambda: sd.Run(data=(X[None], Y)), ValueError, "X: it has 3 dimensions"),
        (lambda: sd.Run(data=(X, Y[:4])), ValueError, "X, y: 9 rows and 4"),
        (lambda: sd.Run(data=X), TypeError, "data: give"),
        (lambda: sd.Run(data=pd.DataFrame(X)), TypeError, "data: a DataFrame alone"),
        (lambda: sd.table(X, "y"), TypeError, "y: it names columns"),
        (lambda: sd.table(pd.DataFrame({"ab": Y, "b": Y}), "a"), TypeError, "did you mean 'ab'"),
        (lambda: sd.table(X, Y, test_fraction=0.99), ValueError, "at least two of training"),
        (lambda: sd.table(X, Y, test_fraction=2.0), ValueError, "test_fraction: "),
        (lambda: sd.Run(lam=-1.0), ValueError, "lam: "),
        (lambda: sd.Run(lam=float("nan")), ValueError, "lam: "),
        (lambda: sd.Run(lam="1e-3"), ValueError, "lam: "),
        (lambda: sd.Run(K=0), ValueError, "K: "),
        (lambda: sd.Run(network="deep"), ValueError, "network: "),
        (lambda: sd.Run(lamb=1.0), TypeError, "lamb"),
        (lambda: sd.Run().replace(lamb=1.0), TypeError, "did you mean 'lam'"),
        (lambda: sd.Run(regularizer="none").replace(regularizer="eq2"), ValueError, "lam: give"),
        (lambda: sd.Run(data={"kind": "gird"}), ValueError, "data: there is no kind 'gird'"),
        (lambda: sd.Run(optimizer={"rate": 1}), TypeError, "did you mean|it takes"),
        (lambda: sd.Run(initialization=(-1, 1)), TypeError, "initialization: give the section"),
        (lambda: sd.Run(initialization={"range": (1, -1)}), ValueError, "must be smaller"),
        (lambda: sd.table(X, Y).write("data.txt"), ValueError, "path: data.txt does not end"),
    ],
)
def test_mistakes(make, error, said):
    with pytest.raises(error, match=said) as found:
        make()
    assert type(found.value) is error
    assert "\n" not in str(found.value)
