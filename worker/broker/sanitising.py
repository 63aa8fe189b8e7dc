"""Sanitising: whatever bytes the inspect queue holds become a message that Celery can read.

Celery 5.7 and kombu 5.7 unpack messages in the loop that receives all of them, and most malformed messages end that
loop: its connection, or the worker. The message is then redelivered: a crash loop from one bad message. So nothing of a
message reaches them as it came. A good one is rebuilt from the four values that matter; any other becomes a message
that carries its text, which ends as a fault by the same path, with the same promises.
"""

from __future__ import annotations

import base64
import json
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, ValidationError

from producer.contract.event import INSPECT_TASK, CaptureEvent
from producer.terminal.error_text import in_words
from worker.broker.messages import celery_message

LONGEST_WAIT: Final = timedelta(seconds=10)
"""How far ahead a message's ETA may be. The worker's own (an image that is not there yet) ask for a second; one that
asked for a year would occupy a worker's prefetch slot for as long."""

MAX_BYTES: Final = 1_000_000
"""A longer message is not read at all; one of a hundred captures has some 150,000 bytes. A list of more captures breaks
the contract, but each of them was photographed: they are judged all the same."""

MAX_TEXT: Final = 16_384
"""How many characters of a message that cannot be read are passed on."""

MAX_BRACKETS: Final = 50
"""An event is flat: one object, with one more for its region. Deeper nesting is a danger to a parser's stack, so what
nests deeper among several events is passed on as its text."""


class _Headers(BaseModel):
    task: Literal["insert_inspection.inspect"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    retries: int = Field(default=0, ge=0, le=1000)
    eta: AwareDatetime | None = None


class _DeliveryInfo(BaseModel):
    exchange: str
    routing_key: str


class _Properties(BaseModel):
    body_encoding: Literal["base64"]
    delivery_tag: str
    delivery_info: _DeliveryInfo


class _Message(BaseModel):
    body: str
    content_type: Literal["application/json"] = Field(alias="content-type")
    content_encoding: Literal["utf-8", "UTF-8"] | None = Field(default=None, alias="content-encoding")
    headers: _Headers
    properties: _Properties


def sanitise(raw: bytes, now: datetime) -> tuple[bytes, str | None]:
    """A Celery message whose one argument is a JSON text, and what was wrong with `raw` (None for a good one).

    The text is that of the event, or of the list of events, that `raw` carries. Where `raw` carries none, it is that of
    one string, `raw` as it came: undecodable bytes written as `\\xNN`, cut to `MAX_TEXT` characters. A message that was
    built here (and is redelivered after a worker died) is read as what it is.

    The delivery tag is a new one each time, because senders may use one twice, and kombu would take the two
    messages for one. Everything else that Celery knows (callbacks, expiry, limits) is dropped: an event asks for none
    of it.
    """
    try:
        headers, text = _read(raw)
        problem = None
    except (ValueError, RecursionError) as error:
        headers = _Headers(task=INSPECT_TASK, id=str(uuid.uuid4()))
        text = json.dumps(raw[: 4 * MAX_TEXT].decode(errors="backslashreplace")[:MAX_TEXT])
        problem = _explained(error)
    eta = headers.eta and min(headers.eta, now + LONGEST_WAIT)
    return celery_message(text, headers.id, retries=headers.retries, eta=eta), problem


def events_in(raw: bytes) -> list[CaptureEvent]:
    """The events that keep the contract of those that `raw` carries."""
    try:
        carried = json.loads(_read(raw)[1])
    except (ValueError, RecursionError):
        return []
    events = []
    for event in carried if isinstance(carried, list) else [carried]:
        with suppress(ValidationError):
            events.append(CaptureEvent.from_message(event))
    return events


def _read(raw: bytes) -> tuple[_Headers, str]:
    """The headers of a message, and the JSON text of its event.

    Raises:
        ValueError, RecursionError: it is not such a message.
    """
    if len(raw) > MAX_BYTES:
        raise ValueError(f"{len(raw)} bytes are no capture's message")
    message = _Message.model_validate_json(raw)
    body: Any = json.loads(base64.b64decode(message.body, validate=True))
    if not (isinstance(body, list) and len(body) == 3):
        raise ValueError("body: not the base64 of [[EVENT],{},{}]")
    args, named, _ = body
    if not (isinstance(args, list) and len(args) == 1) or named:
        raise ValueError("body: not the base64 of [[EVENT],{},{}]")
    argument = args[0]
    if isinstance(argument, str):  # as it was built here
        argument = json.loads(argument)
        if isinstance(argument, str):  # any text may hold any brackets
            return message.headers, args[0]
    text = json.dumps(argument)
    if not _nests(text):
        if argument == []:
            raise ValueError("body: no event")
        return message.headers, text
    if not isinstance(argument, list):
        raise ValueError("body: the event nests too deep")
    texts = [json.dumps(value) for value in argument]
    flat = [json.dumps(text[:MAX_TEXT]) if _nests(text) else text for text in texts]
    return message.headers, f"[{', '.join(flat)}]"


def _nests(text: str) -> bool:
    return not text.startswith('"') and text.count("{") + text.count("[") > MAX_BRACKETS


def _explained(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return in_words(error, "message")
    return f"{type(error).__name__}: {error}"
