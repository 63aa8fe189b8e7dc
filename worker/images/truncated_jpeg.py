"""Whether a JPEG has all of its picture, which its decoder does not tell: what is missing it fills with grey.

A file that was cut short and closed with an end marker, as cameras do when a transfer breaks off, decodes without an
error. Three things show it: the scans that the header promises, the restart markers that a scan must have, and whether
the decoder still wants data where the scan ends. For the last a JPEG of several scans (a progressive one) is decoded
twice, a plain one only if its last pixel looks like filling.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from random import Random
from typing import Final

import numpy as np
from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile

# Inside a scan 0xFF is followed by 0 or is a restart marker: anything else ends it.
_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_MOST_SEGMENTS: Final = 20_000
_SOI, _EOI, _SOS, _DRI, _TEM = 0xD8, 0xD9, 0xDA, 0xDD, 0x01
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_COEFFICIENTS: Final = 64
_NEVER_SENT: Final = 99

_FILLER: Final = bytes(Random(0).choices(range(1, 255), k=4096))  # noqa: S311 - any bytes do
"""Data that a scan which is complete does not touch, and that one which is not takes for its own."""

_STRIP: Final = 512
"""Rows that two pictures are compared by at once."""


@dataclass
class _Frame:
    """What a JPEG's header promises, and what its scans have brought: for each component, of each coefficient the
    lowest bit that was sent."""

    size: tuple[int, int] = (0, 0)
    progressive: bool = False
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    sent: dict[int, list[int]] = field(default_factory=dict)
    restart: int = 0
    scans: int = 0

    def units(self, components: list[int]) -> int:
        """How many units (MCUs) a scan of these components has."""
        across = max(h for h, _ in self.sampling.values())
        down = max(v for _, v in self.sampling.values())
        width, height = self.size
        if len(components) > 1:
            return ceil(width / (8 * across)) * ceil(height / (8 * down))
        h, v = self.sampling[components[0]]
        return ceil(ceil(width * h / across) / 8) * ceil(ceil(height * v / down) / 8)

    def complete(self) -> bool:
        """Whether every bit of every coefficient was sent."""
        return bool(self.sent) and all(not any(bits) for bits in self.sent.values())


def cut_short(data: bytes, decoded: Image.Image) -> bool:
    """Whether a JPEG that Pillow decoded without an error lacks a part of its picture."""
    try:
        frame, end = _walk(data)
    except (IndexError, KeyError, ValueError):  # segments that are shorter than they must be
        return True
    if not frame.complete():
        return True
    if frame.scans == 1 and not _may_be_filler(decoded):
        return False
    try:
        longer = JpegImageFile(io.BytesIO(data[:end] + _FILLER + b"\xff\xd9"))
        longer.load()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a scan that is complete ends before the filler
        return True
    return _differ(decoded, longer)


def _walk(data: bytes) -> tuple[_Frame, int]:
    """What all scans bring, and where the picture's end marker is. Raises `ValueError` where a part is missing."""
    frame = _Frame()
    for code, start, body in _segments(data):
        if code == _EOI:
            return frame, start
        if code in _FRAMES:
            frame.progressive = code in _PROGRESSIVE
            frame.size = (int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"))
            for number in range(body[5]):
                name, factors, _ = body[6 + 3 * number : 9 + 3 * number]
                if not (factors >> 4 and factors & 15):
                    raise ValueError("a component without samples")
                frame.sampling[name] = (factors >> 4, factors & 15)
                frame.sent[name] = [_NEVER_SENT] * _COEFFICIENTS
        elif code == _DRI:
            frame.restart = int.from_bytes(body[:2], "big")
        elif code == _SOS:
            _scan(frame, body, data, start + 4 + len(body))
    raise ValueError("no end marker")


def _scan(frame: _Frame, body: bytes, data: bytes, begins: int) -> None:
    count = body[0]
    components = [body[1 + 2 * number] for number in range(count)]
    first, last, bits = body[1 + 2 * count : 4 + 2 * count]
    if not frame.progressive:
        first, last, bits = 0, _COEFFICIENTS - 1, 0
    for name in components:
        frame.sent[name][first : last + 1] = [bits & 15] * (min(last, _COEFFICIENTS - 1) + 1 - first)
    frame.scans += 1
    if frame.restart:
        found = _MARKER.search(data, begins)
        ends = found.start() if found else len(data)
        markers = sum(data.count(bytes((0xFF, 0xD0 + number)), begins, ends) for number in range(8))
        if markers < ceil(frame.units(components) / frame.restart) - 1:
            raise ValueError("a part between two restart markers is missing")


def _segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Marker, where it begins, and body of each of a JPEG's segments, up to its end marker."""
    position = 2
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None:
            return
        code, position = data[found.start() + 1], found.end()
        length = 0 if code in (_SOI, _EOI, _TEM) else int.from_bytes(data[position : position + 2], "big")
        yield code, found.start(), data[position + 2 : position + length]
        position += length


def _may_be_filler(decoded: Image.Image) -> bool:
    """Whether the last pixel is the middle grey that stands where nothing was sent (one photograph in some hundred)."""
    last = np.asarray(decoded.crop((decoded.width - 1, decoded.height - 1, decoded.width, decoded.height)))
    return bool((np.abs(last.astype(int) - 128) <= 2).all())


def _differ(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures of one size and mode have different pixels; no third picture is held in memory."""
    for top in range(0, one.height, _STRIP):
        box = (0, top, one.width, min(top + _STRIP, one.height))
        if ImageChops.difference(one.crop(box), other.crop(box)).getbbox(alpha_only=False) is not None:
            return True
    return False
