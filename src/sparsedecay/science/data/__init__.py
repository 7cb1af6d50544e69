"""Data sets: inputs and targets, drawn or read. A kind a module.

data.inputs()       (N, d_0) float64
data.targets()      (N,) float64
"""

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sparsedecay.science.kinds import Kind, any_of, found
from sparsedecay.science.settings import Part, Seed


def stream(seed: int, name: str) -> np.random.Generator:
    """Random numbers that belong to one purpose: other names give independent streams."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *name.encode()])))


class Data(Kind, Part):
    """What a kind of data set must say."""

    seed: Seed
    """Seed of the targets. It is independent of the seed of the weights."""

    @property
    @abstractmethod
    def points(self) -> int:
        """N, the number of data points."""

    @property
    @abstractmethod
    def d_in(self) -> int:
        """Dimension d_0 of the inputs."""

    @abstractmethod
    def inputs(self) -> np.ndarray:
        """All inputs, (N, d_0) float64."""

    @abstractmethod
    def targets(self) -> np.ndarray:
        """One target for each input, (N,) float64."""

    @property
    @abstractmethod
    def about(self) -> str:
        """The data set in a few words."""

    @property
    @abstractmethod
    def slug(self) -> str:
        """What its folder's name begins with."""

    @cached_property
    def id(self) -> str:
        """Name of the data set's folder."""
        return f"{self.slug}-{self.digest()}"


KINDS = found(__name__, Data)
if TYPE_CHECKING:
    AnyData = Data
else:
    AnyData = any_of(KINDS)
