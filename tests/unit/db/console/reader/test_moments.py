"""Moments in forms."""

from datetime import UTC, datetime

import pytest
from fastapi import HTTPException

from db.console.reader.moments import moment_of


def test_an_empty_field_names_no_moment() -> None:
    assert moment_of("") is None


def test_a_moment_is_read() -> None:
    assert moment_of("2026-11-22T10:00+01:00") == datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(HTTPException, match="'soon' is no moment: write 2h, 3d") as refused:
        moment_of("soon")
    assert refused.value.status_code == 400
