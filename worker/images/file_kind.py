"""What a file is that cannot be read as a photograph, told by its first bytes, in words with what to do instead."""

from __future__ import annotations

from typing import Any, Final

from producer.pictures.image_formats import IN_WORDS

_TELEPHONE: Final = f"set the telephone to save JPEG (“most compatible”), or save it as {IN_WORDS}"
_CAMERA: Final = "set the camera to save JPEG or TIFF beside or instead of its raw data"
_SAVE: Final = f"save it as {IN_WORDS}"
_AGAIN: Final = "hand in the photograph itself"

_BRANDS: Final = {
    b"avif": ("an AVIF image", _SAVE),
    b"avis": ("an AVIF image", _SAVE),
    b"crx ": ("a camera's raw data (CR3)", _CAMERA),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), ("a HEIC photograph", _TELEPHONE)),
    **dict.fromkeys((b"mif1", b"mif2", b"msf1", b"miaf"), ("a HEIF photograph", _TELEPHONE)),
}
"""Brands of the ISO base media format, at byte 8; any other is a film's."""

_MAGIC: Final = (
    (b"GIF8", "a GIF image", _SAVE),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image", _SAVE),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image", _SAVE),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image", _SAVE),
    (b"\xff\x0a", "a JPEG XL image", _SAVE),
    (b"II\xbc", "a JPEG XR image", _SAVE),
    (b"8BPS", "a Photoshop document", _SAVE),
    (b"gimp xcf", "a GIMP document", _SAVE),
    (b"%PDF", "a PDF document", _AGAIN),
    (b"%!PS", "a PostScript document", _AGAIN),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document", _AGAIN),
    (b"\x76\x2f\x31\x01", "an OpenEXR image", _SAVE),
    (b"#?RADIANCE", "a Radiance HDR image", _SAVE),
    (b"#?RGBE", "a Radiance HDR image", _SAVE),
    (b"SIMPLE  =", "a FITS image", _SAVE),
    (b"qoif", "a QOI image", _SAVE),
    (b"\0\0\1\0", "an icon (ICO)", _SAVE),
    (b"\x0a\x05\x01\x08", "a PCX image", _SAVE),
    (b"\x93NUMPY", "a NumPy array", _SAVE),
    (b"\x89HDF", "an HDF5 file", _SAVE),
    (b"FUJIFILMCCD-RAW", "a camera's raw data (RAF)", _CAMERA),
    (b"FOVb", "a camera's raw data (X3F)", _CAMERA),
    (b"\0MRM", "a camera's raw data (MRW)", _CAMERA),
    (b"IIU\0", "a camera's raw data (RW2)", _CAMERA),
    (b"IIRO", "a camera's raw data (ORF)", _CAMERA),
    (b"IIRS", "a camera's raw data (ORF)", _CAMERA),
    (b"MMOR", "a camera's raw data (ORF)", _CAMERA),
    (b"II\x1a\0\0\0HEAP", "a camera's raw data (CRW)", _CAMERA),
    (b"\x1a\x45\xdf\xa3", "a film", _AGAIN),
    (b"PK\3\4", "a zip archive", "unpack it, and hand in each photograph by itself"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, and hand in each photograph by itself"),
    (b"Rar!", "a RAR archive", "unpack it, and hand in each photograph by itself"),
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
    (b"version https://git-lfs", "a pointer of Git LFS and not the photograph", "run `git lfs pull` where it is from"),
)

_BROKEN: Final = (
    (b"\xff\xd8\xff", "a JPEG of a kind that is not read, or its header is damaged: save it anew as a plain JPEG"),
    (b"\x89PNG\r\n\x1a\n", "a PNG whose header is damaged: hand in the original file again"),
    (b"BM", "a BMP of a kind that is not read, or its header is damaged: save it uncompressed with 24 bits, or as PNG"),
    (
        (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        "a TIFF of a kind that is not read, or damaged in its header: save it as grey or RGB of 8 or 16 bits, or PNG",
    ),
)

_TEXT: Final = frozenset(range(32, 127)) | {9, 10, 13}
_DNG, _SUBFILE, _PHOTOMETRIC = 50706, 254, 262
_SENSOR: Final = (32803, 34892)
"""Photometric interpretations of what a sensor saw: a colour filter array, and linear raw."""


def why_unread(data: bytes) -> str:
    """Return why bytes that no decoder takes are no photograph: what they are, and what to do instead."""
    head = data[:512]
    if head[4:8] == b"ftyp":
        what, do = _BRANDS.get(head[8:12], ("a film", _AGAIN))
        return f"this is no image that can be read, but {what}: {do}"
    if head[:4] == b"RIFF":
        what, do = ("a WebP image", _SAVE) if head[8:12] == b"WEBP" else ("a film or sound", _AGAIN)
        return f"this is no image that can be read, but {what}: {do}"
    for magic, what, do in _MAGIC:
        if head.startswith(magic):
            return f"this is no image that can be read, but {what}: {do}"
    for begin, what in _BROKEN:
        if head.startswith(begin):
            return f"this is no image that can be read, but {what}"
    if head[128:132] == b"DICM":
        return f"this is no image that can be read, but a DICOM file: {_SAVE}"
    if head[:1] == b"P" and head[1:2] in b"1234567Ff" and head[2:3].isspace():
        return f"this is no image that can be read, but a PNM image: {_SAVE}"
    return _why_no_text(head)


def _why_no_text(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in text:
        return f"this is no image that can be read, but a drawing (SVG): {_AGAIN}"
    if text.startswith((b"<!doctype html", b"<html")):
        return (
            "this is no image that can be read, but a web page: the download failed, or needs a login; "
            "fetch the photograph again"
        )
    if text and _TEXT.issuperset(text):
        return f"this is no image that can be read, but text: {_AGAIN}"
    return f"this is no image that can be read ({IN_WORDS}): save it anew as one of these"


def is_raw(data: bytes, tags: Any) -> str | None:
    """Why a TIFF is a camera's raw data, or None. Most begin with a small preview, which is no photograph to judge.

    `tags` maps the numbers of the first page's tags to their values.
    """
    raw = data[8:10] == b"CR" or _DNG in tags or tags.get(_PHOTOMETRIC) in _SENSOR
    if raw:
        return f"the image is a camera's raw data, which is not read: {_CAMERA}"
    kind = tags.get(_SUBFILE, 0)
    if isinstance(kind, int) and kind & 1:
        return f"the TIFF begins with a preview, as raw data do, which is not judged: {_CAMERA}"
    return None
