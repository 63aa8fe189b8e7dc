"""From the bytes of a photograph to a checked array of the backbone's input size, safely.

Decoding is antialiased and exact: JPEG's shortcut of decoding at a fraction of the size is not used here, because it
changes pixels, and with them features.
"""

from __future__ import annotations

import io
import os
import threading
from typing import Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from producer.pictures.completeness import cut_short
from producer.pictures.unfilled_rows import is_upside_down, lacks_rows
from worker.images import truncated_jpeg
from worker.images.bit_depth import UnknownDepth, extrema, has_16_bits, to_eight_bits
from worker.images.file_kind import is_raw, why_unread
from worker.images.truncated_png import png_lacks_rows
from worker.runtime.arrays import UInt8Array

FORMATS: Final = ("JPEG", "PNG", "BMP", "TIFF")
"""What cameras write. Every further decoder is one more that a damaged or hostile file can reach."""

MAX_IMAGE_BYTES: Final = 128 * 1024 * 1024
"""A 40-megapixel RGB bitmap has 120 MB; nothing larger can be an image within the pixel limit."""

MAX_PIXELS: Final = 40_000_000
"""Industrial cameras have up to some 25 megapixels; decoded, 40 take 160 MB."""

MIN_SIDE: Final = 32
"""Pixels of the image's, or the region's, shorter side: of an insert nothing can be seen in fewer."""

MAX_PROPORTION: Final = 8
"""The longer side over the shorter one: no insert, and no camera's image, is longer."""

MAX_SCANS: Final = 100
"""A progressive JPEG has some ten scans. Each goes over all its pixels again, and one that changes nothing has a few
bytes: 500 in a file of 170 kB, of 36 megapixels, took 11 s, and a file of 10 MB would take a quarter of an hour."""

TIFF_COMPRESSIONS: Final = frozenset(
    {"raw", "tiff_ccitt", "group3", "group4", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "tiff_deflate", "packbits"}
)
_TILE_WIDTH, _TILE_LENGTH = 322, 323

# A photograph of an insert has highlights and shadows. These limits only catch a lens cap, a lamp that is out or a
# sensor that is flooded: of 194 real photographs, the nearest to each limit stays well off it (see the tests).
_BLACK_BELOW: Final = 20.0
_BURNT_OUT_ABOVE: Final = 250.0
_CONTRAST_BELOW: Final = 8.0


# More at once would not be faster, and every one holds a whole photograph: 32 threads with 40 megapixels each, 5 GB.
_DECODERS: Final = threading.BoundedSemaphore(2 * (os.cpu_count() or 1))


_MARKED: Final = (b"\xff\xd8", b"\x89PNG")
"""How JPEG and PNG begin, which are made of parts one behind the other."""


class UnusableImage(ValueError):
    """An image that cannot be judged. `reason` is a short sentence for the person at the machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode(data: bytes, size: tuple[int, int], region: tuple[int, int, int, int] | None = None) -> UInt8Array:
    """Return an image's pixels, uint8 of shape (height, width, 3), RGB, 0…255.

    `size` is (height, width) of the result, `region` the (left, top, width, height) to take, in pixels of the
    upright image. The image is turned upright as its EXIF data say; of 10, 12, 14 and 16 bits the upper 8 are kept
    (see `worker.images.bit_depth`); of an animation or a file of several pages the first is taken. The aspect ratio is
    not kept, as in the lab's recipe.

    Transparent parts become black: there no light was recorded, and where an image is stored with its background cut
    out, black is what most programs leave there. Where the whole image is equally transparent nothing was cut out, and
    its colours count alone.

    Raises:
        UnusableImage: the image is empty, damaged, cut short, too large, too small or of another format, the region is
            not inside it, or it shows nothing: it is black, burnt out or without contrast.
    """
    height, width = size
    with _DECODERS:
        image = _open(data)
        if region is not None:
            image = _crop(image, region)
        # Bilinear over all the pixels that fall into one; beyond a threefold reduction whole blocks are averaged first.
        pixels = np.array(_converted(image, "RGB").resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0))
        del image
    if (problem := shows_nothing(pixels)) is not None:
        raise UnusableImage(problem)
    return pixels


def shows_nothing(pixels: UInt8Array) -> str | None:
    """Return why an image (height, width, 3) cannot show an insert, or None: black, burnt out, without contrast.

    Judged by the brightness (mean of the colours, 0…255) that one pixel in a hundred is below or above.
    """
    # Counted rather than sorted: a tenth of the time, which no other thread of a worker can use.
    red, green, blue = np.moveaxis(pixels, 2, 0)
    sums = red.astype(np.uint16) + green + blue
    below = np.cumsum(np.bincount(sums.ravel()))
    darkest, brightest = np.searchsorted(below, (0.01 * sums.size, 0.99 * sums.size)) / 3
    if brightest < _BLACK_BELOW:
        return "the image is black: lamp or camera off, or the lens covered?"
    if darkest > _BURNT_OUT_ABOVE:
        return "the image is burnt out: exposure too long or the lamp too bright?"
    if brightest - darkest < _CONTRAST_BELOW:
        return "the image has no contrast: nothing in view, or out of focus entirely?"
    return None


def _open(data: bytes) -> Image.Image:
    """Decode the first frame, upright, with 8 bits a colour and without transparency."""
    if not data:
        raise UnusableImage("the image file is empty: take the photograph again")
    if len(data) > MAX_IMAGE_BYTES:
        raise UnusableImage(f"the image file is too large: {len(data):,} bytes, at most {MAX_IMAGE_BYTES:,}")
    # Before Pillow goes through a header: of a JPEG that is all headers that would take minutes.
    if data.startswith(_MARKED) and (problem := cut_short(data)) is not None:
        raise UnusableImage(_half(problem))
    image = _header(data)
    _check_size(image.width, image.height, "image")
    if (problem := _out_of_proportion(image, data)) is not None:
        raise UnusableImage(problem)
    if not data.startswith(_MARKED) and (problem := cut_short(data)) is not None:
        raise UnusableImage(_half(problem))
    try:
        deep = has_16_bits(image)
        image.load()
        if _is_half(image, data):
            raise UnusableImage(_half("some of its pixels were never written"))
        image = to_eight_bits(image, (lambda: _header(data)) if deep else None)
        ImageOps.exif_transpose(image, in_place=True)
    except (MemoryError, UnusableImage):
        raise
    except UnknownDepth as error:
        raise UnusableImage(str(error)) from error
    except Exception as error:
        raise UnusableImage(_half("it cannot be decoded to its end")) from error
    return _opaque(image)


def _half(problem: str) -> str:
    return (
        f"the image file is damaged or cut short ({problem}): hand it in again when it is written in full, "
        "or take the photograph again"
    )


def _header(data: bytes) -> Image.Image:
    """Open an image without decoding it; its header alone says how many pixels there would be."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableImage(f"the image is too large: more than {MAX_PIXELS:,} pixels") from error
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        problem = cut_short(data)
        raise UnusableImage(why_unread(data) if problem is None else _half(problem)) from error
    except Exception as error:  # decoders raise almost anything at bytes that are not what they seem
        raise UnusableImage(_half("its header cannot be read")) from error
    if image.width * image.height > MAX_PIXELS:
        raise UnusableImage(f"the image is too large: {image.width}×{image.height}, at most {MAX_PIXELS:,} pixels")
    return image


def _check_size(width: int, height: int, what: str) -> None:
    shorter, longer = sorted((width, height))
    if shorter < MIN_SIDE:
        raise UnusableImage(
            f"the {what} is too small: {width}×{height} pixels, at least {MIN_SIDE} a side: "
            "photograph the insert so that it fills the image"
        )
    if longer > MAX_PROPORTION * shorter:
        raise UnusableImage(
            f"the {what} has the proportions of no insert: {width}×{height} pixels, one side at most "
            f"{MAX_PROPORTION} times the other: photograph the insert so that it fills the image"
        )


def _is_half(image: Image.Image, data: bytes) -> bool:
    if image.format in ("JPEG", "MPO"):
        return truncated_jpeg.cut_short(data, image)
    if image.format == "PNG":
        return png_lacks_rows(image, data)
    return lacks_rows(image, upside_down=image.format == "BMP" and is_upside_down(data))


def _out_of_proportion(image: Image.Image, data: bytes) -> str | None:
    """Why a file would take its decoder out of all proportion to its size and pixels, or None."""
    # Inside a scan 0xFF is followed by 0, so this marker is found where a scan begins, and hardly ever elsewhere.
    if image.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > MAX_SCANS:
        return f"the image is made of more than {MAX_SCANS} scans: save it again, as a plain JPEG"
    # Pillow's decoder of these is written in Python, pixel by pixel: no other thread could work meanwhile.
    if any(tile[0] == "bmp_rle" for tile in getattr(image, "tile", [])):
        return "the image is a run-length encoded BMP: save it without compression"
    if image.format == "TIFF":
        if image.info.get("compression") not in TIFF_COMPRESSIONS:
            return f"the image is a TIFF of the kind {image.info.get('compression')}: save it with LZW or uncompressed"
        # A tile is decoded whole, however little of it the image shows: 64×64 pixels can ask for 2 GB.
        tags = getattr(image, "tag_v2", {})
        if (problem := is_raw(data, tags)) is not None:
            return problem
        width, height = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_LENGTH, 0)
        if not (isinstance(width, int) and isinstance(height, int) and width * height <= MAX_PIXELS):
            return f"the image is made of tiles of {width}×{height}, at most {MAX_PIXELS:,} pixels"
    return None


def _crop(image: Image.Image, region: tuple[int, int, int, int]) -> Image.Image:
    left, top, width, height = region
    inside = left >= 0 and top >= 0 and left + width <= image.width and top + height <= image.height
    if not inside or width < 1 or height < 1:
        raise UnusableImage(
            f"the region {width}×{height} at ({left}, {top}) is not inside the image of {image.width}×{image.height}"
        )
    _check_size(width, height, "region")
    return image.crop((left, top, left + width, top + height))


def _opaque(image: Image.Image) -> Image.Image:
    """An image without transparency."""
    if image.mode == "P" and image.palette is None:
        raise UnusableImage(_colours_unread(image))
    if not image.has_transparency_data:
        return image
    image = _converted(image, "RGBA")
    (darkest, brightest), *_ = extrema(image.getchannel("A"))
    if darkest != brightest:
        return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image).convert("RGB")
    colours = image.convert("RGB")  # which leaves out the transparency and nothing else
    if brightest == 0 and all(low == high for low, high in extrema(colours)):
        raise UnusableImage(
            "the image is fully transparent and has no colours below that: save it without transparency (alpha)"
        )
    return colours


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if image.mode == mode:
        return image
    try:
        return image.convert(mode)
    except MemoryError:
        raise
    except Exception as error:  # a palette that is not there, a kind that has no way to RGB
        raise UnusableImage(_colours_unread(image)) from error


def _colours_unread(image: Image.Image) -> str:
    return f"the image has colours of the kind {image.mode}, which cannot be read: save it as grey or RGB with 8 bits"
