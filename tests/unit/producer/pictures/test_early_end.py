from __future__ import annotations

import io
import struct
import time
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from producer.pictures.early_end import cut_short
from producer.pictures.jpeg_structure import JpegStructure
from producer.pictures.tiff_structure import tiff_parts

PIXELS = np.random.default_rng(0).integers(1, 256, (48, 63, 3), dtype=np.uint8)


def encoded(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def bmp(height: int = 48, header: int = 40) -> bytes:
    """A BMP made by hand, of either order of rows or with OS/2's short header; rows padded to four bytes."""
    rows = b"".join(row.tobytes() + bytes(3) for row in PIXELS)
    if header == 12:
        body = struct.pack("<IHHHH", 12, 63, abs(height), 1, 24)
    else:
        body = struct.pack("<IiiHHIIiiII", 40, 63, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 14 + header + len(rows), 0, 0, 14 + header) + body + rows


def thumbnailed() -> bytes:
    """A JPEG whose EXIF segment holds a whole JPEG, with an end marker of its own."""
    whole, thumbnail = encoded("JPEG"), encoded("JPEG", quality=20)
    segment = b"Exif\0\0" + thumbnail
    return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + whole[2:]


SOUND = {
    "JPEG": encoded("JPEG"),
    "progressive JPEG": encoded("JPEG", progressive=True),
    "JPEG with restart markers": encoded("JPEG", restart_marker_rows=1),
    "JPEG with a thumbnail": thumbnailed(),
    "MPO": encoded("MPO", save_all=True, append_images=[Image.fromarray(PIXELS)]),
    "PNG": encoded("PNG"),
    "16-bit PNG": encoded("PNG", "I;16"),
    "BMP": encoded("BMP"),
    "BMP from the top down": bmp(-48),
    "BMP of OS/2": bmp(header=12),
    "TIFF": encoded("TIFF"),
    "compressed TIFF": encoded("TIFF", compression="tiff_lzw"),
    "TIFF of pages": encoded("TIFF", save_all=True, append_images=[Image.fromarray(PIXELS)]),
    "BigTIFF": encoded("TIFF", big_tiff=True),
}


@pytest.mark.parametrize("data", SOUND.values(), ids=SOUND)
def test_what_is_whole_is_not_doubted_and_half_of_it_is(data: bytes) -> None:
    assert cut_short(data) is None
    for share in (0.02, 0.3, 0.5, 0.9):
        if data is not SOUND["MPO"] or share < 0.5:  # of an MPO the first image is the photograph
            assert cut_short(data[: int(len(data) * share)]) is not None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
def test_what_a_camera_adds_after_the_end_is_no_fault(kind: str) -> None:
    assert cut_short(SOUND[kind] + bytes(5000) + b"vendor's block") is None


def test_a_bmp_whose_last_row_is_not_padded_is_whole() -> None:
    assert cut_short(bmp()[:-3]) is None
    assert cut_short(bmp()[:-4]) is not None


def test_a_png_with_a_part_that_is_not_what_was_written_is_doubted() -> None:
    data = bytearray(SOUND["PNG"])
    data[len(data) // 2] ^= 1
    assert "checksum" in str(cut_short(bytes(data)))


@pytest.mark.parametrize("data", [b"", bytes(9000)])
def test_nothing_written_yet_is_said(data: bytes) -> None:
    assert cut_short(data) is not None


def test_a_whole_tiff_of_a_kind_that_nobody_reads_is_whole() -> None:
    """The worker says what it is; a station that took it for unfinished would keep it for ever."""
    data = bytearray(encoded("TIFF", "F"))
    at = data.index(struct.pack("<HHI", 258, 3, 1))  # bits of a value
    struct.pack_into("<H", data, at + 8, 24)
    assert cut_short(bytes(data)) is None


@pytest.mark.parametrize("data", [b"text", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
def test_of_other_formats_there_is_no_telling(data: bytes) -> None:
    assert cut_short(data) is None


def test_the_end_of_the_first_image_is_found() -> None:
    assert JpegStructure.of(SOUND["JPEG"] + b"more\xff\xd9").end == len(SOUND["JPEG"])
    assert JpegStructure.of(SOUND["JPEG"][:-1]).end is None


def test_hostile_files_are_looked_at_quickly() -> None:
    chunk = bytes(4) + b"abcd" + struct.pack(">I", zlib.crc32(b"abcd"))
    for data in (
        b"\xff\xd8" + b"\xff\x00" * 2_000_000,
        b"\xff\xd8" + b"\xff" * 4_000_000,
        b"\xff\xd8" + b"\xff\xe0\0\2" * 1_000_000,
        b"\x89PNG\r\n\x1a\n" + chunk * 400_000,
    ):
        begun = time.process_time()
        assert cut_short(data) is not None
        assert time.process_time() - begun < 1


@pytest.mark.parametrize("strip", [10**6, 2048])
def test_a_jpeg_within_a_tiff_is_asked_what_a_jpeg_file_is(strip: int) -> None:
    whole = encoded("TIFF", compression="jpeg", quality=95, strip_size=strip)
    with Image.open(io.BytesIO(whole)) as image:
        start, length = tiff_parts(image)[-1]
    holed = whole[: start + length - 512] + bytes(510) + whole[start + length - 2 :]
    unfinished = whole[: start + length - 2] + bytes(2) + whole[start + length :]
    assert cut_short(whole) is None
    assert cut_short(holed) == "in a strip or tile of the TIFF, a part of the JPEG was never written"
    assert cut_short(unfinished) == "in a strip or tile of the TIFF, the JPEG ends before its end marker"


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits"])
def test_parts_of_a_tiff_that_share_a_place_in_the_file_are_no_picture(compression: str) -> None:
    whole = encoded("TIFF", compression=compression, strip_size=2048)
    with Image.open(io.BytesIO(whole)) as image:
        *_, (before, _), (last, _) = tiff_parts(image)
    shared = whole.replace(struct.pack("<I", last), struct.pack("<I", before))
    assert shared != whole
    assert cut_short(whole) is None
    assert cut_short(shared) == "two parts of the TIFF are said to be in one place of the file"
