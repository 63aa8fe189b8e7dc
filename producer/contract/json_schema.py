"""The messages as JSON Schemas, for stations in other languages; kept in `producer/contract/schemas`."""

from __future__ import annotations

import json

from producer.contract.answers import ANSWERS
from producer.contract.event import MESSAGES, CaptureEvent
from producer.contract.insert_change import InsertChange
from producer.contract.plant_event import PlantEvent


def schema_text(what: str) -> str:
    """The JSON Schema of what is named so in the repository's `producer/contract/schemas`: `capture`, say.

    Raises:
        ValueError: there is no schema of that name.
    """
    if what == "capture":
        described = CaptureEvent.model_json_schema()
    elif what == "message":
        described = MESSAGES.json_schema()
    elif what == "answer":
        described = ANSWERS.json_schema()
    elif what == "event":
        described = PlantEvent.model_json_schema()
    elif what == "insert-change":
        described = InsertChange.model_json_schema()
    else:
        raise ValueError(
            f"there is no schema {what!r}: ask for 'capture', 'message', 'answer', 'event' or 'insert-change'"
        )
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"
