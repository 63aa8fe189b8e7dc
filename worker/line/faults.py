"""Permanent failures: the capture is recorded as a fault, and its station is notified."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import UUID7, StrictInt, TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from db.line import faults
from db.line.check_rows import NAMES, NamedCheck
from producer.contract.answers import FaultAnswer
from producer.contract.event import CaptureEvent
from producer.contract.names import MachineName, Name, is_narrow
from producer.contract.reasons import faults as why
from producer.contract.reasons.template import IN_OTHER_WORDS, Reason
from producer.contract.vocabulary import NAMED_PLACES
from producer.terminal.error_text import in_words

MAX_EVENT_TEXT: Final = 20_000
"""Characters that are kept of an event that cannot be read."""


ID_OF_ANOTHER: Final = "id_of_another"
"""The reason of an event whose id another capture has."""


@dataclass(frozen=True)
class CaptureFault:
    """Why a message can never be judged as it is, and which capture it is, as far as the message says so.

    `reason` is a short code, `detail` what a person needs to know, `event` the message as it came. With `check_id` and
    `pocket` its check ends in `review` rather than stay pending. `check` is the check as the event names it, where no
    capture does.
    """

    reason: str
    detail: Reason
    event: str
    capture_id: UUID | None
    station: str | None
    check_id: UUID | None
    pocket: int | None
    check: NamedCheck | None = None

    def record(self, session: Session) -> None:
        """Keep it in the database."""
        faults.record(
            session,
            # Of an id that another capture has it is no fault: it stands for the pocket of its own check alone.
            capture_id=None if self.reason == ID_OF_ANOTHER else self.capture_id,
            station=self.station,
            check_id=self.check_id,
            pocket=self.pocket,
            reason=self.reason,
            detail=self.detail,
            event=self.event,
            at=datetime.now(UTC),
        )

    def answer(self) -> FaultAnswer:
        """The answer for its station."""
        return FaultAnswer(
            capture_id=self.capture_id,
            check_id=self.check_id,
            pocket=self.pocket,
            reason=f"{self.reason}: {self.detail}",
            at=datetime.now(UTC),
        )


def fault_of(event: CaptureEvent, reason: str, detail: Reason) -> CaptureFault:
    """The fault of a capture whose event keeps the contract."""
    return CaptureFault(
        reason=reason,
        detail=detail,
        event=event.model_dump_json(exclude_none=True),
        capture_id=event.capture_id,
        station=event.station,
        check_id=event.check_id,
        pocket=event.pocket,
    )


def crashed(event: CaptureEvent, attempts: int) -> CaptureFault:
    """The fault of a capture that was tried too often."""
    return fault_of(event, "crashed", why.CRASHED(attempts=attempts))


def of_another_capture(event: CaptureEvent) -> CaptureFault:
    """The fault of an event whose id another capture has: of another photograph, check, pocket or operation."""
    fault = fault_of(event, ID_OF_ANOTHER, why.ID_OF_ANOTHER(capture=event.capture_id))
    names = {name: getattr(event, name) for name in NAMES}
    return replace(fault, check=NamedCheck(**names, size=event.check_size, own_id=event.check_id))


def invalid_event(message: object, error: ValidationError) -> CaptureFault:
    """The fault of a message that breaks the contract, with whatever it says in a form that can be used.

    `error` is what `CaptureEvent.from_message` raised for it.
    """
    text = json.dumps(message, default=str)
    fields = _fields_of(message, text)
    readable = {name: _valid(_FIELDS[name], fields.get(name)) for name in _FIELDS}
    if fields.get("schema_version") == 1:  # whose station can read no answer with other names
        readable |= {name: None for name in NAMED_PLACES if not is_narrow(readable[name] or "")}
    check = _check_named(readable, text)
    return CaptureFault(
        reason="invalid_event",
        detail=IN_OTHER_WORDS(text=in_words(error)),
        event=text[:MAX_EVENT_TEXT],
        **{name: readable[name] for name in ("capture_id", "station", "pocket")},
        check_id=readable["check_id"] if check is None else check.check_id,
        check=check,
    )


_FIELDS: Final[dict[str, TypeAdapter[Any]]] = {
    "capture_id": TypeAdapter(UUID7),
    "check_id": TypeAdapter(UUID7),
    "station": TypeAdapter(Name),
    "machine": TypeAdapter(MachineName),
    "head": TypeAdapter(Name),
    "operation": TypeAdapter(Name),
    "pocket": TypeAdapter(Annotated[int, *CaptureEvent.model_fields["pocket"].metadata]),
    "check_size": TypeAdapter(Annotated[StrictInt, *CaptureEvent.model_fields["check_size"].metadata]),
}

_NOT_SAID: Final = "unknown"
"""The station and the operation of a check whose event says none that can be read."""


_ESCAPED: Final = r"\\+(?:u([\da-f]{4})|x([\da-f]{2}))"
"""A letter as JSON escapes it, within however many texts, or one that is no UTF-8 (`broker.sanitising`): Latin-1."""
_NAME: Final = rf"""(?:\\*"((?:[^"\\]|{_ESCAPED}){{1,64}})\\*"|\\*'((?:[^'\\]|{_ESCAPED}){{1,64}})\\*'|(\d+))"""
_PLACE: Final = re.compile(rf"""\\*["'](machine|head)\\*["']\s*:\s*{_NAME}""", re.IGNORECASE)
"""Where a text says a machine or a head, as JSON or as Python writes it."""
_BODY: Final = re.compile(r'"body"\s*:\s*"([\w+/\\-]+)')
_DEEPEST: Final = 4
"""How many objects, lists and texts around an event are looked into."""


def _fields_of(message: object, text: str) -> dict[str, Any]:
    """What a message says by which name, also where the event is wrapped in others: it is the first with a head.

    Of an event of a program's own making the head must be known that was photographed: else nothing would say that its
    last photographs show an insert of before. So, where nothing else can be read, the first one is looked for that
    stands anywhere in its text. Of several in a list no pocket is known: each may be any.
    """
    if isinstance(message, str):
        message = text = _body_of(message) or message
    events = [*islice(_events_in(message), 2)]
    if not events:
        events = [(message if isinstance(message, dict) else {}) | _places_in(text[: 4 * MAX_EVENT_TEXT])]
    pairs = ((str(name).strip().lower(), value) for name, value in events[0].items() if not isinstance(value, bool))
    fields = {name: value.strip() if isinstance(value, str) else value for name, value in pairs}
    fields |= {name: str(fields[name]) for name in ("machine", "head") if isinstance(fields.get(name), int)}
    return fields | ({"pocket": None} if len(events) > 1 else {})


def _places_in(text: str) -> dict[str, str]:
    """The first head that stands in a text, and the machine that stands nearest to it: an envelope may name others."""
    places = [(place[1].lower(), place.start(), place[2] or place[5] or place[8]) for place in _PLACE.finditer(text)]
    head = next((place for place in places if place[0] == "head"), None)
    if head is None:
        return {}
    machine = min(
        (place for place in places if place[0] == "machine"), key=lambda it: abs(it[1] - head[1]), default=None
    )
    return {what: _unescaped(name).strip() for what, _, name in filter(None, (machine, head))}


def _unescaped(name: str) -> str:
    letters = re.sub(_ESCAPED, lambda escaped: chr(int(escaped[1] or escaped[2], 16)), name, flags=re.IGNORECASE)
    return letters.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # two for a letter beyond 16 bits


def _body_of(message: str) -> str | None:
    """The text in the body of a Celery message that cannot be read as such, or was cut; None where it has none."""
    body = _BODY.search(message)
    if body is None:
        return None
    letters = body[1].replace("\\", "").translate(str.maketrans("-_", "+/"))
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    try:
        return b64decode(letters + "=" * (-len(letters) % 4)).decode(errors="ignore")
    except ValueError:  # letters of another alphabet
        return None


def _events_in(message: object, depth: int = _DEEPEST) -> Iterator[dict[Any, Any]]:
    """The objects in a message that name a head."""
    if isinstance(message, str):
        try:
            message = json.loads(message)
        except (ValueError, RecursionError):
            return
    if isinstance(message, dict) and any(_says_head(name, value) for name, value in message.items()):
        yield message
    elif depth and isinstance(message, dict | list):
        for part in message.values() if isinstance(message, dict) else message:
            yield from _events_in(part, depth - 1)


def _says_head(name: object, value: object) -> bool:
    return str(name).strip().lower() == "head" and isinstance(value, str | int) and not isinstance(value, bool)


def _check_named(readable: Mapping[str, Any], text: str) -> NamedCheck | None:
    """The check of an event; None where its head cannot be read.

    Where that is none, it is a check of its own. It is of the event's own pocket where it has no size, and as large as
    its head is known to be where it has no pocket.
    """
    names = {name: readable[name] for name in NAMES}
    if names["head"] is None:
        return None
    own_id = _own_id(text)
    size = 1 if names["check_id"] is None else readable["check_size"] or 1
    if readable["pocket"] is None:
        size = 0
    names |= {name: names[name] or _NOT_SAID for name in ("station", "operation")}
    return NamedCheck(**names | {"check_id": names["check_id"] or own_id}, size=size, own_id=own_id)


def _own_id(text: str) -> UUID:
    """The id of a check of one event alone, the same for each delivery of its text."""
    digest = sha256(text.encode(errors="backslashreplace")).hexdigest()
    return UUID(f"{'0' * 12}7{digest[:3]}8{digest[3:18]}")


def _valid(adapter: TypeAdapter[Any], value: object) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None
