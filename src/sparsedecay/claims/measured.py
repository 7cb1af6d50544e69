"""One draw of an experiment: its trained networks, as the statements ask for them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sparsedecay.claims.networks import Reading, Statements, Trained
from sparsedecay.files.results import Results
from sparsedecay.science import networks
from sparsedecay.science.measures import TAIL
from sparsedecay.science.networks import role


class NotTrained(Exception):
    """No network of that kind was trained, or not to that epoch."""


class Diverged(Exception):
    """A network diverged before the epoch that is asked for."""


class OnSpike(Exception):
    """A network's weights are those on a spike of the loss, so they say nothing of its state."""


@dataclass(frozen=True)
class Measured:
    """The tables of one trained network at a milestone."""

    results: Results
    trained: Trained
    epoch: int
    kinds: tuple[str, ...]

    @cached_property
    def summary(self) -> pd.Series:
        return self.results.table(self.trained.run, self.epoch, "summary").iloc[-1]

    @cached_property
    def matrices(self) -> pd.DataFrame:
        """One row for each matrix, indexed by its name.

        Raises:
            OnSpike: they were measured on a spike of the loss.
        """
        if self.summary["on_spike"]:
            raise OnSpike
        table = self.results.table(self.trained.run, self.epoch, "matrices")
        return table.set_index("matrix")

    @property
    def error(self) -> float:
        """Mean squared error, median at the end, over the mean square of the targets."""
        return float(self.summary["mse_tail_median"] / self.summary["target_mean_square"])

    @property
    def sparsity(self) -> float:
        """Average sparsity, median at the end."""
        average = self._average(self.epoch)
        return float(average.iloc[-TAIL:].median())

    @property
    def initial_sparsity(self) -> float:
        """Average sparsity of the initial matrices."""
        return float(self._average(self.trained.first).loc[0])

    def _average(self, epoch: int) -> pd.Series:
        """Average sparsity by epoch, up to a milestone."""
        table = self.results.rows(self.trained.run, epoch, "trajectory", measure="sparsity")
        chosen = table["matrix"].map(role).isin(self.kinds)
        return table[chosen].groupby("epoch")["value"].mean()

    @property
    def neurons(self) -> list[int]:
        """Neurons of each ReLU layer that matter to the fit, parallel ones counted once.

        Raises:
            OnSpike: as `matrices`.
        """
        if self.summary["on_spike"]:
            raise OnSpike
        return list(self.summary["distinct_neurons"])

    @property
    def largest_entries(self) -> np.ndarray:
        """The largest magnitude in each trained matrix of the kinds that are averaged."""
        product = networks.KINDS[self.trained.network].factorised  # then A is no trained matrix
        names = self.matrices.index
        chosen = [role(n) in self.kinds and not (product and n[0] == "A") for n in names]
        found: np.ndarray = self.matrices["max_abs"][chosen].to_numpy()
        return found


@dataclass(frozen=True)
class Draw:
    """All networks of one draw, at one epoch. Whoever asks for one that had diverged by then gets a
    `Diverged`."""

    results: Results
    asked: Statements
    reading: Reading
    networks: tuple[Trained, ...]
    epoch: int

    def at(self, network: str, regularizer: str, lam: float) -> Measured:
        """The network of figures 2 to 4 with this regularizer.

        Raises:
            NotTrained: there is none.
        """
        lam = 0.0 if regularizer == "none" else lam
        for one in self.networks:
            same = (one.network, one.regularizer, one.lam) == (network, regularizer, lam)
            if same and self.asked.layer <= one.L and self.epoch in one.epochs:
                return self._measured(one)
        raise NotTrained

    def between(self, network: str, regularizer: str, lam: float | None = None) -> pd.Series:
        """Row of the table `matrices` for A of figures 3 and 4, with their lam or another."""
        trained = self.at(network, regularizer, self.asked.lam if lam is None else lam)
        return trained.matrices.loc[f"A{self.asked.layer}"]

    def group(self, name: str) -> list[Measured]:
        """All networks of a group.

        Raises:
            NotTrained: there are none, or not all to this epoch.
        """
        found = [one for one in self.networks if name in one.groups]
        if not found or any(self.epoch not in one.epochs for one in found):
            raise NotTrained
        return [self._measured(one) for one in found]

    def _measured(self, one: Trained) -> Measured:
        if self.results.diverged(one.run, self.epoch) is not None:
            raise Diverged
        return Measured(self.results, one, self.epoch, self.reading.average_over)
