from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import producer
from producer.contract.event import (
    MOST_EVENTS,
    CaptureEvent,
    are_of_one_outbox,
    check_key,
    message_of,
    new_id,
    next_id,
    node,
    version_for,
)
from producer.contract.json_schema import schema_text
from tests.support import message


def test_an_event_survives_its_message() -> None:
    event = CaptureEvent.from_message(message(region={"left": 0, "top": 1, "width": 10, "height": 20}, edge=2))
    again = CaptureEvent.from_message(json.loads(json.dumps(event.message())))
    assert again == event
    assert event.message()["captured_at"] == "2026-11-22T09:00:00Z"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"colour": "gold"}, "colour"),
        ({"pocket": "7"}, "pocket"),
        ({"pocket": 7.0}, "pocket"),
        ({"pocket": True}, "pocket"),
        ({"pocket": 0}, "pocket"),
        ({"check_size": None}, "check_size"),
        ({"captured_at": "2026-11-22T10:00:00"}, "captured_at"),
        ({"captured_at": "yesterday"}, "captured_at"),
        ({"capture_id": "3d3f5a0c-8ac5-4a3c-9f0a-0a4b1f4b5d11"}, "capture_id"),
        ({"capture_id": "seven"}, "capture_id"),
        ({"image": "../secrets.jpg"}, "image"),
        ({"image": "a/../../b.jpg"}, "image"),
        ({"image": "/etc/passwd"}, "image"),
        ({"image": "C:\\images\\1.jpg"}, "image"),
        ({"image": "a//b.jpg"}, "image"),
        ({"image": ""}, "image"),
        ({"image": "a/b.jpg\x00"}, "image"),
        ({"image_sha256": "0" * 63}, "image_sha256"),
        ({"image_sha256": "A" * 64}, "image_sha256"),
        ({"station": "a b"}, "station"),
        ({"station": "verdicts:*"}, "station"),
        ({"schema_version": 6}, "schema_version"),
        ({"machine": "Fräse 3"}, "machine"),
        ({"schema_version": 2, "machine": "Fräse/3"}, "machine"),
        ({"schema_version": 2, "operation": "op "}, "operation"),
        ({"machine": "imported"}, "machine"),
        ({"region": {"left": -1, "top": 0, "width": 1, "height": 1}}, "region.left"),
        ({"region": {"left": 0, "top": 0, "width": 0, "height": 1}}, "region.width"),
        ({"region": {"x1": 0, "y1": 0, "x2": 9, "y2": 9, "above": 1, "below": 1}}, "region"),
        ({"schema_version": 2, "region": {"polygon": [[0, 0], [9, 0], [9, 9]]}}, "region"),
        ({"schema_version": 3, "region": {"x1": 0, "y1": 0, "x2": 9, "y2": 9, "above": 1}}, "region.below"),
        ({"schema_version": 3, "region": {"polygon": [[0, 0], [9, 0], [9.5, 9], [0, 9]]}}, "region.polygon.2.0"),
        ({"insert_designation": "insert"}, "insert_designation"),
        ({"captured_at": "0001-01-01T00:00:00+23:59"}, "captured_at"),
        ({"captured_at": "9999-12-31T23:59:59-23:59"}, "captured_at"),
        ({"captured_at": "1969-12-31T23:59:59Z"}, "captured_at"),
        ({"operations_on_edge": 2**31}, "operations_on_edge"),
        ({"region": {"left": 10**30, "top": 0, "width": 1, "height": 1}}, "region.left"),
    ],
)
def test_what_breaks_the_contract_is_refused_and_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CaptureEvent.from_message(message(**changes))
    assert [".".join(map(str, error["loc"])) for error in refused.value.errors()] == [field]


@pytest.mark.parametrize("payload", [None, 7, "text", [], {}, [{"capture_id": 1}]])
def test_what_is_no_event_at_all_is_refused(payload: object) -> None:
    with pytest.raises(ValidationError):
        CaptureEvent.from_message(payload)


def test_what_cannot_even_be_written_as_json_is_refused() -> None:
    nested: list[Any] = []
    for _ in range(20_000):
        nested = [nested]
    for payload in (nested, message(region=nested), message(pocket=10**5000)):
        with pytest.raises(ValidationError, match="no event"):
            CaptureEvent.from_message(payload)


def test_an_event_is_frozen() -> None:
    event = CaptureEvent.from_message(message())
    with pytest.raises(ValidationError):
        event.pocket = 8  # type: ignore[misc]


@pytest.mark.parametrize("designation", ["SNMG120408", "SEKN 1203 AFTN", "APMT1604PDER", "RCKT 10T3 M0"])
def test_designations_of_iso_1832_are_taken(designation: str) -> None:
    assert CaptureEvent.from_message(message(insert_designation=designation)).insert_designation == designation


@given(st.text(max_size=80))
def test_no_key_leaves_the_root(key: str) -> None:
    try:
        check_key(key)
    except ValueError:
        return
    root = Path("/root/of/images")
    assert (root / key).resolve().is_relative_to(root)
    assert not key.startswith("/")
    assert "\\" not in key


@pytest.mark.parametrize("name", ["capture", "message", "answer", "insert-change"])
def test_the_schema_in_the_repository_is_the_code_s(name: str) -> None:
    kept = Path(producer.__file__).parent / "contract" / "schemas" / f"{name}.schema.json"
    assert kept.read_text(encoding="utf-8") == schema_text(name), "run `make schemas` and look at what changed"


def test_the_schema_accepts_events_and_refuses_unknown_fields() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema_text("capture")))
    validator.validate(message())
    assert not validator.is_valid(message(colour="gold"))
    assert not validator.is_valid(message(pocket="7"))


def test_a_message_carries_one_event_or_a_list_of_them() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema_text("message")))
    events = [CaptureEvent.from_message(message(pocket=pocket)) for pocket in (1, 2, 3)]
    alone, several = message_of(events[:1]), message_of(events)
    assert alone == events[0].message()
    assert isinstance(several, list)
    assert [CaptureEvent.from_message(element) for element in several] == events
    for sent in (alone, several, [alone], [alone] * MOST_EVENTS):
        validator.validate(sent)
    for refused in ([], [alone] * (MOST_EVENTS + 1), [[alone]], [message(colour="gold")]):
        assert not validator.is_valid(refused)


PLACE = {"station": "Prüfplatz 1", "machine": "Fräse 3", "head": "Kopf Größe 2", "operation": "nach dem Schruppen"}


def test_version_2_has_names_in_any_language_and_they_are_in_normal_form() -> None:
    apart = {name: unicodedata.normalize("NFD", value) for name, value in PLACE.items()}
    event = CaptureEvent.from_message(message(schema_version=2, **apart))
    assert {name: getattr(event, name) for name in PLACE} == PLACE
    assert CaptureEvent.from_message(event.message()) == event


def test_a_message_that_says_no_version_is_of_version_1() -> None:
    old = message()
    del old["schema_version"]
    assert CaptureEvent.from_message(old).schema_version == 1
    with pytest.raises(ValidationError, match="schema_version 2"):
        CaptureEvent.from_message(old | PLACE)


def test_the_schema_tells_the_names_of_both_versions() -> None:
    now = jsonschema.Draft202012Validator(json.loads(schema_text("capture")))
    schemas = Path(producer.__file__).parent / "contract" / "schemas"
    before = jsonschema.Draft202012Validator(json.loads((schemas / "capture.v1.schema.json").read_text("utf-8")))
    assert before.is_valid(message())
    assert now.is_valid(message())
    assert now.is_valid(message(schema_version=2))
    assert now.is_valid(message(schema_version=2, **PLACE))
    assert not now.is_valid(message(**PLACE))
    assert not now.is_valid(message(schema_version=2, machine="=1+1"))
    assert not before.is_valid(message(schema_version=2))


EDGE = {"x1": 10, "y1": 40, "x2": 90, "y2": 30, "above": 8, "below": 0}


@pytest.mark.parametrize("region", [EDGE, {"polygon": [[0, 0], [9, 0], [9, 9]]}])
def test_a_region_that_is_no_box_is_of_version_3_and_of_no_version_before(region: dict[str, Any]) -> None:
    now = jsonschema.Draft202012Validator(json.loads(schema_text("capture")))
    schemas = Path(producer.__file__).parent / "contract" / "schemas"
    before = jsonschema.Draft202012Validator(json.loads((schemas / "capture.v2.schema.json").read_text("utf-8")))
    sent = message(schema_version=3, region=region, **PLACE)
    event = CaptureEvent.from_message(sent)
    assert event.region is not None
    assert version_for(event.region) == 3
    assert event.message()["region"] == region
    assert now.is_valid(sent)
    assert not now.is_valid(sent | {"schema_version": 2})
    assert not before.is_valid(sent)
    boxed = sent | {"schema_version": 2, "region": {"left": 0, "top": 1, "width": 10, "height": 20}}
    assert version_for(CaptureEvent.from_message(boxed).region) == 2
    assert now.is_valid(boxed)
    assert before.is_valid(boxed)


def test_an_edge_with_a_scale_is_of_version_4_and_without_one_as_before() -> None:
    now = jsonschema.Draft202012Validator(json.loads(schema_text("capture")))
    schemas = Path(producer.__file__).parent / "contract" / "schemas"
    before = jsonschema.Draft202012Validator(json.loads((schemas / "capture.v3.schema.json").read_text("utf-8")))
    sent = message(schema_version=4, region=EDGE | {"pixels_per_mm": 85.5}, **PLACE)
    event = CaptureEvent.from_message(sent)
    assert version_for(event.region) == 4
    assert event.message()["region"] == sent["region"]
    assert event.model_dump()["region"] == sent["region"]
    assert now.is_valid(sent)
    assert not now.is_valid(sent | {"schema_version": 3})
    assert not before.is_valid(sent)
    with pytest.raises(ValidationError, match="an edge with a scale is of schema_version 4"):
        CaptureEvent.from_message(sent | {"schema_version": 3})
    plain = CaptureEvent.from_message(sent | {"schema_version": 3, "region": EDGE})
    assert plain.model_dump()["region"] == EDGE, "what is kept of a region is as it was before there were scales"


def test_a_size_that_was_counted_is_of_version_5_and_one_that_was_said_as_before() -> None:
    now = jsonschema.Draft202012Validator(json.loads(schema_text("capture")))
    schemas = Path(producer.__file__).parent / "contract" / "schemas"
    before = jsonschema.Draft202012Validator(json.loads((schemas / "capture.v4.schema.json").read_text("utf-8")))
    sent = message(schema_version=5, check_size_counted=True, region=EDGE | {"pixels_per_mm": 85.5}, **PLACE)
    event = CaptureEvent.from_message(sent)
    assert version_for(event.region, event.check_size_counted) == 5
    assert event.message()["check_size_counted"] is True
    assert now.is_valid(sent)
    assert not now.is_valid(sent | {"schema_version": 4})
    assert not before.is_valid(sent)
    with pytest.raises(ValidationError, match="check_size_counted is of schema_version 5"):
        CaptureEvent.from_message(sent | {"schema_version": 4})
    said = CaptureEvent.from_message(sent | {"schema_version": 4, "check_size_counted": False})
    assert "check_size_counted" not in said.message(), "a worker of version 4 does not know it"


def test_ids_are_in_order_of_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert {i.version for i in ids} == {7}


def test_the_ids_of_one_outbox_are_in_order_and_end_alike() -> None:
    ids = [next_id(None, 7)]
    for _ in range(1000):
        ids.append(next_id(ids[-1], 7))
    assert ids == sorted(set(ids))
    assert {of.version for of in ids} == {7}
    assert {node(of) for of in ids} == {7}
    assert CaptureEvent.from_message(message(capture_id=str(ids[-1]))).capture_id == ids[-1]


@pytest.mark.parametrize("before", [new_id(), next_id(None, 7)], ids=["of a version before", "of this one"])
def test_an_id_after_another_is_later_whatever_became_of_the_clock(before: UUID) -> None:
    ahead = UUID(int=before.int + (36_000_000 << 80))
    after = next_id(ahead, 8)
    assert after > ahead
    assert (after.int >> 80) - (ahead.int >> 80) == 1
    assert next_id(after, 8) > after
    assert node(after) == 8


def test_whether_ids_are_of_one_outbox_is_known_where_one_says_so() -> None:
    one, other, of_a_gateway = next_id(None, 7), next_id(None, 8), UUID("019ab7c4-5e10-7d2a-8f31-0c9e6b5a4d21")
    assert are_of_one_outbox(one, next_id(one, 7))
    assert not are_of_one_outbox(one, other)
    assert not are_of_one_outbox(one, of_a_gateway)
    assert not are_of_one_outbox(of_a_gateway, one)
    assert are_of_one_outbox(of_a_gateway, UUID("019ab7c4-5e10-7d2a-8f31-0c9e6b5a4d22")), (
        "the station's name is all that is known"
    )
    assert node(of_a_gateway) is None
