"""What figures 3 and 4 share: they show the matrices between ReLU layers of trained networks."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from sparsedecay.figures import style
from sparsedecay.figures.declaration import Asked, Declaration, Panels, Shown
from sparsedecay.files import paths
from sparsedecay.science.run import Run
from sparsedecay.science.settings import Epoch, Lam, Settings


class TrainedMatrices(Settings):
    """Matrices between ReLU layers of trained networks."""

    lam: Lam
    """Regularization parameter of the regularized networks."""
    epoch: Epoch
    """Epoch at which the networks are shown."""
    layer: Annotated[int, Field(ge=2, le=64)]
    """Shows A^(layer), the matrix into this ReLU layer from the one before. 2 if L = 2."""
    panels: Panels
    """The trained networks, in the order of their panels."""

    @model_validator(mode="after")
    def check(self) -> "TrainedMatrices":
        if len(set(self.panels)) != len(self.panels):
            raise ValueError("panels: each network and regularizer may stand only once")
        return self


class OfMatrices(Declaration[TrainedMatrices]):
    """A figure of matrices. Each adds how it is rendered, and `tables`."""

    section = TrainedMatrices
    replicated = True
    tables: ClassVar[tuple[str, ...]]
    """The tables of each milestone that it reads, besides the weights."""

    def rules(self, settings: TrainedMatrices, study: Asked) -> Iterator[str]:
        if settings.epoch > study.training.epochs:
            yield (
                f"epoch: it lies beyond training.epochs ({study.training.epochs:,}); lower it, or "
                "raise training.epochs"
            )
        if settings.layer > study.network.L:
            yield (
                f"layer: networks of network.L = {study.network.L} hidden layers have no matrix "
                f"into that one; lower it, raise network.L, or leave figures.{self.name} out"
            )

    def milestones(self, settings: TrainedMatrices, study: Asked) -> list[tuple[Run, int]]:
        return [
            (study.run(panel.network, panel.regularizer, settings.lam), settings.epoch)
            for panel in settings.panels
        ]

    def reads(self, shown: tuple[Shown, ...]) -> Iterator[str]:
        for one in shown:
            for table in self.tables:
                yield paths.measured(*one.milestone, table)
            yield paths.state(*one.milestone)


def training(settings: TrainedMatrices) -> str:
    """How the networks were trained, in print."""
    return f"$\\lambda={style.parameter(settings.lam)}$, epoch {settings.epoch:,}"
