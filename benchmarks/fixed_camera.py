"""Labelled photographs as a fixed camera would have taken them, and the same with the camera moved or no insert there.

The camera of a public set may have been held by hand. So its photographs are laid over one another first, by their
contours, and a window is cut from the middle of each: where a moved camera's window is, there is picture too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image, ImageDraw, ImageFilter

from producer.runtime.arrays import AnyArray, Float64Array

WINDOW: Final = 0.5
"""Of the photograph's width and height."""

JITTER: Final = 0.015
"""Of the window: a head never stops quite where it did (the standard deviation)."""

_SIDE: Final = 64
_REACH: Final = 10


def places(photographs: Sequence[Image.Image]) -> Float64Array:
    """By what shares of width and height each shows the same further right and below: (n, 2)."""
    contours = [_contours(photograph) for photograph in photographs]
    reference = np.mean(contours, axis=0)
    for _ in range(3):
        shifts = [_shift(each, reference) for each in contours]
        laid = [np.roll(each, (-down, -right), (0, 1)) for each, (right, down) in zip(contours, shifts, strict=True)]
        reference = np.mean(laid, axis=0)
    return np.array(shifts) / _SIDE


def taken(
    photograph: Image.Image, place: AnyArray, rng: np.random.Generator, moved: tuple[float, float] = (0, 0)
) -> Image.Image:
    """What the fixed camera sees, or one that has moved by shares of its window; at most as far as there is picture."""
    right, down = [
        float(np.clip(at + by * WINDOW + off, WINDOW / 2 - 0.5, 0.5 - WINDOW / 2))
        for at, by, off in zip(place, moved, rng.normal(0, JITTER * WINDOW, 2), strict=True)
    ]
    width, height = photograph.size
    left, top = width * (0.5 + right - WINDOW / 2), height * (0.5 + down - WINDOW / 2)
    box = (round(left), round(top), round(left + WINDOW * width), round(top + WINDOW * height))
    return photograph.crop(box)


def without_insert(photograph: Image.Image, rng: np.random.Generator) -> Image.Image:
    """An empty pocket: a seat with a threaded hole before this photograph's background (its left border)."""
    width, height = round(photograph.width * WINDOW), round(photograph.height * WINDOW)
    border = photograph.crop((0, 0, max(2, photograph.width // 25), photograph.height))
    empty = border.resize((width, height), Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(width / 20))
    right, down = rng.normal(0, JITTER, 2)
    light = float(rng.uniform(0.7, 1.4))
    draw = ImageDraw.Draw(empty)

    def box(*shares: float) -> list[float]:
        left, top, *to = shares
        return [(left + right) * width, (top + down) * height, (to[0] + right) * width, (to[1] + down) * height]

    def grey(value: float) -> tuple[int, int, int]:
        return (min(255, round(value * light)),) * 3

    draw.rectangle(box(0.25, 0.3, 1.2, 1.2), fill=grey(90))
    draw.rectangle(box(0.25, 0.3, 1.2, 0.36), fill=grey(40))
    draw.ellipse(box(0.5, 0.55, 0.82, 0.87), fill=grey(150))
    draw.ellipse(box(0.53, 0.58, 0.79, 0.84), fill=grey(20))
    noise = 4 * rng.standard_normal((height, width, 3))
    pixels = np.asarray(empty.filter(ImageFilter.GaussianBlur(width / 300)), np.float64) + noise
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _contours(photograph: Image.Image) -> Float64Array:
    grey = photograph.convert("L").filter(ImageFilter.GaussianBlur(photograph.width / 120))
    down, right = np.gradient(np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float64))
    steps = np.hypot(right, down)
    steps = np.minimum(steps, np.quantile(steps, 0.97))
    return np.asarray((steps - steps.mean()) / steps.std())


def _shift(contours: Float64Array, reference: Float64Array) -> tuple[int, int]:
    """How many pixels further right and below the reference's middle is in these contours."""
    middle = reference[_REACH:-_REACH, _REACH:-_REACH]
    windows = sliding_window_view(contours, middle.shape)
    spread = windows.std(axis=(2, 3))
    alike = np.einsum("abij,ij->ab", windows, middle - middle.mean()) / np.where(spread > 0, spread, 1)
    down, right = np.unravel_index(int(alike.argmax()), alike.shape)
    return int(right) - _REACH, int(down) - _REACH
