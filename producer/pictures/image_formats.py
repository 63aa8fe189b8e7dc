"""Which image formats are accepted, for stations and workers: their names, the endings of files, their first bytes."""

from __future__ import annotations

from typing import Final

FORMATS: Final = ("JPEG", "PNG", "BMP", "TIFF")
"""What cameras write, as Pillow calls it. Every further decoder is one more that a hostile file can reach."""

READABLE: Final = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".tif", ".tiff"})
"""Endings, in lower case, of what the worker decodes."""

TIFF_BEGINNINGS: Final = (b"II*\0", b"MM\0*")
"""How a TIFF begins, and the raw data of many cameras."""

TIFF_COMPRESSIONS: Final = frozenset({"raw", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "tiff_deflate", "packbits"})
"""Those that are decoded, as Pillow calls them."""

FAX: Final = frozenset({"tiff_ccitt", "group3", "group4"})
"""Black and white without grey, and nothing in them tells that a part was never written."""

OTHER_BEGINNINGS: Final = (b"\xff\xd8\xff", b"\x89PNG", b"BM")
"""How the other formats begin: such a file is decoded, whatever its ending."""

BEGINNING: Final = 16
"""Bytes that tell whether a file begins as a picture does."""

_UNREADABLE_BEGINNINGS: Final = (
    *(b"GIF8", b"8BPS", b"II\xbc", b"II+\0", b"MM\0+", b"\xff\x0a", b"\xff\x4f\xff\x51"),
    *(b"\0\0\0\x0cjP  ", b"\0\0\0\x0cJXL ", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"IIU\0"),
    *(b"IIRO", b"IIRS", b"MMOR", b"II\x1a\0\0\0HEAP"),
)
"""How pictures and raw data begin that the worker does not decode."""

_BRANDS: Final = (b"avi", b"crx", b"hei", b"hev", b"mif", b"msf", b"mia")
"""How the brands of pictures begin in the ISO base media format, at byte 8; any other is a film's."""

STORED_AS: Final = {b"\xff\xd8": ".jpg", b"\x89P": ".png", b"BM": ".bmp", b"II": ".tif", b"MM": ".tif"}
"""The ending under which a photograph is stored, by its first two bytes."""

LABELLED_FORMATS: Final = (*FORMATS, "GIF", "WEBP", "PPM")
"""What is decoded of a labelled folder, which a person brings: Pillow's other formats include some that start programs
(EPS) or are no photographs."""

LABELLED_ENDINGS: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".pgm", ".ppm"}
)
"""Endings of images, which a note mentions where they are beside the class folders."""


def begins_as_picture(data: bytes) -> bool:
    """Whether bytes, of which the first `BEGINNING` count, are the beginning of a picture that can be read or not."""
    head = data[:BEGINNING]
    if head.startswith(b"BM"):  # two letters that a text may begin with too
        return len(head) < BEGINNING or 0 in head
    if head[4:8] == b"ftyp":
        return head[8:].startswith(_BRANDS)
    if head.startswith(b"RIFF"):
        return head[8:12] == b"WEBP"
    return head.startswith((*OTHER_BEGINNINGS, *TIFF_BEGINNINGS, *_UNREADABLE_BEGINNINGS))
