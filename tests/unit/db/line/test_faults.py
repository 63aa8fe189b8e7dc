from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.line.faults import fitting, subject


def test_the_same_fault_is_the_same_capture_and_reason() -> None:
    one = subject(UUID(int=1), "crashed", "a")
    assert one == subject(UUID(int=1), "crashed", "b")
    assert one != subject(UUID(int=1), "image_missing", "a")
    assert one != subject(UUID(int=2), "crashed", "a")


def test_without_a_capture_it_is_the_same_event_and_reason() -> None:
    one = subject(None, "invalid_event", "{}")
    assert one == subject(None, "invalid_event", "{}")
    assert one != subject(None, "invalid_event", "[]")
    assert one != subject(None, "crashed", "{}")


@pytest.mark.parametrize(
    ("text", "kept"),
    [("plain ü", "plain ü"), ("a\x00b", "a\\x00b"), ("\ud800", "\\ud800"), ("12345678901", "1234567890")],
)
def test_text_is_made_to_fit(text: str, kept: str) -> None:
    assert fitting(text, 10) == kept


@given(st.text(alphabet=st.characters(), max_size=50), st.integers(1, 40))
def test_text_that_fits_can_be_stored_anywhere(text: str, length: int) -> None:
    kept = fitting(text, length)
    assert len(kept) <= length
    assert "\x00" not in kept
    kept.encode()


@given(st.text(alphabet="\x00\ud800\udfffa", max_size=30))
def test_half_characters_do_not_keep_a_fault_from_being_named(text: str) -> None:
    assert len(subject(None, "invalid_event", text)) == 64
    assert len(fitting(text, 12)) <= 12
