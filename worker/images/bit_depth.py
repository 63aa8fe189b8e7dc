"""Brings grey values and colours of more than 8 bits down to 8, by the bits that a picture really has.

A camera of 10, 12 or 14 bits writes into files of 16, and most leave the upper bits empty. Some say how many bits they
have (a PNG's `sBIT`, a TIFF's `MaxSampleValue`): that counts. Else the depth is the smallest of 10, 12, 14 and 16 bits
that holds the values of the picture, but for strays: a few pixels, or very few different values, such as those of a
defective pixel or of text drawn into the picture. Of that depth the upper 8 bits are kept. Two guards:

- Values that a program made 16 bits wide (times 16, 256 or 257 for example) are 16 bits wide however dark they are: it
  left the lowest bits empty, or put the highest there again. That no depth leaves fewer than eight bits that change
  tells those apart that would be black.
- Values that are all below 256 are either 8 bits in a file of 16 or nearly no light. That is not guessed at: the
  picture is refused in words (and black where it is black in any reading).

What the values cannot tell: a picture of 14 bits from a dim one of 16. It is scaled as one of 14, and `doubt` says so,
unless its brightest pixels stand at the very end of 14 bits. Dim pictures of 10 to 14 bits are not told from those of
two bits fewer, four times as bright: an exposure that uses the range, or a camera that says its depth, avoids it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from PIL import Image

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Reason
from producer.runtime.arrays import AnyArray, Float32Array, UInt8Array
from worker.images.unusable_error import UnusableImage

DEPTHS: Final = (10, 12, 14, 16)
"""Bits of what cameras write into 16-bit files."""

_KEPT: Final = 8
_BLACK_IN_ANY_READING: Final = 80
"""Of 10 bits this is the brightness 20 of 255, below which an image is black."""
_DARK: Final = 20 * 257
"""Of 16 bits the same."""

_STRAY_PIXELS: Final = 1e-5
_STRAY_SHARE, _STRAY_VALUES = 0.02, 3
"""Values that do not count: so small a share of the pixels, or up to a larger one with so few different values.
Highlights have many."""

_PILE: Final = 1e-4
"""The share of the pixels that a sensor's largest value has where the picture is overexposed in some places."""

_LARGEST_VALUE: Final = 0xFFFF
_FIRST_CHUNKS: Final = 100
_WHITE_IS_ZERO: Final = 0
_PHOTOMETRIC, _ORIENTATION, _MAX_SAMPLE_VALUE = 262, 274, 281
_NATIVE_SWAPPED: Final = "B" if sys.byteorder == "little" else "L"
_SWAPPED: Final = str.maketrans("BL", "LB")


class UnknownDepth(UnusableImage):
    """Values of a range that cannot be told; the reason says how to save the picture."""


@dataclass(frozen=True)
class EightBits:
    """A picture with 8 bits a colour, and in `doubt` why its brightness may be another, or None."""

    image: Image.Image
    doubt: Reason | None = None


@dataclass(frozen=True)
class Depth:
    """What the header of an opened image says of its values, before they are loaded.

    `is_deep` says that they have 16 bits in the file, `bits` how many of these are used, where the header says so.
    """

    is_deep: bool
    bits: int | None

    @classmethod
    def of(cls, image: Image.Image) -> Depth:
        """Read the header of an image that is opened and not yet loaded."""
        deep = any(";16" in _raw_mode(tile[3]) for tile in getattr(image, "tile", []))
        return cls(deep, _stated_bits(image) if deep else None)


def to_eight_bits(image: Image.Image, depth: Depth, again: Callable[[], Image.Image]) -> EightBits:
    """Return a loaded image with 8 bits a colour; one that has them already is returned as it is.

    `again` opens the same image anew, not loaded: of 16-bit colours Pillow decodes the upper halves only, so where
    those are dark the lower halves are decoded in a second pass.

    Raises:
        UnknownDepth: the range of the values cannot be told.
    """
    if image.mode.startswith("I;16") or image.mode == "I":
        values = np.asarray(image)
        if values.min() < 0 or values.max() > _LARGEST_VALUE:
            raise UnknownDepth(image_files.VALUES_OF_32_BITS())
        grey, doubt = _upper_bits(values, depth)
        if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO:  # Pillow sees to it for 8 bits only
            grey = 255 - grey
        return EightBits(_like(image, grey), doubt)
    if image.mode == "F":
        return EightBits(_like(image, _floats(np.asarray(image))))
    return _colours(image, depth, again) if depth.is_deep else EightBits(image)


def depth_of(values: AnyArray, stated: int | None = None) -> tuple[int, Reason | None]:
    """Return how many bits a picture with these values (0 to 65,535) has, 10, 12, 14 or 16, and a doubt or None.

    `stated` is what the file's header says, if it says anything.

    Raises:
        UnknownDepth: they are 8 bits in a file of 16, or nearly black.
    """
    counts = np.bincount(values.ravel(), minlength=_LARGEST_VALUE + 1)
    fits = next(depth for depth in (_KEPT, *DEPTHS) if _holds(counts, depth))
    used = np.flatnonzero(counts[: 1 << fits])
    top = int(used[-1]) if len(used) else 0
    if fits == _KEPT and top >= _BLACK_IN_ANY_READING:
        raise UnknownDepth(image_files.BELOW_256())
    full = [bits for bits in (_KEPT, *DEPTHS[:-1]) if _made_16_wide(used, bits)]
    if full and (full[0] == _KEPT or top >= _DARK):
        return DEPTHS[-1], None
    if stated is not None:
        return (stated if fits <= stated else DEPTHS[-1]), None
    bits = int(np.bitwise_or.reduce(used)) if len(used) else 0
    empty = (bits & -bits).bit_length() - 1 if bits else 0  # lowest bits that no value has
    depth = next((depth for depth in DEPTHS if fits <= depth and depth - empty >= _KEPT), DEPTHS[-1])
    saturated = counts[(1 << depth) - 4 : 1 << depth].sum() >= _PILE * values.size
    if depth == DEPTHS[-2] and not saturated:
        return depth, image_files.PERHAPS_14_BITS()
    return depth, None


def _holds(counts: AnyArray, depth: int) -> bool:
    """Whether a depth holds all values but strays."""
    above = counts[1 << depth :]
    number, total = int(above.sum()), int(counts.sum())
    return number <= _STRAY_PIXELS * total or (
        number <= _STRAY_SHARE * total and int(np.count_nonzero(above)) <= _STRAY_VALUES
    )


def _made_16_wide(used: AnyArray, bits: int) -> bool:
    """Whether the values are of so many bits, moved up to fill 16: the bits below are empty, or the highest again."""
    low = used & ((1 << (16 - bits)) - 1)
    return bool((low == 0).all() or (low == (used >> bits) & ((1 << (16 - bits)) - 1)).all())


def _upper_bits(values: AnyArray, depth: Depth) -> tuple[UInt8Array, Reason | None]:
    bits, doubt = depth_of(values, depth.bits)
    return np.minimum(values >> (bits - _KEPT), 255).astype(np.uint8), doubt


def _stated_bits(image: Image.Image) -> int | None:
    """How many bits of 16 the header says that a value has, or None."""
    if image.format == "TIFF":
        most: Any = getattr(image, "tag_v2", {}).get(_MAX_SAMPLE_VALUE)
        most = max(most) if isinstance(most, tuple) and most else most
        # Some programs write the largest value of this very picture there.
        return next((bits for bits in DEPTHS if most == (1 << bits) - 1), None)
    file: Any = getattr(image, "fp", None)
    return _significant_bits(file) if image.format == "PNG" and file is not None else None


def _significant_bits(file: IO[bytes]) -> int | None:
    """What the chunk `sBIT` of a PNG says, which Pillow does not read; the file stays where it is."""
    at = file.tell()
    try:
        file.seek(8)
        for _ in range(_FIRST_CHUNKS):
            length, kind = int.from_bytes(file.read(4), "big"), file.read(4)
            if kind == b"sBIT":
                bits = max(file.read(min(length, 3)), default=0)
                return bits if bits in DEPTHS else None
            if kind in (b"IDAT", b""):
                return None
            file.seek(length + 4, io.SEEK_CUR)
        return None
    finally:
        file.seek(at)


def _floats(values: Float32Array) -> UInt8Array:
    low, high = float(values.min()), float(values.max())  # of values with one that is no number, that one
    if low >= 0 and high <= 1:
        return np.rint(values * 255).astype(np.uint8)
    if low >= 0 and _BLACK_IN_ANY_READING / 4 <= high <= 255:
        return np.rint(values).astype(np.uint8)
    raise UnknownDepth(image_files.FLOATS(low=low, high=high))


def _colours(image: Image.Image, depth: Depth, again: Callable[[], Image.Image]) -> EightBits:
    """The image itself, or where its colours have fewer than 16 bits in 16 the upper 8 of those that they have."""
    colours = min(3, len(image.getbands()))
    upper = np.array(image)
    view = upper[..., :colours]  # transparency has its own range
    if depth.bits == DEPTHS[-1] or _holds(np.bincount(view.ravel(), minlength=256), DEPTHS[-2] - _KEPT) is False:
        return EightBits(image)
    second: Any = again()
    second.tile = [tile._replace(args=_swapped(tile.args)) for tile in second.tile]
    try:
        second.load()
    except (ValueError, OSError) as error:  # Pillow has no such way for grey with transparency
        raise UnknownDepth(image_files.FEW_BITS()) from error
    values = view.astype(np.uint16) << 8 | np.asarray(second)[..., :colours]
    view[...], doubt = _upper_bits(values, depth)
    return EightBits(_like(image, upper), doubt)


def _raw_mode(arguments: Any) -> str:
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _swapped(arguments: Any) -> Any:
    """A decoder's arguments with the other byte order: the byte that it keeps is then the lower one."""
    mode, _, order = _raw_mode(arguments).partition(";16")
    other = f"{mode};16{_NATIVE_SWAPPED if order == 'N' else order.translate(_SWAPPED)}"
    return (other, *arguments[1:]) if isinstance(arguments, tuple) else other


def _like(image: Image.Image, pixels: UInt8Array) -> Image.Image:
    """An image of these pixels that is to be turned upright as `image` is."""
    image8 = Image.fromarray(pixels)
    image8.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return image8
