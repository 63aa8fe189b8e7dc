from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from producer.contract.region import Edge, Polygon
from worker.images.decoding import UnusableImage, decode, decode_photograph
from worker.images.region_cut import box_of, cut_of, extent_of, levelled, masked, stored_cut

SIDE = 480
SIZE = (112, 224)


def with_line(degrees: float, side: int = SIDE) -> tuple[Image.Image, Edge]:
    """A grey picture with a texture, a white band of 12 pixels at an angle, and an edge declared along its middle."""
    rng = np.random.default_rng(5)
    grey = Image.fromarray(rng.integers(60, 120, (side // 8, side // 8), np.uint8)).resize((side, side))
    along = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    middle, half = side / 2, side * 0.36
    start, end = ((round(middle + sign * half * along[0]), round(middle + sign * half * along[1])) for sign in (-1, 1))
    large = grey.resize((4 * side, 4 * side))
    ImageDraw.Draw(large).line([4 * start[0], 4 * start[1], 4 * end[0], 4 * end[1]], 255, 4 * 12)
    image = large.resize((side, side), Image.Resampling.BOX).convert("RGB")
    return image, Edge(x1=start[0], y1=start[1], x2=end[0], y2=end[1], above=50, below=30)


def rows_of_line(pixels: np.ndarray) -> np.ndarray:
    """For each column where the band's middle is, in rows; the ends, where the band stops, are left out."""
    grey = pixels.mean(axis=2)[:, pixels.shape[1] // 20 : -pixels.shape[1] // 20]
    bright = np.where(grey > 190, grey, 0.0)
    return (bright * (np.arange(len(grey))[:, None] + 0.5)).sum(axis=0) / bright.sum(axis=0)


@pytest.mark.parametrize("degrees", [0, 7, 33, 90, 141, 180, 250])
def test_an_edge_at_any_angle_becomes_level_where_it_was_declared(degrees: float) -> None:
    image, edge = with_line(degrees)
    strip = levelled(image, edge, (1, 1))
    assert strip.size == extent_of(edge)
    rows = rows_of_line(np.asarray(strip))
    assert abs(rows - edge.above).mean() < 0.6
    assert abs(rows - rows.mean()).max() < 1


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_strip_has_the_networks_size_and_its_line_where_it_belongs(form: str) -> None:
    image, edge = with_line(24)
    file = io.BytesIO()
    image.save(file, form, quality=95, subsampling=0)
    pixels = decode(file.getvalue(), SIZE, edge)
    assert pixels.shape == (*SIZE, 3)
    expected = edge.above / edge.height * SIZE[0]
    assert abs(rows_of_line(pixels) - expected).mean() < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_and_reduced_jpeg_has_the_same_strip_as_the_upright_picture(orientation: int) -> None:
    side, edge = 1606, Edge(x1=300, y1=1000, x2=1300, y2=700, above=240, below=240)  # reduced twofold, its sides odd
    large = with_line(11)[0].resize((side, side - 203), Image.Resampling.BICUBIC)
    stored = Image.new("RGB", (1, 1))
    exif = stored.getexif()
    exif[274] = orientation
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # undone by `exif_transpose`
    stored = large if orientation == 1 else large.transpose(Image.Transpose(turns[orientation]))
    file = io.BytesIO()
    stored.save(file, "JPEG", quality=95, subsampling=0, exif=exif)
    assert ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue()))).size == large.size
    upright = io.BytesIO()
    large.save(upright, "PNG")
    taken, expected = (decode(data.getvalue(), SIZE, edge).astype(float) for data in (file, upright))
    assert abs(taken - expected).mean() < 1.5
    shifted = abs(taken[:, 1:] - expected[:, :-1]).mean()
    assert shifted > 1.5 * abs(taken - expected).mean(), "a shift by one pixel would be seen"


def test_outside_a_polygon_is_black_and_inside_nothing_changes() -> None:
    image = with_line(20)[0]
    file = io.BytesIO()
    image.save(file, "PNG")
    polygon = Polygon(polygon=((100, 60), (340, 60), (220, 300)))
    box = box_of(polygon)
    assert box == (100, 60, 240, 240)
    whole, inside = decode(file.getvalue(), (240, 240), box), decode(file.getvalue(), (240, 240), polygon)
    y, x = np.mgrid[:240, :240] + 0.5
    depth = np.minimum(np.minimum(y, x - y / 2), 240 - x - y / 2)  # how far inside the triangle
    assert (inside[depth > 1.5] == whole[depth > 1.5]).all()
    assert (inside[depth < -1.5] == 0).all()


def test_black_around_a_polygon_hides_no_burnt_out_photograph() -> None:
    file = io.BytesIO()
    Image.new("RGB", (200, 200), "white").save(file, "PNG")
    with pytest.raises(UnusableImage, match="burnt out"):
        decode(file.getvalue(), SIZE, Polygon(polygon=((0, 0), (200, 0), (0, 200))))


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (Edge(x1=10, y1=20, x2=200, y2=20, above=30, below=10), "strip along the edge, in a box of 190×40 at"),
        (Edge(x1=100, y1=100, x2=120, y2=100, above=30, below=10), "too small: 20×40 pixels"),
        (Edge(x1=100, y1=100, x2=220, y2=100, above=10, below=5), "too small: 120×15 pixels"),
        (Polygon(polygon=((0, 0), (900, 0), (0, 300))), "the region 900×300 at"),
        (Polygon(polygon=((0, 0), (20, 0), (0, 300))), "too small: 20×300"),
    ],
)
def test_what_is_not_in_the_photograph_or_too_small_is_unusable(cut: Edge | Polygon, said: str) -> None:
    file = io.BytesIO()
    with_line(0)[0].save(file, "PNG")
    with pytest.raises(UnusableImage, match=said):
        decode_photograph(file.getvalue(), SIZE, cut)


def test_a_long_strip_is_of_no_wrong_proportion() -> None:
    file = io.BytesIO()
    with_line(0)[0].save(file, "PNG")
    assert decode(file.getvalue(), SIZE, Edge(x1=40, y1=240, x2=440, y2=240, above=10, below=10)).shape == (*SIZE, 3)


def test_a_kept_region_is_the_one_that_was_sent() -> None:
    edge = with_line(30)[1]
    assert stored_cut(edge.model_dump(mode="json")) == cut_of(edge) == edge
    assert stored_cut({"left": 1, "top": 2, "width": 30, "height": 40}) == (1, 2, 30, 40)
    assert stored_cut(None) is None
    assert masked(Image.new("RGB", (8, 8), "white"), Polygon(polygon=((0, 0), (8, 0), (8, 8)))).getpixel((1, 6)) == (
        0,
        0,
        0,
    )
