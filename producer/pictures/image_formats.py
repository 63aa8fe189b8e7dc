"""Which image formats are accepted, for stations and workers: a table, which all that is asked of a format goes by.

Its name, the endings of its files, its first bytes, where it ends, and what is said of one that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from producer.contract.reasons import file_kinds
from producer.contract.reasons.template import Reason


@dataclass(frozen=True)
class ImageFormat:
    """A format that is read."""

    name: str
    """As Pillow calls it."""
    endings: tuple[str, ...]
    """Those of its files, in lower case; a photograph is stored under the first."""
    beginning: re.Pattern[bytes]
    """Its first bytes: such a file is decoded, whatever its ending."""
    cut_short: Callable[[bytes], Reason | None]
    """Why the bytes of one end before its image does; None where they reach its end."""
    instead: Reason
    """What to do with a file that begins so and that no decoder takes."""

    @property
    def broken(self) -> Reason:
        """What is said of such a file."""
        return file_kinds.ANOTHER_KIND(what=file_kinds.BROKEN(format=self.name), do=self.instead)


# What knows where a format ends is imported when it is asked: it brings NumPy and Pillow, and a command's `--help`
# needs the endings alone.


def _jpeg_cut_short(data: bytes) -> Reason | None:
    from producer.pictures.jpeg_structure import JpegStructure

    return JpegStructure.of(data).problem


def _png_cut_short(data: bytes) -> Reason | None:
    from producer.pictures.png_structure import png_problem

    return png_problem(data)


def _bmp_cut_short(data: bytes) -> Reason | None:
    from producer.pictures.bmp_structure import bmp_problem

    return bmp_problem(data)


def _tiff_cut_short(data: bytes) -> Reason | None:
    from producer.pictures.tiff_structure import tiff_problem

    return tiff_problem(data)


JPEG: Final = ImageFormat(
    "JPEG",
    (".jpg", ".jpeg", ".jpe", ".jfif"),
    re.compile(rb"\xff\xd8"),
    _jpeg_cut_short,
    file_kinds.SAVE_ANEW(format="JPEG"),
)
PNG: Final = ImageFormat("PNG", (".png",), re.compile(rb"\x89PNG\r\n\x1a\n"), _png_cut_short, file_kinds.THE_ORIGINAL())
BMP: Final = ImageFormat("BMP", (".bmp", ".dib"), re.compile(rb"BM"), _bmp_cut_short, file_kinds.SAVE_UNCOMPRESSED())
TIFF: Final = ImageFormat(
    "TIFF", (".tif", ".tiff"), re.compile(rb"II[*+]\0|MM\0[*+]"), _tiff_cut_short, file_kinds.SAVE_GREY_OR_RGB()
)
"""The raw data of many cameras begin so too."""

ACCEPTED: Final = (JPEG, PNG, BMP, TIFF)
"""What cameras write. Every further decoder is one more that a hostile file can reach."""

FORMATS: Final = tuple(accepted.name for accepted in ACCEPTED)
"""Their names."""

READABLE: Final = frozenset(ending for accepted in ACCEPTED for ending in accepted.endings)
"""Endings, in lower case, of what the worker decodes."""

TIFF_COMPRESSIONS: Final = frozenset({"raw", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "tiff_deflate", "packbits"})
"""Those that are decoded, as Pillow calls them."""

FAX: Final = frozenset({"tiff_ccitt", "group3", "group4"})
"""Black and white without grey, and nothing in them tells that a part was never written."""

BEGINNING: Final = 16
"""Bytes that tell whether a file begins as a picture does."""

_UNREADABLE_BEGINNINGS: Final = (
    *(b"GIF8", b"8BPS", b"II\xbc", b"\xff\x0a", b"\xff\x4f\xff\x51"),
    *(b"\0\0\0\x0cjP  ", b"\0\0\0\x0cJXL ", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"IIU\0"),
    *(b"IIRO", b"IIRS", b"MMOR", b"II\x1a\0\0\0HEAP"),
)
"""How pictures and raw data begin that the worker does not decode."""

_BRANDS: Final = (b"avi", b"crx", b"hei", b"hev", b"mif", b"msf", b"mia")
"""How the brands of pictures begin in the ISO base media format, at byte 8; any other is a film's."""

LABELLED_FORMATS: Final = (*FORMATS, "GIF", "WEBP", "PPM")
"""What is decoded of a labelled folder, which a person brings: Pillow's other formats include some that start programs
(EPS) or are no photographs."""

LABELLED_ENDINGS: Final = READABLE | {".gif", ".webp", ".pgm", ".ppm"}
"""Endings of images, which a note mentions where they are beside the class folders."""


def format_of(data: bytes) -> ImageFormat | None:
    """The format that bytes begin as; None where it is none that is read."""
    return next((accepted for accepted in ACCEPTED if accepted.beginning.match(data)), None)


def stored_ending(data: bytes) -> str:
    """The ending under which a photograph is stored: `.img` where it is of no format that is read."""
    accepted = format_of(data)
    return ".img" if accepted is None else accepted.endings[0]


def begins_as_picture(data: bytes) -> bool:
    """Whether bytes, of which the first `BEGINNING` count, are the beginning of a picture that can be read or not."""
    head = data[:BEGINNING]
    if head.startswith(b"BM"):  # two letters that a text may begin with too
        return len(head) < BEGINNING or 0 in head
    if head[4:8] == b"ftyp":
        return head[8:].startswith(_BRANDS)
    if head.startswith(b"RIFF"):
        return head[8:12] == b"WEBP"
    return format_of(head) is not None or head.startswith(_UNREADABLE_BEGINNINGS)
