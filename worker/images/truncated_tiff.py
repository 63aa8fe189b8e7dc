"""A compressed TIFF a part of whose data was overwritten, and that decodes all the same.

A strip or tile of Deflate ends with a checksum, which the decoder does not read once it has all the rows. LZW and
PackBits have none. But what comes twice has a code of its own in LZW, and equal bytes are one run in PackBits, so no
byte comes many times over. Each strip or tile of JPEG is asked what a JPEG file is.
"""

from __future__ import annotations

import io
import re
import zlib
from typing import Final

from PIL import Image, UnidentifiedImageError

from producer.pictures.completeness import tiff_jpegs, tiff_parts
from producer.pictures.jpeg_structure import JpegStructure
from worker.images.truncated_jpeg import load_whole

_AT_ONCE: Final = 2**18
"""Bytes that are unpacked at once, to be forgotten."""

_MOST: Final = 16
"""Bytes a pixel from which on a strip has more than its image: what is behind that is not looked at."""

_REPEATED: Final = {
    "tiff_lzw": re.compile(rb"(.)\1{31}", re.DOTALL),
    "packbits": re.compile(rb"([^\x81])\1{31}", re.DOTALL),
}
"""32 equal bytes: at least 21 codes of LZW, which come again after eight at most. In PackBits 0x81 0x81 is the longest
run there is, 128 times 0x81, and may come again."""


def is_overwritten(image: Image.Image, data: bytes) -> bool:
    """Whether a TIFF's compressed data cannot be what their program wrote.

    Args:
        image: opened, loaded or not.
        data: the bytes of its file, checked to hold all its parts.

    Raises:
        OSError: a part of it cannot be decoded.
    """
    compression = str(image.info.get("compression"))
    if compression == "jpeg":
        return not all(_is_whole(part) for part in tiff_jpegs(image, data))
    parts = [memoryview(data)[start : start + length] for start, length in tiff_parts(image)]
    if compression in ("tiff_adobe_deflate", "tiff_deflate"):
        most = _MOST * image.width * image.height
        return any(not _ends_well(part, most) for part in parts)
    repeated = _REPEATED.get(compression)
    return repeated is not None and any(repeated.search(part) for part in parts)


def _is_whole(part: bytes) -> bool:
    jpeg = JpegStructure.of(part)
    if jpeg.problem is not None:
        return False
    try:
        image = Image.open(io.BytesIO(part), formats=("JPEG",))
    except UnidentifiedImageError:  # two components, grey and alpha, which a TIFF may have and a JPEG file may not
        return True
    return load_whole(image, part, jpeg)


def _ends_well(part: memoryview, most: int) -> bool:
    unpacker, count = zlib.decompressobj(), 0
    rest: bytes | memoryview = part
    try:
        while not unpacker.eof and count < most:
            new = len(unpacker.decompress(rest, _AT_ONCE))
            if not new and not unpacker.unconsumed_tail:
                break
            count, rest = count + new, unpacker.unconsumed_tail
    except zlib.error:
        return False
    return unpacker.eof or count >= most
