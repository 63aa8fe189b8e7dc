from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from producer.pictures.unfilled_rows import is_cut, is_uncompressed, may_have_runs, plain_part, plain_runs
from producer.simulation.head import labelled_images

BLACK, WHITE, GREY, GREEN = (0, 0, 0), (255, 255, 255), (128, 128, 128), (0, 135, 0)
CODED = {"JPEG": {}, "JPEG 30": {"quality": 30}, "progressive": {"progressive": True}, "PNG": {"compress_level": 1}}
RAW = {"BMP": {}, "TIFF": {}}


@cache
def rendered() -> list[np.ndarray]:
    """Inserts, RGB: an intact and a worn one, an intact and a broken one."""
    return [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data, _ in labelled_images(4, seed=7, size=256)]


def photographs() -> list[np.ndarray]:
    """Two of them, where much is done to each."""
    return rendered()[::3]


def saved(pixels: np.ndarray, way: str) -> bytes:
    file = io.BytesIO()
    kind = way if way in ("PNG", "BMP", "TIFF") else "JPEG"
    Image.fromarray(pixels).save(file, kind, **{**CODED, **RAW}[way])
    return file.getvalue()


def answer(data: bytes) -> str:
    """What is said of a file: cut, plain or whole."""
    image = Image.open(io.BytesIO(data))
    raw = is_uncompressed(image)
    image.load()
    runs = plain_runs(image)
    return "cut" if is_cut(image, runs, raw=raw) else "whole" if plain_part(image, runs, raw=raw) is None else "plain"


def bar(pixels: np.ndarray, colour: Any, top: int = 0, bottom: int = 0, left: int = 0, right: int = 0) -> np.ndarray:
    """The photograph with bars of a colour drawn over it."""
    drawn = np.full_like(pixels, colour)
    inside = slice(top, len(pixels) - bottom), slice(left, pixels.shape[1] - right)
    drawn[inside] = pixels[inside]
    return drawn


@pytest.mark.parametrize("way", [*CODED, *RAW])
@pytest.mark.parametrize("colour", [BLACK, WHITE], ids=["black", "white"])
def test_borders_on_two_or_four_sides_are_no_missing_part(way: str, colour: Any) -> None:
    for pixels in photographs():
        for bars in ((40, 40, 0, 0), (0, 0, 40, 40), (12, 12, 12, 12), (12, 34, 12, 12)):
            assert answer(saved(bar(pixels, colour, *bars), way)) == "whole"


@pytest.mark.parametrize("way", [*CODED, *RAW])
def test_photographs_are_whole(way: str) -> None:
    assert [answer(saved(pixels, way)) for pixels in rendered()] == ["whole"] * 4


@pytest.mark.parametrize("colour", [BLACK, WHITE], ids=["black", "white"])
@pytest.mark.parametrize("background", ["round", "tilted"])
def test_a_thing_before_a_plain_background_is_whole(colour: Any, background: str) -> None:
    down, across = np.mgrid[-1:1:256j, -1:1:256j]
    inside = (down + 0.2) ** 2 + across**2 < 0.4 if background == "round" else abs(down + 0.05 * across) < 0.5
    for pixels in photographs():
        cut_out = np.where(inside[..., None], pixels, np.array(colour, np.uint8))
        for way in (*CODED, *RAW):
            assert answer(saved(cut_out, way)) == "whole"


@pytest.mark.parametrize("slope", [-2, -1.5, 1.3, 2])
def test_a_cut_out_whose_lower_edge_is_level_but_for_a_pixel_is_for_a_person_to_look_at(slope: float) -> None:
    down, across = np.mgrid[0:256, 0:256]
    inside = (across > 8) & (across < 244) & (down < 150 + slope * across / 256)
    for pixels in photographs():
        cut_out = np.where(inside[..., None], pixels, np.uint8(0))
        assert [answer(saved(cut_out, way)) for way in ("PNG", *RAW)] == ["plain", "cut", "cut"]
        # Half of a photograph that was not cut out, and what another colour is beside, is none.
        half = np.where((down * 256 + across < 150 * 256 + 100)[..., None], pixels, np.uint8(0))
        assert answer(saved(half, "PNG")) == "cut"
        assert answer(saved(np.where(inside[..., None], pixels, np.uint8(255)), "PNG")) == "cut"


@pytest.mark.parametrize(
    ("number", "colour", "x", "y", "wide", "high"),
    [
        (0, 0, 54, 113, 332, 199),
        (1, 0, 617, 299, 266, 292),
        (3, 0, 96, 227, 359, 173),
        (2, 255, 231, 7, 399, 92),
        (0, 255, 12, 235, 87, 91),
        (3, 255, 637, 34, 93, 197),
    ],
)
def test_a_curve_that_ends_in_a_block_is_no_step(
    number: int, colour: int, x: int, y: int, wide: int, high: int
) -> None:
    down, across = np.mgrid[0:480, 0:640]
    pixels = np.asarray(Image.fromarray(rendered()[number]).resize((640, 480)))
    inside = ((across - x) / wide) ** 2 + ((down - y) / high) ** 2 < 1
    assert answer(saved(np.where(inside[..., None], pixels, np.uint8(colour)), "JPEG")) != "cut"


@pytest.mark.parametrize("way", [*CODED, *RAW])
def test_a_header_bar_is_taken_for_one_where_the_format_says_where_its_data_end(way: str) -> None:
    for pixels in photographs():
        for bars in ((24, 0), (0, 24)):
            assert answer(saved(bar(pixels, BLACK, *bars), way)) == ("plain" if way in RAW else "whole")


@pytest.mark.parametrize("way", RAW)
@pytest.mark.parametrize("fill", [0x00, 0xFF, 0xCD])
@pytest.mark.parametrize("share", [0.07, 0.3, 0.501, 0.8, 0.97])
def test_a_file_that_was_filled_in_part_stops_within_a_row(way: str, fill: int, share: float) -> None:
    for pixels in photographs():
        data = saved(pixels, way)
        written = int(len(data) * share)
        assert answer(data[:written] + bytes([fill]) * (len(data) - written)) == "cut"


@pytest.mark.parametrize("way", RAW)
@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\xcd"])
@pytest.mark.parametrize("colours", [16, 256])
def test_a_fill_that_is_the_number_of_a_colour_is_seen(way: str, fill: bytes, colours: int) -> None:
    for pixels in photographs():
        file = io.BytesIO()
        Image.fromarray(pixels).quantize(colours).save(file, way)
        data = file.getvalue()
        written = int(len(data) * 0.55)
        half = Image.open(io.BytesIO(data[:written] + fill * (len(data) - written)))
        half.load()
        half = half.convert("RGB")
        assert is_cut(half, plain_runs(half), raw=True)


def test_a_fill_of_four_bytes_is_one_colour_of_four() -> None:
    for pixels in photographs():
        file = io.BytesIO()
        Image.fromarray(pixels).convert("RGBA").save(file, "BMP")
        data = file.getvalue()
        written = len(data) * 11 // 20
        assert answer((data[:written] + b"\x0d\xf0\xad\xba" * len(data))[: len(data)]) != "whole"


TURNS: list[Callable[[np.ndarray], np.ndarray]] = [
    lambda pixels: pixels,
    np.rot90,
    np.flipud,
    lambda pixels: np.rot90(pixels, 2),
    np.fliplr,
]


@pytest.mark.parametrize("colour", [BLACK, WHITE, GREY, GREEN], ids=["black", "white", "grey", "green"])
def test_half_a_frame_buffer_is_seen_however_it_was_turned_and_saved(colour: Any) -> None:
    for pixels in photographs():
        half = pixels.copy()
        half[120, 90:] = half[121:] = colour
        aligned = bar(pixels, colour, bottom=120)
        for turn in TURNS:
            for way in ("PNG", *RAW):
                assert answer(saved(np.ascontiguousarray(turn(half)), way)) == "cut"
            for way in (*CODED, *RAW):
                assert answer(saved(np.ascontiguousarray(turn(aligned)), way)) == "plain"


@pytest.mark.parametrize("colour", [0xCD, 0xAA, 0x55, (0xDE, 0xAD, 0xBE)], ids=str)
@pytest.mark.parametrize("way", CODED)
def test_half_a_photograph_with_any_one_colour_is_seen_in_any_format(way: str, colour: Any) -> None:
    for pixels in photographs():
        for place in ({"bottom": 128}, {"bottom": 64}, {"top": 90}, {"left": 100}, {"right": 200}):
            data = saved(bar(pixels, colour, **place), way)
            assert answer(data) == "plain"
            if way != "PNG":
                assert all(may_have_runs(reduced(data, by)) for by in (2, 4, 8))


@pytest.mark.parametrize("way", ["JPEG", "PNG", *RAW])
@pytest.mark.parametrize("place", [{"bottom": 77}, {"bottom": 52}, {"left": 90}], ids=str)
def test_a_fill_that_looks_like_what_is_beside_it_is_seen_by_the_noise_that_it_lacks(
    way: str, place: dict[str, int]
) -> None:
    for pixels in photographs():
        beside = pixels[-place["bottom"] - 1] if "bottom" in place else pixels[:, place["left"]]
        assert answer(saved(bar(pixels, beside.mean(axis=0).astype(np.uint8), **place), way)) == "plain"


@pytest.mark.parametrize("way", ["PNG", *RAW])
def test_a_part_in_the_middle_is_no_bar(way: str) -> None:
    for pixels in photographs():
        lost = pixels.copy()
        lost[100:120] = 0
        assert answer(saved(lost, way)) == "plain"


@pytest.mark.parametrize("colour", [90, 205, (20, 60, 130)], ids=str)
def test_a_thing_before_a_background_of_any_one_colour_is_whole(colour: Any) -> None:
    down, across = np.mgrid[-1:1:256j, -1:1:256j]
    inside = (down + 0.2) ** 2 + across**2 < 0.15
    for pixels in photographs():
        cut_out = np.where(inside[..., None], pixels, np.array(colour, np.uint8))
        assert {answer(saved(cut_out, way)) for way in CODED} == {"whole"}


def test_what_decoders_leave_where_data_are_missing_is_seen_in_any_format() -> None:
    for pixels in photographs():
        for colour in (GREY, GREEN):
            assert answer(saved(bar(pixels, colour, bottom=20), "PNG")) == "plain"


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_the_tail_of_a_jpeg_that_was_cut_and_saved_anew_is_seen(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for pixels in photographs():
        data = saved(pixels, "JPEG")
        decoded = np.asarray(Image.open(io.BytesIO(data[: int(len(data) * share)])))
        for way in ("PNG", "JPEG", *RAW):
            assert answer(saved(decoded, way)) != "whole"


def test_a_hole_within_a_file_is_seen() -> None:
    for pixels in photographs():
        data = saved(pixels, "BMP")
        for first, last in ((0.3, 0.6), (0.01, 0.5), (0.4, 0.45)):
            start, stop = int(len(data) * first), int(len(data) * last)
            assert answer(data[:start] + bytes(stop - start) + data[stop:]) == "cut"


def test_a_few_lines_of_a_sensor_that_are_no_picture_do_no_harm() -> None:
    for pixels in photographs():
        for way in (*CODED, *RAW):
            assert answer(saved(bar(pixels, BLACK, bottom=3), way)) == "whole"


def reduced(data: bytes, by: int) -> Image.Image:
    """A JPEG decoded at a fraction of its size."""
    image = Image.open(io.BytesIO(data))
    image.draft(None, (image.width // by, image.height // by))
    image.load()
    return image


@pytest.mark.parametrize("by", [2, 4, 8])
@pytest.mark.parametrize("way", ["JPEG", "JPEG 30", "progressive"])
@pytest.mark.parametrize("colour", [BLACK, WHITE, GREY, GREEN], ids=["black", "white", "grey", "green"])
def test_plain_runs_are_suspected_at_a_fraction_of_the_size(way: str, colour: Any, by: int) -> None:
    for pixels in photographs():
        assert not may_have_runs(reduced(saved(pixels, way), by))
        for place in ({"top": 31}, {"bottom": 47}, {"left": 33}, {"right": 100}):
            assert may_have_runs(reduced(saved(bar(pixels, colour, **place), way), by))
