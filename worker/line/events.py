"""What a message carries: one event or several, and whatever else was put there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter, ValidationError

from producer.contract.event import MOST_EVENTS, CaptureEvent
from worker.line.faults import CaptureFault, invalid_event

_EVENTS: Final = TypeAdapter(list[CaptureEvent])


def entries_of(message: object) -> list[object]:
    """What a message carries: the entries of a list, or itself."""
    if isinstance(message, list) and 1 <= len(message) <= MOST_EVENTS:
        return message
    return [message]


def read_events(entries: Sequence[object]) -> tuple[list[CaptureEvent], list[CaptureFault]]:
    """The events among entries, each once, and faults for what is none."""
    events: list[CaptureEvent] = []
    broken = []
    try:
        events = _EVENTS.validate_json(json.dumps(entries))
    except (ValueError, RecursionError):  # something is wrong with one of them
        for entry in entries:
            try:
                events.append(CaptureEvent.from_message(entry))
            except ValidationError as error:
                broken.append(invalid_event(entry, error))
    return list(dict.fromkeys(events)), broken


def about(event: CaptureEvent) -> dict[str, str]:
    """The fields of every log line about a capture."""
    return {"capture": str(event.capture_id), "check": str(event.check_id)}
