from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.delivery.grouping import in_messages


@pytest.mark.parametrize(
    ("due", "most", "sizes"),
    [
        (0, 8, []),
        (1, 8, [1]),
        (4, 8, [1, 1, 1, 1]),
        (6, 8, [1, 2, 1, 2]),
        (30, 8, [7, 8, 7, 8]),
        (30, 1, [1] * 30),
        (100, 100, [25] * 4),
    ],
)
def test_what_is_due_is_divided_evenly_so_that_it_spreads(due: int, most: int, sizes: list[int]) -> None:
    assert [len(message) for message in in_messages(range(due), most)] == sizes


@given(st.integers(0, 300), st.integers(1, 100))
def test_everything_is_in_one_message_in_its_order(due: int, most: int) -> None:
    messages = in_messages(range(due), most)
    assert [each for message in messages for each in message] == list(range(due))
    assert all(1 <= len(message) <= most for message in messages)
    assert max(map(len, messages), default=0) - min(map(len, messages), default=0) <= 1
