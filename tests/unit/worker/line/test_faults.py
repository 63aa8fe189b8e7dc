from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

import pytest
from pydantic import ValidationError

from producer.contract.answers import FaultAnswer
from producer.contract.event import INSPECT_TASK, CaptureEvent
from producer.storage.folder import FolderStore
from tests.support import photograph, stored_event
from worker.line.faults import MAX_EVENT_TEXT, CaptureFault, crashed, fault_of, invalid_event


@pytest.fixture
def event(tmp_path: Path) -> CaptureEvent:
    return stored_event(FolderStore(tmp_path), photograph())


def refused(message: Any) -> CaptureFault:
    with pytest.raises(ValidationError) as error:
        CaptureEvent.from_message(message)
    return invalid_event(message, error.value)


def test_the_fault_of_an_event_keeps_it_and_is_answered_to_its_station(event: CaptureEvent) -> None:
    fault = fault_of(event, "image_missing", "no image 'a.jpg'")
    assert CaptureEvent.from_message(json.loads(fault.event)) == event
    assert (fault.capture_id, fault.check_id, fault.station) == (event.capture_id, event.check_id, event.station)
    answer = fault.answer()
    assert (answer.capture_id, answer.check_id, answer.pocket) == (event.capture_id, event.check_id, event.pocket)
    assert answer.reason == "image_missing: no image 'a.jpg'"


def test_too_many_attempts_are_a_fault_that_says_how_many(event: CaptureEvent) -> None:
    fault = crashed(event, 3)
    assert fault.reason == "crashed"
    assert fault.detail.startswith("3 attempts")


def test_of_a_message_that_breaks_the_contract_what_can_be_used_is(event: CaptureEvent) -> None:
    fault = refused({**event.message(), "pocket": "7", "station": "a\x00b"})
    assert (fault.reason, fault.capture_id, fault.check_id) == ("invalid_event", event.capture_id, event.check_id)
    assert (fault.pocket, fault.station) == (7, None)
    assert "pocket" in fault.detail
    assert json.loads(fault.event)["pocket"] == "7"


WRONG: list[Callable[[dict[str, Any]], Any]] = [
    lambda event: event | {"check_id": "9f6c1d5e-3b1a-4c5d-8e7f-0a1b2c3d4e5f"},
    lambda event: {name: value for name, value in event.items() if name != "check_id"},
    lambda event: {name: value for name, value in event.items() if name != "station"},
    lambda event: event | {"operation": "op\x00"},
    lambda event: event | {"head": f"{event['head']} ", "check_id": 3},
    lambda event: {name: value for name, value in event.items() if name != "head"} | {"Head": event["head"]},
    lambda event: {"event": event},
    lambda event: {"head": {"version": 1}, "body": event},
    lambda event: {"Head": None, "event": event},
    lambda event: event | {"head": {"id": event["head"], "pockets": 4}, "machine": {"Name": event["machine"]}},
    lambda event: event | {"head": [{"name": f" {event['head']} ", "teeth": 4}], "machine": [event["machine"]]},
    lambda event: event | {"head": [event["head"]]},
    lambda event: {"specversion": "1.0", "type": "capture", "data": event},
    json.dumps,
    lambda event: {"type": "capture", "message": json.dumps({"payload": [event]})},
    lambda event: celery_message(event).replace(INSPECT_TASK, "another.task"),
    lambda event: celery_message(event | {"operation": "Schlichten ÿ?>"}).replace("+", "-").replace("/", "_"),
]


def celery_message(event: dict[str, Any]) -> str:
    """A message as a program of one's own writes it, in whose text nothing can be read but what is in its body."""
    body = base64.b64encode(json.dumps([[event], {}, {}], ensure_ascii=False).encode()).decode()
    return json.dumps({"body": body, "headers": {"task": INSPECT_TASK, "id": "an id"}})


@pytest.mark.parametrize("wrong", WRONG, ids=map(str, range(len(WRONG))))
def test_of_an_event_that_cannot_be_used_the_head_is_known_nevertheless(
    event: CaptureEvent, wrong: Callable[[dict[str, Any]], Any]
) -> None:
    """Else its last photographs, of before, would go on to say `go`: a program of one's own has such errors."""
    message = wrong(event.message())
    fault = refused(message)
    assert fault.check is not None
    assert (fault.check.machine, fault.check.head, fault.pocket) == (event.machine, event.head, event.pocket)
    assert fault.check_id == fault.check.check_id == refused(message).check_id, "a redelivery is of the same check"
    FaultAnswer.model_validate(fault.answer().model_dump())  # its id is one that every answer can have
    number = refused(event.message() | {"head": 12, "machine": None})
    assert number.check is not None
    assert (number.check.machine, number.check.head) == (None, "12"), "of each machine that has this head"
    unknown = refused(event.message() | {"pocket": 0})
    assert unknown.check is not None
    assert (unknown.pocket, unknown.check.size) == (None, 0), "as large as its head is known to be"


NO_JSON = [
    "<e:capture><e:machine>{machine}</e:machine><e:head unit='1'>{head}</e:head><e:pocket>3</e:pocket></e:capture>",
    '<capture machine="{machine}" head="{head}" pocket="3"/>',
    "machine: {machine}\nhead: {head}\npocket: 3\n",
    "capture:\n  machine: '{machine}'\n  head: \"{head}\"  # the left one\n",
    "machine={machine}&head={head}&pocket=3",
    "machine={machine} head={head} pocket=3",
    '"machine","head","pocket"\n"{machine}","{head}","3"\n',
    "pocket;head;machine\r\n3;{head};{machine}\r\n",
]
"""Forms of text that are no JSON."""


@pytest.mark.parametrize(
    "wrong",
    [
        lambda event: {"events": [event, event | {"pocket": 8}]},
        lambda event: [event] * 120,
        lambda event: json.dumps(event)[:-9],
        lambda event: json.dumps(event, ensure_ascii=False)[:-9],
        lambda event: {"machine": "gateway-7", "payload": json.dumps(event)[:-9]},
        lambda event: str(event),
        lambda event: json.dumps(event, ensure_ascii=False).encode("latin-1").decode(errors="backslashreplace"),
        lambda event: celery_message(event | {"image": "x" * 9000})[:8000],
        *(lambda event, of=of: of.format(**event) for of in NO_JSON),
        *(lambda event, of=of: {"machine": "gateway-7", "payload": of.format(**event)} for of in NO_JSON),
    ],
)
def test_of_what_is_no_event_the_head_is_known_that_stands_in_it(
    event: CaptureEvent, wrong: Callable[[dict[str, Any]], Any]
) -> None:
    event = event.model_copy(update={"head": "Prüfkopf 5", "schema_version": 2})
    fault = refused(wrong(event.message()))
    assert fault.check is not None
    assert (fault.check.machine, fault.check.head, fault.check.size) == (event.machine, "Prüfkopf 5", 0)
    assert fault.others == ()


@pytest.mark.parametrize("head", ["Kopf (links)", "H#12", "Planfräser, 12-fach", "A & B", "Ø80+1"])
@pytest.mark.parametrize(
    "form",
    [
        "machine: {machine}\nhead: {head}\npocket: 3\n",
        "machine: {machine}\nhead: {head} # the left one\n",
        "- head: {head}\n  machine: {machine}\n",
        "<c><machine>{machine}</machine><head>{xml}</head></c>",
        "<c><machine>{machine}</machine><head><![CDATA[{head}]]></head></c>",
        '<capture machine="{machine}" head="{xml}"/>',
        "machine={machine}&head={url}&pocket=3",
        '\ufeffhead,machine,pocket\n"{head}",{machine},3\n',
    ],
)
def test_a_head_has_all_of_its_name_in_each_form(event: CaptureEvent, head: str, form: str) -> None:
    """Else a head of a part of the name is held, and the one that was photographed is not."""
    text = form.format(machine=event.machine, head=head, xml=escape(head), url=quote_plus(head))
    assert [(check.machine, check.head) for check in refused(text).checks] == [(event.machine, head)]


@pytest.mark.parametrize("head", ["Kopf (links)", "H#12", "H12"])
@pytest.mark.parametrize("form", ["machine={machine};head={head};pocket=3", "Capture(machine={machine}, head={head})"])
def test_a_name_without_quotes_ends_where_the_next_begins(event: CaptureEvent, head: str, form: str) -> None:
    text = form.format(machine=event.machine, head=head)
    assert [check.head for check in refused(text).checks] == [head]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda one, other: {"events": [one, other, one]},
        lambda one, other: one | {"pocket": 0, "previous": other},
        lambda one, other: {"head": "v2", "body": [one, other]},
        lambda one, other: one | {"head": [one["head"]], "previous": other | {"head": {"id": "head-9"}}},
        lambda one, other: json.dumps([one, other])[:-9],
        lambda one, other: "head;machine\r\n{head};{machine}\r\n{}".format("{head};{machine}".format(**other), **one),
        lambda one, other: (
            "<a><head>{head}</head><machine>{machine}</machine></a>".format(**one)
            + "<a><head>{head}</head><machine>{machine}</machine></a>".format(**other)
        ),
    ],
)
def test_of_several_heads_that_a_message_names_each_may_be_the_one(
    event: CaptureEvent, wrong: Callable[[dict[str, Any], dict[str, Any]], Any]
) -> None:
    other = event.message() | {"head": "head-9", "machine": "mill-9"}
    message = wrong(event.message(), other)
    fault = refused(message)
    known = {(check.machine, check.head) for check in fault.checks if check.head != "v2"}
    assert (known, fault.pocket) == ({(event.machine, event.head), ("mill-9", "head-9")}, None)
    assert len({check.own_id for check in fault.checks}) == len(fault.checks)
    assert fault.checks == refused(message).checks, "a redelivery is of the same checks"


@pytest.mark.parametrize(
    "text", ["<html><head><title>502</title></head>", "head: null", "the head of > 5", "\\" * 90_000]
)
def test_what_only_looks_like_a_head_is_none(text: str) -> None:
    assert refused(text).checks == []


def test_of_an_event_without_a_head_the_check_says_which_it_is(event: CaptureEvent) -> None:
    fault = refused({name: value for name, value in event.message().items() if name != "head"})
    assert fault.check is not None
    assert (fault.check.head, fault.check.check_id, fault.check_id) == (None, event.check_id, event.check_id)


@pytest.mark.parametrize("message", [None, 3, "text", [], {}], ids=repr)
def test_what_is_no_event_at_all_is_of_no_capture(message: Any) -> None:
    fault = refused(message)
    assert (fault.capture_id, fault.station, fault.check_id, fault.pocket) == (None, None, None, None)
    assert json.loads(fault.event) == message


def test_a_message_without_end_is_cut() -> None:
    assert len(refused("x" * 2 * MAX_EVENT_TEXT).event) == MAX_EVENT_TEXT
