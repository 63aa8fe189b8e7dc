from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from db.line.faults import subject
from db.schema.column_types import fitting


def of_capture(number: int, reason: str = "crashed", event: str = "a", check: int = 1, pocket: int | None = 3) -> str:
    return subject(reason, event, UUID(int=number), UUID(int=check), pocket)


def of_event(event: str, reason: str = "invalid_event") -> str:
    return subject(reason, event, None, None, None)


def test_the_same_fault_is_the_same_capture_and_reason() -> None:
    one = of_capture(1)
    assert one == of_capture(1, event="b")
    assert one != of_capture(1, "image_missing")
    assert one != of_capture(2)


def test_one_id_for_several_photographs_hides_no_fault() -> None:
    one = of_capture(1, "invalid_event")
    assert len({one, of_capture(1, "invalid_event", pocket=4), of_capture(1, "invalid_event", check=2)}) == 3


def test_without_a_capture_it_is_the_same_event_and_reason() -> None:
    one = of_event("{}")
    assert one == of_event("{}")
    assert one != of_event("[]")
    assert one != of_event("{}", "crashed")


@given(st.text(alphabet="\x00\ud800\udfffa", max_size=30))
def test_half_characters_do_not_keep_a_fault_from_being_named(text: str) -> None:
    assert len(of_event(text)) == 64
    assert len(fitting(text, 12)) <= 12
