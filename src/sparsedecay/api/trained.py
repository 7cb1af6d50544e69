"""A network with its weights, as numpy arrays that a person can look at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsedecay.api.mistakes import matrix
from sparsedecay.science.measures import relu
from sparsedecay.science.networks import Network

if TYPE_CHECKING:
    import torch


class Trained:
    """A network and its parameters. Its widths may differ from layer to layer.

    Example:
        >>> import sparsedecay as sd
        >>> state = sd.train(sd.Run(K=20, d=4, stride=100), 200, progress=False)
        >>> small = state.prune()
        >>> small.neurons <= state.neurons
        True
        >>> len(list(small.to_torch().parameters()))
        10
    """

    def __init__(self, network: Network, parameters: Mapping[str, np.ndarray]) -> None:
        self.network = network
        self.parameters = dict(parameters)
        """By the paper's names: W1 (K, d_0), b1 (K,), V1 (d_1, K), C1, c0_1, … in the precision of
        the run."""

    @cached_property
    def p(self) -> dict[str, np.ndarray]:
        """The parameters in float64, which all that is measured takes."""
        return {name: array.astype(np.float64) for name, array in self.parameters.items()}

    @property
    def neurons(self) -> tuple[int, ...]:
        """ReLU neurons of each layer."""
        return tuple(len(self.parameters[into]) for into, _ in self.network.neurons)

    def __call__(self, X: Any) -> np.ndarray:
        """Outputs (N, D), float64, for inputs X (N, d_0) as the network was trained with them:
        standardised ones if its data were.

        Raises:
            TypeError: they are no numbers.
            ValueError: NaN, infinite, or of another number of columns.
        """
        rows = matrix(X, "X", self.network.d_in)
        return np.asarray(self.network.forward(self.p, rows, relu))

    def matrix(self, name: str) -> np.ndarray:
        """A parameter by name, or `A2`, `A3`, …: the weights from ReLU layer l - 1 into layer l,
        which networks of Theorem 1 hold as the product W^(l) V^(l-1). In float64.

        Raises:
            ValueError: the network has none of this name.
        """
        if name in self.p:
            return self.p[name]
        if name not in self.network.between:
            known = [*self.p, *(n for n in self.network.between if n not in self.p)]
            raise ValueError(f"name: there is no {name!r}; there are {', '.join(known)}")
        factors = [self.p[factor] for factor in self.network.between[name]]
        return np.asarray(np.linalg.multi_dot(factors))

    def to_torch(self) -> torch.nn.Module:
        """The same function as an `nn.Module`, in the precision of the run; its parameters have
        the paper's names and can be trained on."""
        from sparsedecay.api.module import Module

        return Module(self.network, self.parameters)
