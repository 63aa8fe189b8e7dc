"""`python -m benchmarks.capture_faults FOLDER… [--seed N]`: how many faults are found, and how many false alarms.

Faults are drawn into the photographs of each labelled folder. A photograph is held against those of other inserts that
were taken at the same place (`setup` in labels.csv, where there is one), as a station's next one would be against its
history.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from benchmarks import fixed_camera
from benchmarks.labelled_sets import labelled_sets
from db.line.station_history import Photographed
from producer.runtime.arrays import Float32Array
from worker.images.decoding import UnusableImage, decode
from worker.images.measurements import Measurements, measure
from worker.line.blurred_or_dark import Usual, unlike_usual
from worker.line.moved_or_empty import TOGETHER, Scene

FOLDS: Final = 11

DRAWN_ON: Final = 33
"""So many photographs of a set, evenly spaced, are drawn each fault into; the false alarms are those of all."""

LARGEST: Final = 800
"""Pixels a side to which photographs are made smaller first; more than any network looks at."""

Draw = Callable[[Image.Image], Image.Image]


def opened(file: Path) -> Image.Image:
    """A photograph with its colours, at most `LARGEST` a side."""
    with Image.open(file) as image:
        colours = image.convert("RGB")
    colours.thumbnail((LARGEST, LARGEST))
    return colours


def blurred(image: Image.Image, share: float) -> Image.Image:
    """Out of focus: a Gaussian whose deviation is a share of the width, and the sensor's noise after it."""
    return _noisy(np.asarray(image.filter(ImageFilter.GaussianBlur(share * image.width)), np.float32), image)


def shaken(image: Image.Image, share: float) -> Image.Image:
    """Moved sideways while the shutter was open, by a share of the width."""
    steps = max(2, round(share * image.width))
    pixels = np.pad(np.asarray(image, np.float32), ((0, 0), (steps, 0), (0, 0)), mode="edge")
    sums = np.cumsum(pixels, axis=1)
    return _noisy(((sums[:, steps:] - sums[:, :-steps]) / steps).astype(np.float32), image)


def exposed(image: Image.Image, factor: float) -> Image.Image:
    """With so many times the light."""
    return _noisy(_lit(image, factor), image)


def covered(image: Image.Image, light: float) -> Image.Image:
    """Something before the lens, evenly lit, that lets a share of the light through, all out of focus."""
    return _noisy(_lit(image.filter(ImageFilter.GaussianBlur(0.12 * image.width)), light, added=0.1), image)


CLEAR: Final[dict[str, Draw]] = {
    "blurred, 0.8 % of the width": partial(blurred, share=0.008),
    "blurred, 1.6 %": partial(blurred, share=0.016),
    "an eighth of the light": partial(exposed, factor=1 / 8),
    "a sixteenth": partial(exposed, factor=1 / 16),
    "eight times the light": partial(exposed, factor=8),
    "sixteen times": partial(exposed, factor=16),
    "covered, lets nothing through": partial(covered, light=0),
    "covered, lets a fifth through": partial(covered, light=0.2),
}

LESS_CLEAR: Final[dict[str, Draw]] = {
    "blurred, 0.4 %": partial(blurred, share=0.004),
    "shaken by 2 %": partial(shaken, share=0.02),
    "shaken by 4 %": partial(shaken, share=0.04),
    "a quarter of the light": partial(exposed, factor=1 / 4),
    "four times the light": partial(exposed, factor=4),
}


MOVED: Final[dict[str, tuple[float, float]]] = {
    "moved by 20 % to the right": (0.2, 0),
    "moved by 20 % to the left": (-0.2, 0),
    "moved by 20 % down": (0, 0.2),
    "moved by 20 % up": (0, -0.2),
    "moved by 15 % up and to the left": (-0.15, -0.15),
    "less clear, moved by 10 % to the left": (-0.1, 0),
    "less clear, moved by 10 % up": (0, -0.1),
}

EXAMPLES: Final = 5
"""Photographs of an empty pocket that somebody has reviewed."""


def main(folders: Sequence[Path], seed: int = 0) -> int:
    """Print for each set and fault what share is refused, and what measuring and holding against others costs.

    `seed` draws where a fixed camera's photographs are taken, and which are in a row.
    """
    sets = list(labelled_sets(folders))
    if not sets:
        return 0
    for folder, rows, files in sets:
        good = [_measured(file, lambda image: image) for file in files]
        places = [row.get("setup", "") for row in rows]
        parts = list(_parts([row["insert"] for row in rows]))
        histories = {
            n: Usual.of([_history(good[k]) for k in range(len(files)) if places[k] == places[n] and not part[k]])
            for part in parts
            for n in np.flatnonzero(part).tolist()
        }
        _tell(folder, "none: false alarms", [_is_refused(good[n], histories[n]) for n in range(len(files))])
        some = np.linspace(0, len(files) - 1, min(DRAWN_ON, len(files))).round().astype(int).tolist()
        for name, draw in {**CLEAR, **LESS_CLEAR}.items():
            _tell(folder, name, [_is_refused(_measured(files[n], draw), histories[n]) for n in some])
        _tell_of_a_fixed_camera(folder, [row["insert"] for row in rows], places, files, seed)
    _time()
    return 0


def _tell_of_a_fixed_camera(
    folder: Path, inserts: list[str], setups: list[str], files: Sequence[Path], seed: int
) -> None:
    """Print what is said of a camera that was fixed and has moved, of empty pockets, and of neither."""
    photographs, rng = list(map(opened, files)), np.random.default_rng(seed)
    at = np.zeros((len(photographs), 2))
    for setup in set(setups):
        rows = [n for n, of in enumerate(setups) if of == setup]
        at[rows] = fixed_camera.places([photographs[n] for n in rows])

    def sketches(moved: tuple[float, float] = (0, 0)) -> list[bytes]:
        return [_sketch(fixed_camera.taken(*each, rng, moved)) for each in zip(photographs, at, strict=True)]

    still, by_hand = sketches(), list(map(_sketch, photographs))
    empty = [_sketch(fixed_camera.without_insert(each, rng)) for each in photographs]
    cases = {"fixed camera: false alarms": (still, still), "held by hand: false alarms": (by_hand, by_hand)}
    cases |= {name: (still, sketches(moved)) for name, moved in MOVED.items()}
    said: dict[str, list[bool]] = defaultdict(list)
    for part in _parts(inserts):
        for setup in set(setups):
            new = [n for n, of in enumerate(setups) if of == setup and part[n]]
            old = [n for n, of in enumerate(setups) if of == setup and not part[n]]
            for name, (before, now) in cases.items():
                scene = Scene.of([before[n] for n in old], [])
                rows = [[*rng.choice(new, TOGETHER - 1), n] for n in new]
                said[name] += [scene.moved([scene.seen(now[k]) for k in row]) is not None for row in rows]
            scene = Scene.of([still[n] for n in old], [empty[n] for n in rng.permutation(old)[:EXAMPLES]])
            for name, now in {"no insert": empty, "an insert: false alarms": still}.items():
                said[f"{name}, {EXAMPLES} examples"] += [bool(scene.empty(now[n], scene.seen(now[n]))) for n in new]
    for name, refused in said.items():
        _tell(folder, name, refused)


def _sketch(image: Image.Image) -> bytes:
    return measure(np.asarray(image.resize((224, 224), Image.Resampling.BILINEAR))).sketch


def jpeg(image: Image.Image) -> bytes:
    """The photograph as a file."""
    drawn = io.BytesIO()
    image.save(drawn, "JPEG", quality=90)
    return drawn.getvalue()


def _is_refused(seen: Measurements | None, usual: Usual | None) -> bool:
    return seen is None or (usual is not None and unlike_usual(seen, usual) is not None)


def _tell(folder: Path, name: str, refused: Sequence[bool]) -> None:
    share = sum(refused) / len(refused)
    print(f"{folder.name} | {name} | {share:.3f} ({sum(refused)} of {len(refused)})", flush=True)


def _measured(file: Path, draw: Draw) -> Measurements | None:
    """What is measured, or None where the photograph is refused by itself."""
    try:
        return measure(decode(jpeg(draw(opened(file))), (224, 224)))
    except UnusableImage:
        return None


def _history(seen: Measurements | None) -> Photographed:
    if seen is None:
        raise ValueError("a photograph of the set is refused by itself")
    return Photographed(seen.sharpness, seen.brightness, seen.frame, ("", "", 0))


def _parts(inserts: Sequence[str]) -> Iterator[Sequence[bool]]:
    names = np.unique(inserts)
    np.random.default_rng(0).shuffle(names)
    for some in np.array_split(names, FOLDS):
        yield np.isin(inserts, some).tolist()


def _time() -> None:
    usual = Usual.of([Photographed(1000.0 + n, 100.0, n, ("", "", 0)) for n in range(100)])
    assert usual is not None  # noqa: S101
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    began = time.process_time()
    for _ in range(1000):
        unlike_usual(measure(pixels), usual)
    print(f"measuring, and holding against others: {time.process_time() - began:.3f} ms", flush=True)


def _lit(image: Image.Image, factor: float, added: float = 0.0) -> Float32Array:
    """Its grey values (sRGB) with so many times the light, and some more everywhere."""
    value = np.arange(256) / 255
    light = np.clip(factor * np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4) + added, 0, 1)
    grey = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(grey.astype(np.float32)[np.asarray(image)])


def _noisy(values: Float32Array, image: Image.Image) -> Image.Image:
    rng = np.random.default_rng(int(np.asarray(image).sum()))
    return Image.fromarray(np.clip(values + 2 * rng.standard_normal(values.shape, np.float32), 0, 255).astype(np.uint8))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capture_faults", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sys.exit(main(options.folders, options.seed))
