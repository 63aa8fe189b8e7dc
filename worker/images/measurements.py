"""What is measured of a photograph, as the network sees it, to tell a fault of the camera or lamp from damage."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
from PIL import Image

from producer.runtime.arrays import Float32Array, UInt8Array

SIDE: Final = 112
"""Pixels a side at which sharpness is measured, whatever the network takes: it depends on the size. At more, what is
measured of a smooth insert is the sensor's noise, which no blur takes away."""

SQUARES: Final = 16
"""Squares a side of the sketch: the insert's place is seen, no wear."""

_BURNT_FROM: Final = 251


@dataclass(frozen=True)
class Measurements:
    """What is measured of one photograph, or of its region.

    `sharpness` is the variance of the Laplacian, `brightness` the mean and `contrast` the distance between what one
    pixel in a hundred is below and above, all of its grey values (0 to 255). `burnt` is the share of pixels of which
    a colour is at the upper end. `frame` is a digest of the grey values, 64 bits: equal where the pixels are.
    `sketch` is the photograph in `SQUARES` × `SQUARES` squares: the mean grey value of each, a byte, row by row.
    """

    sharpness: float
    brightness: float
    contrast: float
    burnt: float
    frame: int
    sketch: bytes


def measure(pixels: UInt8Array, image: Image.Image | None = None) -> Measurements:
    """Measure a decoded photograph (height, width, 3); `image`, with the same pixels, is made where it is not there."""
    image = (Image.fromarray(pixels) if image is None else image).convert("L")
    bright = (pixels >= _BURNT_FROM).reshape(len(pixels), -1)
    # Most rows have nothing so bright, and going through pixels by their colours takes a third of all this.
    red, green, blue = bright[bright.any(axis=1)].reshape(-1, 3).T
    digest = hashlib.sha256(image.tobytes()).digest()[:8]
    counts = np.array(image.histogram())
    below = np.cumsum(counts)
    darkest, brightest = np.searchsorted(below, (0.01 * below[-1], 0.99 * below[-1]))
    # By whole pixels first: it differs by three hundredths at most, and takes a third of the time.
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=1.0)
    grey = np.asarray(small).astype(np.int16)
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    return Measurements(
        sharpness=float(edges.var(dtype=np.float32)),
        brightness=float(counts @ np.arange(256) / below[-1]),
        contrast=float(brightest - darkest),
        burnt=np.count_nonzero(red | green | blue) / (pixels.size // 3),
        frame=int.from_bytes(digest, "big", signed=True),
        sketch=_sketch(small),
    )


def _sketch(small: Image.Image) -> bytes:
    """How much the grey values change in each square: contours, whichever side of them is brighter."""
    fine = np.asarray(small.resize((4 * SQUARES, 4 * SQUARES), Image.Resampling.BOX), np.float32)
    down, right = _slopes(fine), _slopes(fine.T).T
    steps = np.sqrt(right**2 + down**2)  # exact below the root, as halves of 255 are: the same as a slow `hypot`
    # The strongest few would outshine the rest: a highlight, a chip.
    most = round(0.97 * steps.size)
    steps = np.minimum(steps, np.partition(steps, most, axis=None)[most])
    along = reduce(np.add, np.moveaxis(steps.reshape(SQUARES, 4, SQUARES, 4), 3, 0))  # `mean` takes twice as long
    squares = reduce(np.add, np.moveaxis(along, 1, 0)) / 16
    return np.asarray(squares * (255 / max(float(squares.max()), 1.0)), np.uint8).tobytes()


def _slopes(values: Float32Array) -> Float32Array:
    """How much values change from row to row: `numpy.gradient` of one axis, in half the time."""
    slopes = np.empty_like(values)
    np.subtract(values[2:], values[:-2], out=slopes[1:-1])
    slopes[1:-1] /= 2
    slopes[0], slopes[-1] = values[1] - values[0], values[-1] - values[-2]
    return slopes
