"""Grey values and colours of more than 8 bits, brought down to 8: how many bits a picture has is seen from its values.

A camera of 10, 12 or 14 bits writes into files of 16, and most leave the upper bits empty without a word in the header.
So the depth is the smallest of 10, 12, 14 and 16 bits that holds every value of the picture, and of it the upper 8 are
kept. Two guards:

- A depth that would leave the picture fewer than eight bits that change is not taken: 8-bit values that a program
  made 16 bits wide (times 256, or 257) are 16 bits wide however dark they are.
- Values that are all below 256 are either 8 bits in a file of 16 or nearly no light. That is not guessed at: the
  picture is refused in words (and black where it is black in any reading).

What the values cannot tell: a picture whose brightest pixel is below a quarter of the camera's range is taken for one
of a camera of two bits fewer, four times as bright. An exposure that makes use of the range, or 8-bit files, avoids it.
A lamp that is off stays found: its picture is black or has hardly any contrast, for the noise of a camera's megapixels
is averaged away when they are made fewer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

DEPTHS: Final = (10, 12, 14, 16)
"""Bits of what cameras write into 16-bit files."""

_KEPT: Final = 8
_BLACK_IN_ANY_READING: Final = 80
"""Of 10 bits this is the brightness 20 of 255, below which an image is black."""
_WHITE_IS_ZERO: Final = 0
_PHOTOMETRIC, _ORIENTATION = 262, 274
_NATIVE_SWAPPED: Final = "B" if sys.byteorder == "little" else "L"
_SWAPPED: Final = str.maketrans("BL", "LB")


class UnknownDepth(ValueError):
    """Values of a range that cannot be told; the message says how to save the picture."""


def has_16_bits(image: Image.Image) -> bool:
    """Whether an image that is opened and not yet loaded has 16 bits a value in its file."""
    return any(";16" in _raw_mode(tile[3]) for tile in getattr(image, "tile", []))


def to_eight_bits(image: Image.Image, again: Callable[[], Image.Image] | None) -> Image.Image:
    """Return a loaded image with 8 bits a colour; one that has them already is returned as it is.

    `again` opens the same image anew, not loaded, and is None where its file has 8 bits: of 16-bit colours Pillow
    decodes the upper halves only, so where those are dark the lower halves are decoded in a second pass.

    Raises:
        UnknownDepth: the range of the values cannot be told.
    """
    if image.mode.startswith("I;16") or image.mode == "I":
        grey = _grey(np.asarray(image))
        if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO:  # Pillow sees to it for 8 bits only
            grey = 255 - grey
        return _like(image, grey)
    if image.mode == "F":
        return _like(image, _floats(np.asarray(image)))
    return image if again is None else _colours(image, again)


def depth_of(bits: int) -> int:
    """Return how many bits a picture has, 10, 12, 14 or 16, whose values have these `bits` set, all taken together.

    Raises:
        UnknownDepth: they are 8 bits in a file of 16, or nearly black.
    """
    if _BLACK_IN_ANY_READING <= bits < 1 << _KEPT:
        raise UnknownDepth(
            "the image has 16 bits a value, but all its values are below 256: nearly black, or 8 bits in a file of "
            "16: check the lamp, and save it with 8 bits"
        )
    if bits >> _KEPT == bits & 0xFF:  # 8-bit values times 257
        return DEPTHS[-1]
    empty = (bits & -bits).bit_length() - 1 if bits else 0  # lowest bits that no value has
    return next((each for each in DEPTHS if bits < 1 << each and each - empty >= _KEPT), DEPTHS[-1])


def _grey(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if values.min() < 0 or values.max() > 0xFFFF:
        raise UnknownDepth("the image has 32-bit values of an unknown range: save it with 8 or 16 bits")
    depth = depth_of(int(np.bitwise_or.reduce(values, axis=None)))
    return (values >> (depth - _KEPT)).astype(np.uint8)


def _floats(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())  # of values with one that is no number, that one
    if low >= 0 and high <= 1:
        return np.rint(values * 255).astype(np.uint8)
    if low >= 0 and _BLACK_IN_ANY_READING / 4 <= high <= 255:
        return np.rint(values).astype(np.uint8)
    raise UnknownDepth(
        f"the image has floating-point values from {low:g} to {high:g}, neither 0 to 1 nor 0 to 255: "
        "save it with 8 or 16 bits"
    )


def _colours(image: Image.Image, again: Callable[[], Image.Image]) -> Image.Image:
    """The image itself, or where its colours have fewer than 16 bits in 16 the upper 8 of those that they have."""
    colours = min(3, len(image.getbands()))
    if max(high for _, high in extrema(image)[:colours]) >= 1 << (DEPTHS[-2] - _KEPT):
        return image
    second: Any = again()
    second.tile = [tile._replace(args=_swapped(tile.args)) for tile in second.tile]
    try:
        second.load()
    except (ValueError, OSError) as error:  # Pillow has no such way for grey with transparency
        raise UnknownDepth(
            "the image's 16-bit values use few of their bits, and with transparency they cannot be read: "
            "save it with 8 bits, or without transparency"
        ) from error
    high, low = np.array(image), np.asarray(second)
    view, lower = high[..., :colours], low[..., :colours]  # transparency has its own range
    bits = int(np.bitwise_or.reduce(view, axis=None)) << 8 | int(np.bitwise_or.reduce(lower, axis=None))
    shift = depth_of(bits) - _KEPT
    if shift < _KEPT:
        view <<= _KEPT - shift
        view |= lower >> shift
    return _like(image, high)


def extrema(image: Image.Image) -> list[tuple[int, int]]:
    """Return the lowest and the highest value of each band of an image with 8 bits a value."""
    found: Any = image.getextrema()
    return list(found) if isinstance(found[0], tuple) else [found]


def _raw_mode(arguments: Any) -> str:
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _swapped(arguments: Any) -> Any:
    """A decoder's arguments with the other byte order: the byte that it keeps is then the lower one."""
    mode, _, order = _raw_mode(arguments).partition(";16")
    other = f"{mode};16{_NATIVE_SWAPPED if order == 'N' else order.translate(_SWAPPED)}"
    return (other, *arguments[1:]) if isinstance(arguments, tuple) else other


def _like(image: Image.Image, pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """An image of these pixels that is to be turned upright as `image` is."""
    made = Image.fromarray(pixels)
    made.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return made
