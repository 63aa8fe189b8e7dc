from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from db.line.faults import subject
from db.schema.column_types import fitting


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


@given(st.text(alphabet="\x00\ud800\udfffa", max_size=30))
def test_half_characters_do_not_keep_a_fault_from_being_named(text: str) -> None:
    assert len(subject(None, "invalid_event", text)) == 64
    assert len(fitting(text, 12)) <= 12
