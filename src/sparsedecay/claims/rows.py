"""Rows of a table of statements: every number that tests one, in every reading, at every epoch."""

import math
from collections.abc import Iterator
from typing import Any

from sparsedecay.claims.measured import Diverged, Draw, NotTrained, OnSpike
from sparsedecay.claims.networks import Reading, Statements
from sparsedecay.claims.statements import CLAIMS, Claim, Part
from sparsedecay.claims.verdict import distance, judged, worst
from sparsedecay.files.results import Results

ABOUT = ("statement", "place", "quote", "reported", "counted")
"""What a row tells of its statement."""

Values = dict[int, list[float | None]]
"""Numbers of all draws, by the place of their part, from 1."""


def rows(asked: Statements, results: Results) -> Iterator[dict[str, Any]]:
    """Rows of the table: every part of every statement, in every reading, at every epoch for which
    its networks were trained in all draws."""
    for reading in asked.readings:
        epochs = sorted({epoch for draw in reading.draws for one in draw for epoch in one.epochs})
        for claim in CLAIMS:
            for epoch in epochs:
                yield from tested(claim, asked, reading, epoch, results)


def tested(
    claim: Claim, asked: Statements, reading: Reading, epoch: int, results: Results
) -> list[dict[str, Any]]:
    """The parts of one statement in one reading at one epoch."""
    draws = [Draw(results, asked, reading, networks, epoch) for networks in reading.draws]
    values: Values = {}
    for place, part in enumerate(claim.parts, start=1):
        try:
            values[place] = [number(part, draw) for draw in draws]
        except NotTrained:
            if not asked.partial:
                return []
    return written(claim, reading, epoch, epoch == asked.epochs[claim.epoch], values)


def written(
    claim: Claim, reading: Reading, epoch: int, stated: bool, values: Values
) -> list[dict[str, Any]]:
    """The rows of one statement, from the numbers of its parts in all draws."""
    found = [part_row(place, claim.parts[place - 1], n) for place, n in values.items()]
    about = {
        "reading": reading.name,
        "title": reading.title,
        "claim": claim.id,
        **{name: getattr(claim, name) for name in ABOUT},
        "epoch": epoch,
        "stated": stated,
        "seeds": len(reading.draws),
        "claim_verdict": worst([row["verdict"] for row in found]),
    }
    return [about | row for row in found]


def number(part: Part, draw: Draw) -> float | None:
    """The number of one draw; None if a network that it needs has diverged, NaN if one lies on a
    spike of the loss."""
    try:
        return float(part.measure(draw))
    except Diverged:
        return None
    except OnSpike:
        return math.nan


def part_row(place: int, part: Part, values: list[float | None]) -> dict[str, Any]:
    """One part: its numbers, their interval, its limits and the verdict."""
    at_rest = [value for value in values if value is None or not math.isnan(value)]
    found, verdict = judged(at_rest, part.low, part.high)
    return {
        "part": place,
        "quantity": part.quantity,
        "why": part.why,
        "values": values,
        "diverged": values.count(None),
        "on_spike": sum(value is not None and math.isnan(value) for value in values),
        "value": found.median,
        "low": found.low,
        "high": found.high,
        "coverage": found.coverage,
        "distance": distance(found.median, part.low, part.high),
        "limit_low": part.low if math.isfinite(part.low) else None,
        "limit_high": part.high if math.isfinite(part.high) else None,
        "verdict": verdict,
    }
