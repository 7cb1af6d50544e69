"""Values that are checked: the sections of a config, and the parts that runs are made of.

A field may have a default only if it was added later: the default is then what was there before,
and a value equal to it stays out of the text that names results, so that old results stay valid.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Lam = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Epoch = Annotated[int, Field(ge=1, le=1_000_000_000, json_schema_extra={"unit": "epochs"})]


def increasing(low_high: tuple[float, float]) -> tuple[float, float]:
    if not low_high[0] < low_high[1]:
        raise ValueError("the first number must be smaller than the second")
    return low_high


class Settings(BaseModel):
    """Values of one section; unknown keys and silent conversions are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    def canonical(self) -> str:
        """One line of JSON with sorted keys: equal settings give equal text."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    def digest(self) -> str:
        """Ten hexadecimal digits that stand for all values, each under its name."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:10]


class Part(Settings):
    """Values that runs are made of. What follows from them is computed once, because a study has
    thousands of runs that share them and asks each for its name again and again."""

    @cached_property
    def text(self) -> str:
        """What `canonical` returns."""
        return super().canonical()

    def canonical(self) -> str:
        return self.text

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some other values, without what was computed of the old ones."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


Interval = Annotated[tuple[Finite, Finite], Field(strict=False)]
"""Lowest and highest value; check it with `increasing`."""
