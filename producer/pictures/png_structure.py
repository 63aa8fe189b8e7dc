"""The chunks of a PNG: whether they reach its end; fewer rows than promised: `worker.images.truncated_png`."""

from __future__ import annotations

import zlib
from typing import Final

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Reason

_MOST_PARTS: Final = 100_000
"""Chunks of a PNG that are looked at: more would take seconds, and no camera writes them."""


def png_problem(data: bytes) -> Reason | None:
    """Why a PNG is not all there: it ends before its last chunk, or a chunk is not what was written; else None."""
    at = 8
    for _ in range(_MOST_PARTS):
        if at + 12 > len(data):
            break
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 12 + length
        if end > len(data):
            break
        kind = data[at + 4 : at + 8]
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return image_files.PNG_CHECKSUM()
        if kind == b"IEND":
            return None
        at = end
    return image_files.PNG_ENDS()
