from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from producer.pictures.jpeg_structure import JpegStructure

NOISE = np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)
SCENE = Image.fromarray(NOISE).resize((640, 512), Image.Resampling.BICUBIC)


def jpeg(image: Image.Image = SCENE, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def test_one_walk_tells_size_scans_and_end() -> None:
    data = jpeg()
    found = JpegStructure.of(data + b"more\xff\xd9")
    assert (found.size, found.progressive, found.usual_codes, found.problem) == ((640, 512), False, True, None)
    assert (found.end, len(found.scans)) == (len(data), 1)
    assert data[found.scans[0].ends :] == b"\xff\xd9"
    progressive = JpegStructure.of(jpeg(progressive=True))
    assert progressive.progressive
    assert len(progressive.scans) == 10
    assert [scan.brings_dc for scan in progressive.scans].count(True) == 2


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 20}, {"optimize": True}], ids=str)
def test_a_part_without_restart_markers_is_counted_in_every_scan(options: dict[str, Any]) -> None:
    data = jpeg(restart_marker_rows=1, **options)
    found = JpegStructure.of(data)
    assert found.problem is None
    scan = found.scans[len(found.scans) // 2]
    first = data.index(b"\xff\xd1", scan.begins)
    second = data.index(b"\xff\xd2", first)
    assert re.search(r"has \d+ of its \d+ parts", str(JpegStructure.of(data[:first] + data[second:]).problem))


def test_scans_that_never_came_are_missed() -> None:
    data = jpeg(progressive=True)
    *earlier, _ = JpegStructure.of(data).scans
    assert len(earlier) > 2
    for scan in earlier:
        assert JpegStructure.of(data[: scan.ends] + b"\xff\xd9").problem == "scans of the JPEG are missing"


@pytest.mark.parametrize("fill", [0x00, 0x80, 0x55])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 30}], ids=str)
def test_bytes_that_repeat_may_be_what_was_never_written(options: dict[str, Any], fill: int) -> None:
    data = jpeg(**options)
    assert not any(scan.repeats for scan in JpegStructure.of(data).scans)
    scan = max(JpegStructure.of(data).scans, key=lambda each: each.ends - each.begins)
    middle = (scan.begins + scan.ends) // 2
    damaged = data[:middle] + bytes([fill]) * 100 + data[middle + 100 :]
    found = JpegStructure.of(damaged)
    assert {fill} in [scan.repeats for scan in found.scans]
    assert found.problem == (None if fill else "a part of the JPEG was never written")


@pytest.mark.parametrize("fill", [b"\x55\xaa", b"\xde\xad\xbe\xef", b"EMPTY", b"0123456789", bytes(range(1, 65))])
def test_a_few_bytes_that_repeat_may_be_that_too(fill: bytes) -> None:
    data = jpeg(quality=95)
    (scan,) = JpegStructure.of(data).scans
    assert not JpegStructure.of(data).has_pattern(data, scan)
    middle = (scan.begins + scan.ends) // 2
    damaged = data[:middle] + (fill * 400)[:400] + data[middle + 400 :]
    (scan,) = JpegStructure.of(damaged).scans
    assert JpegStructure.of(damaged).has_pattern(damaged, scan)


def test_parts_are_in_their_order_and_none_comes_twice() -> None:
    data = jpeg(restart_marker_rows=1)
    (scan,) = JpegStructure.of(data).scans
    first = data.index(b"\xff\xd1", scan.begins)
    second = data.index(b"\xff\xd2", first)
    for damaged in (
        data[:second] + data[first:],
        data[:first] + b"\xff\xd0" * 100 + data[second:],
        data[: scan.ends] + b"\xff\xd0" * 100 + data[scan.ends :],
    ):
        assert JpegStructure.of(damaged).problem == "parts of the JPEG are out of their order"
    number = len(re.findall(rb"\xff[\xd0-\xd7]", data[scan.begins : scan.ends]))
    closed = data[: scan.ends] + bytes((0xFF, 0xD0 + number % 8)) + data[scan.ends :]
    assert JpegStructure.of(closed).problem is None  # some encoders close the last part too


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}], ids=str)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_area_lacks_nothing(options: dict[str, Any], level: int) -> None:
    pixels = np.asarray(SCENE).copy()
    pixels[60:] = level
    for image in (Image.fromarray(pixels), Image.fromarray(pixels).convert("L")):
        data = jpeg(image, **options)
        assert JpegStructure.of(data).problem is None


@pytest.mark.parametrize("cut", [b"\xff\xc0\0\4ab", b"\xff\xda\0\2", b"\xff\xc0\0\x0b\x08\0\x20\0\x20\1\1\0\0"])
def test_segments_that_are_too_short_are_told(cut: bytes) -> None:
    assert "shorter" in str(JpegStructure.of(b"\xff\xd8" + cut + b"\xff\xd9").problem)
