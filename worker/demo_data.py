"""What a demo learns from and what it shows, of the user's own photographs."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

TEST_SHARE: Final = 0.30
"""Share of the user's photographs that goes through the line; the rest is learnt from."""


@dataclass(frozen=True)
class Divided:
    """The user's photographs, divided.

    ``folder`` holds those to learn from, one sub-folder per class; ``listed`` is the CSV file of the others, for
    ``insert-station simulate --photographs``; ``skipped`` are files that are no usable images, each with the reason.
    """

    folder: Path
    learnt: int
    listed: Path
    shown: int
    skipped: tuple[tuple[Path, str], ...]


def divide(dataset: Path, data: Path, seed: int) -> Divided:
    """Divide the user's photographs 70/30 within each class, below ``data``.

    Raises:
        DatasetError: the folder cannot be used as a labelled set.
        EvaluationError: it has too few images to be split.
    """
    from worker.dataset import scan
    from worker.evaluation import repeated_splits

    labelled = scan(dataset)
    split = next(repeated_splits(labelled.labels, test_size=TEST_SHARE, repeats=1))
    folder = data / "labelled"
    for index in split.train:
        source = labelled.files[index]
        target = folder / labelled.classes[labelled.labels[index]] / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    listed = data / "photographs.csv"
    order = np.random.default_rng(seed).permutation(split.test)
    with listed.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "truth"])
        writer.writerows((labelled.files[i].absolute(), labelled.classes[labelled.labels[i]]) for i in order)
    return Divided(folder, len(split.train), listed, len(split.test), labelled.skipped)
