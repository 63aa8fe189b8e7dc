"""Parts of an uncompressed file that were never written, told by its bytes, where no whole row has one colour.

The pixels of a BMP or an uncompressed TIFF are one block, strips, tiles, or a plane a colour. What was never written
has a byte, or a few, over and over, in debug builds for example DE AD BE EF. Four things no camera makes so:

- holes between blocks of a disk, and an end that begins with one (`producer.pictures.unwritten_blocks`);
- a pattern of up to 64 bytes over three rows and more, of the image or of a tile, that is not one colour;
- a tile that is plain, with picture right beside it, where neither its row nor its column of tiles is a bar;
- rows of which one colour's plane is plain and another's is not. (Light of one colour does this too.)

Rows of one colour are the concern of `producer.pictures.unfilled_rows`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, Final

import numpy as np
from PIL import Image, ImageFile

from producer.pictures.patterns import LONGEST, periods, stretches
from producer.pictures.unwritten_blocks import BLOCK, has_unwritten_blocks, has_unwritten_end
from producer.runtime.arrays import AnyArray

_PERIOD: Final = 24
"""Bytes after which pixels of 1, 2, 3, 4, 6 or 8 bytes and of one colour repeat."""

_ROWS: Final = 3
_SHARE: Final = 1 / 64
"""The least that counts: rows, and their share of the image; of a pattern rows alone."""

_BLOCKS: Final = 4
"""Bytes by which a pattern is looked for, and the least that it has, where three rows are less: 2 kB."""

_APART: Final = 251
"""Bytes after which what stands between parts repeats itself: more than any pattern has."""

_PART: Final = 1 / 4
"""The least of a tile that counts, from a row on."""

_ALIKE: Final = 0.9
_CONTRAST: Final = 12.0
"""Of the pixels beside a tile so many differ from it, by so much in the mean (0 to 255)."""

_BITS_PER_SAMPLE: Final = 258

Box = tuple[int, int, int, int]


class Missing(Enum):
    """What is known of a part that has no picture."""

    CUT = "cut"
    DOUBT = "doubt"


@dataclass(frozen=True)
class _Part:
    """A strip or a tile: where it is in the image, its rows of bytes, and of which colours it is."""

    box: Box
    rows: AnyArray
    colours: str

    @property
    def plain(self) -> int:
        """How many bytes at its end are of one pattern, which may be all."""
        every = self.rows.reshape(-1)
        if len(every) <= 2 * _PERIOD or (every[-_PERIOD:] != every[-2 * _PERIOD : -_PERIOD]).any():
            return 0
        same = (every[_PERIOD:] == every[:-_PERIOD])[::-1]
        return len(every) if same.all() else int(same.argmin()) + _PERIOD

    @property
    def plain_rows(self) -> int:
        """How many whole rows at its end are of one pattern."""
        return int(self.plain // self.rows.shape[1])


class StoredParts:
    """The parts of an uncompressed image as they are in its file."""

    def __init__(self, image: Image.Image, data: bytes) -> None:
        """Look where they are.

        Args:
            image: opened, and not loaded: then Pillow forgets it.
            data: the bytes of its file.
        """
        tiles: list[Any] = image.tile if isinstance(image, ImageFile.ImageFile) else []
        tiles = [tile for tile in tiles if tile.codec_name == "raw"]  # a BMP may be run-length encoded
        bits: Any = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (1,))
        self._planes = len({tile.extents for tile in tiles}) < len(tiles)
        pixel = bits[0] if self._planes else sum(bits)
        self._parts = []
        self._data, self._where = data, []
        for tile in tiles:
            left, top, right, bottom = tile.extents
            colours, stride = tile.args[0], int(tile.args[1]) or ((right - left) * pixel + 7) // 8
            stored = memoryview(data)[tile.offset : tile.offset + stride * (bottom - top)]
            # Some programs leave out what pads the last row: that counts as one row fewer.
            whole = stored[: len(stored) // stride * stride]
            self._where.append((tile.offset, tile.offset + len(whole)))
            self._parts.append(_Part(tile.extents, np.frombuffer(whole, np.uint8).reshape(-1, stride), colours))
        self._numbers = image.mode in ("1", "P")
        self._width, self._height = image.size
        self._pixel_bits = pixel if image.format == "TIFF" else 0

    def missing(self, image: Image.Image) -> Missing | None:
        """Say whether parts were never written.

        Args:
            image: the same image, loaded and with 8 bits a colour, not turned.
        """
        repeated = self._repeated()
        if repeated is Missing.CUT:
            return Missing.DOUBT if self._numbers else Missing.CUT
        if self._planes:
            return self._missing_in_planes() or repeated
        if any(part.box[2] - part.box[0] < self._width for part in self._parts):
            return self._missing_tiles(image) or repeated
        return repeated

    def _repeated(self) -> Missing | None:
        """Whether there are holes between blocks, or a pattern that is not one colour over some rows and not all.

        In tiles so narrow that their rows may be a pattern's length, rows that are all alike may be upright lines.
        """
        strides = {part.rows.shape[1] for part in self._parts}
        if len(strides) != 1:
            return None
        stride, (every, base) = strides.pop(), self._stored()
        repeats_after = periods(every, BLOCK)
        first = min(self._where)[0]
        unwritten = has_unwritten_blocks(every, base, repeats_after, first, stride)
        if unwritten or has_unwritten_end(every, base, first, stride):
            return Missing.CUT
        least = max(_BLOCKS, _ROWS * stride // BLOCK - 1)
        long = [(a, b) for a, b in stretches(repeats_after, least) if b - a < len(every) // BLOCK - 1]
        patterns = [begin for begin, _ in long if not self._is_one_colour(every[begin * BLOCK :], stride)]
        if not patterns or (stride <= LONGEST and self._pixel_bits < 8):
            return None
        upright = stride <= LONGEST and all(_repeats(every[begin * BLOCK :][:BLOCK], stride) for begin in patterns)
        return Missing.DOUBT if upright else Missing.CUT

    def _stored(self) -> tuple[AnyArray, int]:
        """The bytes from the first part to the last, and where they begin, which is at a block of the file."""
        where = sorted(self._where)
        base, end = where[0][0] // BLOCK * BLOCK, max(end for _, end in where)
        every = np.frombuffer(memoryview(self._data)[base:end], np.uint8)
        if all(before == begin for (_, before), (begin, _) in pairwise(where)):
            return every, base
        apart = np.resize(np.arange(_APART, dtype=np.uint8), len(every))  # between parts may be what fills them up
        for begin, stop in where:
            apart[begin - base : stop - base] = every[begin - base : stop - base]
        return apart, base

    def _is_one_colour(self, every: AnyArray, stride: int) -> bool:
        """Whether all pixels that begin so are alike, in the next row too, whose bytes some formats pad."""
        pixel = self._pixel_bits or stride * 8 // self._width  # which a BMP does not tell
        bits = np.unpackbits(every[:BLOCK])
        return bool((bits[pixel:] == bits[:-pixel]).all() and (every[:BLOCK] == every[stride:][:BLOCK]).all())

    def _missing_tiles(self, image: Image.Image) -> Missing | None:
        """Tiles that end plain, with picture right beside that."""
        pixels = np.asarray(image if image.mode != "P" else image.convert("RGB")).astype(np.int32)
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        if image.mode == "1":
            pixels *= 255
        plain = [self._plain_box(part) for part in self._parts]
        picture = [part.box for part, box in zip(self._parts, plain, strict=True) if box != part.box]
        for index, (part, box) in enumerate(zip(self._parts, plain, strict=True)):
            if box is None:
                continue
            left, top, right, bottom = box
            sides = []
            if any(box[0] == part.box[0] for box in picture):
                inside, outside = pixels[top:bottom], ((left, left - 1), (right - 1, right))
                sides += [(inside[:, x], inside[:, y]) for x, y in outside if 0 <= y < self._width]
            if any(box[1] == part.box[1] for box in picture):
                inside = pixels[:, left:right]
                beside = [(bottom - 1, bottom), *([(top, top - 1)] if box == part.box else [])]
                sides += [(inside[x], inside[y]) for x, y in beside if 0 <= y < self._height]
            if any(_differ(*side) for side in sides):
                rest = [part.box for part in self._parts[index + 1 :]]
                return Missing.CUT if rest == plain[index + 1 :] else Missing.DOUBT
        return None

    def _plain_box(self, part: _Part) -> Box | None:
        """What is plain of a tile: all of it, or from a row on at least a quarter."""
        left, top, right, bottom = part.box
        rows = part.plain_rows
        enough = rows == bottom - top or rows >= max(_ROWS, self._height * _SHARE, _PART * (bottom - top))
        return (left, bottom - rows, right, bottom) if enough else None

    def _missing_in_planes(self) -> Missing | None:
        """Rows of which a colour's plane is plain and another's is not; transparency may be plain."""
        plain = [part.plain_rows for part in self._parts]
        least: dict[Box, int] = {}
        for part, rows in zip(self._parts, plain, strict=True):
            least[part.box] = min(rows, least.get(part.box, rows))
        for index, (part, rows) in enumerate(zip(self._parts, plain, strict=True)):
            enough = min(len(part.rows), max(_ROWS, self._height * _SHARE))
            if part.colours != "A" and rows - least[part.box] >= enough:
                rest = [len(part.rows) for part in self._parts[index + 1 :]]
                within_a_row = part.plain % part.rows.shape[1] != 0
                return Missing.CUT if within_a_row and rest == plain[index + 1 :] else Missing.DOUBT
        return None


def _repeats(every: AnyArray, after: int) -> bool:
    """Whether bytes repeat themselves after so many."""
    return bool((every[after:] == every[:-after]).all())


def _differ(one: AnyArray, other: AnyArray) -> bool:
    """Whether two lines of pixels differ nearly everywhere."""
    by = np.abs(one - other).mean(axis=1)
    return bool((by > 0).mean() >= _ALIKE and by.mean() >= _CONTRAST)
