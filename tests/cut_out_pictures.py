"""Pictures of inserts whose background was cut out: ground metal in several shapes on black, as PNG or JPEG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from producer.runtime.arrays import BoolArray

SHAPES: Final[dict[str, Sequence[tuple[float, float]]]] = {
    "an edge": ((0.02, 0.04), (0.98, 0.02), (0.97, 0.56), (0.04, 0.74)),
    "a rhombus": ((0.5, 0.05), (0.95, 0.5), (0.5, 0.95), (0.05, 0.5)),
    "a corner": ((0.0, 0.0), (0.9, 0.0), (0.9, 0.3), (0.35, 0.35), (0.3, 0.9), (0.0, 0.9)),
    "most of the picture": ((0.0, 0.12), (0.12, 0.0), (1.0, 0.0), (1.0, 0.88), (0.88, 1.0), (0.0, 1.0)),
}
"""The corners of each in parts of the picture. The lower contour of the first is the cutting edge."""

SAVED: Final[dict[str, dict[str, Any]]] = {
    "PNG": {"format": "PNG"},
    "JPEG": {"format": "JPEG", "quality": 90},
    "a poor JPEG": {"format": "JPEG", "quality": 60},
}


def metal(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """A picture full of ground metal, of this width and height."""
    rng = np.random.default_rng(seed)
    ground = np.repeat(rng.normal(0, 9, (size[1], 1)), size[0], axis=1) + rng.normal(0, 5, size[::-1])
    grey = 110 + 50 * np.linspace(0, 1, size[0]) + ground
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB")


def cut_out(shape: str, size: tuple[int, int] = (325, 129), seed: int = 0) -> tuple[Image.Image, BoolArray]:
    """An insert of that shape on black, and where it is."""
    width, height = size
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon([(x * width, y * height) for x, y in SHAPES[shape]], fill=255)
    return ImageChops.multiply(metal(size, seed), Image.merge("RGB", [mask] * 3)), np.asarray(mask) > 0


def saved(image: Image.Image, how: str) -> bytes:
    """The bytes of a file of it, by a key of `SAVED`."""
    file = io.BytesIO()
    image.save(file, **SAVED[how])
    return file.getvalue()
