"""Photographs as a browser gets them."""

import io
from pathlib import Path

import numpy as np
import pytest
from babel import Locale
from PIL import Image

import db.console
from db.console.photographs.placeholder import SIDE, placeholder
from db.console.photographs.resizing import SIDES, NotShown, resized
from db.evidence.evidence_map import EvidenceMap
from tests.support import photograph


def picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    assert image.mode == "RGB"
    return image


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("size", SIDES)
def test_each_format_in_each_size(format, size) -> None:
    image = picture(resized(photograph(size=700, format=format), size))
    assert max(image.size) == min(700, SIDES[size])


def test_a_photograph_is_upright_as_its_camera_says() -> None:
    lying = Image.new("RGB", (200, 100))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert picture(resized(encoded(lying, "JPEG", exif=exif), "large")).size == (100, 200)


def test_sixteen_bits_are_as_bright_as_eight() -> None:
    deep = Image.fromarray(np.full((40, 40), 128 * 256, dtype=np.uint16))
    assert abs(np.asarray(picture(resized(encoded(deep, "PNG"), "large"))).mean() - 128) < 2


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK"])
def test_each_kind_of_colours(mode) -> None:
    picture(resized(encoded(Image.new(mode, (50, 50)), "TIFF" if mode == "CMYK" else "PNG"), "small"))


def test_nothing_of_the_file_but_its_picture_comes_along() -> None:
    exif = Image.Exif()
    exif[0x010E] = "<script>"
    assert b"<script>" not in resized(encoded(Image.new("RGB", (50, 50)), "JPEG", exif=exif), "large")


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", photograph()[:500], photograph(format="WEBP")],
)
def test_what_is_no_whole_photograph_is_refused(data) -> None:
    with pytest.raises(NotShown):
        resized(data, "small")


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(NotShown, match="pixels"):
        resized(encoded(Image.new("1", (8000, 6000)), "PNG"), "small")


def test_a_region_beside_the_picture_is_refused() -> None:
    with pytest.raises(NotShown):
        resized(photograph(size=100), "small", {"left": 200, "top": 0, "width": 10, "height": 10})


def test_evidence_is_drawn_over_the_part_that_was_looked_at() -> None:
    grey = encoded(Image.new("RGB", (400, 200), (128, 128, 128)), "PNG")
    shares = np.zeros((2, 2))
    shares[0, 1], shares[1, 0] = 1, -1
    region = {"left": 200, "top": 100, "width": 200, "height": 100}
    drawn = np.asarray(picture(resized(grey, "large", region, EvidenceMap(shares))), int)
    assert np.ptp(drawn[:90, :190]) < 8, "beside the region nothing is drawn"
    redness, blueness = drawn[..., 0] - drawn[..., 2], drawn[..., 2] - drawn[..., 0]
    assert redness[125, 360] > 60, "damage"
    assert blueness[175, 240] > 60, "intact"
    whole = np.asarray(picture(resized(grey, "large", None, EvidenceMap(shares))), int)
    assert whole.shape == drawn.shape
    assert (whole[..., 0] - whole[..., 2])[50, 320] > 60


def test_a_map_in_which_nothing_speaks_for_damage_has_no_frame() -> None:
    grey = encoded(Image.new("RGB", (80, 80), (128, 128, 128)), "PNG")
    drawn = np.asarray(picture(resized(grey, "large", None, EvidenceMap(np.full((4, 4), -1.0)))), int)
    assert np.ptp(drawn[..., 0]) < 8


EDGE = {"x1": 100, "y1": 100, "x2": 200, "y2": 200, "above": 20, "below": 20}


def test_the_map_of_a_strip_lies_along_its_edge() -> None:
    grey = encoded(Image.new("RGB", (400, 400), (128, 128, 128)), "PNG")
    shares = np.zeros((2, 4))
    shares[0, 0], shares[1, 3] = 1.0, -1.0  # above the edge at its beginning, below it at its end
    shown_at = np.asarray(picture(resized(grey, "large", EDGE, EvidenceMap(shares)))).astype(int)
    redness = shown_at[..., 0] - shown_at[..., 2]
    begin, end = (120, 104), (180, 196)  # x, y: 10 pixels to either side of the edge
    assert redness[begin[1], begin[0]] > 60
    assert redness[end[1], end[0]] < -60
    assert abs(redness[100, 150]) < 10, "beside the strip"
    small = picture(resized(grey, "small", EDGE))
    assert small.size == (130, 130), "the box around it"


def test_a_polygon_is_shown_with_the_box_around_it() -> None:
    polygon = {"polygon": [[10, 20], [90, 20], [90, 60], [10, 60]]}
    assert picture(resized(photograph(size=200), "small", polygon)).size == (80, 40)


@pytest.mark.parametrize("side", [400, 3200])
@pytest.mark.parametrize(
    ("region", "inside", "beside"),
    [
        ({"left": 0.5, "top": 0.25, "width": 0.5, "height": 0.5}, (0.75, 0.5), (0.25, 0.5)),
        ({"polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]}, (0.7, 0.3), (0.3, 0.7)),
        ({"x1": 0.25, "y1": 0.25, "x2": 0.5, "y2": 0.5, "above": 0.05, "below": 0.05}, (0.375, 0.375), (0.5, 0.375)),
    ],
    ids=["box", "polygon", "edge"],
)
def test_a_photograph_says_which_part_of_it_is_judged(side, region, inside, beside) -> None:
    """Of one of several inserts a person would answer for the clearest."""

    def there(value):
        return [there(of) for of in value] if isinstance(value, list) else round(value * side)

    grey = encoded(Image.new("RGB", (side, side), (128, 128, 128)), "JPEG")
    image = picture(resized(grey, "medium", {name: there(value) for name, value in region.items()}))
    at = [image.getpixel((round(x * image.width), round(y * image.height)))[0] for x, y in (inside, beside)]
    assert [round(value / 32) for value in at] == [4, 2]


def test_a_photograph_is_shown_whole_wherever_in_it_its_region_is() -> None:
    region = {"left": 3000, "top": 0, "width": 200, "height": 200}  # beyond the JPEG's width as it is decoded for this
    assert picture(resized(photograph(size=3200), "medium", region)).size == (640, 640)


def test_a_drawing_is_larger_than_any_photograph_by_which_pages_know_it() -> None:
    script = (Path(db.console.__file__).parent / "static" / "seen.js").read_text()
    assert f"LARGEST = {SIDES['large']};" in script
    assert SIDE > SIDES["large"] == max(SIDES.values())
    assert f'width="{SIDE}" height="{SIDE}"' in placeholder("missing", Locale("en"))
