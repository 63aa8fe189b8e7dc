"""A loaded image that is small enough to take all of its pixels out of Pillow once.

For each answer Pillow packs its pixels anew, which takes longer than looking at some of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from PIL import Image

from producer.runtime.arrays import AnyArray

_MOST_PIXELS: Final = 2**18
"""Pixels: of more, packing all takes longer than a few answers."""


class SmallPicture:
    """The pixels of a small image, and of `PIL.Image.Image` what the checks of this folder ask."""

    def __init__(self, image: Image.Image) -> None:
        """Take the pixels out of a loaded image."""
        self.size = self.width, self.height = image.size
        self._pixels: AnyArray = np.asarray(image)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        return np.array(self._pixels, dtype, copy=copy)

    def crop(self, box: tuple[int, int, int, int]) -> AnyArray:
        """Return the pixels of a box inside the image."""
        left, top, right, bottom = box
        return self._pixels[top:bottom, left:right]

    def nearest(self, size: tuple[int, int], box: tuple[float, float, float, float]) -> AnyArray:
        """Return the pixels that are nearest to those of an image of this width and height, of a box."""
        taken = self._pixels
        for axis, side in ((0, 1), (1, 0)):
            if size[side] != self.size[side] or box[side + 2] - box[side] != size[side]:
                taken = taken.take(_nearest(self.size[side], size[side], box[side], box[side + 2]), axis)
        return taken


Picture = Image.Image | SmallPicture


def picture_of(image: Image.Image) -> Picture:
    """Return what answers faster than a loaded image does; the image itself where it is large."""
    return SmallPicture(image) if image.width * image.height <= _MOST_PIXELS else image


def nearest(picture: Picture, size: tuple[int, int], box: tuple[float, float, float, float]) -> AnyArray:
    """Return the pixels of a box that are nearest to those of an image of this width and height."""
    if isinstance(picture, SmallPicture):
        return picture.nearest(size, box)
    return np.asarray(picture.resize(size, Image.Resampling.NEAREST, box))


@lru_cache(maxsize=256)
def _nearest(length: int, number: int, begin: float, end: float) -> AnyArray:
    """Which of so many pixels along a side Pillow takes for a number of them between two places."""
    along = Image.fromarray(np.arange(length, dtype=np.int32)[None])
    return np.asarray(along.resize((number, 1), Image.Resampling.NEAREST, (begin, 0, end, 1))).reshape(number)
