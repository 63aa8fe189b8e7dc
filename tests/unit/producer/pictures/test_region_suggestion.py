from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image, ImageDraw

from producer.contract.region import bounds
from producer.pictures.region_suggestion import SIDE, suggestion

FULL = (4 * SIDE, 3 * SIDE)


def insert(corners: list[tuple[float, float]], seed: int, background: int = 0) -> Image.Image:
    """A bright, textured insert on a noisy or cut-out background, a pixel here or there each time."""
    rng = np.random.default_rng(seed)
    size = (SIDE, SIDE * 3 // 4)
    grey = background + rng.normal(0, 5 if background else 0, (size[1], size[0]))
    mask = Image.new("L", size)
    moved = [(x * size[0] + rng.normal(0, 0.7), y * size[1] + rng.normal(0, 0.7)) for x, y in corners]
    ImageDraw.Draw(mask).polygon(moved, fill=255)
    inside = np.asarray(mask) > 0
    grey[inside] = 150 + rng.normal(0, 25, int(inside.sum()))
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB")


SLANTED = [(0.25, 0.2), (0.62, 0.12), (0.8, 0.66), (0.2, 0.8)]
"""Its lower side is the longest: from (0.2, 0.8) to (0.8, 0.66)."""


@pytest.mark.parametrize("background", [0, 40], ids=["cut out", "dark"])
def test_the_box_holds_the_insert_and_the_edge_is_its_straight_side(background: int) -> None:
    found = suggestion([insert(SLANTED, seed, background) for seed in range(9)], FULL)
    box = found.box
    assert box.left < 0.2 * FULL[0] < 0.8 * FULL[0] < box.left + box.width
    assert box.top < 0.12 * FULL[1] < 0.8 * FULL[1] < box.top + box.height
    assert box.width < 0.7 * FULL[0]
    edge = found.edge
    assert edge is not None
    assert edge.x1 < edge.x2, "what is above the line is the insert"
    slope = (0.66 - 0.8) * FULL[1] / ((0.8 - 0.2) * FULL[0])
    for x, y in ((edge.x1, edge.y1), (edge.x2, edge.y2)):
        line = 0.8 * FULL[1] + slope * (x - 0.2 * FULL[0])
        assert abs(y - line) / math.hypot(1, slope) < 6, "a pixel and a half, as they are looked at"
    assert edge.length > 0.5 * FULL[0]
    assert edge.above > 2 * edge.below > 0
    left, top, width, height = bounds(edge)
    assert left >= 0
    assert top >= 0
    assert left + width <= FULL[0]
    assert top + height <= FULL[1]


@pytest.mark.parametrize("turns", range(4))
def test_the_insert_is_above_the_edge_whichever_side_that_is(turns: int) -> None:
    photographs = [insert(SLANTED, seed).rotate(90 * turns, expand=True) for seed in range(5)]
    size = photographs[0].size
    full = (4 * size[0], 4 * size[1])
    edge = suggestion(photographs, full).edge
    assert edge is not None
    corners = edge.corners()
    middle = [sum(corner[axis] for corner in corners[:2]) / 2 for axis in (0, 1)]  # of the strip's upper side
    pixel = photographs[0].getpixel((round(middle[0] / 4), round(middle[1] / 4)))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 60


def test_a_round_insert_has_a_box_and_no_edge() -> None:
    circle = [(0.5 + 0.25 * math.cos(a), 0.5 + 0.33 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 80)]
    found = suggestion([insert(circle, seed) for seed in range(5)], FULL)
    assert found.edge is None
    assert 0.5 * FULL[0] < found.box.width < 0.6 * FULL[0]


def test_where_nothing_stands_out_nothing_is_proposed() -> None:
    plain = Image.new("RGB", (SIDE, SIDE), (90, 90, 90))
    with pytest.raises(ValueError, match="no insert stands out"):
        suggestion([plain] * 3, (SIDE, SIDE))
