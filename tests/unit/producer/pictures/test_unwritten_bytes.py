from __future__ import annotations

import io
import struct
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image

from producer.pictures.unwritten_bytes import Missing, StoredParts
from producer.simulation.head import labelled_images

FILLS = [b"\0", b"\xff", b"\xcd", b"\xde\xad\xbe\xef", b"\x0d\xf0\xad\xba"]


@cache
def photographs() -> list[np.ndarray]:
    """Rendered inserts, RGB, of 250×240 pixels: neither is a multiple of a tile."""
    images = [Image.open(io.BytesIO(data)).convert("RGB") for data, _ in labelled_images(3, seed=7, size=256)]
    return [np.asarray(image.crop((0, 0, 250, 240))) for image in images]


def tiff(pixels: np.ndarray, tile: int = 0, planes: bool = False, rows: int = 0) -> tuple[bytes, list[int]]:
    """An uncompressed TIFF of tiles, or of planes in strips, and where each part begins."""
    height, width, colours = pixels.shape
    rows = rows or height
    if tile:
        padded = np.pad(pixels, ((0, -height % tile), (0, -width % tile), (0, 0)), mode="edge")
        corners = [(y, x) for y in range(0, height, tile) for x in range(0, width, tile)]
        parts = [padded[y : y + tile, x : x + tile].tobytes() for y, x in corners]
    else:
        split = np.moveaxis(pixels, 2, 0) if planes else [pixels]
        parts = [plane[y : y + rows].tobytes() for plane in split for y in range(0, height, rows)]
    where, counts = (324, 325) if tile else (273, 279)
    tags = {256: [width], 257: [height], 258: [8] * colours, 259: [1], 262: [1 + colours // 3], 277: [colours]}
    tags |= {284: [1 + planes]}
    tags |= {322: [tile], 323: [tile]} if tile else {278: [rows]}
    tags |= {where: [0] * len(parts), counts: [len(part) for part in parts]}
    values = 10 + 12 * len(tags) + 4
    begins = values + 4 * sum(len(value) for value in tags.values())
    starts = [begins + sum(map(len, parts[:index])) for index in range(len(parts))]
    tags[where] = starts
    directory, behind = b"", b""
    for tag, value in sorted(tags.items()):
        packed = struct.pack(f"<{len(value)}I", *value)
        directory += struct.pack("<HHI", tag, 4, len(value))
        directory += packed if len(value) == 1 else struct.pack("<I", values + len(behind))
        behind += packed if len(value) > 1 else b""
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + directory + bytes(4)
    return head + behind.ljust(begins - values, b"\0") + b"".join(parts), starts


def saved(pixels: np.ndarray, way: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.quantize(256) if mode == "P" else image.convert(mode)).save(file, way, **options)
    return file.getvalue()


def filled(data: bytes, share: float, fill: bytes) -> bytes:
    """What is left of a file that was written up to a share of it, in room that had a fill."""
    written = int(len(data) * share)
    return (data[:written] + fill * len(data))[: len(data)]


def missing(data: bytes) -> Missing | None:
    image = Image.open(io.BytesIO(data))
    stored = StoredParts(image, data)
    image.load()
    return stored.missing(image)


WAYS = [("BMP", "RGB"), ("BMP", "L"), ("TIFF", "RGB"), ("TIFF", "L")]


@pytest.mark.parametrize("fill", FILLS[3:])
@pytest.mark.parametrize(("way", "mode"), WAYS)
@pytest.mark.parametrize("share", [0.1, 0.55, 0.95])
def test_rows_of_a_pattern_are_no_picture(way: str, mode: str, fill: bytes, share: float) -> None:
    for pixels in photographs():
        assert missing(filled(saved(pixels, way, mode), share, fill)) is Missing.CUT


@pytest.mark.parametrize("period", [2, 3, 5, 6, 7, 9, 10, 11, 13, 15, 20, 37, 63, 64])
@pytest.mark.parametrize(("way", "mode"), WAYS)
def test_a_pattern_of_any_length_up_to_64_bytes_is_no_picture(way: str, mode: str, period: int) -> None:
    fill = bytes(range(16, 16 + period))
    for pixels in photographs():
        for share in (0.1, 0.55, 0.95):
            if not (way == "TIFF" and mode == "RGB" and period == 3):  # which is one colour
                assert missing(filled(saved(pixels, way, mode), share, fill)) is Missing.CUT


def test_one_colour_that_the_padding_of_rows_shifts_is_a_pattern() -> None:
    for pixels in photographs():
        assert pixels.shape[1] * 3 % 4
        assert missing(filled(saved(pixels, "BMP"), 0.55, b"\xba\xad\xf0")) is Missing.CUT
        assert missing(filled(saved(pixels[:, :248], "BMP"), 0.55, b"\xba\xad\xf0")) is None  # rows of one colour


@pytest.mark.parametrize("fill", [b"\x10\x80\x40\x20\x60", *FILLS[3:]])
@pytest.mark.parametrize("rows", [3, 5, 39])
def test_a_pattern_in_the_middle_is_seen_from_three_rows_on(rows: int, fill: bytes) -> None:
    for pixels in photographs():
        data = saved(pixels, "TIFF")
        length = rows * pixels.shape[1] * 3 + 400  # and a part of a row
        for start in range(40_000, 41_000, 99):
            hole = (fill * length)[:length]
            assert missing(data[:start] + hole + data[start + length :]) is Missing.CUT


def test_a_plain_part_of_12_bits_a_pixel_is_no_pattern() -> None:
    values = np.random.default_rng(0).integers(0, 4096, (240, 1024), dtype=np.uint16)
    values[100:200] = 0x012
    even, odd = values[:, ::2], values[:, 1::2]
    packed = np.stack([even >> 4, (even & 15) << 4 | odd >> 8, odd & 255], axis=2).astype(np.uint8)
    tags = {256: 1024, 257: 240, 258: 12, 259: 1, 262: 1, 273: 200, 277: 1, 278: 240, 279: packed.size}
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    head += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()) + bytes(4)
    data = head.ljust(200, b"\0") + packed.tobytes()
    assert missing(data) is None
    assert missing(filled(data, 0.55, b"\x01\x20\x13")) is Missing.CUT


def test_a_pattern_of_numbers_of_colours_may_be_a_shade() -> None:
    for pixels in photographs():
        assert missing(filled(saved(pixels, "BMP", "P"), 0.55, FILLS[3])) is Missing.DOUBT


@pytest.mark.parametrize("fill", [*FILLS, b"EMPTY", b"unused!"])
@pytest.mark.parametrize("tile", [64, 128])
@pytest.mark.parametrize("share", [0.3, 0.55])
def test_tiles_that_are_missing_at_the_end_are_cut(tile: int, fill: bytes, share: float) -> None:
    for pixels in photographs():
        assert missing(filled(tiff(pixels, tile)[0], share, fill)) is Missing.CUT


@pytest.mark.parametrize("fill", [b"EMPTY", b"ABCDEFG", b"0123456789"])
@pytest.mark.parametrize("tile", [16, 32, 48, 64])
def test_a_pattern_in_tiles_as_narrow_as_it_may_be_is_no_picture(tile: int, fill: bytes) -> None:
    for pixels in photographs():
        whole, _ = tiff(pixels[..., :1], tile)
        assert missing(whole) is None
        assert missing(filled(whole, 0.5, fill)) is not None


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("hole", [2048, 4096])
def test_many_holes_of_less_than_three_rows_are_found_where_a_disk_has_blocks(hole: int, fill: bytes) -> None:
    for pixels in photographs():
        for data in (saved(pixels, "BMP"), saved(pixels, "TIFF"), tiff(pixels, 64)[0]):
            holed = bytearray(data)
            for at in range(4096, len(data) - 8192, 16_384):
                holed[at : at + hole] = (fill * hole)[:hole]
            assert missing(data) is None
            assert missing(bytes(holed)) is Missing.CUT


@pytest.mark.parametrize("fill", [b"\r\n", b"\xde\xad\xbe\xef"])
@pytest.mark.parametrize("share", [0.4, 0.75])
def test_a_pattern_in_tiles_is_seen_beside_what_is_as_dark(share: float, fill: bytes) -> None:
    for pixels in photographs():
        data, _ = tiff((pixels // 16).astype(np.uint8), tile=64)
        assert missing(data) is None
        assert missing(filled(data, share, fill)) is Missing.CUT


def test_a_tile_that_is_missing_in_the_middle_is_doubted() -> None:
    for pixels in photographs():
        data, starts = tiff(pixels, 64)
        hole = data[: starts[5]] + bytes(starts[6] - starts[5]) + data[starts[6] :]
        assert missing(hole) is Missing.DOUBT


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("rows", [0, 16])
@pytest.mark.parametrize("share", [0.3, 0.55, 0.9])
def test_planes_that_are_missing_are_never_taken_for_a_picture(rows: int, fill: bytes, share: float) -> None:
    for pixels in photographs():
        assert missing(filled(tiff(pixels, planes=True, rows=rows)[0], share, fill)) is not None


@pytest.mark.parametrize("colour", [0, 255])
def test_whole_photographs_bars_and_backgrounds_miss_nothing(colour: int) -> None:
    down, across = np.mgrid[-1:1:240j, -1:1:250j]
    round_ = (down + 0.2) ** 2 + across**2 < 0.4
    for pixels in photographs():
        top, side = pixels.copy(), pixels.copy()
        top[:64] = side[:, :64] = colour
        for drawn in (pixels, top, side, np.where(round_[..., None], pixels, np.uint8(colour))):
            files = [saved(drawn, way, mode) for way, mode in [*WAYS, ("BMP", "P"), ("BMP", "RGBA"), ("TIFF", "1")]]
            files += [tiff(drawn, 64)[0], tiff(drawn, 128)[0], tiff(drawn, planes=True, rows=16)[0]]
            assert [missing(data) for data in files] == [None] * len(files)


def test_a_run_length_encoded_bmp_has_no_pixels_to_look_at() -> None:
    data = bytearray(saved(np.zeros((240, 1500), np.uint8), "BMP", "P"))
    struct.pack_into("<I", data, 30, 1)  # the compression
    begins = struct.unpack_from("<I", data, 10)[0]
    rle = (b"\1\x07" * 1500 + b"\0\0") * 240 + b"\0\1"
    assert missing(bytes(data[:begins]) + rle) is None


def test_what_pads_the_last_row_of_a_bmp_may_be_left_out() -> None:
    assert missing(saved(photographs()[0], "BMP")[:-2]) is None
