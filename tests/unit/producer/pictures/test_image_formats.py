from __future__ import annotations

import io

import pytest
from PIL import Image

from producer.contract.reasons.file_kinds import SAVE
from producer.pictures.image_formats import (
    FORMATS,
    OTHER_BEGINNINGS,
    STORED_AS,
    TIFF_BEGINNINGS,
    begins_as_picture,
)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_every_format_is_known_by_its_first_bytes(name: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, name)
    data = file.getvalue()
    assert data.startswith(TIFF_BEGINNINGS if name == "TIFF" else OTHER_BEGINNINGS)
    assert Image.registered_extensions()[STORED_AS[data[:2]]] == name
    assert name in SAVE.text


@pytest.mark.parametrize("name", [*FORMATS, "GIF", "WEBP", "JPEG2000"])
def test_what_begins_as_a_picture_is_told_from_texts_and_films(name: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, name)
    assert begins_as_picture(file.getvalue())
    for data in (b"\0\0\0\x20ftypheic\0\0\0\0", b"BM", b"II*\0"):
        assert begins_as_picture(data)
    for data in (b"", b"BMW, 3 heads on Monday", b"RIFF\0\0\0\0WAVEfmt ", b"\0\0\0\x20ftypisom\0\0\0\0", bytes(16)):
        assert not begins_as_picture(data)
