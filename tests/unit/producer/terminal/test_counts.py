from __future__ import annotations

import pytest

from producer.terminal.counts import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (12_000, "12,000 files")])
def test_one_of_a_thing_is_no_plural(number: int, said: str) -> None:
    assert counted(number, "file") == said


def test_a_plural_of_its_own() -> None:
    assert [counted(number, "branch", "branches") for number in (1, 2)] == ["1 branch", "2 branches"]
