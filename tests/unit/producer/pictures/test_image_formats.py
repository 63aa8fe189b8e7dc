from __future__ import annotations

import io

import pytest
from PIL import Image

from producer.pictures.image_formats import FORMATS, IN_WORDS, OTHER_BEGINNINGS, STORED_AS, TIFF_BEGINNINGS


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_every_format_is_known_by_its_first_bytes(name: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, name)
    data = file.getvalue()
    assert data.startswith(TIFF_BEGINNINGS if name == "TIFF" else OTHER_BEGINNINGS)
    assert Image.registered_extensions()[STORED_AS[data[:2]]] == name
    assert name in IN_WORDS
