from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from producer.contract.event import CaptureEvent
from producer.settings import StationSettings
from producer.terminal.error_text import in_words
from tests.support import message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"machine": "Fräse:3"}, "machine: a name may have letters and digits of any language"),
        ({"machine": "Fräse 3", "schema_version": 1}, "machine: in schema_version 1 a name has letters A to Z"),
        ({"image_sha256": "x"}, "image_sha256: a SHA-256 is 64 hexadecimal digits"),
        ({"insert_designation": "insert"}, "insert_designation: an ISO 1832 designation is like SNMG120408"),
        ({"image": "../x"}, "image: image key '../x' must be relative"),
        ({"image": ""}, "image: "),
        ({"capture_id": "seven"}, "capture_id: "),
        ({"pocket": 0}, "pocket: "),
        ({"region": {"left": 0}}, "region.top: "),
        ({"captured_at": "1900-01-01T00:00:00Z"}, "captured_at: the year must be one from 1970"),
    ],
)
def test_what_is_wrong_with_an_event_is_said_without_a_link_or_a_pattern(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CaptureEvent.from_message(message(schema_version=2) | changes)
    words = in_words(refused.value)
    assert said in words
    for foreign in ("http", "pattern", "^[", "Value error", "input_value"):
        assert foreign not in words


def test_a_wrong_setting_is_said_the_same_way() -> None:
    with pytest.raises(ValidationError) as refused:
        StationSettings(station="a/b")
    assert in_words(refused.value).startswith("station: a name may have letters and digits of any language, blanks")
    assert "http" not in in_words(refused.value)
    assert in_words(OSError()) == "OSError"
