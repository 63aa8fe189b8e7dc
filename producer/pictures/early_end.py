"""Whether a photograph's file ends early: a camera or a share has not written all of it yet.

Each format says in its own way where it ends (`producer.pictures.image_formats`). What is written in full and cannot be
decoded is not this module's concern: that is the worker's answer, `unusable`.
"""

from __future__ import annotations

from typing import Final

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Reason
from producer.pictures.image_formats import format_of

_BEGINNING: Final = 16
"""Bytes from the beginning that no format of pictures has all zero: some programs write it last."""


def cut_short(data: bytes) -> Reason | None:
    """Why the bytes of an image end before the image does, in words; None where they reach its end.

    None too for what is of no format that is read: there is no telling.
    """
    if not data:
        return image_files.NO_BYTES()
    if (accepted := format_of(data)) is not None:
        return accepted.cut_short(data)
    if not data.strip(b"\0"):
        return image_files.ONLY_ZEROS()
    if not data[:_BEGINNING].strip(b"\0"):
        return image_files.BEGINS_WITH_ZEROS()
    return None
