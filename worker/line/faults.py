"""Permanent failures: the capture is recorded as a fault, and its station is notified."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
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
from worker.line.named_heads import fields_of

MAX_EVENT_TEXT: Final = 20_000
"""Characters that are kept of an event that cannot be read."""


ID_OF_ANOTHER: Final = "id_of_another"
"""The reason of an event whose id another capture has."""


@dataclass(frozen=True)
class CaptureFault:
    """Why a message can never be judged as it is, and which capture it is, as far as the message says so.

    `reason` is a short code, `detail` what a person needs to know, `event` the message as it came. With `check_id` and
    `pocket` its check ends in `review` rather than stay pending. `check` is the check as the event names it, where no
    capture does; `others` are of other heads that the same message names.
    """

    reason: str
    detail: Reason
    event: str
    capture_id: UUID | None
    station: str | None
    check_id: UUID | None
    pocket: int | None
    check: NamedCheck | None = None
    others: tuple[NamedCheck, ...] = ()

    @property
    def checks(self) -> list[NamedCheck]:
        """All that are to be begun."""
        return [check for check in (self.check, *self.others) if check is not None]

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
    fields, *others = fields_of(message, text)
    if others:  # of which each may be what was photographed
        fields |= {"pocket": None}
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
        others=tuple(_other_checks(readable, others, text)),
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


def _check_named(readable: Mapping[str, Any], text: str) -> NamedCheck | None:
    """The check of an event; None where neither its head nor its check can be read.

    Where its check cannot be read, it is a check of its own. It is of the event's own pocket where it has no size, and
    as large as its head is known to be where it has no pocket.
    """
    names = {name: readable[name] for name in NAMES}
    if names["head"] is None and names["check_id"] is None:
        return None
    own_id = _own_id(text)
    size = 1 if names["check_id"] is None else readable["check_size"] or 1
    if readable["pocket"] is None:
        size = 0
    names |= {name: names[name] or _NOT_SAID for name in ("station", "operation")}
    return NamedCheck(**names | {"check_id": names["check_id"] or own_id}, size=size, own_id=own_id)


def _other_checks(readable: Mapping[str, Any], others: Iterable[Mapping[str, Any]], text: str) -> Iterable[NamedCheck]:
    """The check of each further head that a message names: nobody knows which of them was photographed."""
    known = {(readable["machine"], readable["head"])}
    for fields in others:
        machine, head = (_valid(_FIELDS[name], fields.get(name)) for name in ("machine", "head"))
        if head is None or (machine, head) in known:
            continue
        known.add((machine, head))
        own_id = _own_id(f"{text} {machine} {head}")
        station = readable["station"] or _NOT_SAID
        yield NamedCheck(own_id, station, machine, head, operation=_NOT_SAID, size=0, own_id=own_id)


def _own_id(text: str) -> UUID:
    """The id of a check of one event alone, the same for each delivery of its text."""
    digest = sha256(text.encode(errors="backslashreplace")).hexdigest()
    return UUID(f"{'0' * 12}7{digest[:3]}8{digest[3:18]}")


def _valid(adapter: TypeAdapter[Any], value: object) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None
