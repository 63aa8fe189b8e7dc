from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from producer.contract.reasons.file_kinds import SAVE_ANEW
from producer.contract.reasons.image_files import PNG_ENDS
from producer.pictures import image_formats
from producer.pictures.early_end import cut_short
from producer.pictures.image_formats import (
    ACCEPTED,
    FORMATS,
    ImageFormat,
    begins_as_picture,
    format_of,
    stored_ending,
)
from worker.images.file_kind import why_unread


def encoded(name: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, name)
    return file.getvalue()


@pytest.mark.parametrize("accepted", ACCEPTED, ids=FORMATS)
def test_a_file_of_every_format_is_known_by_its_first_bytes(accepted: ImageFormat) -> None:
    data = encoded(accepted.name)
    assert format_of(data) is accepted
    assert stored_ending(data) == accepted.endings[0]
    assert Image.registered_extensions()[accepted.endings[0]] == accepted.name
    assert (cut_short(data), cut_short(data[: len(data) // 2]) is None) == (None, False)
    assert why_unread(data) == accepted.broken


def test_what_is_added_to_the_table_is_added_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    webp, data = re.compile(rb"RIFF.{4}WEBP", re.DOTALL), encoded("WEBP")
    added = ImageFormat("WEBP", (".webp",), webp, lambda _: PNG_ENDS(), SAVE_ANEW(format="WEBP"))
    monkeypatch.setattr(image_formats, "ACCEPTED", (*ACCEPTED, added))
    assert (stored_ending(data), cut_short(data), why_unread(data)) == (".webp", PNG_ENDS(), added.broken)


@pytest.mark.parametrize("name", [*FORMATS, "GIF", "WEBP", "JPEG2000"])
def test_what_begins_as_a_picture_is_told_from_texts_and_films(name: str) -> None:
    assert begins_as_picture(encoded(name))
    for data in (b"\0\0\0\x20ftypheic\0\0\0\0", b"BM", b"II*\0"):
        assert begins_as_picture(data)
    for data in (b"", b"BMW, 3 heads on Monday", b"RIFF\0\0\0\0WAVEfmt ", b"\0\0\0\x20ftypisom\0\0\0\0", bytes(16)):
        assert not begins_as_picture(data)
