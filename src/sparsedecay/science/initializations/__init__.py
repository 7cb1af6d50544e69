"""Initializations: where training starts. A kind a module."""

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from sparsedecay.science.data import stream
from sparsedecay.science.kinds import Kind, any_of, found
from sparsedecay.science.networks import Network
from sparsedecay.science.settings import Part, Seed


class Initialization(Kind, Part):
    """What a kind of initialization must say."""

    seed: Seed
    """Seed of the initial parameters. It is independent of the seed of the targets."""

    @abstractmethod
    def value(self, name: str, network: Network, random: np.ndarray) -> np.ndarray:
        """A parameter's initial value, from numbers of its shape that are uniform on [0, 1)."""

    def values(self, network: Network) -> dict[str, np.ndarray]:
        """Initial parameters by name, float64, each from a stream of its own, so that a network
        with more layers starts with the same first ones."""
        return {
            name: self.value(name, network, stream(self.seed, f"weights {name}").random(shape))
            for name, shape in network.shapes.items()
        }


KINDS = found(__name__, Initialization)
if TYPE_CHECKING:
    AnyInitialization = Initialization
else:
    AnyInitialization = any_of(KINDS)
