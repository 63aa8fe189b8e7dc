"""Where each pocket of a head is drawn."""

import math
import re
from dataclasses import replace
from itertools import combinations

import pytest

from db.console.drawing.head_map import RINGS, SIDE, head_map, rings


@pytest.mark.parametrize("layout", ["circle", "row"])
@pytest.mark.parametrize("pockets", [1, 2, 5, 12, 30, 60])
def test_no_two_pockets_touch_and_all_are_in_the_picture(layout, pockets) -> None:
    drawn = head_map(pockets, layout)
    assert list(drawn.spots) == list(range(1, pockets + 1))
    for one, other in combinations(drawn.spots.values(), 2):
        assert math.dist((one.x, one.y), (other.x, other.y)) > one.radius + other.radius
    for spot in drawn.spots.values():
        for x, y, reach in ((spot.x, spot.y, spot.radius), (spot.glyph_x, spot.glyph_y, 9)):
            assert reach <= x <= SIDE - reach
            assert reach <= y <= drawn.height - reach
        assert len(spot.marks) == RINGS


@pytest.mark.parametrize("pockets", [30, 44, 62, 200, 999])
def test_neither_numbers_nor_glyphs_lie_on_each_other_however_many_pockets_there_are(pockets) -> None:
    spots = head_map(pockets).spots
    glyphs = [(spot.glyph_x, spot.glyph_y) for spot in spots.values()]
    apart = [math.dist(one, other) for one, other in zip(glyphs, glyphs[1:] + glyphs[:1], strict=True)]
    assert min(apart) >= 0.9 * spots[1].glyph_size
    numbers = [spot.number for spot in spots.values() if spot.number]
    assert len(numbers) >= min(pockets, 9)
    assert spots[1].number
    assert f">{pockets}</text>" in spots[pockets].svg or pockets > 40
    digit = 7  # pixels of one of 11
    gaps = [math.dist(one, other) for one, other in zip(numbers, numbers[1:] + numbers[:1], strict=True)]
    assert min(gaps) >= digit * len(str(pockets))


def test_a_number_is_as_large_as_its_seat_has_room_for() -> None:
    """A digit is seven tenths of its size high, six tenths wide; a seat is 1.72 of its radius, 1.4 at its corners."""
    sizes = {}
    for pockets, layout in ((1, "circle"), (4, "circle"), (12, "circle"), (30, "circle"), (40, "circle"), (120, "row")):
        for spot in head_map(pockets, layout).spots.values():
            size = int(re.findall(r'font-size="(\d+)"', spot.svg)[0])
            assert 0.7 * size <= 1.72 * spot.radius
            assert size <= 14 or 0.6 * size * len(str(spot.pocket)) <= 1.4 * spot.radius
            sizes[pockets, spot.pocket] = size
    assert sizes[4, 4] >= 1.8 * 14
    assert sizes[12, 12] >= 1.3 * 14
    assert min(sizes.values()) == 14


def test_the_first_pocket_is_at_the_top_and_the_others_follow_clockwise() -> None:
    spots = head_map(4).spots
    assert [(round(spots[n].x), round(spots[n].y)) for n in (1, 2, 3, 4)] == [
        (200, 40),
        (360, 200),
        (200, 360),
        (40, 200),
    ]
    assert [spots[n].turn for n in (1, 2, 3, 4)] == [0, 90, 180, 270]


def test_rows_are_of_about_one_length() -> None:
    rows: dict[float, int] = {}
    for spot in head_map(22, "row").spots.values():
        rows[spot.y] = rows.get(spot.y, 0) + 1
    assert list(rows.values()) == [8, 8, 6]


def test_a_head_without_pockets_is_an_empty_picture() -> None:
    assert head_map(0).spots == {}
    assert head_map(0, "row").spots == {}


SAID = {"intact": "intact", "damaged": "kaputt", "unsure": "<unsure>"}


def test_what_is_alike_in_a_ring_is_one_path() -> None:
    drawn = head_map(4)
    operations = [("op-2", {1: "intact", 2: "damaged", 3: "intact", 9: "intact"}), ("<op-1>", {4: "unsure"})]
    found = re.findall(r'class="mark (\w+)" d="(.*?)"><title>(.*?)</title>', rings(drawn, operations, SAID))
    assert [(word, path.count("M"), title) for word, path, title in found] == [
        ("intact", 2, "op-2: intact"),
        ("damaged", 1, "op-2: kaputt"),
        ("unsure", 1, "&lt;op-1&gt;: &lt;unsure&gt;"),
    ]
    assert found[2][1] == drawn.spots[4].marks[1]
    assert rings(drawn, [("op", {1: "intact"})] * 9, SAID).count("<path") == RINGS


@pytest.mark.parametrize("turn", [0, 90, 45])
def test_an_outline_stays_within_its_place(turn) -> None:
    spot = replace(head_map(12).spots[3], turn=turn)
    points = re.findall(r"(-?[\d.]+) (-?[\d.]+)", spot.svg.partition('d="')[2].partition('"')[0])
    assert len(points) == 13
    for x, y in points:
        assert math.dist((float(x), float(y)), (spot.x, spot.y)) <= 1.25 * spot.radius
