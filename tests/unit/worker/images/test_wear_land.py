from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from benchmarks.wear import Scene, drawn, measured
from producer.contract.region import Edge
from worker.images.wear_land import wear_land

EDGE = Edge(x1=0, y1=100, x2=600, y2=100, above=100, below=30)


def strip(widths: np.ndarray, *, land: int, flank: int = 110, outside: int = 20, line: int = 100) -> Image.Image:
    """A level strip of a flank above the line, with a land that is so wide in each column."""
    rows = np.arange(130)[:, None]
    grey = np.where(rows < line, np.where(rows >= line - widths, land, flank), outside)
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize(("land", "outside"), [(190, 20), (55, 20), (60, 220), (230, 110)])
def test_a_bright_or_dark_land_is_measured_before_any_background(land: int, outside: int) -> None:
    widths = np.full(600, 20)
    widths[200:300] = 40
    widths[500:] = 0
    seen = wear_land(strip(widths, land=land, outside=outside), EDGE)
    assert seen is not None
    assert seen.mean == pytest.approx(24, rel=0.05)
    assert seen.p90 == pytest.approx(40, rel=0.05)
    assert seen.maximum == pytest.approx(40, rel=0.05)
    assert seen.length == pytest.approx(500, rel=0.05)


def test_the_insert_is_on_the_side_that_the_strip_goes_farther_to() -> None:
    widths = np.full(600, 20)
    below = Edge(x1=0, y1=30, x2=600, y2=30, above=30, below=100)
    upside_down = strip(widths, land=190).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    seen = wear_land(upside_down, below)
    assert seen is not None
    assert seen.mean == pytest.approx(20, rel=0.05)


def test_a_land_is_measured_from_the_edge_where_that_is_beside_the_line() -> None:
    seen = wear_land(strip(np.full(600, 20), land=190, line=108), EDGE)
    assert seen is not None
    assert seen.mean == pytest.approx(20, rel=0.05)


def test_a_strip_that_begins_at_the_edge_has_a_land_too() -> None:
    inside = Edge(x1=0, y1=100, x2=600, y2=100, above=100, below=0)
    seen = wear_land(strip(np.full(600, 20), land=190).crop((0, 0, 600, 100)), inside)
    assert seen is not None
    assert seen.mean == pytest.approx(20, rel=0.05)


@pytest.mark.parametrize("above", [75, 180, 300])
@pytest.mark.parametrize("width", [6, 8, 10, 15, 19])
def test_a_narrow_land_is_measured_to_a_tenth_however_tall_the_strip_is(width: int, above: int) -> None:
    edge = Edge(x1=0, y1=above, x2=600, y2=above, above=above, below=above // 3)
    grey = np.full((edge.height, 600), 110, np.uint8)
    grey[above - width :] = 190
    grey[above:] = 20
    seen = wear_land(Image.fromarray(grey).filter(ImageFilter.GaussianBlur(1)).convert("RGB"), edge)
    assert seen is not None
    assert seen.mean == pytest.approx(width, rel=0.1)


@pytest.mark.parametrize(
    ("widths", "land"),
    [
        (np.zeros(600), 190),
        (np.full(600, 20), 113),
        (np.full(600, 90), 190),
        (np.where(np.arange(600) < 30, 20, 0), 190),
    ],
    ids=["none", "as bright as the flank", "as wide as the strip", "a chip"],
)
def test_nothing_is_said_where_no_land_can_be_told(widths: np.ndarray, land: int) -> None:
    assert wear_land(strip(widths, land=land), EDGE) is None


@pytest.mark.parametrize("scene", [Scene(), Scene(land=0.5, blur=2.5, noise=6.0)], ids=["bright", "dark, blurred"])
def test_the_line_measures_a_photograph_to_a_tenth(scene: Scene) -> None:
    errors = []
    for seed in range(5):
        worn = drawn(scene, seed)
        seen, truth = measured(worn), worn.truth()
        assert seen is not None
        errors.append(abs(seen.mean / truth.mean - 1))
    assert np.median(errors) <= 0.1


@pytest.mark.parametrize("blur", [0.8, 2.5])
def test_the_blurred_edge_of_a_fresh_insert_is_no_land(blur: float) -> None:
    assert measured(drawn(Scene(width=0, blur=blur), 1)) is None
