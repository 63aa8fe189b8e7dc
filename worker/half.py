"""Half a JPEG that looks like a whole one: what only its pixels show. See `producer.whole` and
`producer.unfilled` for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageChops

from producer.whole import jpeg_end

_GREYS: Final = (127, 128)
"""What libjpeg fills the rest of an image with whose data end early (127: inverted, as CMYK is); it only warns, and
Pillow hears nothing of it."""

_CORNER: Final = 4
_MORE: Final = b"\x5a\xc3\x96\x2d" * 256
"""Bytes that a decoder still in need of data makes some picture of."""


def jpeg_lacks_data(image: Image.Image, data: bytes, again: Callable[[bytes], Image.Image]) -> bool:
    """Whether a loaded JPEG, which has its end marker, ends before its last pixels do.

    Told by trying: a decoder that has all its pixels passes over further data, one that lacks some reads on and makes
    other pixels. Tried only where the last corner is as grey as what is filled in, and of progressive images, which
    lack detail rather than rows. ``again`` opens other bytes the same way.
    """
    end = jpeg_end(data)
    if end is None:
        return True
    corner = image.crop((max(image.width - _CORNER, 0), max(image.height - _CORNER, 0), image.width, image.height))
    if not (image.info.get("progressive") or np.isin(np.asarray(corner), _GREYS).all()):
        return False
    more = again(data[: end - 2] + _MORE + b"\xff\xd9")
    try:
        more.load()
    except OSError:
        return True
    return ImageChops.difference(more, image).getbbox() is not None
