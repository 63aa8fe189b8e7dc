"""The pictures of the documents show the pages as they are."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
from PIL import Image

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
NAMES = ("line", "review", "pocket", "model")

ALIKE = 10.0
"""The mean difference of two pictures in a grid of 60 by 45, of 255: fonts and ages differ; a changed page more."""


def coarse(file: Path) -> np.ndarray:
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB").resize((60, 45), Image.Resampling.BOX), dtype=float)


def test_a_picture_in_the_documents_is_of_today_s_page(chromium, tmp_path: Path) -> None:
    runpy.run_path(str(PICTURES / "draw_console.py"))["draw"](tmp_path, chromium, size=192)
    drawn = {name: coarse(tmp_path / f"console-{name}.png") for name in NAMES}
    shown = {name: coarse(PICTURES / f"console-{name}.png") for name in NAMES}
    apart = {name: float(np.abs(drawn[name] - shown[name]).mean()) for name in NAMES}
    assert {name: by for name, by in apart.items() if by > ALIKE} == {}, "run python docs/pictures/draw_console.py"
    # Other pages than one's own are further apart: what is compared can be told apart.
    assert min(np.abs(drawn["line"] - shown[other]).mean() for other in NAMES if other != "line") > 1.5 * ALIKE
