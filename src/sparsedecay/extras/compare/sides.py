"""One side of a comparison: its milestones with parameters and measures, figures and verdicts.

side.milestones[0].parameters             {"network": "representer", …, "measures.threshold": 0.001}
side.milestones[0].measures               {"mse_tail_median": 0.0016, …, "A2 rank": 1}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparsedecay.files.tables import SUMMARY
from sparsedecay.science.measures import Measures
from sparsedecay.study.entries import escape

ABSENT = "–"
"""Stands for a value that the tables of another version do not have."""
SEEDS = ("target_seed", "weight_seed")
PARAMETERS = tuple(SUMMARY.names[2 : SUMMARY.names.index("record_every") + 1])
"""Columns of the summary that say what was run."""
DEFINITIONS = tuple(f"measures.{name}" for name in Measures.model_fields)
"""How it was measured."""


@dataclass(frozen=True)
class Milestone:
    """A run at an epoch."""

    run: str
    epoch: int
    parameters: Mapping[str, Any]
    """PARAMETERS and DEFINITIONS; ABSENT where the tables do not say. All can be hashed."""
    measures: Mapping[str, float | None] | None
    """What is compared, by name; None if the milestone is not made yet."""
    made_by: Mapping[str, str] = field(default_factory=dict)
    """Versions of what measured it: libraries, and modules of this package as `code NAME`."""


@dataclass(frozen=True)
class Side:
    """What A or B stands for."""

    name: str
    """As messages call it."""
    kind: str
    milestones: list[Milestone]
    figures: Mapping[str, Mapping[str, Path]] | None = None
    """By name and ending; None for a config, which has none of its own."""
    claims: list[dict[str, Any]] | None = None
    """Rows of claims.parquet; None if there is none."""
    config: Mapping[str, Any] | None = None
    """The config as nested sections, if it is one."""
    remedy: str = ""
    """What makes the milestones that are not made yet."""
    notes: tuple[str, ...] = ()
    alias: tuple[str, str] = ("", "")
    """Beginning of its files' paths, and what stands for it in the output."""

    @property
    def missing(self) -> list[Milestone]:
        return [milestone for milestone in self.milestones if milestone.measures is None]

    def shown(self, path: Path) -> str:
        """A file of this side as the output names it."""
        return escape(renamed(str(path), self.alias))


def renamed(text: str, alias: tuple[str, str]) -> str:
    """A text with paths that begin in one way beginning in another."""
    return text.replace(*alias) if alias[0] else text


def hashable(value: Any) -> Any:
    """A value with tuples in place of lists."""
    if isinstance(value, dict):
        return str(value)
    return tuple(map(hashable, value)) if isinstance(value, list | tuple) else value
