from __future__ import annotations

from PIL import Image

from producer.contract.region import Edge, Polygon, Region
from producer.pictures.region_drawing import drawn


def test_outlines_are_drawn_where_the_regions_are_and_nothing_else_is_touched() -> None:
    photograph = Image.new("RGB", (400, 300), (90, 90, 90))  # a quarter of its size in full
    regions = [
        ("pocket 1", Region(left=800, top=400, width=400, height=400)),
        ("pocket 2", Edge(x1=200, y1=1000, x2=1000, y2=1000, above=80, below=40)),
        ("pocket 3", Polygon(polygon=((1300, 200), (1500, 200), (1400, 700)))),
    ]
    picture = drawn(photograph, (1600, 1200), [*regions])
    assert picture.size == photograph.size
    assert photograph.getcolors() == [(400 * 300, (90, 90, 90))], "the photograph stays as it was"

    def touched(x: int, y: int) -> bool:
        return picture.getpixel((x // 4, y // 4)) != (90, 90, 90)

    for corner in ((1200, 600), (1000, 800)):  # right and lower side of the box
        assert touched(*corner)
    for on_it in ((600, 1000), (600, 920), (600, 1040), (200, 1000)):  # line, sides and first point
        assert touched(*on_it)
    assert touched(1450, 450)
    for beside in ((1000, 700), (600, 960), (600, 1100), (1400, 500), (100, 100)):
        assert not touched(*beside)
