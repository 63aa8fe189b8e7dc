from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.pointing_game import EXTREMES, KEPT, around, cells_of, drawn, exact_maps, inner
from worker.networks.names import parse_network_name


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


def test_the_maps_of_some_features_add_up_to_the_map_that_is_kept() -> None:
    outputs = parse_network_name("vgg16:one+gap+max+min+fg,two+gap+max+min+fg").outputs
    rng = np.random.default_rng(0)
    maps = [rng.normal(size=shape).astype(np.float32) for shape in ((14, 14, 3), (7, 7, 5))]
    coef, usual = rng.normal(size=(2, 24)).astype(np.float32)
    foreground = inner((28, 28))
    shares = exact_maps(coef, usual, outputs, maps, foreground)
    assert np.allclose(shares[KEPT], shares["averages alone"] + shares[EXTREMES])
    assert np.allclose(shares[KEPT], shares["one alone"] + shares["two alone"])
    assert np.flatnonzero(shares[KEPT].any(axis=0)).tolist() == list(range(2, 12))
