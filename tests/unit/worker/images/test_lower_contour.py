from __future__ import annotations

import io
import itertools
import math

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from producer.contract.reasons.image_files import NO_CONTOUR
from producer.contract.region import Edge
from tests.cut_out_pictures import SAVED, SHAPES, cut_out, metal, saved
from worker.images.decoding import decode, decode_photograph
from worker.images.lower_contour import lower_contour
from worker.images.region_cut import StripSize

SIZE = (224, 224)
SIZES = [(325, 129), (900, 700)]
FILES = [*itertools.product(SIZES, SAVED), ((2600, 1900), "JPEG")]  # a large JPEG is decoded at a fraction of its size


def true_height(x: float, size: tuple[int, int]) -> float:
    """Where the cutting edge of `an edge` is, in pixels."""
    (right, right_down), (left, left_down) = SHAPES["an edge"][2:]
    return size[1] * (left_down + (x / size[0] - left) / (right - left) * (right_down - left_down))


def assert_found(edge: Edge | None, size: tuple[int, int]) -> None:
    assert edge is not None
    assert edge.x1 < 0.1 * size[0]
    assert edge.x2 > 0.9 * size[0]
    for x, y in ((edge.x1, edge.y1), (edge.x2, edge.y2)):
        assert y == pytest.approx(true_height(x, size), abs=max(1.5, 0.01 * size[1]))
    assert edge.above > 4 * edge.below > 0


@pytest.mark.parametrize(("size", "how"), FILES, ids=str)
def test_the_cutting_edge_is_found_along_the_lower_contour(size: tuple[int, int], how: str) -> None:
    with Image.open(io.BytesIO(saved(cut_out("an edge", size)[0], how))) as image:
        assert_found(lower_contour(np.asarray(image.convert("RGB"))), size)


def test_chips_and_specks_do_not_turn_it() -> None:
    size = (900, 700)
    image, _ = cut_out("an edge", size)
    draw = ImageDraw.Draw(image)
    for left in (120, 400, 640):  # broken out of the edge
        draw.ellipse((left, true_height(left, size) - 90, left + 90, true_height(left, size) + 40), fill=0)
    for left in (250, 560, 800):  # on the background
        draw.rectangle((left, 640, left + 12, 652), fill=(180, 180, 180))
    assert_found(lower_contour(np.asarray(image)), size)


def test_where_there_is_no_lower_contour_none_is_found() -> None:
    full = metal((325, 129))
    assert lower_contour(np.asarray(full)) is None
    assert lower_contour(np.asarray(cut_out("most of the picture")[0])) is None
    hanging = full.copy()  # black above and beside it: it goes down to the border
    hanging.paste((0, 0, 0), (0, 0, 325, 40))
    assert lower_contour(np.asarray(hanging)) is None
    narrow = Image.new("RGB", (325, 129))
    narrow.paste(full.crop((0, 0, 60, 90)), (130, 10))
    assert lower_contour(np.asarray(narrow)) is None


@pytest.mark.parametrize(("size", "how"), FILES, ids=str)
def test_a_photograph_becomes_the_strip_along_it_level(size: tuple[int, int], how: str) -> None:
    photograph = decode_photograph(saved(cut_out("an edge", size)[0], how), StripSize(SIZE))
    assert photograph.pixels.shape == (*SIZE, 3)
    bright = photograph.pixels.max(axis=2) > 40
    contour = SIZE[0] - bright[::-1].argmax(axis=0)[20:-20]
    assert np.ptp(contour) < 16
    assert contour.mean() == pytest.approx(SIZE[0] * 0.15 / 0.18, abs=8)


def test_a_turned_file_and_a_box_have_the_strip_of_the_upright_picture() -> None:
    image, _ = cut_out("an edge", (900, 700))
    expected = decode(saved(image, "PNG"), StripSize(SIZE)).astype(float)
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[274] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(turned, "JPEG", quality=95, subsampling=0, exif=exif)
    assert ImageOps.exif_transpose(Image.open(turned)).size == image.size
    beside = Image.new("RGB", (1600, 1000), (90, 120, 90))
    beside.paste(image, (500, 200))
    files = {(500, 200, 900, 700): [saved(beside, how) for how in ("PNG", "JPEG")], None: [turned.getvalue()]}
    for region, data in files.items():
        for file in data:
            assert abs(decode(file, StripSize(SIZE), region) - expected).mean() < 8


def test_without_an_edge_there_is_a_doubt_and_all_of_the_photograph() -> None:
    data = saved(metal((640, 480)), "JPEG")
    photograph = decode_photograph(data, StripSize(SIZE))
    assert photograph.doubt == NO_CONTOUR()
    assert abs(photograph.pixels.astype(float) - decode(data, SIZE)).mean() < 3


def test_a_declared_edge_wins() -> None:
    image, _ = cut_out("an edge", (900, 700))
    edge = Edge(x1=100, y1=200, x2=800, y2=220, above=80, below=20)
    assert math.isclose(edge.length, 700, abs_tol=1)
    data = saved(image, "PNG")
    np.testing.assert_array_equal(decode(data, StripSize(SIZE), edge), decode(data, SIZE, edge))
