"""The estimator among scikit-learn's own tools."""

import json
import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_linnerud
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sparsedecay as sd
from sparsedecay.extras.bench import command as bench
from sparsedecay.extras.bench import estimators
from sparsedecay.sklearn import SparseDecayRegressor
from tests.api.test_namespace import python
from tests.test_packaging import ROOT

X, y = load_diabetes(return_X_y=True)


QUICK = {"epochs": 200, "random_state": 0}


CHECKS = """
import json
from sklearn.utils.estimator_checks import check_estimator
from sparsedecay.sklearn import SparseDecayRegressor
found = check_estimator(SparseDecayRegressor({values}), on_fail=None)
print(json.dumps([(one["check_name"], one["status"], repr(one["exception"])) for one in found]))
"""


@pytest.mark.parametrize("values", ["", "'representer'", "'dense', regularizer='weight_decay'"])
def test_all_of_scikit_learns_checks(values):
    """Also the one that scikit-learn skips without this variable, set before scipy is imported."""
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHECKS.format(values=values)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
    ).stdout
    found = json.loads(out)
    assert [one for one in found if one[1] != "passed"] == []
    assert len(found) >= 50


def test_it_is_the_run_it_says(tmp_path):
    model = SparseDecayRegressor(K=30, lam=1e-2, **QUICK).fit(X, y)
    scaled = StandardScaler().fit_transform(X), StandardScaler().fit_transform(y[:, None])
    state = model.state_
    assert np.allclose(state.samples.X, scaled[0])
    residual = state(scaled[0]) - scaled[1]
    p = {name: array.astype(float) for name, array in state.parameters.items()}
    charged = np.abs(p["C1"]).sum() + (p["V1"] ** 2).sum() + (p["W1"] ** 2).sum()
    assert model.objective_ == pytest.approx(np.mean(residual**2) + 1e-2 * charged, rel=1e-5)
    assert model.score(X, y) == pytest.approx(1 - np.mean(residual**2), rel=1e-6)
    assert model.loss_curve_[-1] == pytest.approx(model.objective_, rel=1e-4)
    assert len(model.loss_curve_) == 201
    assert model.n_iter_ == state.epoch == 200
    assert 0 < model.n_distinct_neurons_[0] <= model.n_active_neurons_[0] <= 30
    sigma = np.linalg.svd(p["W1"], compute_uv=False)
    assert model.rank_.tolist() == [np.sum(sigma > 1e-3 * sigma[0])]
    assert isinstance(state, sd.State)


def test_deep_networks_have_a_rank_between_layers():
    model = SparseDecayRegressor("representer", K=20, L=3, d=2, **QUICK).fit(X, y)
    assert model.n_active_neurons_.shape == (3,)
    assert (model.rank_ <= 2).all()
    assert model.rank_.shape == (2,)
    assert SparseDecayRegressor("dense", K=20, **QUICK).fit(X, y).rank_.shape == (1,)


def test_warm_start_is_one_long_fit():
    whole = SparseDecayRegressor(epochs=400, random_state=0).fit(X, y)
    parts = SparseDecayRegressor(epochs=200, random_state=0, warm_start=True).fit(X, y).fit(X, y)
    assert np.array_equal(whole.predict(X), parts.predict(X))
    assert parts.n_iter_ == 400
    again = SparseDecayRegressor(epochs=200, random_state=0).fit(X, y).fit(X, y)
    assert again.n_iter_ == 200
    with pytest.raises(ValueError, match="warm_start: the data are others"):
        parts.fit(X[:100], y[:100])


def test_several_outputs():
    inputs, outputs = load_linnerud(return_X_y=True)
    model = SparseDecayRegressor(**QUICK).fit(inputs, outputs)
    assert model.predict(inputs).shape == outputs.shape
    one = SparseDecayRegressor(**QUICK).fit(inputs, outputs[:, 0])
    assert one.predict(inputs).shape == (20,)


SEARCH = """
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sparsedecay.sklearn import SparseDecayRegressor
model = make_pipeline(StandardScaler(), SparseDecayRegressor(epochs=200, random_state=0))
values = {"sparsedecayregressor__lam": [1e-3, 1e-1]}
search = GridSearchCV(model, values, cv=2, n_jobs=2).fit(*load_diabetes(return_X_y=True))
print(*search.cv_results_["mean_test_score"])
"""


def test_a_search_with_two_processes():
    """In a process of its own, as joblib's helpers outlive a search."""
    made = make_pipeline(StandardScaler(), SparseDecayRegressor(**QUICK))
    alone = [
        cross_val_score(clone(made).set_params(sparsedecayregressor__lam=lam), X, y, cv=2).mean()
        for lam in (1e-3, 1e-1)
    ]
    assert [float(score) for score in python(SEARCH)] == pytest.approx(alone, abs=1e-3)
    assert alone[1] > 0.2


def test_pipelines_and_copies():
    model = make_pipeline(StandardScaler(), SparseDecayRegressor(**QUICK))
    assert cross_val_score(model, X, y, cv=2).min() > 0
    fitted = model.fit(X, y)
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), fitted.predict(X))
    with pytest.raises(NotFittedError):
        clone(fitted).predict(X)
    assert clone(fitted)[-1].get_params() == fitted[-1].get_params()


def test_set_output_and_names():
    frame, target = load_diabetes(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), SparseDecayRegressor(**QUICK))
    model.set_output(transform="pandas").fit(frame, target)
    assert list(model[-1].feature_names_in_) == list(frame.columns)
    assert model.predict(frame).shape == (442,)


def test_certified_gap_where_there_is_one():
    model = SparseDecayRegressor(K=30, lam=0.1, epochs=2000, random_state=0)
    rows = slice(0, 30)
    found = model.fit(X[rows, 2:4], y[rows]).certify(seconds=20)
    assert found["objective"] == pytest.approx(model.objective_, rel=1e-4)
    assert 0 <= found["gap"] < 0.1
    with pytest.raises(ValueError, match="no certificate of the global optimum"):
        SparseDecayRegressor("dense", **QUICK).fit(X[rows], y[rows]).certify()


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"network": "deep"}, ValueError, "network: there is no 'deep'; there are shallow"),
        ({"epochs": 0}, ValueError, "epochs: 0 is no whole number"),
        ({"lam": -1.0}, ValueError, "lam: "),
        ({"K": 0}, ValueError, "K: "),
        ({"regularizer": "l2"}, ValueError, "regularizer: "),
        ({"learning_rate": 1e30}, ValueError, "learning_rate: training has diverged"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*has diverged")
def test_mistakes(values, error, said):
    with pytest.raises(error, match=said):
        SparseDecayRegressor(**{**QUICK, **values}).fit(X, y)


def test_the_namespace_needs_no_scikit_learn():
    code = (
        "import sys; import sparsedecay as sd; sd.train; sd.open; print('sklearn' in sys.modules)"
    )
    assert python(code) == ["False"]
    assert sys.modules["sklearn"]


def test_the_page_runs_as_it_stands():
    page = (ROOT / "docs/estimators.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    space = {}
    exec(compile(code, "docs/estimators.md", "exec"), space)
    assert space["search"].best_score_ > 0.3


def test_the_tables_of_the_page(monkeypatch, tmp_path):
    """On one small data set; `sparsedecay bench --estimators` takes minutes for all."""
    monkeypatch.setattr(estimators, "CHOOSING", ("linnerud",))
    monkeypatch.setattr(estimators, "LAMS", (1e-1,))
    inputs, outputs = load_linnerud(return_X_y=True)
    monkeypatch.setattr(estimators, "data_sets", lambda: {"linnerud": lambda: (inputs, outputs)})
    page = tmp_path / "page.md"
    page.write_text(f"before\n{estimators.BEGIN}\nold\n{estimators.END}\nafter\n")
    bench.main(["--estimators", str(page)])
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    (row,) = re.findall(r"^\| linnerud.*$", text, re.M)
    ridge = float(re.match(r"[ *]*([\d.]+)", row.split("|")[6])[1])
    scaled = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13)))
    scores = [scaled.fit(a, c).score(b, d) for a, b, c, d in estimators.splits(inputs, outputs, 5)]
    assert ridge == pytest.approx(1 - np.median(scores), abs=5e-4)
    assert text.count("| eq2 | 0.1 |") == 6


def test_every_data_set_of_the_page_is_there():
    for name, load in estimators.data_sets().items():
        inputs, outputs = load()
        assert len(inputs) == len(outputs), name
        assert not any(np.array_equal(column, outputs) for column in inputs.T), name
