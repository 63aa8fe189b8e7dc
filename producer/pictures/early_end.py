"""Whether a photograph's file ends early: a camera or a share has not written all of it yet.

Each format says in its own way where it ends: `producer.pictures.jpeg_structure`, `png_structure`, `bmp_structure`,
`tiff_structure`. What is written in full and cannot be decoded is not this module's concern: that is the worker's
answer, `unusable`.
"""

from __future__ import annotations

from typing import Final

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Reason
from producer.pictures.bmp_structure import bmp_problem
from producer.pictures.jpeg_structure import JpegStructure
from producer.pictures.png_structure import png_problem
from producer.pictures.tiff_structure import tiff_problem

_BEGINNING: Final = 16
"""Bytes from the beginning that no format of pictures has all zero: some programs write it last."""


def cut_short(data: bytes) -> Reason | None:
    """Why the bytes of an image end before the image does, in words; None where they reach its end.

    None too for what is no JPEG, PNG, BMP or TIFF: there is no telling.
    """
    if not data:
        return image_files.NO_BYTES()
    if data.startswith(b"\xff\xd8"):
        return JpegStructure.of(data).problem
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return png_problem(data)
    if data.startswith(b"BM"):
        return bmp_problem(data)
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return tiff_problem(data)
    if not data.strip(b"\0"):
        return image_files.ONLY_ZEROS()
    if not data[:_BEGINNING].strip(b"\0"):
        return image_files.BEGINS_WITH_ZEROS()
    return None
