from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.pointing_game import around, cells_of, drawn


def test_a_drawn_polygon_is_in_the_cells_that_it_touches_and_near_those_beside(tmp_path: Path) -> None:
    shape = {"points": [[31.0, 11.0], [48.0, 11.0], [48.0, 18.0], [31.0, 18.0]]}
    dot = {"points": [[1.0, 1.0], [2.0, 2.0]]}
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"imageWidth": 100, "imageHeight": 50, "shapes": [shape, dot]}))
    pixels = drawn(file)
    assert pixels.shape == (50, 100)
    assert 100 < pixels.sum() < 160
    cells = cells_of(pixels, (5, 10))
    assert sorted(zip(*map(list, np.nonzero(cells)), strict=True)) == [(1, 3), (1, 4)]
    assert (around(cells) > 0).sum() == 3 * 4
