from __future__ import annotations

import contextlib
import io
import struct
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from producer.contract.reasons.stations import EMPTY, MISSING
from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.pictures.stand_in import stand_in
from producer.simulation.head import labelled_images
from worker.images.decoding import UnusableImage, decode, decode_photograph
from worker.images.pillow_warnings import quiet_decoders

SIZE = (24, 32)


def picture(height: int = 48, width: int = 64) -> np.ndarray:
    """A scene whose four corners differ: red left to right, green top to bottom, blue in the middle."""
    rows, columns = np.mgrid[0:height, 0:width]
    blue = 255 * np.exp(-(((rows - height / 2) / height) ** 2 + ((columns - width / 2) / width) ** 2) * 8)
    return np.stack([255 * columns / (width - 1), 255 * rows / (height - 1), blue], axis=2).astype(np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(pixels: np.ndarray) -> bytes:
    return encoded(Image.fromarray(pixels))


def png_of(width: int, height: int, rows: bytes, colour: int = 2, depth: int = 8) -> bytes:
    """A PNG made by hand: its header says what it likes, its data are `rows` compressed."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def reference() -> np.ndarray:
    return decode(png(picture()), SIZE)


def close(found: np.ndarray, expected: np.ndarray, by: float = 3.0) -> bool:
    return bool(np.abs(found.astype(float) - expected).max() <= by)


def test_pixels_are_averaged_not_dropped() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    stripes[:32] //= 2
    found = decode(png(stripes), (8, 8))
    assert found.shape == (8, 8, 3)
    assert found.dtype == np.uint8
    assert close(found[:3], np.full((3, 8, 3), 63.5), by=12)
    assert close(found[5:], np.full((3, 8, 3), 127.5), by=12)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
def test_what_cameras_write_is_read(kind: str) -> None:
    options = {"quality": 98, "subsampling": 0} if kind == "JPEG" else {}
    found = decode(encoded(Image.fromarray(picture()), kind, **options), SIZE)
    assert found.shape == (*SIZE, 3)
    assert close(found, reference(), by=8)


def test_the_same_bytes_give_the_same_pixels_in_every_thread() -> None:
    data = encoded(Image.fromarray(picture(300, 400)), "JPEG")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: decode(data, SIZE).tobytes(), range(32)))
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"no photograph at all", "no image that can be read"),
        (stand_in(EMPTY(file="2.jpg")), "no photograph: 2.jpg is empty"),
        (stand_in(MISSING(pockets=[6])), "^no photograph of pocket 6$"),
        (b"\xff\xd8\xff", "ends before its end marker"),
        (encoded(Image.fromarray(picture()), "GIF"), "no image that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no image that can be read"),
    ],
    ids=["empty", "text", "a stand-in", "a gap", "three bytes", "another format", "a program"],
)
def test_what_is_no_photograph_is_unusable(data: bytes, reason: str) -> None:
    with pytest.raises(UnusableImage, match=reason):
        decode(data, SIZE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_file_is_unusable(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(UnusableImage, match=r"cut short|damaged|no image"):
        decode(data[: int(len(data) * share)], SIZE)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_100_megapixels_by_their_header_alone_are_unusable() -> None:
    with pytest.raises(UnusableImage, match="too large"):
        decode(png_of(10_000, 10_000, b""), SIZE)
    with pytest.raises(UnusableImage, match="too large"):
        decode(png_of(60_000, 60_000, b""), SIZE)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_100_real_megapixels_in_a_small_file_are_refused_before_they_are_decoded() -> None:
    data = png_of(10_000, 10_000, bytes(10_000 * 1_251), colour=0, depth=1)
    assert len(data) < 100_000
    with pytest.raises(UnusableImage, match=r"10000×10000, at most 40,000,000 pixels"):
        decode(data, SIZE)


def test_a_jpeg_of_a_thousand_scans_is_refused_before_they_are_decoded() -> None:
    """Each scan of 14 bytes would have a decoder go over 4 megapixels once more."""
    whole = encoded(Image.new("L", (2000, 2000), 128), "JPEG", progressive=True)
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    begun = time.process_time()
    with pytest.raises(UnusableImage, match="more than 100 scans"):
        decode(whole[:-2] + scan * 1000 + whole[-2:], SIZE)
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(("huffman", "arithmetic"), [(0xC0, 0xC9), (0xC2, 0xCA)])
def test_a_jpeg_with_arithmetic_coding_is_refused(huffman: int, arithmetic: int) -> None:
    data = encoded(Image.fromarray(picture()), "JPEG", progressive=huffman == 0xC2)
    assert "arithmetic coding" in reason_of(data.replace(bytes((0xFF, huffman)), bytes((0xFF, arithmetic)), 1))


def test_progressive_jpegs_as_cameras_write_them_are_read() -> None:
    data = encoded(Image.fromarray(picture()), "JPEG", progressive=True, quality=98, subsampling=0)
    assert close(decode(data, SIZE), reference(), by=8)


def test_a_run_length_encoded_bmp_is_refused() -> None:
    data = bytearray(encoded(Image.new("P", (600, 100)), "BMP"))
    struct.pack_into("<I", data, 30, 1)  # the compression
    with pytest.raises(UnusableImage, match="run-length"):
        decode(bytes(data), SIZE)


def tiff_of(compression: int, tile_width: int, tile_length: int) -> bytes:
    """A black TIFF of 64×64 pixels, made by hand of one tile, which is larger."""
    data = zlib.compress(bytes(tile_width * tile_length))
    tags = [(256, 64), (257, 64), (258, 8), (259, compression), (262, 1), (277, 1), (322, tile_width)]
    tags += [(323, tile_length), (324, 10 + 12 * 10 + 4), (325, len(data))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def test_a_tiff_of_tiles_larger_than_any_image_is_unusable() -> None:
    with pytest.raises(UnusableImage, match="black"):
        decode(tiff_of(8, 64, 64), SIZE)
    with pytest.raises(UnusableImage, match="tiles of 8000×8000"):
        decode(tiff_of(8, 8000, 8000), SIZE)


@pytest.mark.parametrize("compression", [6, 34_925, 50_000, 50_001])
def test_a_tiff_that_no_camera_writes_is_unusable(compression: int) -> None:
    with pytest.raises(UnusableImage, match="TIFF of the kind"):
        decode(tiff_of(compression, 64, 64), SIZE)


@pytest.mark.parametrize("compression", ["tiff_ccitt", "group3", "group4"])
def test_a_fax_is_refused_by_name(compression: str) -> None:
    with pytest.raises(UnusableImage, match="that faxes use"):
        decode(encoded(Image.fromarray(picture()).convert("1"), "TIFF", compression=compression), SIZE)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg"])
def test_a_compressed_tiff_is_read(compression: str) -> None:
    data = encoded(Image.fromarray(picture()), "TIFF", compression=compression)
    assert close(decode(data, SIZE), reference(), by=20)


def test_too_many_bytes_are_unusable() -> None:
    with pytest.raises(UnusableImage, match="too large"):
        decode(bytes(MAX_IMAGE_BYTES + 1), SIZE)


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    grey = picture()[..., 0].astype(np.uint16) * 257
    grey[::2] |= 0x0F
    for kind in ("PNG", "TIFF"):
        found = decode(encoded(Image.fromarray(grey), kind), SIZE)
        assert close(found, decode(png(picture()[..., 0]), SIZE))


def test_16_bit_grey_is_turned_and_cropped_like_any_other() -> None:
    grey = picture()[..., 0].astype(np.uint16) * 257
    exif = Image.Exif()
    exif[0x0112] = 6
    found = decode(encoded(Image.fromarray(grey), exif=exif), SIZE, region=(8, 8, 32, 32))
    expected = np.rot90(picture()[..., 0], -1)[8:40, 8:40]
    assert close(found, decode(png(np.ascontiguousarray(expected)), SIZE))


def test_16_bit_colour_keeps_its_upper_bits() -> None:
    wide = picture().astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in wide)
    found = decode(png_of(64, 48, rows, colour=2, depth=16), SIZE)
    assert close(found, reference())


def test_32_bit_values_of_an_unknown_range_are_unusable() -> None:
    for value in (70_000, -1):
        with pytest.raises(UnusableImage, match="32-bit"):
            decode(encoded(Image.fromarray(np.full((48, 64), value, np.int32)), "TIFF"), SIZE)


def test_greyscale_gets_three_equal_colours() -> None:
    found = decode(png(picture()[..., 0]), SIZE)
    assert (found == found[..., :1]).all()
    assert close(found[..., 0], reference()[..., 0])


def test_cmyk_is_converted() -> None:
    image = Image.fromarray(picture()).convert("CMYK")
    for kind in ("TIFF", "JPEG"):
        assert close(decode(encoded(image, kind), SIZE), reference(), by=20)


def test_a_palette_is_resolved_before_it_is_averaged() -> None:
    assert close(decode(encoded(Image.fromarray(picture()).quantize(256)), SIZE), reference(), by=24)


def test_a_palette_that_is_not_there_makes_an_image_unusable() -> None:
    """Found by `make fuzz`."""
    rows = b"".join(b"\0" + bytes(range(64)) for _ in range(48))
    with pytest.raises(UnusableImage, match="kind P, which cannot be read"):
        decode(png_of(64, 48, rows, colour=3), SIZE)


def test_transparent_parts_are_black() -> None:
    pixels = np.dstack([np.full((48, 64, 3), 255, np.uint8), np.zeros((48, 64), np.uint8)])
    pixels[:, 32:, 3] = 255
    found = decode(png(pixels), SIZE)
    assert (found[:, :14] == 0).all()
    assert (found[:, 18:] == 255).all()
    grey = encoded(Image.fromarray(pixels).convert("LA"))
    np.testing.assert_array_equal(decode(grey, SIZE), found)


def test_a_colour_that_is_declared_transparent_is_black() -> None:
    pixels = picture()
    pixels[:, :32] = (1, 2, 255)
    found = decode(encoded(Image.fromarray(pixels), transparency=(1, 2, 255)), SIZE)
    assert (found[:, :14] == 0).all()


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda upright: upright),
        (3, lambda upright: np.rot90(upright, 2)),
        (6, lambda upright: np.rot90(upright, 1)),
        (8, lambda upright: np.rot90(upright, -1)),
    ],
)
def test_an_image_is_turned_upright_before_its_region_is_taken(orientation: int, turn: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(np.ascontiguousarray(turn(picture()))), exif=exif)
    np.testing.assert_array_equal(decode(data, SIZE), reference())
    region = (24, 4, 40, 36)
    np.testing.assert_array_equal(decode(data, SIZE, region), decode(png(picture()[4:40, 24:64]), SIZE))


@pytest.mark.parametrize(
    "region", [(0, 0, 65, 48), (0, 1, 64, 48), (-1, 0, 10, 10), (64, 0, 1, 1), (0, 0, 0, 10), (0, 0, 10, -1)]
)
def test_a_region_outside_the_image_is_unusable(region: tuple[int, int, int, int]) -> None:
    with pytest.raises(UnusableImage, match="not inside the image of 64×48"):
        decode(png(picture()), SIZE, region)


def test_the_whole_image_is_a_region() -> None:
    np.testing.assert_array_equal(decode(png(picture()), SIZE, (0, 0, 64, 48)), reference())


@pytest.mark.parametrize(
    ("level", "reason"), [(0, "black"), (9, "black"), (128, "no contrast"), (252, "burnt out"), (255, "burnt out")]
)
def test_an_image_that_shows_nothing_is_unusable(level: int, reason: str) -> None:
    noise = np.random.default_rng(0).integers(-1, 2, (48, 64, 3))
    with pytest.raises(UnusableImage, match=reason) as caught:
        decode(png(np.clip(level + noise, 0, 255).astype(np.uint8)), SIZE)
    assert caught.value.reason == str(caught.value)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 2_000), value=st.integers(0, 255), kind=st.sampled_from(["JPEG", "PNG", "BMP", "TIFF"]))
def test_a_damaged_byte_never_gives_more_than_another_picture(position: int, value: int, kind: str) -> None:
    data = bytearray(encoded(Image.fromarray(picture()), kind))
    data[position % len(data)] = value
    with contextlib.suppress(UnusableImage):
        assert decode(bytes(data), SIZE).shape == (*SIZE, 3)


def test_rendered_inserts_are_usable() -> None:
    for photograph, _ in labelled_images(60, seed=5, size=128):
        assert decode(photograph, (64, 64)).shape == (64, 64, 3)


def test_every_shared_photograph_is_usable_and_far_from_the_limits(shared: Path) -> None:
    photographs = sorted((shared / "data" / "turning-inserts").glob("*/*.JPG"))
    assert len(photographs) == 194
    for path in photographs:
        brightness = decode(path.read_bytes(), (224, 224)).mean(axis=2)
        darkest, brightest = np.percentile(brightness, (1, 99))
        assert darkest < 125
        assert brightest > 80
        assert brightest - darkest > 80


def reason_of(data: bytes, region: tuple[int, int, int, int] | None = None) -> str:
    with pytest.raises(UnusableImage) as caught:
        decode(data, SIZE, region)
    return caught.value.reason


def test_the_pixels_of_ordinary_photographs_are_pillow_s_own() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    for kind in ("JPEG", "PNG", "BMP", "TIFF"):
        for mode in ("RGB", "L"):
            data = encoded(Image.fromarray(pixels).resize((40, 30)).resize((400, 300)).convert(mode), kind)
            plain = Image.open(io.BytesIO(data)).convert("RGB")
            expected = np.array(plain.resize((224, 224), Image.Resampling.BILINEAR, reducing_gap=3.0))
            np.testing.assert_array_equal(decode(data, (224, 224)), expected)


@pytest.mark.parametrize("alpha", [0, 1, 128])
def test_an_image_that_is_equally_transparent_everywhere_shows_its_colours(alpha: int) -> None:
    pixels = np.dstack([picture(), np.full((48, 64), alpha, np.uint8)])
    for kind in ("PNG", "TIFF", "BMP"):
        np.testing.assert_array_equal(decode(encoded(Image.fromarray(pixels), kind), SIZE), reference())
    assert "fully transparent" in reason_of(png(np.zeros((48, 64, 4), np.uint8)))


@pytest.mark.parametrize("place", [(0, 0), (30, 40)])
def test_one_odd_value_of_alpha_changes_nothing(place: tuple[int, int]) -> None:
    pixels = np.dstack([picture(), np.zeros((48, 64), np.uint8)])
    pixels[(*place, 3)] = 255
    for kind in ("PNG", "TIFF", "BMP"):
        np.testing.assert_array_equal(decode(encoded(Image.fromarray(pixels), kind), SIZE), reference())
    black = np.zeros((48, 64, 4), np.uint8)
    black[place] = 255
    assert "fully transparent" in reason_of(png(black))


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (2, 1, "too small"),
        (31, 400, "too small"),
        (5000, 20, "too small"),
        (1, 3000, "too small"),
        (1200, 100, "no in"),
    ],
)
def test_what_is_too_small_or_of_no_insert_s_proportions_is_unusable(width: int, height: int, words: str) -> None:
    data = png(np.resize(picture(), (height, width, 3)))
    assert words in reason_of(data)
    whole = png(np.resize(picture(), (max(height, 400, width // 4), max(width, 400, height // 4), 3)))
    assert words in reason_of(whole, (0, 0, width, height))


@pytest.mark.parametrize("share", [0.071, 0.5, 0.812, 0.97])
def test_half_a_photograph_is_never_judged(share: float) -> None:
    colours = Image.fromarray(np.random.default_rng(0).integers(1, 256, (160, 200, 3), dtype=np.uint8))
    for kind, options in (("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})):
        data = encoded(colours, kind, **options)
        cut = int(len(data) * share)
        assert "cut short" in reason_of(data[:cut])
        for fill in (b"\0", b"\xff", b"\x80"):
            assert "cut short" in reason_of(data[:cut] + fill * (len(data) - cut)), "room for the rest is reserved"
    for mode, options in (("RGB", {}), ("L", {}), ("CMYK", {}), ("RGB", {"progressive": True})):
        data = encoded(colours.convert(mode), "JPEG", **options)
        cut = max(int(len(data) * share), data.index(b"\xff\xda") + 40)
        assert "cut short" in reason_of(data[:cut])
        assert "cut short" in reason_of(data[:cut] + b"\xff\xd9"), "an end marker is no proof"
    rows = b"".join(b"\0" + row.tobytes() for row in np.asarray(colours)[: int(160 * share)])
    assert "cut short" in reason_of(png_of(200, 160, rows))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
@pytest.mark.parametrize("by", [1, 3], ids=["in full", "reduced"])
def test_a_row_that_is_repeated_to_the_end_or_any_one_grey_is_doubted(kind: str, by: int) -> None:
    whole = np.asarray(Image.fromarray(reference()).resize((320 * by, 320 * by)))
    rows = len(whole) // 2
    for half in (whole[rows - 1 : rows], np.full_like(whole[:1], 0xCD)):
        pixels = np.concatenate([whole[:rows], np.repeat(half, rows, axis=0)])
        for turned in (pixels, np.rot90(pixels)):
            data = encoded(Image.fromarray(turned), kind)
            assert decode_photograph(data, (224, 224)).doubt is not None
    top = encoded(Image.fromarray(pixels), kind)
    assert decode_photograph(top, (100, 100), (0, 0, 300 * by, 128 * by)).doubt is None


def test_a_bar_that_may_be_a_missing_part_is_doubted_and_a_region_without_it_is_not() -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (160, 200, 3), dtype=np.uint8)
    pixels[:16] = 0
    for kind, doubted in (("BMP", True), ("TIFF", True), ("PNG", False), ("JPEG", False)):
        data = encoded(Image.fromarray(pixels), kind)
        doubt = decode_photograph(data, SIZE).doubt
        assert (doubt is not None) == doubted
        assert doubt is None or "give the pocket's region without it" in doubt
        assert decode_photograph(data, SIZE, (0, 16, 200, 144)).doubt is None


@pytest.mark.parametrize("fill", [0x00, 0xFF, 0x80])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"quality": 95}], ids=str)
def test_a_jpeg_with_a_part_that_was_overwritten_is_not_judged(options: dict[str, Any], fill: int) -> None:
    for photograph, _ in labelled_images(2, seed=6, size=384):
        data = encoded(Image.open(io.BytesIO(photograph)).convert("RGB"), "JPEG", **options)
        begins = data.index(b"\xff\xda") + 100
        for first, share in ((0.1, 0.1), (0.3, 0.1), (0.05, 0.5), (0.6, 0.3)):
            at, number = begins + int(len(data) * first), int(len(data) * share)
            assert "cut short" in reason_of(data[:at] + bytes([fill]) * number + data[at + number :])


@pytest.mark.parametrize(("first", "last"), [(0.3, 0.6), (0.01, 0.5), (0.001, 0.98), (0.0, 0.5)])
def test_a_photograph_whose_middle_or_beginning_was_never_written_is_not_judged(first: float, last: float) -> None:
    colours = Image.fromarray(np.random.default_rng(0).integers(1, 256, (160, 200, 3), dtype=np.uint8))
    for kind in ("BMP", "TIFF"):
        data = bytearray(encoded(colours, kind))
        start, end = max(int(len(data) * first), 200), int(len(data) * last)
        data[start:end] = bytes(end - start)
        assert "cut short" in reason_of(bytes(data))


@pytest.mark.parametrize(("mode", "options"), [("RGB", {}), ("RGB", {"subsampling": 0}), ("L", {})])
def test_a_jpeg_in_parts_of_which_some_are_missing_is_not_judged(mode: str, options: dict[str, Any]) -> None:
    colours = Image.fromarray(np.random.default_rng(0).integers(1, 256, (160, 200, 3), dtype=np.uint8)).convert(mode)
    data = encoded(colours, "JPEG", restart_marker_rows=1, **options)
    assert decode(data, SIZE).shape == (*SIZE, 3)
    third, end = len(data) // 3, len(data) - 2
    for rest in (bytes(third) + data[2 * third :], data[2 * third :], bytes(end - third) + data[end:]):
        assert "parts" in reason_of(data[:third] + rest)


def test_a_line_across_a_photograph_is_no_missing_part() -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (160, 200, 3), dtype=np.uint8)
    pixels[78:82] = 0  # a cross-hair
    pixels[:, 98:102] = 0
    assert decode(encoded(Image.fromarray(pixels), "BMP"), SIZE).shape == (*SIZE, 3)


def test_whole_photographs_that_end_in_grey_or_black_are_judged() -> None:
    ends_grey, thing, bars = (np.full((160, 200, 3), fill, np.uint8) for fill in (128, 0, 0))
    noise = np.random.default_rng(0).integers(150, 256, (160, 200, 3), dtype=np.uint8)
    ends_grey[:100], thing[40:100, 30:170], bars[40:120] = noise[:100], noise[40:100, 30:170], noise[40:120]
    for kind, options in (("JPEG", {}), ("JPEG", {"progressive": True}), ("BMP", {}), ("TIFF", {})):
        for pixels in (ends_grey, thing, bars):
            assert decode(encoded(Image.fromarray(pixels), kind, **options), SIZE).shape == (*SIZE, 3)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC photograph: set the telephone"),
        (b"\0\0\0\x18ftypavif" + bytes(40), "AVIF image: save it as JPEG"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP image: save it as JPEG"),
        (b"GIF89a", "GIF image: save it as JPEG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000 image: save it as JPEG"),
        (b"\xff\x0a\0", "JPEG XL image: save it as JPEG"),
        (b"FUJIFILMCCD-RAW ", "raw data (RAF): set the camera"),
        (b"%PDF-1.7", "PDF document: hand in the photograph itself"),
        (b'<?xml version="1.0"?><svg>', "drawing (SVG)"),
        (b"<!DOCTYPE html>", "web page: the download failed"),
        (b"PK\3\4", "zip archive: unpack it"),
        (b"\xff\xd8\xff\xd9", "JPEG of a kind that is not read"),
    ],
)
def test_a_file_of_another_format_is_named_with_what_to_do(data: bytes, words: str) -> None:
    assert words in reason_of(data)


@pytest.mark.parametrize("tags", [{50706: b"\1\4\0\0"}, {254: 1}])
def test_a_camera_s_raw_data_are_not_judged_by_their_preview(tags: dict[int, Any]) -> None:
    assert "raw data" in reason_of(encoded(Image.fromarray(picture()), "TIFF", tiffinfo=tags))


def test_pillow_s_warnings_about_a_damaged_file_are_dropped_and_others_are_not() -> None:
    """Python keeps the text of every warning that it shows: each damaged image would leave some behind."""
    file = io.BytesIO()
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0"  # a directory of five entries that ends before the first
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "JPEG", exif=exif)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        decode(file.getvalue(), (8, 8))
        assert [each.category for each in caught] == [UserWarning], "this file does not show it"
        caught.clear()
        quiet_decoders()
        decode(file.getvalue(), (8, 8))
        assert caught == []
        warnings.warn("another's", UserWarning, stacklevel=1)
        assert len(caught) == 1
