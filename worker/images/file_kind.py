"""What a file is that cannot be read as a photograph, told by its first bytes, in words with what to do instead."""

from __future__ import annotations

from typing import Any, Final

from producer.contract.reasons import file_kinds as kinds
from producer.contract.reasons.template import Reason, Template
from producer.pictures.image_formats import FORMATS, format_of

_BRANDS: Final = {
    b"avif": (kinds.IMAGE_AN(format="AVIF"), kinds.SAVE),
    b"avis": (kinds.IMAGE_AN(format="AVIF"), kinds.SAVE),
    b"crx ": (kinds.RAW_DATA(format="CR3"), kinds.SET_THE_CAMERA),
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"),
        (kinds.PHOTOGRAPH(format="HEIC"), kinds.SET_THE_TELEPHONE),
    ),
    **dict.fromkeys((b"mif1", b"mif2", b"msf1", b"miaf"), (kinds.PHOTOGRAPH(format="HEIF"), kinds.SET_THE_TELEPHONE)),
}
"""Brands of the ISO base media format, at byte 8; any other is a film's."""

_MAGIC: Final = (
    *(
        (magic, kinds.IMAGE(format=name), kinds.SAVE)
        for magic, name in (
            (b"GIF8", "GIF"),
            (b"\0\0\0\x0cjP  ", "JPEG 2000"),
            (b"\xff\x4f\xff\x51", "JPEG 2000"),
            (b"\0\0\0\x0cJXL ", "JPEG XL"),
            (b"\xff\x0a", "JPEG XL"),
            (b"II\xbc", "JPEG XR"),
            (b"#?RADIANCE", "Radiance HDR"),
            (b"#?RGBE", "Radiance HDR"),
            (b"SIMPLE  =", "FITS"),
            (b"qoif", "QOI"),
            (b"\x0a\x05\x01\x08", "PCX"),
        )
    ),
    (b"\x76\x2f\x31\x01", kinds.IMAGE_AN(format="OpenEXR"), kinds.SAVE),
    (b"8BPS", kinds.DOCUMENT(format="Photoshop"), kinds.SAVE),
    (b"gimp xcf", kinds.DOCUMENT(format="GIMP"), kinds.SAVE),
    (b"%PDF", kinds.DOCUMENT(format="PDF"), kinds.THE_PHOTOGRAPH_ITSELF),
    (b"%!PS", kinds.DOCUMENT(format="PostScript"), kinds.THE_PHOTOGRAPH_ITSELF),
    (b"\xc5\xd0\xd3\xc6", kinds.DOCUMENT(format="PostScript"), kinds.THE_PHOTOGRAPH_ITSELF),
    (b"\0\0\1\0", kinds.ICON(), kinds.SAVE),
    (b"\x93NUMPY", kinds.ARRAY(), kinds.SAVE),
    (b"\x89HDF", kinds.FILE_AN(format="HDF5"), kinds.SAVE),
    *(
        (magic, kinds.RAW_DATA(format=name), kinds.SET_THE_CAMERA)
        for magic, name in (
            (b"FUJIFILMCCD-RAW", "RAF"),
            (b"FOVb", "X3F"),
            (b"\0MRM", "MRW"),
            (b"IIU\0", "RW2"),
            (b"IIRO", "ORF"),
            (b"IIRS", "ORF"),
            (b"MMOR", "ORF"),
            (b"II\x1a\0\0\0HEAP", "CRW"),
        )
    ),
    (b"\x1a\x45\xdf\xa3", kinds.FILM(), kinds.THE_PHOTOGRAPH_ITSELF),
    (b"PK\3\4", kinds.ARCHIVE(format="zip"), kinds.UNPACK_ALL),
    (b"7z\xbc\xaf\x27\x1c", kinds.ARCHIVE(format="7z"), kinds.UNPACK_ALL),
    (b"Rar!", kinds.ARCHIVE(format="RAR"), kinds.UNPACK_ALL),
    (b"\x1f\x8b", kinds.FILE(format="gzip"), kinds.UNPACK),
    (b"version https://git-lfs", kinds.POINTER(), kinds.GIT_LFS_PULL),
)

_TEXT: Final = frozenset(range(32, 127)) | {9, 10, 13}
_DNG, _SUBFILE, _PHOTOMETRIC = 50706, 254, 262
_SENSOR: Final = (32803, 34892)
"""Photometric interpretations of what a sensor saw: a colour filter array, and linear raw."""


def why_unread(data: bytes) -> Reason:
    """Return why bytes that no decoder takes are no photograph: what they are, and what to do instead."""
    head = data[:512]
    if (accepted := format_of(head)) is not None:
        return accepted.broken
    if head[4:8] == b"ftyp":
        return _is(*_BRANDS.get(head[8:12], (kinds.FILM(), kinds.THE_PHOTOGRAPH_ITSELF)))
    if head[:4] == b"RIFF":
        if head[8:12] == b"WEBP":
            return _is(kinds.IMAGE(format="WebP"), kinds.SAVE)
        return _is(kinds.FILM_OR_SOUND(), kinds.THE_PHOTOGRAPH_ITSELF)
    for magic, what, do in _MAGIC:
        if head.startswith(magic):
            return _is(what, do)
    if head[128:132] == b"DICM":
        return _is(kinds.FILE(format="DICOM"), kinds.SAVE)
    if head[:1] == b"P" and head[1:2] in b"1234567Ff" and head[2:3].isspace():
        return _is(kinds.IMAGE(format="PNM"), kinds.SAVE)
    return _why_no_text(head)


def _why_no_text(head: bytes) -> Reason:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in text:
        return _is(kinds.DRAWING(), kinds.THE_PHOTOGRAPH_ITSELF)
    if text.startswith((b"<!doctype html", b"<html")):
        return _is(kinds.WEB_PAGE(), kinds.FETCH_AGAIN)
    if text and _TEXT.issuperset(text):
        return _is(kinds.TEXT(), kinds.THE_PHOTOGRAPH_ITSELF)
    return kinds.NO_IMAGE(formats=FORMATS)


def _is(what: Reason, do: Template) -> Reason:
    return kinds.ANOTHER_KIND(what=what, do=do(**dict.fromkeys(do.places, FORMATS)))


def is_raw(data: bytes, tags: Any) -> Reason | None:
    """Why a TIFF is a camera's raw data, or None. Most begin with a small preview, which is no photograph to judge.

    `tags` maps the numbers of the first page's tags to their values.
    """
    raw = data[8:10] == b"CR" or _DNG in tags or tags.get(_PHOTOMETRIC) in _SENSOR
    if raw:
        return kinds.RAW(do=kinds.SET_THE_CAMERA())
    kind = tags.get(_SUBFILE, 0)
    if isinstance(kind, int) and kind & 1:
        return kinds.PREVIEW(do=kinds.SET_THE_CAMERA())
    return None
