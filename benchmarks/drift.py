"""`python -m benchmarks.drift FOLDER…`: how often a quiet station is said to drift, and what is found of a drift.

Of each labelled folder stations are made up: twelve pockets whose inserts stay for two to eight days, five photographs
of each a day. After the reference days two days in a row are looked at, as they are and with something changed.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from benchmarks.capture_faults import blurred, exposed, opened
from benchmarks.labelled_sets import labelled_sets
from benchmarks.networks import network
from db.line.station_days import ASPECTS
from producer.runtime.arrays import AnyArray, Float32Array, Int64Array
from worker.images.decoding import decode
from worker.images.measurements import measure
from worker.learning.day_values import DAYS_APART, MOST_DAYS, DayValues, differences
from worker.networks.default_backbone import DEFAULT_BACKBONE

POCKETS: Final = 12
OF_EACH: Final = 5
STATIONS: Final = 60
LASTED: Final = 6
"""Photographs in a row of one place that are taken for one insert, where labels.csv has times."""

Draw = Callable[[Image.Image], Image.Image]


def reddish(image: Image.Image, share: float) -> Image.Image:
    """With so much of its green and blue."""
    pixels = np.asarray(image, np.float32) * np.array([1, share, share], np.float32)
    return Image.fromarray(pixels.astype(np.uint8))


CHANGES: Final[dict[str, Draw]] = {
    "nothing": lambda image: image,
    "a tenth less light": partial(exposed, factor=0.9),
    "a fifth less": partial(exposed, factor=0.8),
    "a third less": partial(exposed, factor=0.65),
    "blurred by 0.2 % of the width": partial(blurred, share=0.002),
    "blurred by 0.4 %": partial(blurred, share=0.004),
    "green and blue less by 15 %": partial(reddish, share=0.85),
}


def main(folders: Sequence[Path]) -> int:
    """Print for each set and change in what share of stations both days drift, by each aspect and by any."""
    for folder, rows, files in labelled_sets(folders):
        seen = {name: _seen(files, draw) for name, draw in CHANGES.items()}
        damaged = np.array([(row.get("label") or row["class"]) != "intact" for row in rows])
        plane = _plane(seen["nothing"][1], damaged)
        inserts = _inserts(rows)
        print(f"{folder.name} | change | {' | '.join(ASPECTS)} | any")
        drifts: dict[str, list[list[set[str]]]] = {name: [] for name in CHANGES}
        for seed in range(STATIONS):
            rng = np.random.default_rng(seed)
            days = list(_days(inserts, DAYS_APART * MOST_DAYS + 1, rng))
            reference = [_values(seen["nothing"], some, plane, rng) for some in days[:-2:DAYS_APART]]
            for name in CHANGES:
                aspects = [differences(_values(seen[name], some, plane, rng), reference)[0] for some in days[-2:]]
                drifts[name].append([{of for of in one if one[of]["drifted"]} for one in aspects])
        for name, stations in drifts.items():
            both = [one & other for one, other in stations]
            shares = [np.mean([aspect in drifted for drifted in both]) for aspect in ASPECTS]
            told = " | ".join(f"{share:.2f}" for share in (*shares, np.mean([bool(drifted) for drifted in both])))
            print(f"{folder.name} | {name} | {told}", flush=True)
    return 0


def _seen(files: Sequence[Path], draw: Draw) -> tuple[AnyArray, Float32Array]:
    """Brightness and sharpness (n, 2) and features (n, d) of photographs with something drawn into them."""
    net = network(DEFAULT_BACKBONE)
    measured, features = [], []
    for file in files:
        drawn = io.BytesIO()
        draw(opened(file)).save(drawn, "JPEG", quality=90)
        pixels = decode(drawn.getvalue(), net.input_size)
        seen = measure(pixels)
        measured.append((seen.brightness, seen.sharpness))
        features.append(net.features_of([pixels])[0])
    return np.array(measured), np.stack(features)


def _plane(features: Float32Array, damaged: AnyArray) -> Float32Array:
    """The weights of a linear score, as some model would have them (ridge regression)."""
    kernel = features @ features.T
    sides = np.where(damaged, 1.0, -1.0)
    return np.asarray(
        features.T @ np.linalg.solve(kernel + 0.01 * np.trace(kernel) / len(kernel) * np.eye(len(kernel)), sides)
    )


def _inserts(rows: Sequence[dict[str, str]]) -> list[Int64Array]:
    """The rows of each insert; a place that is photographed again and again until it is worn stands for many."""
    order = sorted(range(len(rows)), key=lambda n: (rows[n]["insert"], rows[n].get("captured_at", "")))
    by_name: dict[str, list[int]] = {}
    for row in order:
        by_name.setdefault(rows[row]["insert"], []).append(row)
    some = LASTED if "captured_at" in rows[0] else len(rows)
    return [np.array(of[first : first + some]) for of in by_name.values() for first in range(0, len(of), some)]


def _days(inserts: Sequence[Int64Array], count: int, rng: np.random.Generator) -> Iterator[Int64Array]:
    """The rows of a station's photographs, day by day, pocket by pocket."""
    pockets = [inserts[number] for number in rng.integers(len(inserts), size=POCKETS).tolist()]
    left = rng.integers(1, 9, POCKETS)
    for _ in range(count):
        for pocket in np.flatnonzero(left == 0):
            pockets[pocket] = inserts[rng.integers(len(inserts))]
            left[pocket] = rng.integers(2, 9)
        left -= 1
        yield np.concatenate([rng.choice(rows, OF_EACH) for rows in pockets])


def _values(
    seen: tuple[AnyArray, Float32Array], rows: Int64Array, plane: Float32Array, rng: np.random.Generator
) -> DayValues:
    """A day's values, with what differs between two photographs of the same: light by 1 %, sharpness by 3 %."""
    brightness, sharpness = (seen[0][rows] * np.exp(rng.normal(0, (0.01, 0.03), (len(rows), 2)))).T
    features = seen[1][rows] * (1 + rng.normal(0, 0.01, (len(rows), seen[1].shape[1]))).astype(np.float32)
    return DayValues.of(
        np.repeat(np.arange(POCKETS), OF_EACH).tolist(),
        {"brightness": brightness.tolist(), "sharpness": sharpness.tolist(), "score": (features @ plane).tolist()},
        features,
        fingerprint=None,
        model_id=None,
    )


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
