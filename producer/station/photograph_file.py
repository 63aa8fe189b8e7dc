"""A photograph's file read once, with what speaks against its being whole."""

from __future__ import annotations

import io
import os
import stat
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from producer.contract.reasons import image_files, stations
from producer.contract.reasons.template import Reason
from producer.files.file_kinds import no_file
from producer.pictures.early_end import cut_short
from producer.pictures.file_names import UNREADABLE, ending_of
from producer.pictures.image_formats import FORMATS, TIFF, format_of
from producer.pictures.limits import MAX_IMAGE_BYTES, MAX_PIXELS
from producer.pictures.unfilled_rows import is_cut, is_uncompressed, plain_part, plain_runs
from producer.pictures.unwritten_bytes import StoredParts
from producer.station.file_writers import has_holes, open_for_writing
from producer.station.settled_files import Changing, Look, still_for

_EIGHT_BITS: Final = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX")


UNGUARDED: Final = (
    "nothing tells here whether a program still writes a photograph: one that is overwritten in place, with a long "
    "pause, may be judged half; run the station as the files' owner, on the computer whose disk they are on"
)
"""What it costs that the kernel gives no leases, in words."""


class Doubtful(Exception):
    """A file does not seem whole, and may still become so."""


class TooLarge(ValueError):
    """A file is larger than any photograph, as `reason` says."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class BeingWritten(Exception):
    """A program of this computer has the file open for writing: half of it may be the photograph before."""


@dataclass(frozen=True)
class Content:
    """A file's bytes, whether parts of it were never written, and whether a program may have it open for writing."""

    image: bytes
    holes: bool
    unguarded: bool


@dataclass(frozen=True)
class Reading:
    """A file's bytes, and in `doubt` why they may not be the whole photograph, or None.

    `bar` describes a part that has one colour: a bar, which the camera then draws into each photograph in the same way,
    or not written yet. `unguarded`: a program may have it open for writing.
    """

    image: bytes
    doubt: str | None
    bar: str | None = None
    unguarded: bool = False


def content(path: Path, look: Look) -> Content:
    """What is in a file that looked like `look` when it was listed.

    Raises:
        Changing: it does not any more.
        BeingWritten: a program has it open for writing, as far as the kernel tells.
        TooLarge: it is larger than any photograph.
        OSError: it cannot be read.
    """
    if look.size > MAX_IMAGE_BYTES:
        raise TooLarge(stations.TOO_LARGE(file=path.name, size=look.size, most=MAX_IMAGE_BYTES))
    with path.open("rb", buffering=0) as file:
        written = open_for_writing(file.fileno())
        if written:
            raise BeingWritten(f"a program has {path.name} open for writing")
        holes = has_holes(file.fileno(), look.size)
        image = b"".join(iter(lambda: file.read(1 << 22), b""))
        after = Look.at(os.fstat(file.fileno()))
    if after != look or Look.at(path.stat()) != look or len(image) != look.size:
        raise Changing
    return Content(image, holes, unguarded=written is None)


def is_still(path: Path, look: Look, image: bytes) -> bool:
    """Whether a file looks like `look` and has just these bytes, and no program is seen to write it."""
    try:
        return content(path, look).image == image
    except (Changing, BeingWritten, ValueError, OSError):
        return False


def only_when_finished(path: Path, settled_after: float) -> Content:
    """What is in a file that has been still for `settled_after` seconds.

    Where nothing tells who writes it, it is the same at two looks so far apart.

    Raises:
        ValueError: it is no file, a program still writes it, or it is larger than any photograph.
        OSError: it cannot be read.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise ValueError(f"{path} is a folder: name one photograph in it, or hand in all with `check` or `watch`")
    if (kind := no_file(status.st_mode)) is not None:
        raise ValueError(f"{path} is {kind}: save the photograph to a file, and name that")
    look = Look.at(status)
    try:
        taken = content(path, look)
        left = settled_after if taken.unguarded else still_for([look], settled_after)
        if left > 0:
            time.sleep(left)
            if not is_still(path, look, taken.image):
                raise Changing
    except (Changing, BeingWritten) as error:
        raise ValueError(f"{path} is being written: hand it in when it is finished") from error
    return taken


def read(path: Path, look: Look) -> Reading:
    """Read a file that looked like `look` when it was listed, and say what speaks against its being whole.

    Raises:
        Changing, BeingWritten, ValueError, OSError: as `content` does.
    """
    taken = content(path, look)
    if (why := cut_short(taken.image)) is not None:
        reading = Reading(taken.image, why)
    elif taken.holes:
        reading = Reading(taken.image, image_files.HOLES())
    else:
        reading = _decoded(taken.image)
    return replace(reading, unguarded=taken.unguarded)


def why_raw(name: str, image: bytes) -> Reason | None:
    """Why a file is a camera's raw data, or None. Most begin as TIFF does: what a decoder finds is a small preview."""
    is_raw = ending_of(name) in UNREADABLE and format_of(image) is TIFF
    return stations.RAW(formats=FORMATS) if is_raw else None


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
                        runs = plain_runs(picture)
                        if is_cut(picture, runs, raw=True):
                            return Reading(image, "it stops within a row, and the rest has one colour: not written yet")
                        if picture.mode in _EIGHT_BITS and parts.missing(picture) is not None:
                            return Reading(image, "a part of it has no picture: not written yet")
                        bar = plain_part(picture, runs, raw=True)
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Reading(image, None)
    except Exception as error:  # noqa: BLE001  decoders raise almost anything
        return Reading(image, f"the image cannot be decoded to its end ({error})")
    return Reading(image, None, None if bar is None else f"{bar}: a bar, or not written yet")
