"""The objective over neurons of any number, and its dual.

    problem = Posed.of(run).problem(X, y)      or the reason why there is none, as an error
    neurons = Neurons.of(parameters)
    problem.objective(neurons)                 >= the optimum >= problem.dual(z) for feasible z

Let kappa be 1 / N or 1 (a mean or a sum as loss), and u_k = |v_k| (w_k, b_k). By the inequality of
arithmetic and geometric means v^2 + ||w||^2 >= 2 |v| ||w||, with equality at balance, so that eq. 2
has the same optimum as

    min  kappa ||y - f(X)||^2 + 2 lam sum_k ||w_k|| |v_k| + lam ||C||_1,     b_k and c0 free,

and weight decay on all parameters as the same with ||(w_k, b_k)|| and lam (||C||^2 + c0^2). The
dual in z = 2 kappa (y - f(X)) is

    max  z·y - ||z||^2 / (4 kappa) - [(||X'z||^2 + (sum z)^2) / (4 lam) where squares are charged]
    with |sum_n z_n relu(w·x_n - b)| <= 2 lam for all neurons of norm 1,
         ||X'z||_inf <= lam where C is charged by magnitude, sum z = 0 where c0 is free.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from sparsedecay.errors import UserError
from sparsedecay.science import regularizers
from sparsedecay.science.data import AnyData
from sparsedecay.science.networks import build
from sparsedecay.science.regularizers import Objective, Regularizer, RegularizerName, Term
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Lam, Part

SHALLOW = {"W1", "b1", "V1", "C1", "c0_1"}
"""Parameters of the network of Theorem 1 with one ReLU layer."""
SPANNED = 1e-9
"""Directions in which data vary by a smaller fraction of the largest are left out, and what they
may add counts as rounding."""


class Form(NamedTuple):
    """How a regularizer charges a neuron as a whole, and all else."""

    factor: float
    """Of lam: 2 where v and w are charged as squares, 1 where their product is."""
    biases: bool
    """Whether the norm of a neuron is that of (w, b), and c0 is charged too, as its square."""
    squares: bool
    """Whether skip connections are charged as squares; else as magnitudes."""


def form(regularizer: Regularizer) -> Form | str:
    """That of a regularizer, or why there is none."""
    terms = getattr(regularizer, "terms", None)
    if terms is None:
        return "it is not made of terms that are known to be convex in the neurons"
    if Term.SHRINK in terms:
        return "weight decay beside the gradient minimises no fixed objective"
    pair = terms.W, terms.V
    if pair in ((Term.SQUARE, Term.SQUARE), (Term.SQUARE, Term.NEURON_L1_SQUARED)):
        factor = 2.0
    elif pair == (Term.PATH, Term.PATH):
        factor = 1.0
    else:
        return "it does not charge neurons by the l2 norm of the weights into them"
    if terms.C not in (Term.SQUARE, Term.ABSOLUTE):
        return "it does not charge skip connections by squares or magnitudes"
    if terms.biases == Term.SQUARE and pair != (Term.SQUARE, Term.SQUARE):
        return "it charges biases, but not as part of a neuron's norm"
    return Form(factor, terms.biases == Term.SQUARE, terms.C == Term.SQUARE)


@dataclass(frozen=True)
class Neurons:
    """A shallow network with one output."""

    W: np.ndarray
    """Weights into the neurons, (K, d)."""
    b: np.ndarray
    """Biases, (K,)."""
    v: np.ndarray
    """Weights out of them, (K,)."""
    C: np.ndarray
    """Skip connections, (d,)."""
    c0: float

    @classmethod
    def of(cls, p: Mapping[str, Any]) -> "Neurons":
        """The network with parameters `p` in float64, names as in `science.networks`."""
        get = {name: np.asarray(p[name], dtype=np.float64) for name in SHALLOW}
        return cls(get["W1"], get["b1"], get["V1"][0], get["C1"][0], float(get["c0_1"][0]))

    @property
    def u(self) -> np.ndarray:
        """|v_k| (w_k, b_k), (K, d + 1)."""
        found: np.ndarray = np.abs(self.v)[:, None] * np.column_stack([self.W, self.b])
        return found

    def parameters(self, K: int, biases: bool) -> dict[str, np.ndarray]:
        """As parameters of a network of width K in balance, |v_k| = ||w_k|| or ||(w_k, b_k)||; the
        neurons that it has more are 0.

        Raises:
            ValueError: there are more neurons than K.
        """
        count, d = self.W.shape
        if count > K:
            raise ValueError(f"{count} neurons do not fit into a width of {K}")
        u = self.u
        length = np.linalg.norm(u if biases else u[:, :d], axis=1)
        root = np.sqrt(np.where(length > 0, length, 1.0))
        W, b, V = np.zeros((K, d)), np.zeros(K), np.zeros((1, K))
        W[:count], b[:count] = u[:, :d] / root[:, None], u[:, d] / root
        V[0, :count] = np.sign(self.v) * np.where(length > 0, root, 0.0)
        return {"W1": W, "b1": b, "V1": V, "C1": self.C[None], "c0_1": np.array([self.c0])}

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """f(X), (N,)."""
        hidden = np.maximum(X @ self.W.T - self.b, 0.0)
        found: np.ndarray = hidden @ self.v + X @ self.C + self.c0
        return found

    def only(self, chosen: np.ndarray) -> "Neurons":
        """The same without the other neurons."""
        return Neurons(self.W[chosen], self.b[chosen], self.v[chosen], self.C, self.c0)


@dataclass(frozen=True)
class Problem:
    """Data, weight and form: all that decides an optimum."""

    X: np.ndarray
    """Inputs, (N, d)."""
    y: np.ndarray
    """Targets, (N,)."""
    lam: float
    """Factor of the regularizer in the objective; positive."""
    kappa: float
    """Factor of the sum of squared errors."""
    form: Form

    @property
    def level(self) -> float:
        """What |sum_n z_n relu(w·x_n - b)| must not exceed for neurons of norm 1."""
        return self.form.factor * self.lam

    @cached_property
    def rows(self) -> list[np.ndarray]:
        """Matrices A with a_n·u what neuron u receives from point n, (N, p) each; the largest
        |z·relu(A u)| over them and unit u is that over all neurons of norm 1.

        If biases are charged there is one, (x_n, 1), with u = (w, -b). Else the maximum over b is
        at some w·x_m, as the sum is linear in b between these and constant beyond: (x_n - x_m) for
        each m, with u = w. Both in coordinates of the space that the data span.
        """
        Q = self.basis
        if self.form.biases:
            return [np.column_stack([self.X, np.ones(len(self.X))]) @ Q]
        return [np.ascontiguousarray((self.X - point) @ Q) for point in self.points]

    @cached_property
    def points(self) -> np.ndarray:
        """The inputs, each once."""
        return np.unique(self.X, axis=0)

    @cached_property
    def spanning(self) -> np.ndarray:
        """The vectors whose span neurons can see, (N, d) or (N, d + 1)."""
        if self.form.biases:
            return np.column_stack([self.X, np.ones(len(self.X))])
        return np.asarray(self.X - self.X[0])

    @cached_property
    def basis(self) -> np.ndarray:
        """Orthonormal columns that span them, the unit vectors if that is all of the space."""
        size = self.spanning.shape[1]
        _, sigma, directions = np.linalg.svd(self.spanning, full_matrices=False)
        kept = sigma > SPANNED * sigma[0] if len(sigma) and sigma[0] > 0 else sigma > 0
        if kept.sum() == size:
            return np.eye(size)
        return np.ascontiguousarray(directions[: max(int(kept.sum()), 1)].T)

    def unseen(self, z: np.ndarray) -> float:
        """What |z·relu| may gain from outside the span of the basis, by rounding."""
        rest = self.spanning - (self.spanning @ self.basis) @ self.basis.T
        return 2 * float(np.abs(z) @ np.linalg.norm(rest, axis=1))

    def neuron(self, index: int, u: np.ndarray) -> tuple[np.ndarray, float]:
        """Weights and bias of the neuron u of `rows[index]`."""
        whole = self.basis @ u
        if self.form.biases:
            return whole[:-1], -float(whole[-1])
        return whole, float(whole @ self.points[index])

    def norms(self, neurons: Neurons) -> np.ndarray:
        """||w_k|| |v_k| or ||(w_k, b_k)|| |v_k|, (K,)."""
        u = neurons.u
        found: np.ndarray = np.linalg.norm(u if self.form.biases else u[:, :-1], axis=1)
        return found

    def skips(self, C: np.ndarray, c0: float) -> float:
        """What is charged beside the neurons, without lam."""
        squares = float(C @ C) if self.form.squares else float(np.abs(C).sum())
        return squares + (c0 * c0 if self.form.biases else 0.0)

    def objective(self, neurons: Neurons) -> float:
        """The objective of a network whose neurons are in balance: at most that of training."""
        error = self.y - neurons.outputs(self.X)
        charged = self.form.factor * self.norms(neurons).sum() + self.skips(neurons.C, neurons.c0)
        return float(self.kappa * (error @ error) + self.lam * charged)

    def residual(self, neurons: Neurons) -> np.ndarray:
        """z = 2 kappa (y - f(X)), (N,): the dual point that belongs to a network."""
        found: np.ndarray = 2 * self.kappa * (self.y - neurons.outputs(self.X))
        return found

    def centred(self, z: np.ndarray) -> np.ndarray:
        """z with a sum of exactly 0, where that is asked for: its entries are then multiples of one
        power of two, so that float64 adds them up without rounding."""
        if self.form.biases:
            return z
        z = z - z.mean()
        largest = float(np.abs(z).max())
        if largest == 0:
            return z
        grain = 2.0 ** (np.ceil(np.log2(largest)) + np.ceil(np.log2(len(z))) - 50)
        z = np.round(z / grain) * grain
        z[np.abs(z).argmax()] -= z.sum()
        return z

    def quadratic(self, z: np.ndarray) -> float:
        """What the dual subtracts from z·y."""
        found = float(z @ z) / (4 * self.kappa)
        if self.form.squares:
            found += float(((self.X.T @ z) ** 2).sum()) / (4 * self.lam)
        if self.form.biases:
            found += float(z.sum() ** 2) / (4 * self.lam)
        return found


class Posed(Part):
    """What decides an optimum: no width, no initial weights, no optimizer."""

    data: AnyData
    regularizer: RegularizerName
    lam: Lam
    objective: Objective

    @classmethod
    def of(cls, run: Run) -> "Posed":
        """The problem that training a run is equal to, if its network is shallow.

        Raises:
            UserError: it is not convex over neurons, and why.
        """
        found = form(regularizers.build(run))
        reason = found if isinstance(found, str) else None
        if set(build(run).shapes) != SHALLOW:
            reason = "its network is not that of Theorem 1 with one ReLU layer (network.L: 1)"
        elif run.data.d_out != 1:
            reason = (
                f"its data have {run.data.d_out} outputs, and the mathematics here is that of one"
            )
        elif run.penalty == 0:
            reason = "without a weight lam any interpolating network is optimal, and the optimum 0"
        if reason:
            raise UserError(f"{run.id}: no certificate of the global optimum: {reason}.")
        objective = run.literal().objective
        return cls(data=run.data, regularizer=run.regularizer, lam=run.lam, objective=objective)

    @cached_property
    def id(self) -> str:
        """Name of its folder."""
        return f"{self.regularizer}-lam{self.lam:g}-seed{self.data.seed}-{self.digest()}"

    def problem(self, X: np.ndarray, y: np.ndarray) -> Problem:
        """The problem on its data.

        Args:
            X: inputs, (N, d).
            y: targets, (N, 1).
        """
        regularizer = regularizers.KINDS[self.regularizer](self.objective)
        found = form(regularizer)
        if isinstance(found, str):
            raise UserError(f"{self.id}: no certificate of the global optimum: {found}.")
        kappa = 1 / len(X) if self.objective.loss == "mean" else 1.0
        return Problem(X, y[:, 0], regularizer.penalty(self.lam), kappa, found)
