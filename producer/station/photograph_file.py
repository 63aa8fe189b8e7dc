"""A photograph's file read once, with what speaks against its being whole."""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from producer.pictures.completeness import cut_short
from producer.pictures.file_names import UNREADABLE, ending_of
from producer.pictures.limits import FORMATS, MAX_IMAGE_BYTES, MAX_PIXELS
from producer.pictures.unfilled_rows import is_cut, is_uncompressed, plain_part, plain_runs
from producer.pictures.unwritten_bytes import StoredParts
from producer.station.file_state import Changing, Look, has_holes, open_for_writing

_EIGHT_BITS: Final = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX")


class BeingWritten(Exception):
    """A program of this computer has the file open for writing: half of it may be the photograph before."""


@dataclass(frozen=True)
class Reading:
    """A file's bytes, and in `doubt` why they may not be the whole photograph, or None.

    `bar` describes a part that has one colour: a bar, which the camera then draws into each photograph in the same way,
    or not written yet.
    """

    image: bytes
    doubt: str | None
    bar: str | None = None


def content(path: Path, look: Look) -> tuple[bytes, bool]:
    """The bytes of a file that looked like `look` when it was listed, and whether parts of it were never written.

    Raises:
        Changing: it does not any more.
        BeingWritten: a program has it open for writing, as far as the kernel tells.
        ValueError: it is larger than any photograph.
        OSError: it cannot be read.
    """
    if look.size > MAX_IMAGE_BYTES:
        raise ValueError(f"{path.name} has {look.size:,} bytes: a photograph has at most {MAX_IMAGE_BYTES:,}")
    with path.open("rb", buffering=0) as file:
        if open_for_writing(file.fileno()):
            raise BeingWritten(f"a program has {path.name} open for writing")
        holes = has_holes(file.fileno(), look.size)
        image = b"".join(iter(lambda: file.read(1 << 22), b""))
        after = Look.at(os.fstat(file.fileno()))
    if after != look or Look.at(path.stat()) != look or len(image) != look.size:
        raise Changing
    return image, holes


def read(path: Path, look: Look) -> Reading:
    """Read a file that looked like `look` when it was listed, and say what speaks against its being whole.

    Raises:
        Changing, BeingWritten, ValueError, OSError: as `content` does.
    """
    image, holes = content(path, look)
    if (why := cut_short(image)) is not None:
        return Reading(image, why)
    if holes:
        return Reading(image, "parts of the file were never written")
    return _decoded(image)


def is_raw(name: str, image: bytes) -> bool:
    """Whether a file is a camera's raw data. Most begin as TIFF does: what a decoder finds is a small preview."""
    return ending_of(name) in UNREADABLE and image.startswith((b"II*\0", b"MM\0*"))


def _decoded(image: bytes) -> Reading:
    """Read an image to its end. One of another kind is not looked into."""
    bar = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(image), formats=FORMATS) as picture:
                if picture.width * picture.height <= MAX_PIXELS:
                    parts = StoredParts(picture, image) if is_uncompressed(picture) else None
                    # All of a JPEG is read for an eighth of its size too, in a fraction of the time.
                    picture.draft("L", (picture.width // 8, picture.height // 8))
                    picture.load()
                    if parts is not None:
                        runs = plain_runs(picture, raw=True)
                        if is_cut(picture, runs):
                            return Reading(image, "it stops within a row, and the rest has one colour: not written yet")
                        if picture.mode in _EIGHT_BITS and parts.missing(picture) is not None:
                            return Reading(image, "a part of it has no picture: not written yet")
                        bar = plain_part(picture, runs, raw=True)
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Reading(image, None)
    except Exception as error:  # noqa: BLE001  decoders raise almost anything
        return Reading(image, f"the image cannot be decoded to its end ({error})")
    return Reading(image, None, None if bar is None else f"{bar}: a bar, or not written yet")
