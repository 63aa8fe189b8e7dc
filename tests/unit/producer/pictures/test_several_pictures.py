from __future__ import annotations

import io
import itertools
import struct
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from producer.pictures.early_end import cut_short
from producer.pictures.several_pictures import several_pictures
from worker.images.decoding import UnusableImage, decode

RANDOM = np.random.default_rng(0)


def picture(width: int = 96, height: int = 64) -> Image.Image:
    return Image.fromarray(RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pages(*images: Image.Image, **options: Any) -> bytes:
    return encoded(images[0], "TIFF", save_all=True, append_images=images[1:], **options)


def marked(kind: int, second: Image.Image) -> bytes:
    """A TIFF whose second page says what kind of page it is."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = kind
    second.encoderinfo = {"tiffinfo": tags}  # type: ignore[attr-defined]
    return pages(picture(), second)


def with_rows(data: bytes, at: int, rows: bytes) -> bytes:
    return data[:at] + rows + data[at + len(rows) :]


def fewer_rows_in_tiff() -> bytes:
    data = encoded(picture(), "TIFF")
    at = data.index(struct.pack("<HHII", 257, 4, 1, 64))
    return with_rows(data, at + 8, struct.pack("<I", 40))


def segment(kind: int, body: bytes) -> bytes:
    return bytes((0xFF, kind)) + struct.pack(">H", len(body) + 2) + body


def told(photograph: bytes, more: bytes, tells: bytes) -> bytes:
    """A JPEG whose header tells of what is behind its end."""
    return photograph[:2] + segment(0xE2, tells) + photograph[2:] + more


JPEG, SMALL = encoded(picture(), "JPEG"), encoded(picture(48, 32), "JPEG")
LARGE, PNG, BMP = encoded(picture(192, 128), "JPEG"), encoded(picture(), "PNG"), encoded(picture(), "BMP")
GAINS = JPEG[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0 hdrgm:Version='1.0'") + JPEG[2:]
THUMBNAIL = JPEG[:2] + segment(0xE1, b"Exif\0\0" + SMALL) + JPEG[2:]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (JPEG + LARGE, "holds 2 pictures, of 96×64 and 192×128"),
        (JPEG + THUMBNAIL, "holds 2 pictures, of 96×64 and 96×64"),
        (JPEG + SMALL, "holds 2 pictures, of 96×64 and 48×32"),
        (JPEG + LARGE + JPEG + SMALL, "holds 4 pictures"),
        (JPEG + bytes(512) + JPEG[: len(JPEG) // 2], "holds 2 pictures"),
        (told(JPEG, JPEG, b"MPF\0"), "holds 2 pictures"),
        (encoded(picture(), "MPO", save_all=True, append_images=[picture()]), "holds 2 pictures"),
        (JPEG + PNG, "holds 2 pictures"),
        (JPEG + BMP, "holds 2 pictures"),
        (JPEG + encoded(picture(), "TIFF"), "holds 2 pictures"),
        (PNG + PNG, "holds 2 pictures"),
        (PNG + JPEG, "holds 2 pictures"),
        (encoded(picture(), "PNG", save_all=True, append_images=[picture()]), "holds 2 pictures"),
        (BMP + BMP, "holds 2 pictures"),
        (with_rows(BMP, 22, struct.pack("<i", 63)), "288 bytes behind the 96×63 pixels"),
        (with_rows(BMP, 18, struct.pack("<i", 64)), "bytes behind the 64×64 pixels"),
        (pages(picture(), picture(192, 128)), "holds 2 pictures, of 96×64 and 192×128"),
        (pages(picture(), picture(48, 32)), "holds 2 pictures"),
        (pages(*[picture()] * 5, compression="tiff_lzw"), "holds 5 pictures"),
        (marked(1, picture(192, 128)), "holds 2 pictures"),
        (encoded(picture(), "TIFF") + encoded(picture(), "TIFF"), "holds 2 pictures"),
        (fewer_rows_in_tiff(), "bytes behind the 96×40 pixels"),
        (encoded(picture(), "GIF", save_all=True, append_images=[picture()]), "holds 2 pictures"),
        (encoded(picture(), "WEBP", save_all=True, append_images=[picture()]), "holds 2 pictures"),
    ],
    ids=itertools.count(),
)
def test_a_file_of_several_pictures_is_none_of_one(data: bytes, says: str) -> None:
    assert says in (several_pictures(data) or "")
    if data[:4] in (b"GIF8", b"RIFF"):  # which the line reads none of
        return
    assert cut_short(data) is None
    with pytest.raises(UnusableImage, match=says):
        decode(data, (32, 48))


@pytest.mark.parametrize(
    "data",
    [
        THUMBNAIL,
        JPEG + bytes(4096),
        JPEG + b"\0\0\0\x18ftypmp42" + RANDOM.bytes(20_000),
        told(JPEG, SMALL, b"MPF\0MM\0*"),
        told(JPEG, SMALL, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x7c\x92\x07\0"),
        told(JPEG, GAINS, b"MPF\0MM\0*"),
        JPEG + SMALL + b"SEFHe\0\0\0SEFT",
        PNG + bytes(100),
        BMP + b"\0\0",
        with_rows(BMP, 22, struct.pack("<i", -64)),
        marked(1, picture(48, 32)),
        marked(4, picture(48, 32).convert("1")),
        encoded(picture(), "TIFF", compression="jpeg"),
        encoded(picture(), "TIFF", tiffinfo={34377: b"8BIM" + SMALL}),
        encoded(picture(), "WEBP"),
    ],
    ids=itertools.count(),
)
def test_what_cameras_put_beside_a_photograph_is_no_second_one(data: bytes) -> None:
    assert several_pictures(data) is None


def test_whatever_is_behind_an_end_costs_little() -> None:
    for begin in (b"\xff\xd8\xff", b"BM", b"II*\0", b"\x89PNG\r\n\x1a\n", RANDOM.bytes(9)):
        for data in (JPEG, BMP, encoded(picture(), "TIFF")):
            began = time.process_time()
            several_pictures(data + begin * 200_000)
            assert time.process_time() - began < 1
