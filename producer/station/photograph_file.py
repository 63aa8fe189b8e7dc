"""A photograph's file read once, with what speaks against its being whole."""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from producer.pictures.completeness import cut_short, may_lack_parts
from producer.pictures.file_names import UNREADABLE, ending_of
from producer.pictures.unfilled_rows import is_upside_down, lacks_rows
from producer.station.file_state import Look, has_holes, open_for_writing

MAX_BYTES: Final = 128 * 1024 * 1024
"""The largest photograph that is read: the worker takes none larger."""

_FORMATS: Final = ("JPEG", "PNG", "BMP", "TIFF")
_FILLED: Final = ("BMP", "TIFF")
"""Those in which bytes that are not written yet look like pixels."""

_MAX_PIXELS: Final = 40_000_000


class Changing(Exception):
    """The file is not as it was when it was listed: somebody writes it, or replaced it."""


@dataclass(frozen=True)
class Reading:
    """A file's bytes, and in `doubt` why they may not be the whole photograph, or None."""

    image: bytes
    doubt: str | None


def read(path: Path, look: Look) -> Reading:
    """Read a file that looked like `look` when it was listed.

    Raises:
        Changing: it does not any more.
        ValueError: it is larger than any photograph.
        OSError: it cannot be read.
    """
    if look.size > MAX_BYTES:
        raise ValueError(f"{path.name} has {look.size:,} bytes: a photograph has at most {MAX_BYTES:,}")
    with path.open("rb", buffering=0) as file:
        written = open_for_writing(file.fileno())
        holes = has_holes(file.fileno(), look.size)
        image = b"".join(iter(lambda: file.read(1 << 22), b""))
        after = Look.at(os.fstat(file.fileno()))
    if after != look or Look.at(path.stat()) != look or len(image) != look.size:
        raise Changing
    if written:
        return Reading(image, "a program still has the file open for writing")
    if (why := cut_short(image)) is not None:
        return Reading(image, why)
    if holes or may_lack_parts(image):
        return Reading(image, "the file has a part of zero bytes: black, or not written yet")
    return Reading(image, _undecodable(image))


def is_raw(name: str, image: bytes) -> bool:
    """Whether a file is a camera's raw data. Most begin as TIFF does: what a decoder finds is a small preview."""
    return ending_of(name) in UNREADABLE and image.startswith((b"II*\0", b"MM\0*"))


def _undecodable(image: bytes) -> str | None:
    """Why an image cannot be decoded to its end, or None. A picture of another kind is not looked into."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(image), formats=_FORMATS) as picture:
                if picture.width * picture.height <= _MAX_PIXELS:
                    # All of a JPEG is read for an eighth of its size too, in a fraction of the time.
                    picture.draft("L", (picture.width // 8, picture.height // 8))
                    picture.load()
                    bmp = picture.format == "BMP"
                    if picture.format in _FILLED and lacks_rows(picture, upside_down=bmp and is_upside_down(image)):
                        return "the image has rows of zeros: black, or not written yet"
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
    except Exception as error:  # noqa: BLE001  decoders raise almost anything
        return f"the image cannot be decoded to its end ({error})"
    return None
