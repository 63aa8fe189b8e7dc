from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from celery.worker.request import Request
from hypothesis import given
from hypothesis import strategies as st
from kombu.transport.virtual import Channel, Message

from producer.contract.event import INSPECT_QUEUE, INSPECT_TASK
from tests.support import message as event
from worker.broker.sanitising import LONGEST_WAIT, MAX_BYTES, MAX_TEXT, events_in, sanitise

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
APP = Celery("test", set_as_current=False)


@APP.task(name=INSPECT_TASK)  # type: ignore[untyped-decorator]
def inspect(text: str) -> None:
    """Never called: Celery wants to know the task."""


class Decoding:
    """The part of a kombu channel that a message needs to be read."""

    codecs = Channel.codecs
    decode_body = Channel.decode_body


def body_of(*args: Any, **named: Any) -> str:
    return base64.b64encode(json.dumps([args, named, {}]).encode()).decode()


def good(**changes: Any) -> dict[str, Any]:
    """A station's message, with these parts changed (None: left out)."""
    message: dict[str, Any] = {
        "body": body_of(event()),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": INSPECT_TASK, "id": "an id", "retries": 0, "eta": None, "lang": "py"},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": "a tag",
            "delivery_info": {"exchange": "", "routing_key": INSPECT_QUEUE},
            "priority": 0,
        },
    }
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in {**message, **changed}.items() if value is not None}


def received(raw: bytes) -> tuple[Request, Any]:
    """`raw` sanitised, opened by kombu and Celery themselves; and the message in it."""
    opened = Message(json.loads(sanitise(raw, NOW)[0]), channel=Decoding())
    assert opened.delivery_info == {"exchange": "", "routing_key": INSPECT_QUEUE}
    request = Request(opened, app=APP, task=inspect)
    (text,) = request.args
    assert request.kwargs == {}
    return request, json.loads(text)


def test_an_event_arrives_as_it_was_sent() -> None:
    sent = event()
    request, arrived = received(json.dumps(good(body=body_of(sent))).encode())
    assert arrived == sent
    assert (request.id, request.eta, request.expires) == ("an id", None, None)
    assert sanitise(json.dumps(good()).encode(), NOW)[1] is None


def test_several_events_arrive_as_they_were_sent() -> None:
    sent = [event(pocket=pocket, region={"left": 1, "top": 2, "width": 30, "height": 40}) for pocket in range(120)]
    raw = json.dumps(good(body=body_of(sent))).encode()
    assert len(raw) < MAX_BYTES / 5
    assert received(raw)[1] == sent
    assert sanitise(raw, NOW)[1] is None
    assert [each.pocket for each in events_in(raw)] == list(range(1, 120)), "the pocket 0 breaks the contract"


def test_one_of_several_events_that_nests_too_deep_costs_only_itself() -> None:
    sent, deep = event(), {"a": json.loads(nested(60))}
    raw = json.dumps(good(body=body_of([sent, deep, "text", None]))).encode()
    assert received(raw)[1] == [sent, json.dumps(deep), "text", None]


def test_what_comes_again_is_the_same_with_a_new_tag() -> None:
    several = json.dumps(good(body=body_of([event(), "text", json.loads(nested(60))]))).encode()
    for raw in (json.dumps(good()).encode(), several, b"\xff no message", b'{"a": "[[[["}' * 5000):
        first, _ = sanitise(raw, NOW)
        again, problem = sanitise(first, NOW)
        assert problem is None
        one, two = json.loads(first), json.loads(again)
        assert one["properties"].pop("delivery_tag") != two["properties"].pop("delivery_tag")
        assert one == two


def test_an_event_that_waits_keeps_its_count_and_its_time_within_bounds() -> None:
    soon, late = NOW + timedelta(seconds=1), NOW + timedelta(days=365)
    for asked, given_ in ((soon, soon), (late, NOW + LONGEST_WAIT)):
        headers = {"task": INSPECT_TASK, "id": "x", "retries": 3, "eta": asked.isoformat()}
        request, _ = received(json.dumps(good(headers=headers)).encode())
        assert request.eta == given_
        assert request.request_dict["retries"] == 3


def test_what_celery_would_act_on_is_left_behind() -> None:
    headers = {**good()["headers"], "expires": "2020-01-01T00:00:00+00:00", "timelimit": [1, 1], "shadow": "other"}
    embedded = base64.b64encode(json.dumps([[event()], {}, {"callbacks": [{"task": "other"}]}]).encode()).decode()
    request, _ = received(json.dumps(good(headers=headers, body=embedded)).encode())
    assert (request.expires, request.time_limits, request.name) == (None, (None, None), INSPECT_TASK)
    assert request.message.decode()[2] == {}


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


BROKEN = {
    "no JSON": b"no JSON",
    "nothing": b"",
    "not UTF-8": b"\xff\xfe\x00{",
    "another value": b"17",
    "a list": b"[1, 2]",
    "half a message": json.dumps(good()).encode()[:300],
    "deep": nested(200_000).encode(),
    "a bare event": json.dumps(event()).encode(),
    "no headers": json.dumps(good(headers=None)).encode(),
    "headers of another kind": json.dumps(good(headers=["task"])).encode(),
    "another task": json.dumps(good(headers={"task": "os.system", "id": "x"})).encode(),
    "no id": json.dumps(good(headers={"task": INSPECT_TASK})).encode(),
    "an odd time": json.dumps(good(headers={"task": INSPECT_TASK, "id": "x", "eta": "tomorrow"})).encode(),
    "no content type": json.dumps(good(content_type=None)).encode(),
    "a pickle": json.dumps(good(content_type="application/x-python-serialize")).encode(),
    "another character set": json.dumps(good(content_encoding="utf-7")).encode(),
    "no properties": json.dumps(good(properties=None)).encode(),
    "no tag": json.dumps(good(properties={"body_encoding": "base64", "delivery_info": {}})).encode(),
    "no body": json.dumps(good(body=None)).encode(),
    "a body that is not base64": json.dumps(good(body="%%%")).encode(),
    "a body that is no JSON": json.dumps(good(body=base64.b64encode(b"{").decode())).encode(),
    "a body of two parts": json.dumps(good(body=base64.b64encode(b"[[{}], {}]").decode())).encode(),
    "two events": json.dumps(good(body=body_of(event(), event()))).encode(),
    "named arguments": json.dumps(good(body=body_of(event(), may_wait=True))).encode(),
    "no events": json.dumps(good(body=body_of([]))).encode(),
    "an event that nests": json.dumps(good(body=body_of({"a": json.loads(nested(60))}))).encode(),
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_what_is_no_message_arrives_as_its_text(raw: bytes) -> None:
    _, problem = sanitise(raw, NOW)
    assert problem
    request, arrived = received(raw)
    assert arrived == raw.decode(errors="backslashreplace")[:MAX_TEXT]
    assert request.id


def test_a_huge_message_is_cut() -> None:
    made, problem = sanitise(b"\x00" * (MAX_BYTES + 1), NOW)
    assert "bytes" in (problem or "")
    assert len(made) < MAX_BYTES / 4
    assert received(b"\x00" * (MAX_BYTES + 1))[1] == "\x00" * MAX_TEXT


def test_values_that_kombu_would_turn_into_others_stay_as_they_are() -> None:
    odd = {"__type__": "uuid", "__value__": "no uuid"}
    assert received(json.dumps(good(body=body_of(odd))).encode())[1] == odd


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)
PARTS = st.sampled_from(["body", "content-type", "content-encoding", "headers", "properties"])


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_at_all_can_be_taken(raw: bytes) -> None:
    received(raw)


@given(PARTS, JSON)
def test_any_part_may_be_anything(part: str, value: Any) -> None:
    received(json.dumps({**good(), part: value}).encode())


@given(st.sampled_from(["task", "id", "retries", "eta", "argsrepr", "timelimit", "compression"]), JSON)
def test_any_header_may_be_anything(name: str, value: Any) -> None:
    received(json.dumps(good(headers={**good()["headers"], name: value})).encode())


@given(JSON)
def test_any_argument_arrives(value: Any) -> None:
    request, arrived = received(json.dumps(good(body=body_of(value))).encode())
    if isinstance(value, dict | int | float) or value is None or (isinstance(value, list) and value):
        assert arrived == value
    assert request.args
