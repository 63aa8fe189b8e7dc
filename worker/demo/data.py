"""The demo's folder, and in it the user's own photographs: those to train on, and those that the line is shown."""

from __future__ import annotations

import csv
import io
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from producer.pictures.limits import MAX_IMAGE_BYTES
from worker.embedded.system import StartFailed, locked

if TYPE_CHECKING:
    from db.line.rows import VerdictRow
    from producer.storage.store import ImageStore
    from worker.learning.folder_import import LabelledPhoto

MARKER: Final = ".insert-demo"
"""A file that says: this folder is a demo's, the next demo may replace it."""

TEST_SHARE: Final = 0.30
"""Share of the user's photographs that the line is shown; the rest is trained on."""

HEAD: Final = "head"
"""The folder of a demo that holds the photographs of a whole head, named by pocket, for a person to check."""


@dataclass(frozen=True)
class Divided:
    """The user's photographs, divided.

    `folder` holds those to train on, one sub-folder per label; `listed` is the CSV file of the others, for
    `insert-station simulate --photographs`; `skipped` are files that are not used, each with the reason, `notes`
    sentences about what was not understood.
    """

    folder: Path
    learnt: int
    listed: Path
    shown: int
    skipped: tuple[tuple[Path, str], ...]
    notes: tuple[str, ...]


def divide(dataset: Path, data: Path, seed: int, intact_class: str | None = None) -> Divided:
    """Divide the user's photographs 70/30, below `data`: within each label, or where inserts are known by insert.

    Raises:
        DatasetError: the folder cannot be used as a labelled set.
        EvaluationError: it has too few images to be split.
    """
    from worker.dataset.class_names import meanings_to_train
    from worker.evaluation.splits import grouped_splits, repeated_splits
    from worker.learning.folder_import import photographs

    labelled = photographs(dataset, meaning=lambda classes: meanings_to_train(classes, {}, intact_class))
    photos = [photo for photo in labelled.photos if photo.label != "unusable"]
    labels = np.unique([photo.label for photo in photos], return_inverse=True)[1].astype(np.int64)
    if any(photo.group for photo in photos):
        groups = np.unique([photo.group for photo in photos], return_inverse=True)[1].astype(np.int64)
        split = next(grouped_splits(labels, groups, test_size=TEST_SHARE, repeats=1))
    else:
        split = next(repeated_splits(labels, test_size=TEST_SHARE, repeats=1))
    learnt = [photos[index] for index in split.train]
    _check_enough(dataset, learnt)
    _copy(learnt, data / "labelled")
    listed = data / "photographs.csv"
    order = np.random.default_rng(seed).permutation(split.test)
    _write_csv(listed, ("file", "truth"), [(str(photos[i].path.absolute()), photos[i].label) for i in order])
    return Divided(data / "labelled", len(learnt), listed, len(split.test), labelled.skipped, labelled.notes)


def leave_head(rows: Iterable[VerdictRow], operation: str, images: ImageStore, folder: Path) -> None:
    """Leave new photographs of an operation's inserts in a folder as `insert-station check` takes it: `1.jpg`, …."""
    folder.mkdir()
    for row in rows:
        if row.operation == operation and row.image is not None:
            photo = images.get(row.image, MAX_IMAGE_BYTES)
            (folder / f"{row.pocket}.jpg").write_bytes(_photographed_again(photo, row.pocket))


def _photographed_again(photo: bytes, seed: int) -> bytes:
    """As the camera would take it once more, with its noise: the very same photograph is one of the check before."""
    with Image.open(io.BytesIO(photo)) as image:
        pixels = np.asarray(image.convert("RGB"), np.float32)
    noise = np.random.default_rng(seed).normal(0, 1, pixels.shape)
    again = io.BytesIO()
    Image.fromarray((pixels + noise).round().clip(0, 255).astype(np.uint8)).save(again, "JPEG", quality=95)
    return again.getvalue()


def _check_enough(dataset: Path, photos: Sequence[LabelledPhoto]) -> None:
    """Refuse what no training would take, before the demo builds a network for it."""
    from worker.dataset.labelled_folder import DatasetError
    from worker.learning.retrain import FEWEST_IMAGES
    from worker.models.line_model import INTACT

    intact = sum(photo.label == INTACT for photo in photos)
    if min(intact, len(photos) - intact) < FEWEST_IMAGES:
        raise DatasetError(
            f"{dataset}: the {1 - TEST_SHARE:.0%} to learn from are {intact} intact and {len(photos) - intact} damaged "
            f"photographs; a training needs {FEWEST_IMAGES} of each"
        )


def _copy(photos: Sequence[LabelledPhoto], folder: Path) -> None:
    """The photographs by label, and where their inserts are known a table of them."""
    rows = []
    for number, photo in enumerate(photos):
        target = folder / photo.label / f"{number:05d}{photo.path.suffix}"  # classes with one label may share names
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photo.path, target)
        rows.append((f"{photo.label}/{target.name}", photo.group or ""))
    if any(group for _, group in rows):
        _write_csv(folder / "labels.csv", ("file", "group"), rows)


def _write_csv(path: Path, header: tuple[str, str], rows: Sequence[tuple[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def fresh_folder(data: Path) -> Path | None:
    """Make an empty folder for a demo, in the place of an earlier demo's.

    One in which somebody has labelled photographs, or has an account, is kept under another name, which is returned.

    Raises:
        StartFailed: there is a folder that no demo made.
    """
    kept = None
    if data.exists():
        if any(data.iterdir()) and not (data / MARKER).exists():
            raise StartFailed(f"{data} holds something that is not a demo's: name another folder with --data")
        with locked(data):
            pass
        if _has_been_used(data / "inserts.db"):
            kept = data.with_name(f"{data.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}")
            data.rename(kept)
        else:
            shutil.rmtree(data)
    data.mkdir(parents=True)
    (data / MARKER).touch()
    return kept


def _has_been_used(database: Path) -> bool:
    """Whether people are in a demo's database, of whatever version."""
    from worker.learning.folder_import import BY

    if not database.exists():
        return False
    question = "SELECT EXISTS (SELECT 1 FROM accounts) OR EXISTS (SELECT 1 FROM reviews WHERE by <> ?)"
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            return bool(opened.execute(question, (BY,)).fetchone()[0])
    except sqlite3.Error as error:  # a demo that was stopped before it had tables has nobody; of others who knows
        return "no such table" not in str(error)
