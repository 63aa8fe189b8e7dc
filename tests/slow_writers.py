"""Photographs that come into a watched folder as cameras and shares write them: in pieces, late, with odd clocks."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from tests.support import photograph


def tiff_with_directory_first() -> bytes:
    """A TIFF that can be decoded, to black, as soon as its first bytes are there."""
    pixels = np.random.default_rng(3).integers(60, 200, (200, 300), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "TIFF")
    data = file.getvalue()
    assert int.from_bytes(data[4:8], "little") < 16, "Pillow writes the directory first"
    return data


JPEG: Final = photograph(size=256)
PNG: Final = photograph(size=256, format="PNG")
BMP: Final = photograph(size=256, format="BMP")
TIFF: Final = tiff_with_directory_first()


def in_pieces(path: Path, data: bytes, seconds: float, hours_ahead: float | None = None) -> None:
    """The whole size at once, then piece by piece; the file server's clock is so many hours ahead."""
    with path.open("wb", buffering=0) as file:
        file.truncate(len(data))
        for part in range(30):
            file.write(data[part * len(data) // 30 : (part + 1) * len(data) // 30])
            if hours_ahead is not None:
                os.utime(path, (time.time() + 3600 * hours_ahead,) * 2)
            time.sleep(seconds / 30)


def stalling(path: Path, data: bytes, seconds: float, share: float, *, reserved: bool = False) -> None:
    """A share of the bytes, a pause, the rest; `reserved`: the file has its whole size from the beginning."""
    with path.open("wb", buffering=0) as file:
        if reserved:
            file.truncate(len(data))
        file.write(data[: int(len(data) * share)])
        time.sleep(seconds)
        file.write(data[int(len(data) * share) :])


def closed_between(path: Path, data: bytes, seconds: float, share: float) -> None:
    """Nobody has the file open in the pause, and its size and time are those of the end."""
    written = int(len(data) * share)
    path.write_bytes(data[:written] + bytes(len(data) - written))
    os.utime(path, (1.0, 1.0))
    time.sleep(seconds)
    with path.open("r+b") as file:
        file.seek(written)
        file.write(data[written:])
    os.utime(path, (1.0, 1.0))


def appended(path: Path, data: bytes, seconds: float) -> None:
    for part in range(3):
        with path.open("ab") as file:
            file.write(data[part * len(data) // 3 : (part + 1) * len(data) // 3])
        time.sleep(seconds / 3)


def empty_first(path: Path, data: bytes, seconds: float) -> None:
    path.touch()
    time.sleep(seconds)
    path.write_bytes(data)


def written_anew(path: Path, data: bytes, seconds: float) -> None:
    path.write_bytes(data[: len(data) // 2])
    time.sleep(seconds)
    path.unlink()
    path.write_bytes(data)


def renamed(path: Path, data: bytes, seconds: float) -> None:
    beside = path.with_name(f"{path.name}.part")
    stalling(beside, data, seconds, 0.5)
    beside.replace(path)


def replaced(path: Path, data: bytes, seconds: float) -> None:
    path.write_bytes(data[: len(data) // 3])
    time.sleep(seconds)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(data)
    beside.replace(path)


WAYS: Final[dict[str, tuple[str, bytes, Callable[[Path, bytes, float], None]]]] = {
    "empty-first": ("1.jpg", JPEG, empty_first),
    "stall": ("1.jpg", JPEG, lambda path, data, s: stalling(path, data, s, 0.5)),
    "stall-bmp": ("1.bmp", BMP, lambda path, data, s: stalling(path, data, s, 0.5)),
    "stall-tiff": ("1.tif", TIFF, lambda path, data, s: stalling(path, data, s, 0.5)),
    "stall-png": ("1.png", PNG, lambda path, data, s: stalling(path, data, s, 0.5)),
    "late-jpeg": ("1.jpg", JPEG, lambda path, data, s: stalling(path, data, s, 0.97)),
    "reserved-bmp": ("1.bmp", BMP, lambda path, data, s: stalling(path, data, s, 0.8, reserved=True)),
    "reserved-tiff": ("1.tif", TIFF, lambda path, data, s: stalling(path, data, s, 0.5, reserved=True)),
    "closed-bmp": ("1.bmp", BMP, lambda path, data, s: closed_between(path, data, s, 0.8)),
    "closed-tiff": ("1.tiff", TIFF, lambda path, data, s: closed_between(path, data, s, 0.5)),
    "closed-jpeg": ("1.jpeg", JPEG, lambda path, data, s: closed_between(path, data, s, 0.9)),
    "clock-ahead": ("1.bmp", BMP, lambda path, data, s: in_pieces(path, data, s, 10)),
    "clock-behind": ("1.bmp", BMP, lambda path, data, s: in_pieces(path, data, s, -10)),
    "pieces": ("1.bmp", BMP, in_pieces),
    "appended": ("1.jpg", JPEG, appended),
    "renamed": ("1.png", PNG, renamed),
    "replaced": ("1.bmp", BMP, replaced),
    "written-anew": ("1.png", PNG, written_anew),
}
"""Name, bytes and manner of each; the name is the operation's."""


def write_slowly(folder: Path, seconds: float) -> list[threading.Thread]:
    """Begin to write one photograph in each of the `WAYS`, each taking so many `seconds`."""
    threads = []
    for way, (name, data, write) in WAYS.items():
        path = folder / "mill" / "head" / way / name
        path.parent.mkdir(parents=True)
        threads.append(threading.Thread(target=write, args=(path, data, seconds)))
    for thread in threads:
        thread.start()
    return threads
