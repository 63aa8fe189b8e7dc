from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from producer.pictures.jpeg_structure import JpegStructure
from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.station.photograph_file import Changing, Reading, only_when_finished, read, why_raw
from producer.station.settled_files import Look
from tests.support import make_no_file

NOISE = np.random.default_rng(0).integers(1, 255, (200, 240, 3), dtype=np.uint8)
SCENE = np.asarray(Image.fromarray(NOISE[:25, :30]).resize((240, 200), Image.Resampling.BICUBIC))


@pytest.fixture(autouse=True)
def _a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel knows nothing of who writes the file."""
    monkeypatch.setattr("producer.station.photograph_file.open_for_writing", lambda _: None)
    monkeypatch.setattr("producer.station.photograph_file.has_holes", lambda *_: False)


def saved(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def reading_of(folder: Path, data: bytes) -> Reading:
    path = folder / "1.bmp"
    path.write_bytes(data)
    reading = read(path, Look.at(path.stat()))
    assert reading.image == data
    return reading


def doubt_of(folder: Path, data: bytes) -> str | None:
    return reading_of(folder, data).doubt


@pytest.mark.parametrize("fill", [0x00, 0xFF, 0x80, 0xCD])
@pytest.mark.parametrize("kind", ["BMP", "TIFF"])
def test_a_file_that_is_not_filled_yet_is_doubted(tmp_path: Path, kind: str, fill: int) -> None:
    data = saved(SCENE, kind)
    for share in (0.21, 0.501, 0.79):
        written = int(len(data) * share)
        assert "stops within a row" in str(doubt_of(tmp_path, data[:written] + bytes([fill]) * (len(data) - written)))


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=str)
def test_a_jpeg_whose_middle_is_not_there_yet_is_doubted(tmp_path: Path, options: dict[str, object]) -> None:
    data = saved(NOISE, "JPEG", **options)
    scan = max(JpegStructure.of(data).scans, key=lambda each: each.ends - each.begins)
    middle = (scan.begins + scan.ends) // 2
    damaged = data[:middle] + bytes(1000) + data[middle + 1000 :]
    assert doubt_of(tmp_path, damaged) == "a part of the JPEG was never written"
    assert doubt_of(tmp_path, data) is None


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PNG", "JPEG"])
@pytest.mark.parametrize("colour", [0, 255])
def test_a_plain_bar_is_described_where_it_may_not_be_written_yet(tmp_path: Path, kind: str, colour: int) -> None:
    """At either side: a BMP's file ends with the uppermost row."""
    assert reading_of(tmp_path, saved(SCENE, kind)).bar is None
    for rows, words in ((slice(0, 20), "rows 0 to 19"), (slice(-20, None), "rows 180 to 199")):
        pixels = SCENE.copy()
        pixels[rows] = colour
        reading = reading_of(tmp_path, saved(pixels, kind))
        assert reading.doubt is None
        if kind in ("BMP", "TIFF"):
            assert str(reading.bar).startswith(f"{words} have one colour, {colour}, {colour}, {colour}: a bar, or not")
        else:
            assert reading.bar is None


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_file_that_another_program_fills_with_a_pattern_is_doubted(tmp_path: Path, mode: str) -> None:
    noise = np.random.default_rng(5).integers(40, 200, (120, 160, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(file, "BMP")
    whole = file.getvalue()
    assert doubt_of(tmp_path, whole) is None
    half = len(whole) // 2
    pattern = bytes.fromhex("deadbeef") * (half // 4 + 1)
    assert doubt_of(tmp_path, whole[:half] + pattern[: len(whole) - half]) is not None


def test_what_changed_or_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(saved(SCENE, "JPEG"))
    look = Look.at(path.stat())
    path.write_bytes(saved(NOISE, "JPEG"))
    with pytest.raises(Changing):
        read(path, look)
    with pytest.raises(ValueError, match="at most"):
        read(path, Look(MAX_IMAGE_BYTES + 1, 0, 0, 0))


def test_a_camera_s_raw_data_are_told_by_name_and_beginning() -> None:
    assert why_raw("1.NEF", b"MM\0*") is not None
    assert why_raw("1.tif", b"MM\0*") is None
    assert why_raw("1.webp", b"RIFF") is None


def test_one_photograph_is_handed_in_when_nobody_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, image = tmp_path / "1.jpg", saved(SCENE, "JPEG")
    path.write_bytes(image)
    found = only_when_finished(path, 0.001)
    assert (found.image, found.unguarded) == (image, True)
    with monkeypatch.context() as meanwhile:
        its_clock = SimpleNamespace(sleep=lambda _: path.write_bytes(saved(NOISE, "JPEG")))
        meanwhile.setattr("producer.station.photograph_file.time", its_clock)
        with pytest.raises(ValueError, match="being written: hand it in when it is finished"):
            only_when_finished(path, 2.0)
        # Nor where leases tell of no writer: it may have closed the file between two pieces.
        meanwhile.setattr("producer.station.photograph_file.open_for_writing", lambda _: False)
        with pytest.raises(ValueError, match="being written: hand it in when it is finished"):
            only_when_finished(path, 600.0)
    monkeypatch.setattr("producer.station.photograph_file.open_for_writing", lambda _: True)
    with pytest.raises(ValueError, match="being written: hand it in when it is finished"):
        only_when_finished(path, 2.0)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("a pipe", "is a pipe: save the photograph to a file"),
        ("a link to a device", "is a socket or a device: save the photograph to a file"),
        ("a folder", "is a folder: name one photograph in it, or hand in all with `check` or `watch`"),
    ],
)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str, said: str) -> None:
    make_no_file(tmp_path / "1.jpg", kind)
    with pytest.raises(ValueError, match=said):
        only_when_finished(tmp_path / "1.jpg", 2.0)
