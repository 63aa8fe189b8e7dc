"""What a message carries: one event or several, and whatever else somebody has put there."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pydantic import ValidationError

from producer.contract.event import MOST_EVENTS, CaptureEvent
from worker.line.faults import CaptureFault, invalid_event


def entries_of(message: object) -> list[object]:
    """What a message carries: the entries of a list, or itself."""
    if isinstance(message, list) and 1 <= len(message) <= MOST_EVENTS:
        return message
    return [message]


def read_events(entries: Sequence[object]) -> tuple[list[CaptureEvent], list[CaptureFault]]:
    """The events among entries, each once, and faults for what is none."""
    events: dict[UUID, CaptureEvent] = {}
    broken = []
    for entry in entries:
        try:
            event = CaptureEvent.from_message(entry)
        except ValidationError as error:
            broken.append(invalid_event(entry, error))
        else:
            events.setdefault(event.capture_id, event)
    return list(events.values()), broken


def about(event: CaptureEvent) -> dict[str, str]:
    """The names that belong to whatever is logged about a capture."""
    return {"capture": str(event.capture_id), "check": str(event.check_id)}
