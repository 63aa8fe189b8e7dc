"""The drawn inserts that `insertnet` learns from, kept on disk between trainings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from producer.simulation import insert, relief, rendering, surfaces, view
from worker.backbones.insertnet import INPUT_SIZE

_CELLS = INPUT_SIZE // 16


@dataclass(frozen=True)
class Renders:
    """Pictures and what is true about them, one row each."""

    images: NDArray[np.uint8]  # (n, 224, 224, 3)
    damage: NDArray[np.uint8]  # (n, 14, 14), share of each cell that is damaged, 255 for all
    truth: NDArray[np.uint8]  # (n, 3): place in insert.LABELS, SHAPES and COATINGS


def digest(count: int, seed: int) -> str:
    """Names a set of renders by all that decides how it looks: the code that draws it, how many, and the seed."""
    code = hashlib.sha256(json.dumps([count, seed, INPUT_SIZE]).encode())
    for module in (insert, view, surfaces, relief, rendering):
        code.update(Path(str(module.__file__)).read_bytes())
    code.update(Path(__file__).read_bytes())
    return code.hexdigest()[:16]


def load(cache: Path, count: int, seed: int, drawn: Callable[[int], None] = lambda _: None) -> Renders:
    """Renders number 0 … count - 1 of a seed, half of them intact; drawn if `cache` has none of this digest.

    `drawn` is told how many there are. A folder appears in the cache only when it is complete.
    """
    folder = cache / f"renders-{digest(count, seed)}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache, prefix="unfinished-") as unfinished:
            _draw(Path(unfinished), count, seed, drawn)
            # Where two trainings draw the same at once, the second finds the first's folder, and it is as good.
            with suppress(OSError):
                Path(unfinished).rename(folder)
    return Renders(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "damage", "truth")))


def _draw(folder: Path, count: int, seed: int, drawn: Callable[[int], None]) -> None:
    def table(name: str, *shape: int) -> NDArray[np.uint8]:
        return np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=(count, *shape))

    images, damage = table("images", INPUT_SIZE, INPUT_SIZE, 3), table("damage", _CELLS, _CELLS)
    truth = table("truth", 3)
    shapes, coatings = list(insert.SHAPES), list(insert.COATINGS)
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        label = insert.LABELS[(0, 1, 0, 2)[number % 4]]
        what = insert.Insert.random(rng)
        condition = insert.Condition.random(rng, label)
        look = view.View.random(rng)
        images[number], mask = rendering.render_with_damage(what, condition, look, INPUT_SIZE)
        damage[number] = mask.reshape(_CELLS, 16, _CELLS, 16).mean(axis=(1, 3))
        truth[number] = insert.LABELS.index(label), shapes.index(what.shape), coatings.index(what.coating)
        if number % 50 == 49:
            drawn(number + 1)
