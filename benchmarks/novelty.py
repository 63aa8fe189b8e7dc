"""`python -m benchmarks.novelty FOLDER FOLDER`: how well a distance tells photographs unlike anything learnt.

Each folder is a labelled set whose labels.csv says which photographs show the same insert. Of each, groups of inserts
are held out in turn: the share of them that is called novel are the false alarms, the share of photographs of another
kind what is found. Other ways to measure the distance stand beside the product's own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

from benchmarks.networks import network
from producer.runtime.arrays import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array
from producer.simulation.head import labelled_images
from worker.dataset.class_names import meanings_to_train
from worker.images.decoding import decode
from worker.learning.folder_import import photographs
from worker.models.novelty import LEVEL, Novelty, learnt_novelty
from worker.networks.default_backbone import DEFAULT_BACKBONE

FOLDS: Final = 11
SETUP: Final = "setup"
"""The column of labels.csv that says where a photograph was taken, where there is one."""

OF_THE_OTHERS: Final = (0, 1, 3, 8, 20)
"""Photographs of another place that a person has labelled."""

Novel = Callable[[Float32Array, Int64Array, Float32Array], BoolArray]
"""Which of the last (m, d) are unlike the first (n, d) with their inserts (n,)."""


def product(learnt: Float32Array, groups: Int64Array, new: Float32Array) -> BoolArray:
    """By the product's own code."""
    novelty = _of(learnt, groups)
    return np.array([reason is not None for reason in novelty.reasons(new)])


def tried(way: str, neighbours: int, learnt: Float32Array, groups: Int64Array, new: Float32Array) -> BoolArray:
    """By Euclidean distance between features that were made comparable in one of several ways."""
    mean, deviation = learnt.mean(axis=0), learnt.std(axis=0)
    scale = np.where(deviation > 1e-6 * deviation.max(), deviation, np.inf)

    def seen(rows: Float32Array) -> Float64Array:
        rows = np.asarray((rows - mean) / scale if "standardised" in way else rows, np.float64)
        if "folded" in way:
            signs = np.random.default_rng(0).choice([-1, 1], rows.shape[1])
            rows = np.pad(rows * signs, ((0, 0), (0, -rows.shape[1] % 256))).reshape(len(rows), -1, 256).sum(axis=1)
        if "components" in way:
            axes = np.linalg.svd(learnt - mean, full_matrices=False)
            rows = (rows - mean) @ (axes[2][:64].T / axes[1][:64])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True) if "unit length" in way else rows

    kept = seen(learnt)
    between = _distances(kept, kept)
    between[groups[:, None] == groups[None]] = np.inf
    known = np.sort(np.sort(between, axis=1)[:, :neighbours].mean(axis=1))
    far = np.sort(_distances(seen(new), kept), axis=1)[:, :neighbours].mean(axis=1)
    beyond = len(known) - np.searchsorted(known, far)
    return np.asarray((1 + beyond) / (len(known) + 1) <= max(LEVEL, 1 / (len(known) + 1)))


WAYS: Final[dict[str, Novel]] = {
    "**unit length, 5 neighbours**": product,
    "unit length, 5, with outliers": partial(tried, "unit length", 5),
    **{f"unit length, {k}": partial(tried, "unit length", k) for k in (1, 10)},
    "unit length, folded to 256 columns, 5": partial(tried, "unit length, folded", 5),
    "as they are, 5": partial(tried, "", 5),
    "standardised, 5": partial(tried, "standardised", 5),
    "standardised, unit length, 5": partial(tried, "standardised, unit length", 5),
    "64 principal components, whitened, 5": partial(tried, "components", 5),
}


def foreign(size: tuple[int, int]) -> dict[str, list[UInt8Array]]:
    """Pictures of `size` that show no such part: empty ones, noise and slopes; rendered inserts; other photographs."""
    rng = np.random.default_rng(0)
    shape = (*size, 3)
    drawn = [np.broadcast_to(rng.integers(0, 256, 3), shape) for _ in range(30)]
    drawn += [np.broadcast_to(rng.normal(rng.uniform(40, 210), 40, (*size, 1)), shape) for _ in range(30)]
    drawn += [np.broadcast_to(np.linspace(0, rng.uniform(50, 255), size[1])[:, None], shape) for _ in range(20)]
    others = []
    for picture in load_sample_images().images:
        for _ in range(40):
            side = int(rng.integers(150, 420))
            y, x = (int(rng.integers(0, length - side)) for length in picture.shape[:2])
            crop = Image.fromarray(picture[y : y + side, x : x + side])
            others.append(np.asarray(crop.resize((size[1], size[0])), np.uint8))
    rendered = [decode(image, size) for image, _ in labelled_images(100, seed=1, size=256)]
    return {
        "drawn": [np.clip(picture, 0, 255).astype(np.uint8) for picture in drawn],
        "rendered inserts": rendered,
        "a temple and a flower": others,
    }


def main(folders: Sequence[Path]) -> int:
    """Print a line of figures for each way and set, and what a look costs."""
    if not folders or not all((folder / "labels.csv").is_file() for folder in folders):
        print("skipped: give folders of labelled photographs, each with a labels.csv that has a column insert")
        return 0
    net = network(DEFAULT_BACKBONE)
    sets, setups = {}, {}
    for folder in folders:
        read = partial(photographs, folder, meaning=lambda classes: meanings_to_train(classes, {}, None))
        found = read(group_column=None).photos
        features = np.concatenate([net.features_of([decode(p.path.read_bytes(), net.input_size)]) for p in found])
        sets[folder.name] = features, np.unique([str(p.group) for p in found], return_inverse=True)[1]
        if SETUP in (folder / "labels.csv").read_text("utf-8").partition("\n")[0].split(","):
            setups[folder.name] = np.array([str(p.group) for p in read(group_column=SETUP).photos])
    others = {name: net.features_of(np.stack(pictures)) for name, pictures in foreign(net.input_size).items()}
    for way, novel in WAYS.items():
        for name, (features, groups) in sets.items():
            strange = others | {other: rows for other, (rows, _) in sets.items() if other != name}
            alarms, found_of = [], dict.fromkeys(strange, 0.0)
            for held in _folds(groups):
                learnt = features[~held], groups[~held]
                alarms += novel(*learnt, features[held]).tolist()
                for other, rows in strange.items():
                    found_of[other] += float(novel(*learnt, rows).mean()) / FOLDS
            figures = " · ".join(f"{other} {share:.3f}" for other, share in found_of.items())
            print(f"{way} | {name} | false alarms {np.mean(alarms):.3f} | {figures}", flush=True)
        for name, places in setups.items():
            features, groups = sets[name]
            for place in np.unique(places):
                here = places == place
                shares = [_of_the_others(novel, features, groups, here, count) for count in OF_THE_OTHERS]
                figures = " · ".join(f"{n} {share:.2f}" for n, share in zip(OF_THE_OTHERS, shares, strict=True))
                print(f"{way} | {name} | learnt {place}, and so many of the others: {figures}", flush=True)
    _time(*next(iter(sets.values())))
    return 0


def _of_the_others(novel: Novel, features: Float32Array, groups: Int64Array, here: BoolArray, count: int) -> float:
    """What share of the photographs of other places is novel, where so many of them were learnt too; five draws."""
    shares = []
    for seed in range(5 if count else 1):
        learnt = here.copy()
        learnt[np.random.default_rng(seed).choice(np.flatnonzero(~here), count, replace=False)] = True
        shares.append(novel(features[learnt], groups[learnt], features[~learnt]).mean())
    return float(np.mean(shares))


def _of(learnt: Float32Array, groups: Int64Array) -> Novelty:
    novelty = learnt_novelty(learnt, groups)
    if novelty is None:
        raise ValueError("all photographs show one insert, or all are the same: nothing can be told from them")
    return novelty


def _folds(groups: Int64Array) -> Iterator[BoolArray]:
    inserts = np.unique(groups)
    np.random.default_rng(0).shuffle(inserts)
    for part in np.array_split(inserts, FOLDS):
        yield np.isin(groups, part)


def _distances(one: Float64Array, other: Float64Array) -> Float64Array:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None] - 2 * one @ other.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)))


def _time(features: Float32Array, groups: Int64Array) -> None:
    times = len(features) * -(-1_500 // len(features))
    many = np.resize(features, (times, features.shape[1])), np.resize(groups, times)
    for learnt in ((features, groups), many):
        novelty = _of(*learnt)
        taken = []
        for row in np.resize(features, (500, features.shape[1])):
            start = time.perf_counter()
            novelty.reasons(row[None])
            taken.append(time.perf_counter() - start)
        print(f"a look at {novelty.kept} learnt photographs: {np.median(taken) * 1e3:.3f} ms", flush=True)


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
