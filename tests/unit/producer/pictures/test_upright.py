from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from producer.pictures.upright import upright


def test_a_photograph_is_turned_and_made_small_and_its_size_in_full_is_told(tmp_path: Path) -> None:
    lying = Image.new("RGB", (800, 400), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / "7.jpg", exif=exif)
    picture, size = upright(tmp_path / "7.jpg", 100)
    assert (picture.size, picture.mode, size) == ((50, 100), "RGB", (400, 800))


def test_sixteen_bits_are_as_bright_as_eight(tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 40), 128 * 256, dtype=np.uint16)).save(tmp_path / "7.png")
    assert abs(np.asarray(upright(tmp_path / "7.png", 100)[0]).mean() - 128) < 2


def test_what_is_no_photograph_is_named(tmp_path: Path) -> None:
    (tmp_path / "7.jpg").write_bytes(b"none")
    os.mkfifo(tmp_path / "9.jpg")
    for name in ("7.jpg", "8.jpg", "9.jpg"):
        with pytest.raises(ValueError, match=rf"{name} is no photograph that can be read"):
            upright(tmp_path / name, 100)
