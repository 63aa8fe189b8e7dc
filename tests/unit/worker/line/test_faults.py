from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from producer.contract.event import CaptureEvent
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
    assert (fault.pocket, fault.station) == (None, None)
    assert "pocket" in fault.detail
    assert json.loads(fault.event)["pocket"] == "7"


@pytest.mark.parametrize("message", [None, 3, "text", [], {}], ids=repr)
def test_what_is_no_event_at_all_is_of_no_capture(message: Any) -> None:
    fault = refused(message)
    assert (fault.capture_id, fault.station, fault.check_id, fault.pocket) == (None, None, None, None)
    assert json.loads(fault.event) == message


def test_a_message_without_end_is_cut() -> None:
    assert len(refused("x" * 2 * MAX_EVENT_TEXT).event) == MAX_EVENT_TEXT
