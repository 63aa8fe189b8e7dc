from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from producer.pictures.jpeg_structure import JpegStructure
from worker.images.truncated_jpeg import load_whole


def scene(mode: str = "RGB", size: tuple[int, int] = (200, 150)) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (19, 25, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).convert(mode)


def jpeg(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


WAYS: dict[str, Callable[[], bytes]] = {
    "baseline": lambda: jpeg(scene()),
    "full colour": lambda: jpeg(scene(), subsampling=0, quality=95),
    "odd size": lambda: jpeg(scene(size=(201, 153)), subsampling=1),
    "grey": lambda: jpeg(scene("L")),
    "four inks": lambda: jpeg(scene("CMYK")),
    "progressive": lambda: jpeg(scene(), progressive=True),
    "progressive grey": lambda: jpeg(scene("L"), progressive=True),
    "restart markers": lambda: jpeg(scene(), restart_marker_rows=1),
    "progressive with restart markers": lambda: jpeg(scene(), progressive=True, restart_marker_rows=1),
    "middle grey, which is what stands where nothing was sent": lambda: jpeg(Image.new("RGB", (200, 150), (128,) * 3)),
}


def is_cut(data: bytes, reduction: int = 1) -> bool:
    """As the line sees it: an error of the decoder, or what it hides."""
    jpeg = JpegStructure.of(data)
    image = Image.open(io.BytesIO(data))
    assert isinstance(image, JpegImageFile)
    image.draft(None, (image.width // reduction, image.height // reduction))
    try:
        whole = load_whole(image, data, jpeg)
    except OSError:
        return True
    return jpeg.problem is not None or not whole


@pytest.mark.parametrize("reduction", [1, 2, 8])
@pytest.mark.parametrize("way", WAYS)
def test_a_whole_jpeg_is_whole_whatever_follows_it(way: str, reduction: int) -> None:
    data = WAYS[way]()
    for rest in (b"", bytes(4096), b"\xff\xd8\xff\xe0more", b"\xff" * 50):
        assert not is_cut(data + rest, reduction)


@pytest.mark.parametrize("reduction", [1, 2, 8])
@pytest.mark.parametrize("way", WAYS)
def test_a_scan_that_stops_is_seen_although_an_end_marker_follows(way: str, reduction: int) -> None:
    data = WAYS[way]()
    begins = data.index(b"\xff\xda") + 14
    last_unit = 150  # bytes at most; a cut in the last unit loses some pixels of a corner
    for at in np.linspace(begins, len(data) - last_unit, 40).astype(int):
        cut = data[:at].removesuffix(b"\xff")
        assert is_cut(cut + b"\xff\xd9", reduction), f"cut at {at} of {len(data)}"


@pytest.mark.parametrize("reduction", [1, 8])
def test_each_scan_of_a_progressive_jpeg_is_seen_to_stop(reduction: int) -> None:
    """Of those that bring fine detail no reduced pixel shows it."""
    data = WAYS["progressive"]()
    scans = JpegStructure.of(data).scans
    assert len(scans) > 2
    for scan in scans:
        assert is_cut(data[: (scan.begins + scan.ends) // 2] + data[scan.ends :], reduction)


@pytest.mark.parametrize("reduction", [1, 8])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_decoded_is_what_pillow_decodes(way: str, reduction: int) -> None:
    data = WAYS[way]()
    jpeg = JpegStructure.of(data)
    images = []
    for _ in range(2):
        image = Image.open(io.BytesIO(data))
        image.draft(None, (image.width // reduction, image.height // reduction))
        images.append(image)
    assert load_whole(images[0], data, jpeg)
    assert images[0].size == images[1].size
    np.testing.assert_array_equal(np.asarray(images[0]), np.asarray(images[1]))


@pytest.mark.parametrize("reduction", [1, 4])
@pytest.mark.parametrize("way", ["baseline", "full colour", "grey", "progressive"])
def test_a_copy_that_was_resumed_too_early_is_seen(way: str, reduction: int) -> None:
    data = WAYS[way]()
    for share in (0.4, 0.6, 0.8):
        at = int(len(data) * share)
        assert is_cut(data[:at] + data[at - len(data) // 4 :], reduction), share


def test_more_bytes_than_a_scan_has_pixels_for_are_what_an_overwritten_part_leaves() -> None:
    """Zeros in place of 2000 bytes of an optimised JPEG are fewer blocks, or more, than the bytes were."""
    data = jpeg(scene(size=(640, 512)), optimize=True, quality=90)
    (scan,) = JpegStructure.of(data).scans
    repeated = data[: scan.ends] + b"\x2a" * 64 + data[scan.ends :]
    assert is_cut(repeated)
    assert is_cut(repeated, 8)
    assert not is_cut(data)


@pytest.mark.parametrize("way", ["progressive", "progressive grey"])
def test_scans_that_were_never_sent_are_missed(way: str) -> None:
    data = WAYS[way]()
    starts = [found.start() for found in re.finditer(rb"\xff\xda", data)]
    assert len(starts) > 3
    for start in starts[1:]:
        assert is_cut(data[:start] + b"\xff\xd9")


def test_a_part_between_two_restart_markers_is_missed() -> None:
    data = WAYS["restart markers"]()
    first, second = (data.index(bytes((0xFF, marker))) for marker in (0xD2, 0xD3))
    assert is_cut(data[:first] + data[second:])


PARTS: dict[str, dict[str, Any]] = {
    "a row of blocks": {"restart_marker_rows": 1},
    "three rows": {"restart_marker_rows": 3, "quality": 40},
    "four blocks": {"restart_marker_blocks": 4},
    "seven blocks, full colour": {"restart_marker_blocks": 7, "subsampling": 0},
    "a row, optimised": {"restart_marker_rows": 1, "optimize": True},
}


@pytest.mark.parametrize("reduction", [1, 8])
@pytest.mark.parametrize("part", PARTS)
def test_a_part_between_restart_markers_that_lost_its_data_is_seen(part: str, reduction: int) -> None:
    """As where packets of a network camera are lost, and a gateway keeps what it has in order."""
    data = jpeg(scene(size=(640, 512)), **PARTS[part])
    begins = JpegStructure.of(data).scans[0].begins
    parts = re.split(rb"(\xff[\xd0-\xd7])", data[begins:])
    assert not is_cut(data, reduction)
    middle = len(parts) // 4 * 2
    for kept in (0, 0.1, 0.5, 0.8):
        short = parts[middle][: int(len(parts[middle]) * kept)].removesuffix(b"\xff")
        assert is_cut(data[:begins] + b"".join([*parts[:middle], short, *parts[middle + 1 :]]), reduction), kept


@pytest.mark.parametrize("fill", [b"\x55\xaa", b"\r\n", b"\xde\xad\xbe\xef", b"0123456789abcdef"])
@pytest.mark.parametrize("share", [0.5, 0.8])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0, "quality": 95}, {"optimize": True}], ids=str)
def test_a_part_that_a_few_bytes_were_written_over_is_seen(options: dict[str, Any], share: float, fill: bytes) -> None:
    data = jpeg(scene(size=(640, 512)), **options)
    start = int(len(data) * share)
    assert is_cut(data[:start] + (fill * len(data))[: len(data) - start - 2] + data[-2:])
    assert is_cut(data[:start] + (fill * 1000)[:1000] + data[start + 1000 :])


@pytest.mark.parametrize("period", [5, 6, 7, 9, 10, 11, 12, 13])
@pytest.mark.parametrize("options", [{"quality": 95}, {"subsampling": 0, "quality": 90}], ids=str)
def test_a_pattern_of_any_length_is_asked_at_the_end_of_its_scan(options: dict[str, Any], period: int) -> None:
    data = jpeg(scene(size=(640, 512)), **options)
    fill = bytes(range(33, 33 + period)) * 1000
    for start in range(2048, len(data) - 6000, 1531):
        assert is_cut(data[:start] + fill[:4096] + data[start + 4096 :]), start


def test_without_an_end_marker_it_is_cut() -> None:
    for way in WAYS.values():
        assert is_cut(way()[:-2])
        assert is_cut(way()[:-1])


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("quality", [30, 75, 95, 100])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}], ids=str)
def test_a_flat_area_at_any_place_is_not_taken_for_a_part_that_was_overwritten(
    options: dict[str, Any], quality: int, level: int
) -> None:
    """Its scans repeat one byte too."""
    whole = np.asarray(scene(size=(640, 512)))
    for rows in (slice(0, 256), slice(128, 384), slice(256, 512), slice(470, 512)):
        pixels = whole.copy()
        pixels[rows] = level
        assert not is_cut(jpeg(Image.fromarray(pixels), quality=quality, **options))
