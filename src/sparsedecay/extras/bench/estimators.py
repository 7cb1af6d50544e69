"""The estimator against its peers, on data that come with scikit-learn.

Four data sets choose the defaults, five others are only looked at afterwards. Errors are those of
test rows in variances of the target (1 - R²), the median of several random splits.
"""

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from sparsedecay.files.machine import processor

Table = tuple[np.ndarray, np.ndarray]
CHOOSING = ("friedman1", "friedman3", "iris", "cancer")
"""Data sets on which the defaults were chosen."""
LAMS = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
BEST = 15
"""Rows of the choice that are shown."""
CHOSEN = (
    f"The {BEST} best of what was tried on the data sets that choose (geometric mean of errors):"
)
BEGIN, END = "<!-- sparsedecay bench --estimators -->", "<!-- its end -->"


def data_sets() -> dict[str, Callable[[], Table]]:
    """Inputs and targets by name; those of classification give one column from the others."""
    from sklearn import datasets

    def column(load: Callable[..., Any], inputs: slice, target: int) -> Table:
        X = load(return_X_y=True)[0]
        kept = [i for i in range(X.shape[1])[inputs] if i != target]
        return X[:, kept], X[:, target]

    return {
        "friedman1": lambda: datasets.make_friedman1(200, noise=1.0, random_state=0),
        "friedman3": lambda: datasets.make_friedman3(200, noise=0.1, random_state=0),
        "iris": lambda: column(datasets.load_iris, slice(None), 3),
        "cancer": lambda: column(datasets.load_breast_cancer, slice(0, 10), 7),
        "diabetes": lambda: datasets.load_diabetes(return_X_y=True),
        "wine": lambda: column(datasets.load_wine, slice(None), 0),
        "linnerud": lambda: datasets.load_linnerud(return_X_y=True),
        "friedman2": lambda: datasets.make_friedman2(200, noise=50.0, random_state=0),
        "uncorrelated": lambda: datasets.make_sparse_uncorrelated(200, random_state=0),
    }


def contestants() -> dict[str, Any]:
    """Estimators by name, for standardised inputs."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import StandardScaler

    from sparsedecay.sklearn import SparseDecayRegressor

    ours = SparseDecayRegressor(random_state=0)
    mlp = MLPRegressor(max_iter=2000, random_state=0)
    trees = HistGradientBoostingRegressor(random_state=0)
    return {
        "SparseDecay": ours,
        "SparseDecay, lam by CV": GridSearchCV(ours, {"lam": LAMS}, cv=3),
        "MLP": TransformedTargetRegressor(mlp, transformer=StandardScaler()),
        "Ridge, alpha by CV": RidgeCV(np.logspace(-3, 3, 13)),
        "HistGradientBoosting": trees,
    }


def splits(X: np.ndarray, y: np.ndarray, count: int) -> Iterator[list[np.ndarray]]:
    """Rows of training and test, three to one."""
    from sklearn.model_selection import train_test_split

    for seed in range(count):
        yield train_test_split(X, y, test_size=0.25, random_state=seed)


def error(model: Any, table: Table, count: int) -> tuple[float, float, float]:
    """Medians over the splits: 1 - R² on test rows, seconds of a fit, neurons in use (NaN where
    there are none)."""
    from sklearn.base import clone
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    last = model
    if isinstance(last, HistGradientBoostingRegressor) and table[1].ndim > 1:
        last = MultiOutputRegressor(last)  # it has one output
    found = []
    for X, test_X, y, test_y in splits(*table, count):
        whole = make_pipeline(StandardScaler(), clone(last))
        began = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole.fit(X, y)
        took = time.perf_counter() - began
        fitted = getattr(whole[-1], "best_estimator_", whole[-1])
        neurons = float(np.sum(getattr(fitted, "n_distinct_neurons_", np.nan)))
        found.append((1 - whole.score(test_X, test_y), took, neurons))
    errors, seconds, neurons_ = zip(*found, strict=True)
    return statistics.median(errors), statistics.median(seconds), statistics.median(neurons_)


def choice(count: int = 3) -> Iterator[str]:
    """The defaults and what was tried beside them, on `CHOOSING`: lines of a table."""
    from sparsedecay.sklearn import SparseDecayRegressor

    tables = {name: data_sets()[name]() for name in CHOOSING}
    values = {
        "regularizer": ("eq2", "weight_decay"),
        "lam": LAMS,
        "epochs": (1000, 2000, 5000),
        "learning_rate": (3e-3, 1e-2),
    }
    found = []
    for point in product(*values.values()):
        model = SparseDecayRegressor(random_state=0)
        model.set_params(**dict(zip(values, point, strict=True)))
        ours = [error(model, table, count) for table in tables.values()]
        mean = float(np.exp(np.mean([np.log(one[0]) for one in ours])))
        found.append((mean, point, ours))
    yield f"| {' | '.join([*values, 'mean error', *tables, 'neurons', 's'])} |"
    yield "|" + " --- |" * (len(values) + len(tables) + 3)
    for mean, point, ours in sorted(found, key=lambda one: one[0])[:BEST]:
        errors = [f"{one[0]:.3f}" for one in ours]
        rest = (
            f"{np.mean([one[2] for one in ours]):.0f}",
            f"{np.mean([one[1] for one in ours]):.2f}",
        )
        yield f"| {' | '.join([*map(str, point), f'{mean:.4f}', *errors, *rest])} |"


def compared(count: int = 5) -> Iterator[str]:
    """Errors of all contestants on all data: lines of a table."""
    names = contestants()
    yield f"| data | N, d_0 | {' | '.join(names)} |"
    yield "|" + " --- |" * (len(names) + 2)
    for name, load in data_sets().items():
        table = load()
        cells = []
        found = [error(model, table, count) for model in names.values()]
        best = min(one[0] for one in found)
        for mean, seconds, neurons in found:
            told = f"**{mean:.3f}**" if mean == best else f"{mean:.3f}"
            used = "" if np.isnan(neurons) else f", {neurons:.0f} neurons"
            cells.append(f"{told}{used}, {seconds:.2g} s")
        chosen = " (chosen on)" if name in CHOOSING else ""
        yield f"| {name}{chosen} | {len(table[0])}, {table[0].shape[1]} | {' | '.join(cells)} |"


def write(page: Path) -> None:
    """Put the tables into a page, between its marks."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    made = [f"On one core of {processor()}:", "", *compared(), "", CHOSEN, "", *choice()]
    page.write_text("\n".join([before + BEGIN, "", *made, "", END + after]), encoding="utf-8")
    print(page)
