"""What a demo learns from and what it shows: rendered inserts, or the user's own photographs."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from producer.simulator import write_labelled_folder

LABELLED_IMAGES: Final = 240
"""Rendered images that the first model of a demo learns from."""

TEST_SHARE: Final = 0.30
"""Share of the user's photographs that goes through the line; the rest is learnt from."""


@dataclass(frozen=True)
class LabelledSet:
    """A folder with one sub-folder per class, and a phrase that says what is in it."""

    folder: Path
    describe: str


def rendered_set(data: Path, seed: int) -> tuple[LabelledSet, list[str]]:
    """Rendered photographs of one line to learn from, and the station's options to show a head of that line."""
    folder = data / "labelled"
    write_labelled_folder(folder, LABELLED_IMAGES, seed, head=seed)
    return LabelledSet(folder, f"{LABELLED_IMAGES} rendered inserts"), ["--seed", str(seed)]


def photographs_of(dataset: Path, data: Path, seed: int) -> tuple[LabelledSet, list[str]]:
    """The user's photographs, split 70/30 within each class, and the station's options to show the 30 %.

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
    skipped = f", {len(labelled.skipped)} files skipped" if labelled.skipped else ""
    phrase = f"{len(split.train)} of {len(labelled.files)} photographs, {len(split.test)} kept for the line{skipped}"
    return LabelledSet(folder, phrase), ["--photographs", str(listed)]
