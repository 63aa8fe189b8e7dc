from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worker.networks import representative
from worker.networks.representative import FEWEST, drawn, of_folder


def photographs(folder: Path, count: int) -> None:
    random = np.random.default_rng(0)
    for number in range(count):
        part = folder / ("intact", "worn")[number % 2]
        part.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(part / f"{number:03d}.png")


def test_drawn_pictures_are_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(representative, "_DRAWN", 4)
    told: list[tuple[str, int, int]] = []
    first, second = drawn((64, 96), lambda *step: told.append(step)), drawn((64, 96))
    assert first.images.shape == (4, 64, 96, 3)
    np.testing.assert_array_equal(first.images, second.images)
    assert str(first) == str(second)
    assert str(first).startswith("4 drawn pictures, SHA-256 ")
    assert told[-1] == ("drawing pictures", 4, 4)


def test_a_large_folder_is_taken_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photographs(tmp_path, 30)
    monkeypatch.setattr(representative, "_MOST_PICTURES", 20)
    (tmp_path / "notes.txt").write_text("no photograph")
    (tmp_path / ".hidden.png").write_bytes(b"")
    assert of_folder(tmp_path, (32, 32)).images.shape == (20, 32, 32, 3)


def test_too_few_photographs_are_refused(tmp_path: Path) -> None:
    photographs(tmp_path, FEWEST - 1)
    with pytest.raises(ValueError, match=f"has {FEWEST - 1} photographs"):
        of_folder(tmp_path, (32, 32))
    with pytest.raises(ValueError, match="has 0 photographs"):
        of_folder(tmp_path / "elsewhere", (32, 32))


def test_a_photograph_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    photographs(tmp_path, FEWEST)
    broken = tmp_path / "intact" / "broken.png"
    broken.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"broken\.png cannot be used"):
        of_folder(tmp_path, (32, 32))
