"""Moments in forms."""

from contextlib import nullcontext
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from fastapi import HTTPException, Request

from db.console.reader.moments import WrittenByReader, in_iso, moment_of


def test_an_empty_field_names_no_moment() -> None:
    assert moment_of("") is None


def test_a_moment_is_read() -> None:
    assert moment_of("2026-11-22T10:00+01:00") == datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(HTTPException, match="'soon' is no moment: write 2h, 3d") as refused:
        moment_of("soon")
    assert refused.value.status_code == 400


@pytest.mark.parametrize(
    ("language", "written", "means"),
    [
        ("de", "30.11.2026", "2026-11-30"),
        ("de", "1.2.26", "2026-02-01"),
        ("de", " 30.11.2026, 6:05", "2026-11-30T06:05"),
        ("es", "30/11/2026", "2026-11-30"),
        ("en", "2/1/2026", "2026-02-01"),
        ("en-GB", "2/1/2026 10:00", "2026-01-02T10:00"),
        ("en-CA", "2026-11-30", "2026-11-30"),
        # What is not written as the reader does is what it was.
        ("en", "30/11/2026", "30/11/2026"),
        ("en", "1.12.2026", "1.12.2026"),
        ("de", "31.2.2026", "31.2.2026"),
        ("de", "2026-11-30", "2026-11-30"),
        ("de", "1.2.3", "1.2.3"),
        ("de", "2h", "2h"),
        ("de", "06:00", "06:00"),
        ("de", "", ""),
    ],
)
def test_a_date_is_read_as_its_reader_writes_it(language, written, means) -> None:
    headers = [(b"accept-language", language.encode())]
    query = urlencode({"machine": "1.2.2026", "since": written}).encode()
    request = Request(
        {"type": "http", "path": "/search", "query_string": query, "headers": headers, "server": ("x", 1)}
    )
    with pytest.raises(WrittenByReader) if written != means else nullcontext() as sent:
        in_iso(request)
    if sent is not None:
        assert sent.value.to == f"/search?{urlencode({'machine': '1.2.2026', 'since': means})}"
