"""Estimators in the manner of scikit-learn: `pip install 'sparsedecay[sklearn]'`.

    from sparsedecay.sklearn import SparseDecayRegressor
    SparseDecayRegressor(lam=1e-2).fit(X, y).predict(X)

What they are good at, and where others are better: docs/estimators.md.
"""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sparsedecay.api.convex import certify
from sparsedecay.api.run import Run
from sparsedecay.api.state import State
from sparsedecay.api.training import train
from sparsedecay.science import networks

NETWORKS = {"shallow": "representer", **{name: name for name in networks.KINDS}}
"""Kinds of network; `shallow` is that of Theorem 1 with one ReLU layer, whatever L says."""
RECORDS = 200
"""Points of the loss curve, at most."""
ENDLESS = 10**9
"""Epochs between milestones: there are none."""


class SparseDecayRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A ReLU network trained with one of the paper's regularizers: few neurons, low rank.

    Inputs and targets are standardised first and predictions scaled back, so that `lam` means the
    same on all data: the objective is the error in variances of the target plus lam times the
    regularizer.

    Args:
        network: `shallow` (one ReLU layer, Theorem 1 with L = 1), `representer` (Theorem 1 with L
            layers and d linear nodes between), `dense` (footnote 1).
        K: ReLU neurons of a layer at the start.
        L: ReLU layers; not of `shallow`.
        d: functional width between the layers of `representer`.
        regularizer: `eq2`, `weight_decay`, `path`, `l1`, `none`, …
        lam: its factor.
        epochs: steps of Adam on all data.
        learning_rate: of Adam.
        random_state: seed of the initial weights.
        warm_start: whether `fit` goes on from where it was, for `epochs` more, on the same data.

    Attributes after `fit`:
        n_active_neurons_: neurons of each ReLU layer that matter to the fit, (L,).
        n_distinct_neurons_: the same, those with parallel weights counted once, (L,).
        rank_: numerical rank (above 1e-3 of the largest singular value) of the matrices between
            ReLU layers, (L - 1,); of `shallow` that of W1, (1,).
        objective_: loss + lam * regularizer, on standardised data.
        loss_curve_: the objective at the recorded epochs.
        n_iter_: epochs in all.
        state_: the network as a `sparsedecay.State`; it holds the data that it was trained on.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> from sparsedecay.sklearn import SparseDecayRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = SparseDecayRegressor(random_state=0).fit(X, y)
        >>> model.predict(X).shape
        (442,)
    """

    def __init__(
        self,
        network: str = "shallow",
        *,
        K: int = 64,
        L: int = 2,
        d: int = 8,
        regularizer: str = "eq2",
        lam: float = 1e-2,
        epochs: int = 2000,
        learning_rate: float = 1e-2,
        random_state: Any = None,
        warm_start: bool = False,
    ) -> None:
        self.network = network
        self.K = K
        self.L = L
        self.d = d
        self.regularizer = regularizer
        self.lam = lam
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.warm_start = warm_start

    def fit(self, X: Any, y: Any) -> Self:
        """Train on inputs (N, d_0) and targets (N,) or (N, D).

        Raises:
            TypeError, ValueError: data or parameters are not allowed, or it diverges.
        """
        X, y = validate_data(
            self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, ensure_min_samples=2
        )
        if self.network not in NETWORKS:
            raise ValueError(
                f"network: there is no {self.network!r}; there are {', '.join(NETWORKS)}"
            )
        targets = np.asarray(y, dtype=np.float64)
        self.flat_ = targets.ndim == 1
        targets = targets.reshape(len(targets), -1)
        go_on = self.warm_start and hasattr(self, "state_")
        if not go_on:
            self.scaler_X_, self.scaler_y_ = StandardScaler().fit(X), StandardScaler().fit(targets)
        data = self.scaler_X_.transform(X), self.scaler_y_.transform(targets)
        state = self._more(data) if go_on else train(self._run(data), self.epochs, progress=False)
        if state.diverged is not None:
            raise ValueError(
                f"learning_rate: training has diverged by epoch {state.diverged:,}; lower it or lam"
            )
        self._keep(state)
        return self

    def _run(self, data: tuple[np.ndarray, np.ndarray]) -> Run:
        """What is trained."""
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        return Run(
            data=data,
            network=NETWORKS[self.network],
            L=1 if self.network == "shallow" else self.L,
            K=self.K,
            d=self.d,
            regularizer=self.regularizer,
            lam=self.lam,
            optimizer={"learning_rate": self.learning_rate},
            initialization={"scale": "fan_in"},
            seed=seed,
            stride=ENDLESS,
            record_every=max(1, self.epochs // RECORDS) if isinstance(self.epochs, int) else 1,
        )

    def _more(self, data: tuple[np.ndarray, np.ndarray]) -> State:
        """The state that `fit` goes on to.

        Raises:
            ValueError: the data are others.
        """
        known = self.state_.samples
        same = all(np.array_equal(a, b) for a, b in zip(data, known[:2], strict=True))
        if not same:
            raise ValueError(
                "warm_start: the data are others; fit a new estimator, or set it False"
            )
        return train(self.state_, self.state_.epoch + self.epochs, progress=False)

    def _keep(self, state: State) -> None:
        """What there is to know of it."""
        tables = state.tables()
        found, matrices = tables["summary"].iloc[0], tables["matrices"].set_index("matrix")
        self.state_ = state
        self.n_iter_ = state.epoch
        self.n_active_neurons_ = np.array(found["active_neurons"], dtype=int)
        self.n_distinct_neurons_ = np.array(found["distinct_neurons"], dtype=int)
        names = list(state.network.between) or ["W1"]
        self.rank_ = matrices.loc[names, "relative_rank"].to_numpy(dtype=int)
        self.objective_ = float(found["objective"])
        self.loss_curve_ = state.curve("objective").to_numpy()

    def predict(self, X: Any) -> np.ndarray:
        """Predictions, (N,) or (N, D) as the targets were, for inputs (N, d_0).

        Raises:
            NotFittedError, ValueError: as of all estimators.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        found = self.scaler_y_.inverse_transform(self.state_(self.scaler_X_.transform(X)))
        return np.asarray(found[:, 0] if self.flat_ else found)

    def certify(self, seconds: float = 60.0) -> dict[str, Any]:
        """How far the objective is from the global optimum over networks of every width, as
        `sparsedecay.certify`: `gap` is relative to a proved bound. For `shallow` networks and one
        target.

        Raises:
            ValueError: there is no certificate for such networks, and why.
        """
        check_is_fitted(self)
        return certify(self.state_, seconds=seconds)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
