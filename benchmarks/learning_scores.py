"""`python -m benchmarks.learning_scores FOLDER`: how well learning works on a folder of labelled photographs.

The folder takes the same path as reviews (import, labelled set, feature store, all choices made inside each training
part), in a temporary database; the result is a table in Markdown, plain and grouped, one row a backbone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from db.engine.database import Database
from db.learning import reviews
from db.learning.reviews import Labelled
from producer.storage.folder import FolderStore
from worker.embedded.supervisor import Supervisor
from worker.embedded.system import EmbeddedSystem
from worker.evaluation.cross_validation import CrossValidation, Kind, cross_validate
from worker.evaluation.pooled_predictions import pool
from worker.evaluation.report import Evaluation, write_report
from worker.evaluation.scores import Interval, interval
from worker.evaluation.splits import Split, score_splits
from worker.features.catalogue import begin
from worker.features.extraction import extract_chunk, key_of
from worker.learning.folder_import import LabelledPhoto, import_photographs, photographs
from worker.learning.network import ready_network
from worker.models.candidate import binary
from worker.models.costs import Costs
from worker.models.gram_svm import gram
from worker.models.store import model_name
from worker.models.unsure_band import band
from worker.networks.names import DEFAULT_BACKBONE
from worker.runtime.arrays import Float64Array, Int64Array
from worker.settings import WorkerSettings

COLUMNS = (
    "backbone",
    "splits",
    "accuracy",
    "balanced accuracy",
    "… by the lab's recipe",
    "recall of damaged",
    "calibration error",
    "decided at 99 %",
)
HEAD = (f"| {' | '.join(COLUMNS)} |", "| --- | --- |" + " ---: |" * (len(COLUMNS) - 2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table for the folder and the backbones that are named; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning_scores", description=__doc__)
    parser.add_argument("folder", type=Path, help="labelled photographs, one sub-folder a class")
    parser.add_argument("--backbone", action="append", help="network and layer; again for several [the default]")
    parser.add_argument("--weights", action="append", help="once for each backbone, in their order")
    parser.add_argument("--labels", type=Path, help="CSV file with the groups [FOLDER/labels.csv]")
    grouping = parser.add_mutually_exclusive_group()
    grouping.add_argument("--group-column", help="its column that says which photographs show the same insert")
    grouping.add_argument(
        "--consecutive", action="store_true", help="files of one class with consecutive numbers show the same insert"
    )
    parser.add_argument("--repeats", type=int, default=10, help="splits of each kind [10]")
    parser.add_argument("--reports", type=Path, help="folder for a whole report of each backbone")
    options = parser.parse_args(arguments)
    backbones = options.backbone or [DEFAULT_BACKBONE]
    weights = options.weights or [None] * len(backbones)
    if len(weights) != len(backbones):
        parser.error(f"{len(backbones)} backbones need as many --weights, not {len(weights)}")
    photographed = photographs(options.folder, table=options.labels, group_column=options.group_column)
    photos = list(photographed.photos)
    if options.consecutive:
        photos = consecutive(photos)
    with tempfile.TemporaryDirectory(prefix="learning-scores-") as folder:
        items = imported(photos, options.folder.resolve().name, Path(folder))
        inserts = len({item.insert_key for item in items})
        print(f"{len(items)} photographs of {inserts} inserts, {options.repeats} splits\n", *HEAD, sep="\n", flush=True)
        for name, source in zip(backbones, weights, strict=True):
            evaluation, lab = evaluated(items, Path(folder), name, source, options.repeats)
            print("\n".join(rows(evaluation, lab)), flush=True)
            if options.reports:
                write_report(options.reports / evaluation.name, evaluation)
    return 0


def consecutive(photos: Sequence[LabelledPhoto]) -> list[LabelledPhoto]:
    """The photographs grouped by what was taken in one go: files `28.jpg`, `29.jpg`, … of one class.

    A number that is missing or of another class begins a new group; a file whose name is no number is one of its own.
    """
    numbered = sorted(
        (int(photo.path.stem), photo.path.parent.name, photo) for photo in photos if photo.path.stem.isdecimal()
    )
    groups: dict[Path, str] = {}
    before, group = (-1, ""), ""
    for number, side, photo in numbered:
        if (number - 1, side) != before:
            group = f"{side} from {number}"
        before = (number, side)
        groups[photo.path] = group
    return [replace(photo, group=groups.get(photo.path, str(photo.path))) for photo in photos]


def imported(photos: Sequence[LabelledPhoto], name: str, data: Path) -> list[Labelled]:
    """The labelled set that comes of importing `photos` into a new database below `data`."""
    settings = WorkerSettings(data=data)
    with Supervisor() as supervisor:
        EmbeddedSystem(settings, supervisor).migrate()
    database = Database(settings.url)
    import_photographs(
        photos,
        name=name,
        images=FolderStore(data / "images"),
        database=database,
        at=datetime.now(UTC),
        progress=lambda done, of: None,  # noqa: ARG005
    )
    with database.reading() as session:
        items = reviews.labelled(session)
    database.close()
    return [item for item in items if item.label != "unusable"]


def evaluated(
    items: Sequence[Labelled], data: Path, name: str, weights: str | None, repeats: int
) -> tuple[Evaluation, dict[Kind, Interval]]:
    """Extract the features of `items` by one backbone, and cross-validate learning on them, plain and by insert.

    Beside it the balanced accuracy of the lab's recipe (C = 1, features as they are) on the same splits. Raises
    `RuntimeError` when an image has no features.
    """
    settings = WorkerSettings(data=data, backbone=name, weights=weights, weights_folder=WorkerSettings().weights_path())
    images = FolderStore(data / "images")
    database = Database(settings.url)
    backbone = ready_network(settings, database, images)
    database.close()
    store = begin(
        data / "features", fingerprint=backbone.fingerprint, backbone=name, feature_size=backbone.feature_size
    )
    result = extract_chunk(items, images, backbone, store)
    if result.unusable:
        raise RuntimeError(f"images without features: {result.unusable}")
    _, inserts = np.unique([item.insert_key for item in items], return_inverse=True)
    features = store.view([key_of(item) for item in items])
    costs = Costs()
    sides = binary([item.label for item in items])
    assessments = cross_validate(features, sides, inserts, costs=costs, repeats=repeats)
    kernel = gram(features)
    lab = {kind: _lab(kernel, sides, found) for kind, (found, _) in assessments.items()}
    evaluation = Evaluation(
        name=model_name(name),
        at=datetime.now(UTC),
        backbone=name,
        fingerprint=backbone.fingerprint,
        feature_size=backbone.feature_size,
        items=items,
        assessments=assessments,
        costs=costs,
    )
    return evaluation, lab


def _lab(kernel: Float64Array, sides: Int64Array, assessment: CrossValidation) -> Interval:
    every = np.arange(len(sides))
    splits = [Split(split.seed, np.setdiff1d(every, split.rows), split.rows) for split in assessment.splits]
    scored = score_splits(kernel, sides, splits, classes=2)
    return interval([split.macro_recall for split in scored], assessment.tested_over_trained)


def rows(evaluation: Evaluation, lab: Mapping[Kind, Interval]) -> list[str]:
    """The table's rows for one backbone: each score's mean over the splits, and its 95 % interval."""
    lines = []
    for kind, (assessment, _) in evaluation.assessments.items():
        names = ("accuracy", "balanced_accuracy", "recall_damaged", "calibration_error")
        cells = [_cell(assessment.interval(name)) for name in names]
        cells.insert(2, _cell(lab[kind]))
        cells.append(_cell(pool(assessment, evaluation.sides).decided(band(evaluation.costs), evaluation.inserts)))
        lines.append(f"| `{evaluation.backbone}` | {kind} | {' | '.join(cells)} |")
    return lines


def _cell(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval.mean:.3f} ({interval.low:.3f} … {interval.high:.3f})"


if __name__ == "__main__":
    sys.exit(main())
