from __future__ import annotations

import io
import struct
from functools import cache

import numpy as np
import pytest
from PIL import Image

from producer.pictures.tiff_structure import tiff_parts
from producer.simulation.head import labelled_images
from worker.images.decoding import UnusableImage, decode
from worker.images.truncated_tiff import is_overwritten

COMPRESSIONS = ["tiff_adobe_deflate", "tiff_deflate", "tiff_lzw", "packbits"]


@cache
def photographs() -> list[Image.Image]:
    return [Image.open(io.BytesIO(data)).convert("RGB") for data, _ in labelled_images(3, seed=7, size=256)]


def saved(image: Image.Image, compression: str) -> bytes:
    file = io.BytesIO()
    image.save(file, "TIFF", compression=compression)
    return file.getvalue()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("fill", [0x00, 0xFF, 0xCD])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_part_that_was_overwritten_is_not_judged(compression: str, fill: int, share: float) -> None:
    for image in photographs():
        data = saved(image, compression)
        for length in (100, 4096):
            start = int(len(data) * share)
            with pytest.raises(UnusableImage, match="damaged"):
                decode(data[:start] + bytes([fill]) * length + data[start + length :], (64, 64))


@pytest.mark.parametrize("period", [3, 4, 5, 7, 12, 24])
def test_packbits_that_a_pattern_was_written_over_are_not_judged(period: int) -> None:
    fill = bytes(range(100, 100 + period)) * 1000
    for image in photographs():
        data = saved(image, "packbits")
        starts = [start for start, _ in tiff_parts(Image.open(io.BytesIO(data)))]
        for start in (*starts[1:], *range(2048, len(data) - 4096, 4096)):
            with pytest.raises(UnusableImage, match=r"damaged|cut short"):
                decode(data[:start] + fill[:1024] + data[start + 1024 :], (64, 64))


def packed(pixels: bytes) -> bytes:
    """PackBits of bytes, as few as there may be."""
    out, at = bytearray(), 0
    while at < len(pixels):
        alike = len(pixels[at : at + 128]) - len(pixels[at : at + 128].lstrip(pixels[at : at + 1]))
        run = at + 1
        while run < min(at + 128, len(pixels)) and len(set(pixels[run : run + 3])) > 1:
            run += 1
        out += bytes([257 - alike, pixels[at]]) if alike > 2 else bytes([run - at - 1]) + pixels[at:run]
        at += alike if alike > 2 else run - at
    return bytes(out)


def packed_by_hand(*strips: bytes, width: int = 256, height: int = 256, rows: int = 256) -> bytes:
    """A grey TIFF of strips of PackBits."""
    starts = [2000 + len(b"".join(strips[:index])) for index in range(len(strips))]
    tags = {256: [width], 257: [height], 258: [8], 259: [32773], 262: [1], 273: starts, 277: [1], 278: [rows]}
    tags |= {279: [len(strip) for strip in strips]}
    head, behind = struct.pack("<2sHIH", b"II", 42, 8, len(tags)), b""
    for tag, values in tags.items():
        value = struct.pack(f"<{len(values)}I", *values)
        head += struct.pack("<HHI", tag, 4, len(values))
        head += value if len(values) == 1 else struct.pack("<I", 200 + len(behind))
        behind += value if len(values) > 1 else b""
    return ((head + bytes(4)).ljust(200, b"\0") + behind).ljust(2000, b"\0") + b"".join(strips)


@pytest.mark.parametrize("rows", [201, 100, 16, 2, 1])
@pytest.mark.parametrize("together", [True, False])
def test_packbits_that_are_filled_up_or_go_on_from_row_to_row_are_read_but_not_with_a_hole(
    rows: int, together: bool
) -> None:
    """201 rows: the last strip has one. A black background at one side makes runs begin where rows do."""
    photograph = np.asarray(photographs()[0].convert("L"))[:201, :251].copy()
    cut_out = np.where(np.arange(251) < 60, np.uint8(0), photograph)
    for pixels in (photograph, cut_out):
        strips = []
        for top in range(0, 201, rows):
            lines = [line.tobytes() for line in pixels[top : top + rows]]
            strips.append(packed(b"".join(lines)) if together else b"".join(map(packed, lines)))
        for filled_up in (strips, [strip + bytes(len(strip) % 2) for strip in strips]):
            data = packed_by_hand(*filled_up, width=251, height=201, rows=rows)
            image = Image.open(io.BytesIO(data))
            assert not is_overwritten(image, data)
            assert (np.asarray(image) == pixels).all()
            hole = data[:12_000] + b"EMPTY" * 200 + data[13_000:]
            assert is_overwritten(Image.open(io.BytesIO(hole)), hole)


def test_no_file_is_looked_at_for_longer_than_a_second_or_so() -> None:
    for number, told in ((2**21, True), (2**23, False)):
        data = packed_by_hand(b"\x80" * number + b"\0")  # nothing, over and over, and a run without its byte
        assert is_overwritten(Image.open(io.BytesIO(data)), data) is told


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_whole_ones_and_flat_areas_are_not_overwritten(compression: str, mode: str) -> None:
    flat = [Image.new("RGB", (256, 256), (level, level, level)) for level in (0, 1, 127, 128, 129, 205, 255)]
    stripes = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (256, 128))).convert("RGB")
    for image in (*photographs(), *flat, stripes):
        data = saved(image.convert(mode), compression)
        assert not is_overwritten(Image.open(io.BytesIO(data)), data)


def saved_as_jpeg(image: Image.Image, quality: int, strip: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "TIFF", compression="jpeg", quality=quality, strip_size=strip)
    return file.getvalue()


@pytest.mark.parametrize("strip", [10**8, 2**14])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_jpeg_in_a_tiff_with_a_hole_is_not_judged(strip: int, share: float) -> None:
    for image in photographs():
        data = saved_as_jpeg(image, 90, strip)
        start = int(len(data) * share) // 512 * 512
        with pytest.raises(UnusableImage, match=r"damaged|cut short|never written"):
            decode(data[:start] + bytes(512) + data[start + 512 :], (64, 64))


@pytest.mark.parametrize("mode", ["RGB", "YCbCr", "L", "CMYK"])
@pytest.mark.parametrize("strip", [10**8, 2**14])
@pytest.mark.parametrize("quality", [60, 75, 90, 95])
def test_whole_jpegs_in_a_tiff_are_not_overwritten(mode: str, strip: int, quality: int) -> None:
    flat = [Image.new("RGB", (250, 203), (level, level, level)) for level in (0, 128, 255)]
    for image in (*photographs(), *flat):
        data = saved_as_jpeg(image.convert(mode), quality, strip)
        assert not is_overwritten(Image.open(io.BytesIO(data)), data)
