"""From the bytes of a photograph to a checked array of the backbone's input size, safely.

Decoding is antialiased and exact: JPEG's shortcut of decoding at a fraction of the size is not used here, because it
changes pixels, and with them features.
"""

from __future__ import annotations

import io
import os
import threading
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from producer.pictures.completeness import cut_short
from producer.pictures.jpeg_structure import JpegStructure
from producer.pictures.limits import FORMATS, MAX_IMAGE_BYTES, MAX_PIXELS
from producer.pictures.unfilled_rows import Run, is_cut, is_uncompressed, plain_part, plain_runs
from producer.pictures.unwritten_bytes import Missing, StoredParts
from worker.images import truncated_jpeg
from worker.images.bit_depth import Depth, UnknownDepth, to_eight_bits
from worker.images.exposure import shows_nothing
from worker.images.file_kind import is_raw, why_unread
from worker.images.truncated_png import png_lacks_rows
from worker.images.truncated_tiff import is_overwritten
from worker.runtime.arrays import UInt8Array

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

# More at once would not be faster, and every one holds a whole photograph: 32 threads with 40 megapixels each, 5 GB.
_DECODERS: Final = threading.BoundedSemaphore(2 * (os.cpu_count() or 1))

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG"
"""How those begin that are made of parts one behind the other."""

_PLAIN_PART: Final = (
    "a part of the image has one colour from one side to the other: a bar, or it was never written: look whether the "
    "photograph is whole; of a camera that draws a bar give the pocket's region without it"
)

_UNIFORM: Final = 0.999
"""The share of an image's pixels that must have one value, for a few odd ones not to count."""


class UnusableImage(ValueError):
    """An image that cannot be judged. `reason` is a short sentence for the person at the machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class _Opened:
    image: Image.Image
    raw: bool
    runs: list[Run]
    doubt: str | None


@dataclass(frozen=True)
class DecodedPhotograph:
    """A decoded photograph: uint8 of shape (height, width, 3), RGB, 0…255, and in `doubt` why a person must look."""

    pixels: UInt8Array
    doubt: str | None


def decode(data: bytes, size: tuple[int, int], region: tuple[int, int, int, int] | None = None) -> UInt8Array:
    """Return the pixels of `decode_photograph`, doubtful or not: for what a person has labelled."""
    return decode_photograph(data, size, region).pixels


def decode_photograph(
    data: bytes, size: tuple[int, int], region: tuple[int, int, int, int] | None = None
) -> DecodedPhotograph:
    """Decode an image, checked to be whole, to the size that a network takes.

    The image is turned upright as its EXIF data say; of 10, 12, 14 and 16 bits the upper 8 are kept
    (see `worker.images.bit_depth`); of an animation or a file of several pages the first is taken. The aspect ratio is
    not kept, as in the lab's recipe.

    Transparent parts become black: there no light was recorded, and where an image is stored with its background cut
    out, black is what most programs leave there. Where the whole image is equally transparent nothing was cut out, and
    its colours count alone.

    There is a doubt where a part of the image, or of its region, has one colour throughout and may be a bar or missing
    (see `producer.pictures.unfilled_rows`), and where the brightness cannot be told.

    Args:
        data: the image file's bytes.
        size: height and width of the result.
        region: left, top, width and height of what is taken, in pixels of the upright image; None for all of it.

    Raises:
        UnusableImage: the image is empty, damaged, cut short, too large, too small or of another format, the region is
            not inside it, or it shows nothing: it is black, burnt out or without contrast.
    """
    height, width = size
    with _DECODERS:
        opened = _open(data)
        image, runs, doubt = opened.image, opened.runs, opened.doubt
        if region is not None:
            image = _crop(image, region)
            runs = plain_runs(image, raw=opened.raw)
        if doubt is None and plain_part(image, runs, raw=opened.raw) is not None:
            doubt = _PLAIN_PART
        image = _opaque(image)
        # Bilinear over all the pixels that fall into one; beyond a threefold reduction whole blocks are averaged first.
        pixels = np.array(_converted(image, "RGB").resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0))
        del image, opened
    if (problem := shows_nothing(pixels)) is not None:
        raise UnusableImage(problem)
    return DecodedPhotograph(pixels, doubt)


def _open(data: bytes) -> _Opened:
    """Decode the first frame, upright, with 8 bits a colour."""
    if not data:
        raise UnusableImage("the image file is empty: take the photograph again")
    if len(data) > MAX_IMAGE_BYTES:
        raise UnusableImage(f"the image file is too large: {len(data):,} bytes, at most {MAX_IMAGE_BYTES:,}")
    # Before Pillow goes through a header: of a JPEG that is all headers that would take minutes.
    jpeg = JpegStructure.of(data) if data.startswith(_JPEG) else None
    early = jpeg is not None or data.startswith(_PNG)
    problem = jpeg.problem if jpeg is not None else cut_short(data) if early else None
    if problem is not None:
        raise UnusableImage(_half(problem))
    image = _header(data)
    _check_size(image.width, image.height, "image")
    if (problem := _out_of_proportion(image, data, jpeg)) is not None:
        raise UnusableImage(problem)
    if not early and (problem := cut_short(data)) is not None:
        raise UnusableImage(_half(problem))
    try:
        depth, raw = Depth.of(image), is_uncompressed(image)
        stored = StoredParts(image, data) if raw else None
        image.load()
        if jpeg is not None and truncated_jpeg.cut_short(data, jpeg, image):
            raise UnusableImage(_half("some of its pixels were never sent"))
        if image.format == "PNG" and png_lacks_rows(image, data):
            raise UnusableImage(_half("some of its rows were never written"))
        if image.format == "TIFF" and is_overwritten(image, data):
            raise UnusableImage(_half("a part of its data was overwritten"))
        eight = to_eight_bits(image, depth, lambda: _header(data))
        image = eight.image
        missing = None if stored is None else stored.missing(image)
        ImageOps.exif_transpose(image, in_place=True)
        image = _with_palette_resolved(image)
        runs = plain_runs(image, raw=raw)
        if missing is Missing.CUT or is_cut(image, runs):
            raise UnusableImage(_half("it stops within a row, and the rest has one colour"))
    except (MemoryError, UnusableImage):
        raise
    except UnknownDepth as error:
        raise UnusableImage(str(error)) from error
    except Exception as error:
        raise UnusableImage(_half("it cannot be decoded to its end")) from error
    return _Opened(image, raw, runs, _PLAIN_PART if missing is Missing.DOUBT else eight.doubt)


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


def _out_of_proportion(image: Image.Image, data: bytes, jpeg: JpegStructure | None) -> str | None:
    """Why a file would take its decoder out of all proportion to its size and pixels, or None."""
    if jpeg is not None and len(jpeg.scans) > MAX_SCANS:
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


def _with_palette_resolved(image: Image.Image) -> Image.Image:
    """An image whose values are brightness: neither numbers of colours nor single bits."""
    if image.mode == "P" and image.palette is None:
        raise UnusableImage(_colours_unread(image))
    if image.mode == "1":
        return _converted(image, "L")
    if image.mode in ("P", "PA"):
        return _converted(image, "RGBA" if image.has_transparency_data else "RGB")
    return image


def _opaque(image: Image.Image) -> Image.Image:
    """An image without transparency."""
    if not image.has_transparency_data:
        return image
    image = _converted(image, "RGBA")
    alpha = _uniform_value(image.getchannel("A"))
    if alpha is None:
        return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image).convert("RGB")
    colours = image.convert("RGB")  # which leaves out the transparency and nothing else
    if alpha == 0 and all(_uniform_value(each) is not None for each in colours.split()):
        raise UnusableImage(
            "the image is fully transparent and has no colours below that: save it without transparency (alpha)"
        )
    return colours


def _uniform_value(band: Image.Image) -> int | None:
    """The value that all pixels have but for a few, or None."""
    counts = band.histogram()
    most = max(counts)
    return counts.index(most) if most >= _UNIFORM * band.width * band.height else None


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
