"""What the tables of a sweep are made from."""

from typing import Annotated

from pydantic import Field

from sparsedecay.science.settings import Epoch, Settings


class Group(Settings):
    """The milestones of one setting of a sweep: rows of a table that are stored side by side."""

    runs: Annotated[tuple[str, ...], Field(strict=False)]
    """Run ids, a draw each."""
    epochs: Annotated[tuple[Epoch, ...], Field(strict=False)]
    """Epochs at which each is measured."""


class Join(Settings):
    """All that the tables of a sweep are made from, beside the tables of the runs."""

    groups: Annotated[tuple[Group, ...], Field(strict=False)]
    """The settings, in the order of their rows."""
