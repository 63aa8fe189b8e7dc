from __future__ import annotations

import json
import math
from typing import Any

import pytest

from producer.contract.region import Edge, Polygon, Region, bounds, read_region

BOX = {"left": 1, "top": 2, "width": 3, "height": 4}
POLYGON = {"polygon": [[10, 0], [20, 5], [10, 30]]}
EDGE = {"x1": 10, "y1": 40, "x2": 40, "y2": 80, "above": 10, "below": 5}


@pytest.mark.parametrize(("values", "form"), [(BOX, Region), (POLYGON, Polygon), (EDGE, Edge)])
def test_a_region_is_read_again_from_what_is_kept_of_it(values: dict[str, Any], form: type) -> None:
    region = read_region(values)
    assert type(region) is form
    assert json.loads(json.dumps(region.model_dump())) == values
    assert read_region(region.model_dump()) == region


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "left"),
        (BOX | {"polygon": POLYGON["polygon"]}, "left"),
        (EDGE | {"x2": 10, "y2": 40}, "from one point to another"),
        (EDGE | {"above": 0, "below": 0}, "above and below are both 0"),
        (EDGE | {"x2": 20_000}, "at most 10000 pixels"),
        (EDGE | {"above": -1}, "above"),
        ({"polygon": [[0, 0], [9, 9]]}, "at least 3"),
        ({"polygon": [[0, 0], [9, 9], [4, 4]]}, "lie in one line"),
        ({"polygon": [[0, 0], [9, 9], [True, 4]]}, "polygon.2.0"),
    ],
)
def test_what_is_no_region_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="(?s)" + said):
        read_region(values)


def test_the_strip_along_an_edge_has_a_left_and_an_upper_side() -> None:
    corners = Edge(**EDGE).corners()  # 50 pixels long, 3 to the right for 4 down: down from it is to the left
    assert [tuple(map(round, corner)) for corner in corners] == [(18, 34), (48, 74), (36, 83), (6, 43)]
    assert [math.dist(corners[0], corners[to]) for to in (1, 3)] == pytest.approx([50, 15])
    assert bounds(Edge(**EDGE)) == (6, 34, 42, 49)


def test_bounds_are_whole_pixels_around_a_region() -> None:
    assert bounds(Region(**BOX)) == (1, 2, 3, 4)
    assert bounds(read_region(POLYGON)) == (10, 0, 10, 30)
    assert bounds(Edge(x1=7, y1=9, x2=107, y2=9, above=9, below=20)) == (7, 0, 100, 29)
