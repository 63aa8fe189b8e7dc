"""What a message carries: one event or several, and whatever else was put there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter, ValidationError

from producer.contract.event import CaptureEvent
from worker.line.faults import CaptureFault, invalid_event

_EVENTS: Final = TypeAdapter(list[CaptureEvent])


CAPTURES_AT_ONCE: Final = 16
"""How many captures of a message are done at once, so that few images are in memory; a larger one is done in parts."""


def entries_of(message: object) -> list[object]:
    """What a message carries: the entries of a list, or itself; of a longer list than the contract allows too."""
    return message if isinstance(message, list) and message else [message]


def parts_of(message: object) -> list[list[object]]:
    """What a message carries, in the parts in which it is handled.

    Of several parts, what is no event comes first: its check is not finished by the others then.
    """
    entries = entries_of(message)
    if len(entries) > CAPTURES_AT_ONCE:
        entries = sorted(entries, key=_is_event)
    return [entries[first : first + CAPTURES_AT_ONCE] for first in range(0, len(entries), CAPTURES_AT_ONCE)]


def _is_event(entry: object) -> bool:
    try:
        CaptureEvent.from_message(entry)
    except ValidationError:
        return False
    return True


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


def log_context(event: CaptureEvent) -> dict[str, str]:
    """The fields of every log line about a capture."""
    return {"capture": str(event.capture_id), "check": str(event.check_id)}
