"""Whether a JPEG has all of its picture, which its decoder does not tell: what is missing it fills with grey.

A file that was cut short and closed with an end marker, as cameras do when a transfer breaks off, decodes without an
error. What its headers promise is compared by `producer.pictures.jpeg_structure`; here the decoder itself is asked.
It wants more data where a scan is cut: then other data behind the scan's end change the picture. It leaves data over
where a part of a scan was overwritten, with zeros for example: then other data at the scan's end change nothing. The
first is asked of a JPEG of several scans (a progressive one), and of a plain one if its last pixel looks like filling;
the second of a scan that repeats a few bytes, or one. Most JPEGs are asked neither.
"""

from __future__ import annotations

import io
from random import Random
from typing import Final

import numpy as np
from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile

from producer.pictures.jpeg_structure import JpegStructure, Scan

_FILLER: Final = bytes(Random(0).choices(range(1, 255), k=4096))  # noqa: S311 - any bytes do
"""Data that a scan which is complete does not touch, and that one which is not takes for its own."""

_LAST: Final = 16
"""Bytes at a scan's end that some of its last blocks are made of."""

_MOST_ASKED: Final = 4
"""Scans whose ends are looked into: for each the JPEG is decoded once more."""

_STRIP: Final = 512
"""Rows that two pictures are compared by at once."""


def cut_short(data: bytes, jpeg: JpegStructure, decoded: Image.Image) -> bool:
    """Whether a JPEG that has all that its headers promise, and was `decoded` without an error, lacks a part."""
    repetitive = [scan for scan in jpeg.scans if jpeg.repeated(data, scan) or jpeg.has_pattern(data, scan)]
    # Those first that a flat area hardly ever makes.
    repetitive = sorted(repetitive, key=lambda scan: scan.brings_dc)[:_MOST_ASKED]
    if any(not _uses_its_last_bytes(data, jpeg, scan, decoded) for scan in repetitive):
        return True
    if len(jpeg.scans) == 1 and not repetitive and not _may_be_filler(decoded):
        return False
    filled, begins = [], 0
    for scan in jpeg.scans:
        filled += [data[begins : scan.ends], _FILLER]
        begins = scan.ends
    try:
        longer = JpegImageFile(io.BytesIO(b"".join([*filled, data[begins : jpeg.end]])))
        longer.load()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a scan that is complete ends before the filler
        return True
    return _differ(decoded, longer)


def _uses_its_last_bytes(data: bytes, jpeg: JpegStructure, scan: Scan, decoded: Image.Image) -> bool:
    """Whether the decoder reads a scan to its end: other bytes there make another picture."""
    try:
        other = JpegImageFile(io.BytesIO(data[: scan.ends - _LAST] + _FILLER[:_LAST] + data[scan.ends : jpeg.end]))
        other.load()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - it does not decode any more
        return True
    return _differ(decoded, other)


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
