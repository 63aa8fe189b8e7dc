"""What is fuzzed: each target makes an input from a source of randomness, gives it to the product and names the result.

Every result that is allowed has a name; whatever a target raises is a finding.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from celery import Celery
from celery.worker.request import Request
from kombu.transport.virtual import Channel, Message
from pydantic import ValidationError

from db.engine import migrate
from db.engine.database import Database
from producer.contract.answers import ANSWERS
from producer.contract.event import INSPECT_TASK, CaptureEvent
from producer.storage.folder import FolderStore
from tests.fuzz import documents, pictures
from worker.broker.sanitising import sanitise
from worker.images.decoding import UnusableImage, decode
from worker.images.pillow_warnings import quiet_decoders
from worker.line.attempts import IMAGE_TRIES
from worker.line.inspector import Inspector
from worker.models.line_model import Judgement
from worker.monitoring.metrics import WorkerMetrics

NOW: Final = datetime(2026, 11, 22, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Target:
    """`make` an input; `shown` are its bytes as a file keeps them; `run` gives it to the product."""

    make: Callable[[Random], Any]
    shown: Callable[[Any], bytes]
    run: Callable[[Any], str]


def run_event(value: Any) -> str:
    """Plain values to an event, which survives the way to its message and back."""
    try:
        event = CaptureEvent.from_message(documents.as_values(value))
    except ValidationError as error:
        return f"refused: {error.errors()[0]['type']}"
    assert CaptureEvent.from_message(event.message()) == event
    return "accepted"


def run_answer(raw: bytes) -> str:
    """An entry of a station's stream to an answer."""
    try:
        answer = ANSWERS.validate_json(raw)
    except ValidationError as error:
        return f"refused: {error.errors()[0]['type']}"
    text = answer.model_dump_json()
    assert ANSWERS.validate_json(text).model_dump_json() == text
    return "accepted"


def run_message(raw: bytes) -> str:
    """Bytes from the queue to a task's argument, as kombu and Celery themselves read them, and on to the event."""
    made, problem = sanitise(raw, NOW)
    opened = Message(json.loads(made), channel=_Decoding())
    (text,) = Request(opened, app=_APP, task=_TASK).args
    value = json.loads(text)
    try:
        CaptureEvent.from_message(value)
    except ValidationError as error:
        return "no message" if problem else f"refused: {error.errors()[0]['type']}"
    assert problem is None
    return "accepted"


def run_picture(given: tuple[bytes, tuple[int, int], pictures.Region | None]) -> str:
    """An image file to pixels, without a word on standard error."""
    data, size, region = given
    with _warnings_as_findings():
        try:
            pixels = decode(data, size, region)
        except UnusableImage as error:
            return f"refused: {re.split(r': |, |[(0-9]', error.reason)[0].strip()}"
    assert pixels.shape == (*size, 3)
    assert pixels.dtype == np.uint8
    return "accepted"


class Unsure:
    """A judge that leaves everything to a person."""

    model_in_charge = None

    def judge_all(self, images: list[Any]) -> list[Judgement]:
        """Judge nothing."""
        return [Judgement("unsure") for _ in images]


class Line:
    """A message's whole way through a worker's inspector, on a real SQLite database; nobody has sent its image."""

    def __init__(self, folder: Path):
        url = f"sqlite:///{folder / 'inserts.db'}"
        migrate.upgrade(url)
        self.told: list[str] = []
        self._database = Database(url)
        parts: Any = self, self  # notifier and sender
        self._inspector = Inspector(self._database, FolderStore(folder), Unsure(), *parts, WorkerMetrics())  # type: ignore[arg-type]

    def send(self, answers: list[Any], *_: object) -> None:
        """Take the place of the notifier, which writes them as JSON, and of who sends messages back: there are none."""
        self.told += [answer.model_dump_json(exclude_none=True) for _, answer in answers]

    def run(self, raw: bytes) -> str:
        """Handle one message; it ends as a fault, kept and told, for one reason or another."""
        self.told.clear()
        made, _ = sanitise(raw, NOW)
        (text,) = Request(Message(json.loads(made), channel=_Decoding()), app=_APP, task=_TASK).args
        self._inspector.inspect(json.loads(text), retries=IMAGE_TRIES)
        told = [json.loads(each) for each in self.told if '"kind":"fault"' in each]
        return f"fault: {told[0]['reason'].partition(':')[0]}, told" if told else "fault: of nobody's station"

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def targets(line: Line | None = None) -> dict[str, Target]:
    """All targets by name; the `line` only where there is one."""
    text = "surrogatepass"
    found = {
        "event": Target(documents.event, lambda value: repr(value).encode(errors=text), run_event),
        "answer": Target(documents.answer, bytes, run_answer),
        "message": Target(documents.message, bytes, run_message),
        "picture": Target(pictures.picture, lambda given: given[0], run_picture),
    }
    if line is not None:
        found["line"] = Target(documents.message, bytes, line.run)
    return found


@contextmanager
def _warnings_as_findings() -> Any:
    with warnings.catch_warnings(record=True) as caught:
        quiet_decoders()
        yield
    assert not caught, f"a warning: {caught[0].message}"


class _Decoding:
    """The part of a kombu channel that a message needs to be read."""

    codecs = Channel.codecs
    decode_body = Channel.decode_body


_APP = Celery("fuzz", set_as_current=False)


@_APP.task(name=INSPECT_TASK, shared=False)  # type: ignore[untyped-decorator]
def _TASK(text: str) -> None:  # noqa: N802
    """Never called: Celery wants to know the task."""
