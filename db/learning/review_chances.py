"""The chance with which a verdict is offered for review: whoever labels it knows what its label stands for.

An unsure verdict is offered with certainty, and one of the others with the chance of the sample. What else is reviewed,
because it was near a threshold, because somebody asked for it, or because it was imported, has no chance that is known.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.schema.tables import Captures, Verdicts
from producer.contract.names import IMPORTED

SAMPLE_ONE_IN: Final = 20
"""One in so many verdicts that are not unsure is looked at, so that a confident mistake has a chance to be seen."""

_SCATTER: Final = 40_503, 65_536
"""A multiplier and a modulus that scatter numbers evenly, and keep no step with the pockets of a head (Knuth, The Art
of Computer Programming 3, 6.4: the multiplier is the modulus by the golden ratio)."""


def drawn(number: Any) -> Any:
    """Whether chance has chosen the verdict of that number (or column of numbers): always the same."""
    multiplier, modulus = _SCATTER
    return number * multiplier % modulus < modulus // SAMPLE_ONE_IN


def chance_of(outcome: str, number: int) -> float | None:
    """The chance with which the verdict of that number is offered for review; None where it is not by chance."""
    if outcome == "unsure":
        return 1.0
    return 1 / SAMPLE_ONE_IN if drawn(number) else None


def current_chance(session: Session, capture_id: UUID) -> float | None:
    """The same of a capture's verdict that is in force; None without one, and of what was imported."""
    query = (
        select(Verdicts.outcome, Verdicts.id)
        .join(Captures, Captures.capture_id == Verdicts.capture_id)
        .where(Verdicts.capture_id == capture_id, Verdicts.current, Captures.machine != IMPORTED)
    )
    verdict = session.execute(query).first()
    return None if verdict is None else chance_of(*verdict)
