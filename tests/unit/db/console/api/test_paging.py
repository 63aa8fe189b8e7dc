"""Keys of pages: what was written is read, and nothing else."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from fastapi import HTTPException
from hypothesis import given
from hypothesis import strategies as st

from db.console.api.paging import key_of, position, read


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_key_is_read_as_it_was_written(moment: datetime, name: UUID) -> None:
    assert position(key_of(moment, name)) == (moment, name)


@given(st.datetimes(timezones=st.just(UTC)), st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8")))
def test_a_name_may_have_anything_in_it(moment: datetime, name: str) -> None:
    assert read(key_of(moment, name), str) == (moment, name)


@pytest.mark.parametrize(
    "after",
    [
        "",
        "_",
        "yesterday_" + "0" * 32,
        "2026-11-22T10:00:00_" + "0" * 32,
        "2026-11-22T10:00:00Z_1",
        "2026-11-22T10:00:00Z",
        "0001-01-01T00:00:00+14:00_" + "0" * 32,
    ],
)
def test_anything_else_is_no_key(after: str) -> None:
    with pytest.raises(HTTPException) as refused:
        position(after)
    assert refused.value.status_code == 400


def test_the_first_page_has_none() -> None:
    assert position(None) is None
