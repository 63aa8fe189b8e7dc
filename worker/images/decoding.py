"""From the bytes of a photograph to a checked array of the backbone's input size, safely.

A JPEG is decoded at a fraction of its size (see `worker.images.reduced_jpeg`); other formats in full.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from producer.contract.reasons import image_files, stations
from producer.contract.reasons.recognition import recognised
from producer.contract.reasons.template import Reason, Template
from producer.contract.region import Edge, Polygon
from producer.pictures.early_end import cut_short
from producer.pictures.image_formats import FAX, FORMATS, TIFF_COMPRESSIONS
from producer.pictures.jpeg_structure import JpegStructure
from producer.pictures.limits import MAX_IMAGE_BYTES, MAX_PIXELS
from producer.pictures.lost_lines import lacks_lines
from producer.pictures.repeated_rows import is_repeated
from producer.pictures.several_pictures import several_pictures
from producer.pictures.stand_in import is_stand_in, reason_in
from producer.pictures.unfilled_rectangle import lacks_rectangle
from producer.pictures.unfilled_rows import is_cut, is_uncompressed, plain_part, plain_runs
from producer.pictures.unwritten_bytes import Missing, StoredParts
from producer.runtime.arrays import UInt8Array
from worker.images.bit_depth import Depth, to_eight_bits
from worker.images.colours import as_rgb, opaque, with_palette_resolved
from worker.images.exposure import shows_nothing
from worker.images.file_kind import is_raw, why_unread
from worker.images.lower_contour import lower_contour
from worker.images.reduced_jpeg import ReducedJpeg
from worker.images.region_cut import Cut, StripSize, box_of, check_cut, check_image_size, levelled, masked
from worker.images.truncated_png import png_lacks_rows
from worker.images.truncated_tiff import is_overwritten
from worker.images.unusable_error import HalfAnImage
from worker.images.unusable_error import UnusableImage as UnusableImage  # for those who decode

MAX_SCANS: Final = 100
"""A progressive JPEG has some ten scans. Each goes over all its pixels again, and one that changes nothing has a few
bytes: 500 in a file of 170 kB, of 36 megapixels, took 11 s, and a file of 10 MB would take a quarter of an hour."""

_TILE_WIDTH, _TILE_LENGTH = 322, 323

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG"
"""How those begin that are made of parts one behind the other."""


_WHOLE_OF_STRIP: Final = 3
"""A photograph in which the edge is looked for is decoded so many times as large as what the network takes, or full."""


@dataclass(frozen=True)
class DecodedPhotograph:
    """A decoded photograph: uint8 of shape (height, width, 3), RGB, 0…255, and in `doubt` why a person must look.

    `image` has the same pixels. `strip` is the levelled strip that they were made of, where an edge is declared.
    """

    pixels: UInt8Array
    image: Image.Image
    doubt: Reason | None
    strip: Image.Image | None = None


def decode(data: bytes, size: tuple[int, int], region: Cut | None = None) -> UInt8Array:
    """Return the pixels of `decode_photograph`, doubtful or not: for what a person has labelled."""
    return decode_photograph(data, size, region).pixels


def decode_photograph(data: bytes, size: tuple[int, int], region: Cut | None = None) -> DecodedPhotograph:
    """Decode an image, checked to be whole, to the size that a network takes.

    The image is turned upright as its EXIF data say; of 10, 12, 14 and 16 bits the upper 8 are kept
    (see `worker.images.bit_depth`). The aspect ratio is not kept, as in the lab's recipe.

    Transparent parts become black: there no light was recorded, and where an image is stored with its background cut
    out, black is what most programs leave there. Where the whole image is equally transparent nothing was cut out, and
    its colours count alone.

    There is a doubt where a part of the image, or of its region, has one colour throughout and may be a bar or missing
    (see `producer.pictures.unfilled_rows`), and where the brightness cannot be told.

    Args:
        data: the image file's bytes.
        size: height and width of the result; a `StripSize` for what is along the lower contour of a cut-out, found in
            the photograph or its box. Where there is none there is a doubt, and the result shows all of it.
        region: what is taken, in pixels of the upright image: a box (left, top, width and height), a polygon or an
            edge (see `worker.images.region_cut`); None for all of it.

    Raises:
        UnusableImage: the image is empty, damaged, cut short, too large, too small or of another format, it is one of
            several in its file, the region is not inside it, or it shows nothing: it is black, burnt out or without
            contrast.
    """
    image, jpeg = _opened(data)
    taken, doubt = _of_others(image, data, size, region) if jpeg is None else _of_jpeg(image, data, jpeg, size, region)
    if _finds_edge(size, region):
        edge = lower_contour(np.asarray(taken))
        if edge is None:
            doubt = doubt or image_files.NO_CONTOUR()
        else:
            taken = levelled(taken, edge, size)
    photograph = _to_size(taken, size)
    pixels = np.asarray(photograph)
    strip = taken if isinstance(region, Edge) else None
    del image, taken
    if (problem := shows_nothing(pixels)) is not None:
        raise UnusableImage(problem)
    if isinstance(region, Polygon):  # only now: black around it would hide that it is burnt out or without contrast
        photograph = masked(photograph, region)
        pixels = np.asarray(photograph)
    return DecodedPhotograph(pixels, photograph, doubt, strip)


def _finds_edge(size: tuple[int, int], region: Cut | None) -> bool:
    return isinstance(size, StripSize) and not isinstance(region, Polygon | Edge)


def _why_none(problem: str) -> Reason:
    """The reason of a stand-in, which need not say again that there is no photograph where it says so itself."""
    reason = recognised(problem)
    if reason is not None and reason.template in stations.OF_STAND_INS:
        return reason
    return stations.NO_PHOTOGRAPH(problem=problem)


def _opened(data: bytes) -> tuple[ImageFile.ImageFile, JpegStructure | None]:
    """An image that is checked as far as that needs no pixels, and not decoded; of a JPEG its structure too."""
    if not data:
        raise UnusableImage(image_files.EMPTY())
    if is_stand_in(data):
        raise UnusableImage(_why_none(reason_in(data)))
    if len(data) > MAX_IMAGE_BYTES:
        raise UnusableImage(image_files.FILE_TOO_LARGE(size=len(data), most=MAX_IMAGE_BYTES))
    # Before Pillow goes through a header: of a JPEG that is all headers that would take minutes.
    jpeg = JpegStructure.of(data) if data.startswith(_JPEG) else None
    early = jpeg is not None or data.startswith(_PNG)
    problem = jpeg.problem if jpeg is not None else cut_short(data) if early else None
    if problem is not None:
        raise HalfAnImage(problem)
    image = _header(data)
    check_image_size(image.width, image.height)
    if (problem := _out_of_proportion(image, data, jpeg)) is not None:
        raise UnusableImage(problem)
    if not early and (problem := cut_short(data)) is not None:
        raise HalfAnImage(problem)
    if (problem := several_pictures(data, jpeg)) is not None:
        raise UnusableImage(problem)
    return image, jpeg


def _of_jpeg(
    image: ImageFile.ImageFile, data: bytes, jpeg: JpegStructure, size: tuple[int, int], region: Cut | None
) -> tuple[Image.Image, Reason | None]:
    """What is taken of a JPEG, in RGB, of the network's size but for a strip, and a doubt or None."""
    with _decoding():
        reduced = ReducedJpeg(image, data, jpeg)
        if region is not None:
            check_cut(region, reduced.upright_size)
        times = _WHOLE_OF_STRIP if _finds_edge(size, region) else 1
        reduced.decode((times * size[0], times * size[1]), region)
        doubt = _first_doubt(
            (lambda: reduced.is_doubtful(lambda: _header(data)), image_files.PLAIN_PART),
            (reduced.is_repeated, image_files.REPEATED_PART),
            (reduced.lacks_rectangle, image_files.RECTANGLE),
        )
        if not (isinstance(region, Edge) or _finds_edge(size, region)):
            return reduced.taken(), doubt
        upright, scale, origin = reduced.upright()
        if isinstance(region, Edge):
            return levelled(upright, region, size, scale, origin), doubt
        left, top, width, height = (0, 0, *reduced.upright_size) if region is None else box_of(region)
        across = [round(side * scale + origin[0]) for side in (left, left + width)]
        down = [round(side * scale + origin[1]) for side in (top, top + height)]
        return upright.crop((across[0], down[0], across[1], down[1])), doubt


def _of_others(
    image: ImageFile.ImageFile, data: bytes, size: tuple[int, int], region: Cut | None
) -> tuple[Image.Image, Reason | None]:
    """What is taken of an image of another format, in RGB of its own size, and a doubt or None."""
    with _decoding():
        depth, raw = Depth.of(image), is_uncompressed(image)
        stored = StoredParts(image, data) if raw else None
        image.load()
        if image.format == "PNG" and png_lacks_rows(image, data):
            raise HalfAnImage(image_files.ROWS_NOT_WRITTEN())
        if image.format == "TIFF" and is_overwritten(image, data):
            raise HalfAnImage(image_files.OVERWRITTEN())
        eight = to_eight_bits(image, depth, lambda: _header(data))
        upright = eight.image
        missing = None if stored is None else stored.missing(upright)
        ImageOps.exif_transpose(upright, in_place=True)
        upright = opaque(with_palette_resolved(upright))
        runs = plain_runs(upright)
        if missing is Missing.CUT or is_cut(upright, runs, raw=raw):
            raise HalfAnImage(image_files.STOPS_IN_A_ROW())
    if region is not None:
        check_cut(region, upright.size)
        left, top, width, height = box_of(region)
        upright = upright.crop((left, top, left + width, top + height))
        runs = plain_runs(upright)
    doubt = image_files.PLAIN_PART() if missing is Missing.DOUBT else eight.doubt
    doubt = doubt or _first_doubt(
        (lambda: plain_part(upright, runs, raw=raw) is not None, image_files.PLAIN_PART),
        (lambda: is_repeated(upright), image_files.REPEATED_PART),
        (lambda: lacks_lines(upright), image_files.LOST_LINES),
        (lambda: lacks_rectangle(upright), image_files.RECTANGLE),
    )
    colours = as_rgb(upright)
    if isinstance(region, Edge):
        colours = levelled(colours, region, size, origin=(-left, -top))
    return colours, doubt


def _first_doubt(*questions: tuple[Callable[[], bool], Template]) -> Reason | None:
    """The reason of the first question that is answered by yes; none after it is asked, as each takes its time."""
    return next((reason() for is_so, reason in questions if is_so()), None)


def _to_size(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Bilinear over all the pixels that fall into one; beyond a threefold reduction whole blocks are averaged first."""
    if image.size == size[::-1]:
        return image
    return image.resize(size[::-1], Image.Resampling.BILINEAR, reducing_gap=3.0)


@contextmanager
def _decoding() -> Iterator[None]:
    """Say in words what a decoder raises."""
    try:
        yield
    except (MemoryError, UnusableImage):
        raise
    except Exception as error:
        raise HalfAnImage(image_files.NOT_DECODED()) from error


def _header(data: bytes) -> ImageFile.ImageFile:
    """Open an image without decoding it; its header alone says how many pixels there would be."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableImage(image_files.FAR_TOO_MANY_PIXELS(most=MAX_PIXELS)) from error
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        problem = cut_short(data)
        raise (UnusableImage(why_unread(data)) if problem is None else HalfAnImage(problem)) from error
    except Exception as error:  # decoders raise almost anything at bytes that are not what they seem
        raise HalfAnImage(image_files.HEADER_UNREADABLE()) from error
    if image.width * image.height > MAX_PIXELS:
        size = {"width": image.width, "height": image.height}
        raise UnusableImage(image_files.TOO_MANY_PIXELS(**size, most=MAX_PIXELS))
    return image


def _out_of_proportion(image: Image.Image, data: bytes, jpeg: JpegStructure | None) -> Reason | None:
    """Why a file would take its decoder out of all proportion to its size and pixels, or fool it; or None."""
    # Its decoder cannot be given a part of the data, so it cannot be asked whether it had them all.
    if jpeg is not None and jpeg.arithmetic:
        return image_files.ARITHMETIC()
    if jpeg is not None and len(jpeg.scans) > MAX_SCANS:
        return image_files.SCANS(most=MAX_SCANS)
    # Pillow's decoder of these is written in Python, pixel by pixel: no other thread could work meanwhile.
    if any(tile[0] == "bmp_rle" for tile in getattr(image, "tile", [])):
        return image_files.RUN_LENGTHS()
    if image.format == "TIFF":
        if image.info.get("compression") in FAX:
            return image_files.FAX()
        if image.info.get("compression") not in TIFF_COMPRESSIONS:
            return image_files.COMPRESSION(compression=image.info.get("compression"))
        # A tile is decoded whole, however little of it the image shows: 64×64 pixels can ask for 2 GB.
        tags = getattr(image, "tag_v2", {})
        if (problem := is_raw(data, tags)) is not None:
            return problem
        width, height = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_LENGTH, 0)
        if not (isinstance(width, int) and isinstance(height, int) and width * height <= MAX_PIXELS):
            return image_files.TILES(width=width, height=height, most=MAX_PIXELS)
    return None
