"""Photographs as a broken camera, a torn file or a hostile sender might leave them, from a source of randomness."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from random import Random
from typing import Any, Final

import numpy as np
from PIL import Image

Region = tuple[int, int, int, int]

_MODES: Final = {
    "JPEG": ["L", "RGB", "CMYK"],
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "BMP": ["1", "L", "P", "RGB", "RGBA"],
    "TIFF": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I;16B", "I", "F"],
}
_SIZES: Final = [1, 2, 7, 16, 33, 64]
_EDGES: Final = [0, 1, 2, 3, 5, 127, 255, 256, 32_767, 65_535, 70_000, 2**31 - 1, 2**31, 2**32 - 1]
"""Numbers that programs count wrongly at."""

_JPEG_WAYS: Final[list[dict[str, Any]]] = [
    {},
    {"progressive": True},
    {"quality": 20, "optimize": True},
    {"subsampling": 2},
    {"restart_marker_rows": 1},
    {"icc_profile": bytes(70_000)},
]
_PNG_WAYS: Final[list[dict[str, Any]]] = [
    {},
    {"optimize": True},
    {},
    {"bits": 4},
    {"icc_profile": b"x" * 90},
    {"dpi": (0, 0)},
]
_BMP_FIELDS: Final = [*((at, "I") for at in (2, 10, 14, 18, 22, 30, 34, 46)), (26, "H"), (28, "H")]
_JPEG_SEGMENTS: Final = [0xE1, 0xE2, 0xED, 0xEE, 0xFE, 0xC4, 0xDB, 0xDD, 0xDA]

_TIFF_TYPES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_TIFF_TAGS: Final = [256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 330, 338]
_TIFF_TAGS_MORE: Final = [339, 347, 513, 514, 529, 530, 532, 700, 34665, 34675, 65_000]
_COMPRESSIONS: Final = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    32_771,
    32_773,
    32_946,
    34_661,
    34_676,
    34_925,
    50_000,
    50_001,
]


def picture(rng: Random) -> tuple[bytes, tuple[int, int], Region | None]:
    """An image file, the (height, width) to decode it to, and the region to take of it."""
    kind = rng.choice(list(_MODES))
    data = _whole(kind, rng.choice(_MODES[kind]), rng.choice(_SIZES), rng.choice(_SIZES), rng.randrange(6))
    if rng.random() < 0.9:
        for _ in range(1 + rng.randrange(3)):
            data = _damaged(rng, kind, data)
    size = rng.choice([(8, 8), (24, 32), (224, 224)] if rng.random() < 0.1 else [(8, 8), (24, 32)])
    return data, size, _region(rng)


def _region(rng: Random) -> Region | None:
    if rng.random() < 0.6:
        return None
    numbers = [
        rng.choice([0, 1, rng.randrange(70), -1, 2**31, 10**30]) if rng.random() < 0.2 else rng.randrange(1, 9)
        for _ in range(4)
    ]
    return numbers[0], numbers[1], numbers[2], numbers[3]


@cache
def _pixels() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@cache
def _whole(kind: str, mode: str, width: int, height: int, variant: int) -> bytes:
    """A sound file; `variant` chooses among the ways of its format."""
    picture = _in_mode(Image.fromarray(_pixels()[:height, :width]), mode)
    options: dict[str, Any] = {}
    if kind == "JPEG":
        options = _JPEG_WAYS[variant]
    elif kind == "PNG":
        options = _PNG_WAYS[variant]
        if variant == 2:
            options = {"save_all": True, "append_images": [picture]}
        if mode in ("P", "L", "RGB") and variant == 0:
            options = {"transparency": (1, 2, 3) if mode == "RGB" else 3}
    elif kind == "TIFF":
        ways = ["raw", "tiff_lzw", "packbits", "tiff_adobe_deflate"]
        ways += ["jpeg" if mode in ("L", "RGB") else "raw"] * 2
        options = {
            "compression": ways[variant],
            "tiffinfo": {278: 3 if ways[variant] != "jpeg" else 8} if variant == 5 else {},
        }
        if variant == 2:
            options |= {"save_all": True, "append_images": [picture]}
    if kind in ("JPEG", "PNG") and variant % 2:
        exif = Image.Exif()
        exif[0x0112] = variant + 2
        exif[0x010F] = "maker" * 9
        options["exif"] = exif
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    if mode.startswith("I;16"):
        wide = np.asarray(picture.convert("L")).astype(">u2" if mode == "I;16B" else "<u2") * 257
        return Image.frombytes(
            mode, picture.size, wide.astype(wide.dtype.newbyteorder("B" if mode == "I;16B" else "<")).tobytes()
        )
    if mode in ("I", "F"):
        return picture.convert("L").convert(mode)
    if mode == "LAB":
        return Image.frombytes("LAB", picture.size, picture.tobytes())
    return picture.quantize(16) if mode == "P" else picture.convert(mode)


def _damaged(rng: Random, kind: str, data: bytes) -> bytes:
    if len(data) < 30:
        return data
    way = rng.randrange(10)
    if way < 4:
        special = {"PNG": _png_changed, "JPEG": _jpeg_changed, "BMP": _bmp_changed, "TIFF": _tiff_changed}[kind]
        return special(rng, data)
    at, end = sorted((rng.randrange(len(data)), rng.randrange(len(data))))
    if way == 4:
        return data[:end]
    if way == 5:
        return data[:at] + data[end:]
    if way == 6:
        return data[:end] + data[at:end] + data[end:]
    if way == 7:
        other = _whole(rng.choice(["JPEG", "PNG", "BMP", "TIFF"]), "L", 16, 16, 0)
        return data[:at] + other[rng.randrange(len(other)) :] if rng.random() < 0.5 else data[:at] + other + data[end:]
    changed = bytearray(data)
    within = len(data) if way == 8 else min(len(data), 120)  # the head of a file steers its reader
    for _ in range(1 + rng.randrange(8)):
        changed[rng.randrange(within)] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
    return bytes(changed)


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@cache
def _swelling(size: int) -> bytes:
    """What a text chunk holds that unpacks to many bytes."""
    return b"a\0\0" + zlib.compress(bytes(size))


def _png_changed(rng: Random, data: bytes) -> bytes:
    """Another header, or one more chunk, with checksums that are right."""
    if rng.random() < 0.4:
        head = bytearray(data[16:29])
        if rng.random() < 0.5:
            at = rng.choice([0, 4])
            head[at : at + 4] = struct.pack(">I", rng.choice([*_EDGES, 1000, 6000, 9000]))
        else:
            head[8 + rng.randrange(5)] = rng.choice([0, 1, 2, 3, 4, 6, 8, 16, 255])
        return data[:8] + _png_chunk(b"IHDR", bytes(head)) + data[33:]
    kind = rng.choice(
        [b"iCCP", b"zTXt", b"tEXt", b"iTXt", b"tRNS", b"gAMA", b"cHRM", b"pHYs", b"sRGB", b"PLTE", b"eXIf"]
    )
    kind = rng.choice([kind, kind, b"acTL", b"fcTL", b"fdAT", b"IDAT", b"IEND", b"IHDR", b"QQQQ", b"\0\0\0\0"])
    swelling = _swelling(rng.choice([10, 2_000_000]))
    content = rng.choice([b"", bytes(4), bytes(8), bytes(26), struct.pack(">II", 3, 0), swelling, b"a\0b", _exif(rng)])
    return data[:33] + _png_chunk(kind, content) + data[33:]


def _jpeg_changed(rng: Random, data: bytes) -> bytes:
    """A field of the frame's header changed, or one more segment."""
    frame = next((at for at in range(2, len(data) - 20) if data[at] == 0xFF and data[at + 1] in (0xC0, 0xC2)), 0)
    if frame and rng.random() < 0.5:
        changed = bytearray(data)
        if rng.random() < 0.5:
            at = frame + rng.choice([2, 5, 7])
            changed[at : at + 2] = struct.pack(">H", rng.choice(_EDGES) % 65_536)
        else:
            changed[frame + 1 + rng.randrange(18)] = rng.randrange(256)
        return bytes(changed)
    if rng.random() < 0.1:
        scan = max(data.rfind(b"\xff\xda"), 2)
        return data[:-2] + data[scan:-2] * rng.choice([1, 20, 200]) + data[-2:]
    contents = [b"", b"Exif\0\0" + _exif(rng), b"ICC_PROFILE\0\2\1" + bytes(20), b"Adobe" + bytes(7), bytes(65)]
    content = rng.choice([*contents, b"MPF\0" + _exif(rng), b"Photoshop 3.0\0" + b"8BIM" * 9])
    length = len(content) + 2 if rng.random() < 0.7 else rng.choice(_EDGES) % 65_536
    return data[:2] + struct.pack(">BBH", 0xFF, rng.choice(_JPEG_SEGMENTS), length) + content + data[2:]


def _bmp_changed(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    at, form = rng.choice(_BMP_FIELDS)
    value = rng.choice([*_EDGES, 4, 8, 12, 16, 24, 32, 40, 64, 108, 124, 6000, 2**32 - 16])
    if at + 4 > len(data):
        return data
    struct.pack_into(f"<{form}", changed, at, value % (65_536 if form == "H" else 2**32))
    return bytes(changed)


def _tiff_changed(rng: Random, data: bytes) -> bytes:
    """Some entries of the first directory changed, or where its next one is."""
    order = "<" if data[:2] == b"II" else ">"
    changed = bytearray(data)
    (directory,) = struct.unpack_from(f"{order}I", data, 4)
    if directory + 2 > len(data):
        return data
    (count,) = struct.unpack_from(f"{order}H", data, directory)
    if directory + 2 + 12 * count + 4 > len(data) or not count:
        return data
    if rng.random() < 0.1:
        struct.pack_into(f"{order}I", changed, directory + 2 + 12 * count, rng.choice([directory, 4, len(data) - 2]))
        return bytes(changed)
    for _ in range(1 + rng.randrange(3)):
        entry = directory + 2 + 12 * rng.randrange(count)
        tag, kind, number, value = struct.unpack_from(f"{order}HHII", changed, entry)
        way = rng.randrange(6)
        if way == 0:
            tag = rng.choice([*_TIFF_TAGS, *_TIFF_TAGS_MORE])
        elif way == 1:
            kind = rng.choice([*_TIFF_TYPES, 0, 14, 99])
        elif way == 2:
            number = rng.choice(_EDGES)
        elif tag == 259:
            value = rng.choice(_COMPRESSIONS) << (16 if order == ">" and kind == 3 else 0)
        else:
            value = rng.choice([*_EDGES, 6000, len(data), directory])
        struct.pack_into(f"{order}HHII", changed, entry, tag, kind, number, value)
    return bytes(changed)


def _exif(rng: Random) -> bytes:
    """EXIF data: an orientation of any type and value, sometimes with directories that lead in circles."""
    tag, kind = rng.choice([0x0112, 0x0112, 0x8769, 0x8825, 0x9286]), rng.choice([*_TIFF_TYPES, 0, 99])
    entry = struct.pack("<HHII", tag, kind, rng.choice([1, 1, 2, *_EDGES]), rng.choice([*range(10), 8, *_EDGES]))
    return (
        b"II*\0" + struct.pack("<IH", 8, rng.choice([1, 1, 2, 65_535])) + entry + struct.pack("<I", rng.choice([0, 8]))
    )
