"""The messages as JSON Schemas, for stations in other languages; kept in `producer/contract/schemas`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from producer.contract.answers import ANSWERS
from producer.contract.event import MESSAGES, CaptureEvent
from producer.contract.insert_change import InsertChange
from producer.contract.plant_event import PlantEvent

_DESCRIBED: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "capture": CaptureEvent.model_json_schema,
    "message": MESSAGES.json_schema,
    "answer": ANSWERS.json_schema,
    "event": PlantEvent.model_json_schema,
    "insert-change": InsertChange.model_json_schema,
}


def schema_text(what: str) -> str:
    """The JSON Schema of what is named so in the repository's `producer/contract/schemas`: `capture`, say.

    Raises:
        ValueError: there is no schema of that name.
    """
    if what not in _DESCRIBED:
        *names, last = map(repr, _DESCRIBED)
        raise ValueError(f"there is no schema {what!r}: ask for {', '.join(names)} or {last}")
    return json.dumps(_DESCRIBED[what](), indent=2, ensure_ascii=False) + "\n"
