"""Files that hold more than the one picture that decoders take of them: of the others nobody would have seen anything.

A TIFF has pages, a PNG may be an animation, and behind the end of any file another one may have been appended, as by a
program that writes on where it should begin anew. What cameras add to a photograph is none of that: thumbnails, which
are marked as such or smaller; previews, depth maps and maps of gains, of which the JPEG's own data tell; films.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from PIL import Image

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Reason
from producer.pictures.bmp_structure import bmp_extent
from producer.pictures.image_formats import FORMATS
from producer.pictures.jpeg_structure import FRAMES, JpegStructure
from producer.pictures.tiff_structure import tiff_parts

_JPEG, _PNG, _BMP = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"
_TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BMP_BEGINS: Final = re.compile(rb"BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0{3}", re.DOTALL)

_TELLS_OF_MORE: Final = re.compile(
    rb"MPF\0|Container:Directory|GDepth:|hdrgm:|HDRGainMap"  # multi-picture format (CIPA DC-007), and XMP's words
    rb"|\x92\x7c\0\x07|\x7c\x92\x07\0"  # a maker note (Exif 2.3, tag 0x927C of type UNDEFINED)
)
"""What a JPEG's header has where its camera may have put smaller pictures behind its end."""

_SAMSUNG: Final = b"SEFT"
"""The last bytes of what telephones of one maker put there."""

_GAINS: Final = re.compile(rb"hdrgm:|HDRGainMap|urn:iso:std:iso:ts:21496")
"""What the header of a map of gains has, which may be as large as its photograph."""

_PAGES: Final = 64
_MOST_BEGINNINGS: Final = 64
"""What may be the beginning of a picture is looked at so often; no camera's file has more."""

_MOST_SEGMENTS: Final = 256
_SOS: Final = 0xDA
_SUBFILE, _OLD_SUBFILE, _SUBDIRECTORIES, _THUMBNAIL = 254, 255, 330, 513
_WIDTH, _HEIGHT, _BITS, _PLANAR, _TILES = 256, 257, 258, 284, 324
_BY_PLANES: Final = 2
_REDUCED, _MASK, _OLD_REDUCED = 1, 4, 2

Size = tuple[int, int]


class _Picture(NamedTuple):
    """A picture behind the end of another one: how large it is, and from where on a next one may begin."""

    size: Size
    ends: int
    is_gains: bool = False


def several_pictures(data: bytes, jpeg: JpegStructure | None = None) -> Reason | None:
    """Why a file holds more than the picture that would be taken of it, in words with what to do; None where it does
    not.

    Args:
        data: the bytes of a file that has a picture of one of these formats (`producer.pictures.early_end`).
        jpeg: of a JPEG its structure, where it is known.
    """
    if data.startswith(_JPEG):
        return _jpeg(data, jpeg or JpegStructure.of(data))
    if data.startswith(_PNG):
        return _png(data)
    if data.startswith(_BMP):
        return _bmp(data)
    try:
        with Image.open(io.BytesIO(data), formats=(*FORMATS, "GIF", "WEBP")) as image:
            if image.format == "TIFF":
                return _tiff(image, data)
            return _several(getattr(image, "n_frames", 1))
    except Exception:  # noqa: BLE001  what cannot be read is no concern of this module
        return None


def _jpeg(data: bytes, jpeg: JpegStructure) -> Reason | None:
    if jpeg.end is None or jpeg.end == len(data):
        return None
    begins = jpeg.scans[0].begins if jpeg.scans else jpeg.end
    declared = data.endswith(_SAMSUNG) or _TELLS_OF_MORE.search(data, 0, begins) is not None
    others = [
        other.size
        for other in _appended(data, jpeg.end)
        if not (other.is_gains or (declared and _pixels(other.size) < _pixels(jpeg.size)))
    ]
    return _several(1 + len(others), jpeg.size, *others)


def _png(data: bytes) -> Reason | None:
    at, frames = len(_PNG), 1
    size = (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        if kind == b"acTL":  # an animation's number of pictures
            frames = int.from_bytes(data[at + 8 : at + 12], "big")
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if kind == b"IEND":
            break
    if frames > 1:
        return _several(frames)
    others = [other.size for other in _appended(data, at)]
    return _several(1 + len(others), size, *others)


def _bmp(data: bytes) -> Reason | None:
    extent = bmp_extent(data)
    if extent is None:
        return None
    if others := [other.size for other in _appended(data, extent.ends)]:
        return _several(1 + len(others), extent.size, *others)
    # A colour profile lies behind the pixels, and some programs fill a file up.
    behind = data[extent.ends :]
    return _more_bytes(extent.size, behind) if len(behind) - extent.profile >= extent.row else None


def _tiff(image: Image.Image, data: bytes) -> Reason | None:
    size, sizes, ends = image.size, [image.size], 0
    for page in range(_PAGES):
        try:
            if page:
                image.seek(page)
        except EOFError:
            break
        tags: Any = getattr(image, "tag_v2", {})
        of_page = _size(tags)
        if not page and (problem := _more_rows(image, data)) is not None:
            return problem
        if page and not (_is_small(tags) and _pixels(of_page) < _pixels(size)):
            sizes.append(of_page)
        sizes += [other for other in _below(image, data) if _pixels(other) > _pixels(size)]
        ends = max(ends, *(start + length for start, length in tiff_parts(image)), 0)
    # Behind the pixels is what tells of them, with thumbnails and other small pictures in it.
    sizes += [other.size for other in _appended(data, ends) if _pixels(other.size) >= _pixels(size)]
    return _several(len(sizes), *sizes)


def _more_rows(image: Image.Image, data: bytes) -> Reason | None:
    """Why the strips of an uncompressed TIFF hold more rows than its header tells; None where they do not."""
    tags: Any = getattr(image, "tag_v2", {})
    if image.info.get("compression") != "raw" or _TILES in tags:
        return None
    bits, planes = tags.get(_BITS, (1,)), tags.get(_PLANAR) == _BY_PLANES
    rows = [(image.width * pixel + 7) // 8 for pixel in (bits if planes else [sum(bits)])]
    parts = tiff_parts(image)
    more = sum(length for _, length in parts) - image.height * sum(rows)
    last = sum(parts[-1]) if parts else 0
    return _more_bytes(image.size, data[max(last - more, 0) : last]) if more >= max(rows) else None


def _is_small(tags: Any) -> bool:
    """Whether a page of a TIFF says that it is another one's thumbnail, reduced form or mask."""
    kind = tags.get(_SUBFILE, 0)
    marked = isinstance(kind, int) and kind & (_REDUCED | _MASK)
    return bool(marked) or tags.get(_OLD_SUBFILE) == _OLD_REDUCED or _THUMBNAIL in tags


def _below(image: Any, data: bytes) -> Iterator[Size]:
    """The sizes of the pictures in the directories that a page of a TIFF has below its own."""
    places = image.tag_v2.get(_SUBDIRECTORIES, ())
    for place in (places if isinstance(places, tuple) else (places,))[:_PAGES]:
        directory = type(image.tag_v2)(data[:16] if data[2:3] == b"+" or data[3:4] == b"+" else data[:8])
        file = io.BytesIO(data)
        file.seek(int(place))
        directory.load(file)
        yield _size(directory)


def _size(tags: Any) -> Size:
    width, height = tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0)
    return (width, height) if isinstance(width, int) and isinstance(height, int) else (0, 0)


def _appended(data: bytes, end: int) -> Iterator[_Picture]:
    """The pictures that begin behind the end of another one; not the thumbnails that are in them."""
    beginnings = (_JPEG, _PNG, _BMP, *_TIFF[:2])
    nearest = {begin: _find(begin, data, end) for begin in beginnings}
    at = end
    for _ in range(_MOST_BEGINNINGS):
        nearest = {
            begin: place if place >= at else _find(begin, data, at) for begin, place in nearest.items() if place >= 0
        }
        places = [place for place in nearest.values() if place >= 0]
        if not places:
            return
        at = min(places)
        picture = _picture_at(data, at)
        if picture is not None:
            yield picture
        at = at + 1 if picture is None else picture.ends


def _find(begin: bytes, data: bytes, at: int) -> int:
    if begin != _BMP:
        return data.find(begin, at)
    bitmap = _BMP_BEGINS.search(data, at)  # two letters come in any data
    return -1 if bitmap is None else bitmap.start()


def _picture_at(data: bytes, at: int) -> _Picture | None:
    if data.startswith(_JPEG, at):
        return _jpeg_at(data, at)
    try:
        with Image.open(io.BytesIO(data[at:]), formats=("PNG", "BMP", "TIFF")) as image:
            return _Picture(image.size, at + 8)
    except Exception:  # noqa: BLE001  no picture, whatever it is
        return None


def _jpeg_at(data: bytes, begins: int) -> _Picture | None:
    """A JPEG as far as its first scan, segment by segment: bytes of something else do not come so far."""
    at, size = begins + 2, None
    for _ in range(_MOST_SEGMENTS):
        if data[at : at + 1] != b"\xff" or at + 4 > len(data):
            return None
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if kind in FRAMES:
            size = (int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big"))
        at += 2 + length
        if kind == _SOS:
            return None if size is None else _Picture(size, at, _GAINS.search(data, begins, at) is not None)
    return None


def _more_bytes(size: Size, behind: bytes) -> Reason | None:
    if not behind.strip(b"\0"):
        return None
    return image_files.MORE_ROWS(size=len(behind), width=size[0], height=size[1])


def _pixels(size: Size) -> int:
    return size[0] * size[1]


def _several(pictures: int, *sizes: Size) -> Reason | None:
    if pictures < 2:
        return None
    if 1 < len(sizes) <= 3:
        return image_files.SEVERAL_OF(pictures=pictures, sizes=[f"{width}×{height}" for width, height in sizes])
    return image_files.SEVERAL(pictures=pictures)
