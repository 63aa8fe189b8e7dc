"""Decodes a JPEG at a fraction of its size: what a network sees of a photograph is much smaller.

A JPEG consists of blocks of 8×8 pixels as sums of waves. Decoded without the shortest waves they have 4×4, 2×2 or 1×1
pixels, in a third of the time and less. Of these the smallest that are not below the network's size are taken, of the
photograph or of the region that is looked at.

Rows of one colour, which may be a part that was never filled, are looked for in pixels of full size (see
`producer.pictures.unfilled_rows`), but only where the reduced ones are suspicious: what is one colour throughout is the
same colour at any size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

from PIL import Image, ImageFile

from producer.contract.reasons import image_files
from producer.pictures.jpeg_structure import JpegStructure
from producer.pictures.repeated_rows import is_repeated
from producer.pictures.small_picture import Picture, picture_of
from producer.pictures.unfilled_rectangle import lacks_rectangle
from producer.pictures.unfilled_rows import is_cut, may_have_runs, plain_part, plain_runs
from worker.images.colours import as_rgb
from worker.images.region_cut import Box, Cut, box_of, extent_of
from worker.images.truncated_jpeg import load_whole
from worker.images.unusable_error import HalfAnImage

_REDUCTIONS: Final = (8, 4, 2, 1)
_UNIT: Final = 16
"""Pixels a side of what colours are stored by together (an MCU): of one that a region cuts, the rest is seen too."""

_ORIENTATION: Final = 274
_SIDEWAYS, _FROM_THE_RIGHT, _FROM_BELOW = (5, 6, 7, 8), (2, 3, 7, 8), (3, 4, 6, 7)
"""Values of EXIF's orientation: stored columns are upright rows; stored columns run from the right, rows from below."""

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns an image of each orientation upright."""


class ReducedJpeg:
    """A JPEG that is to be decoded at a fraction of its size.

    `upright_size` is its width and height in full; once it is decoded, `reduction` says how many pixels became one.
    """

    def __init__(self, image: ImageFile.ImageFile, data: bytes, jpeg: JpegStructure) -> None:
        """Look how it is turned.

        Args:
            image: opened, and not loaded.
            data: the bytes of its file.
            jpeg: their structure, which lacks nothing.
        """
        self._image, self._data, self._jpeg = image, data, jpeg
        self._full_size = image.size
        self._orientation = image.getexif().get(_ORIENTATION, 1)
        self._sideways = self._orientation in _SIDEWAYS
        self.upright_size = image.size[::-1] if self._sideways else image.size
        self._region: Box | None = None
        self.reduction = 1

    def decode(self, size: tuple[int, int], region: Cut | None) -> None:
        """Decode it, once.

        Args:
            size: height and width that the network takes.
            region: what is taken of the upright image, which it is inside of; None for all of it.

        Raises:
            HalfAnImage: a part of it is missing.
            OSError: it cannot be decoded.
        """
        self._region = None if region is None else self._as_stored(box_of(region))
        self._box: Box = self._region or (0, 0, *self._full_size)
        self._size = size if self._sideways else size[::-1]
        width, height = self.upright_size if region is None else extent_of(region)
        ratio = min(width // size[1], height // size[0])
        self.reduction = next((reduction for reduction in _REDUCTIONS if reduction <= ratio), 1)
        if self.reduction > 1:
            self._image.draft(None, (self._full_size[0] // self.reduction, self._full_size[1] // self.reduction))
        if not load_whole(self._image, self._data, self._jpeg):
            raise HalfAnImage(image_files.PIXELS_NOT_SENT())

    def is_doubtful(self, again: Callable[[], Image.Image]) -> bool:
        """Whether a part of what is taken has one colour, so that it may be missing.

        Args:
            again: opens the image anew, not loaded, to be decoded in full.

        Raises:
            HalfAnImage: the image stops within a row.
        """
        full: Image.Image = self._image
        if self.reduction > 1:
            if not self._is_suspicious():
                return False
            full = again()
        runs = plain_runs(full)
        if is_cut(full, runs, raw=False):
            raise HalfAnImage(image_files.STOPS_IN_A_ROW())
        if self._region is not None:
            left, top, width, height = self._region
            full = full.crop((left, top, left + width, top + height))
            runs = plain_runs(full)
        return plain_part(full, runs, raw=False) is not None

    def is_repeated(self) -> bool:
        """Whether lines of what is taken are there twice to the last bit, so that a part may be missing."""
        whole = self._whole_units
        return whole is not None and is_repeated(whole, reduction=self.reduction)

    def lacks_rectangle(self) -> bool:
        """Whether a rectangle of what is taken may be missing, which ends where blocks do."""
        whole = self._whole_units
        return whole is not None and lacks_rectangle(whole)

    def taken(self) -> Image.Image:
        """The whole image, or its region, upright, in RGB, of the network's size."""
        left, top, width, height = self._box
        by = self.reduction
        # Cut out first: pixels beside a region are none of its neighbours. Pixels that are half in it are counted half.
        outer = (left // by, top // by, -(-(left + width) // by), -(-(top + height) // by))
        image = as_rgb(self._image.crop(outer) if self._region else self._image)
        x, y = left / by - outer[0], top / by - outer[1]
        # Bilinear over all the pixels that fall into one; beyond a threefold reduction whole blocks are averaged first.
        image = image.resize(
            self._size,
            Image.Resampling.BILINEAR,
            box=(x, y, x + width / by, y + height / by),
            reducing_gap=3.0,
        )
        turn = _TURNS.get(self._orientation)
        return image if turn is None else image.transpose(turn)

    def upright(self) -> tuple[Image.Image, float, tuple[float, float]]:
        """The image as it was decoded, upright, in RGB, its pixels for one in full, and where the first of those is.

        That is beside the corner where the last reduced pixels, which may be none in full, have come to lie first.
        """
        by, turn = self.reduction, _TURNS.get(self._orientation)
        image = as_rgb(self._image)
        beside = [reduced - full / by for reduced, full in zip(image.size, self._full_size, strict=True)]
        x = beside[0] if self._orientation in _FROM_THE_RIGHT else 0.0
        y = beside[1] if self._orientation in _FROM_BELOW else 0.0
        return image if turn is None else image.transpose(turn), 1 / by, (y, x) if self._sideways else (x, y)

    def _is_suspicious(self) -> bool:
        whole = self._whole_units
        if self._region is not None and may_have_runs(picture_of(self._image)):
            return True
        return whole is None or may_have_runs(whole)

    @cached_property
    def _whole_units(self) -> Picture | None:
        """The image as it was decoded, or of its region the whole units of blocks; None where there are none."""
        if self._region is None:
            return picture_of(self._image)
        left, top, right, bottom = self._inner(self._region)
        return None if left >= right or top >= bottom else picture_of(self._image.crop((left, top, right, bottom)))

    def _inner(self, region: Box) -> Box:
        """Of a region of the stored image the whole units of blocks: left, top, right and bottom, in reduced pixels."""
        left, top, width, height = region
        by, unit = self.reduction, _UNIT // self.reduction
        right, bottom = (
            (-(-end // by) if end == most else end // _UNIT * unit)
            for end, most in zip((left + width, top + height), self._full_size, strict=True)
        )
        return -(-left // _UNIT) * unit, -(-top // _UNIT) * unit, right, bottom

    def _as_stored(self, region: Box) -> Box:
        """Where a region of the upright image is in the image as it is stored."""
        left, top, width, height = region
        if self._sideways:
            left, top, width, height = top, left, height, width
        if self._orientation in _FROM_THE_RIGHT:
            left = self._full_size[0] - left - width
        if self._orientation in _FROM_BELOW:
            top = self._full_size[1] - top - height
        return left, top, width, height
