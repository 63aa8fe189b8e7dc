"""What can be read of a message that breaks the contract, so that its fault says as much as it may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import UUID7, StrictInt, TypeAdapter, ValidationError

from producer.contract.names import Name
from producer.terminal.error_text import in_words


@dataclass(frozen=True)
class Refusal:
    """What is wrong with a message, and whose it is as far as it says so in a form that can be used."""

    detail: str
    capture_id: UUID | None
    station: str | None
    check_id: UUID | None
    """With it and the pocket, its check ends in `review` rather than stay pending."""
    pocket: int | None


def refusal(message: object, error: ValidationError) -> Refusal:
    """Read `message`, which `CaptureEvent.from_message` refused with `error`."""
    fields: dict[str, Any] = message if isinstance(message, dict) else {}
    return Refusal(
        detail=in_words(error),
        capture_id=_valid(TypeAdapter(UUID7), fields.get("capture_id")),
        station=_valid(TypeAdapter(Name), fields.get("station")),
        check_id=_valid(TypeAdapter(UUID7), fields.get("check_id")),
        pocket=_valid(TypeAdapter(StrictInt), fields.get("pocket")),
    )


def _valid(adapter: TypeAdapter[Any], value: object) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None
