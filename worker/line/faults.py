"""What keeps a capture from being judged for good: kept as a fault, told to its station."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from db.line import faults
from producer.contract.answers import FaultAnswer
from producer.contract.event import CaptureEvent


@dataclass(frozen=True)
class Obstacle:
    """Why a capture can never be judged as it is: a short code, and what a person needs to know."""

    reason: str
    detail: str


def gave_up(attempts: int) -> Obstacle:
    """The obstacle of a capture that was tried too often."""
    return Obstacle(
        "crashed",
        f"{attempts} attempts to judge it did not come to an end: the worker died or failed each time, the last ones "
        "with nothing else in hand; look for the capture's id in the worker's log",
    )


def keep(session: Session, event: CaptureEvent, obstacle: Obstacle) -> None:
    """Keep it as a fault, with the event as it came."""
    faults.record(
        session,
        capture_id=event.capture_id,
        station=event.station,
        check_id=event.check_id,
        pocket=event.pocket,
        reason=obstacle.reason,
        detail=obstacle.detail,
        event=event.model_dump_json(exclude_none=True),
        at=datetime.now(UTC),
    )


def answer(event: CaptureEvent, obstacle: Obstacle) -> FaultAnswer:
    """What the capture's station is told."""
    return FaultAnswer(
        capture_id=event.capture_id,
        check_id=event.check_id,
        pocket=event.pocket,
        reason=f"{obstacle.reason}: {obstacle.detail}",
        at=datetime.now(UTC),
    )
