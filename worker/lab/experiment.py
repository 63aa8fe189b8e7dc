"""The lab's experiment: labelled folders × backbones → features, repeated splits, models and a report."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from producer.runtime.arrays import Float64Array, Int64Array, UInt8Array
from worker.dataset.labelled_folder import DatasetError, LabelledFolder, load_image, scan
from worker.evaluation.splits import EvaluationError, Split, grouped_splits, repeated_splits, score_splits
from worker.features import lab_files
from worker.features.batches import FeatureExtractor
from worker.lab.calibrated_cut import calibrated_scores
from worker.lab.recipe import BackboneResult, NetworkFigures, Recipe, RepeatedScores
from worker.models import store
from worker.models.gram_svm import fit_gram, gram, primal


class LabBackbone(FeatureExtractor, Protocol):
    """A feature extractor that also says how large its network is."""

    family: str
    layers: int
    parameters: int

    def network_summary(self) -> NetworkFigures:
        """Return the figures of the whole published network."""
        ...


def scan_all(folders: Sequence[Path], recipe: Recipe) -> list[LabelledFolder]:
    """Scan the labelled sets in `folders`, and check that `recipe` can divide them before any network is loaded.

    Raises:
        DatasetError: one of them is unusable; the message names the folder.
    """
    datasets = [
        scan(folder, recipe.group_column, groups_required=False, keep_duplicates=recipe.keep_duplicates)
        for folder in folders
    ]
    names = [dataset.name for dataset in datasets]
    for dataset in datasets:
        if not dataset.name or names.count(dataset.name) > 1:
            raise DatasetError(f"{dataset.root}: each labelled set needs a folder name of its own for its output")
        try:
            _plain_splits(dataset.labels, recipe)
        except EvaluationError as error:
            raise DatasetError(f"{dataset.root}: {error}") from error
    return datasets


def run(
    dataset: LabelledFolder,
    backbone: LabBackbone,
    multiply_adds: int,
    recipe: Recipe,
    output: Path,
    progress: Callable[[int, int], object],
) -> BackboneResult:
    """Run the recipe for one labelled set and one backbone.

    Writes `features.h5`, `labels.h5` and the folder `model` into `output/<dataset>/<backbone>`. The model is fitted on
    all images; the splits estimate how good it is. `multiply_adds` is the count for the part of the network that is
    run; `progress` is called with how many of how many images are done. It also raises what the backbone raises.

    Raises:
        DatasetError: too few images are left, or all have the same features.
        EvaluationError: too few images are left to split.
    """
    folder = result_folder(output, dataset.name, backbone.name)
    extraction = _extract(dataset, backbone, recipe, folder, progress)
    dataset = dataset.without(extraction.skipped)
    with lab_files.opened(folder) as (features, labels):
        start = time.perf_counter()
        kernel = gram(features)
        if np.ptp(kernel) <= 1e-9 * np.abs(kernel).max():
            raise DatasetError(
                f"{dataset.root}: all {len(labels)} images have the same features by {backbone.name}; either they all "
                "look the same, or they are read wrongly: nothing can be told apart"
            )
        seconds_gram = time.perf_counter() - start
        k = len(dataset.classes)
        scores = RepeatedScores(
            tuple(score_splits(kernel, labels, _plain_splits(labels, recipe), classes=k, C=recipe.C))
        )
        seconds_evaluation = time.perf_counter() - start
        calibrated = calibrated_scores(kernel, labels, dataset.groups, _plain_splits(labels, recipe), C=recipe.C)
        grouped, grouped_calibrated, problem = _grouped_scores(kernel, dataset, recipe)
        model = primal(fit_gram(kernel, labels, C=recipe.C), features, dataset.classes)
    manifest = store.save(
        folder / "model",
        model,
        backbone=backbone.name,
        fingerprint=backbone.fingerprint,
        trained_on=len(labels),
        settings={
            "C": recipe.C,
            "class_weight": "balanced",
            "dataset": dataset.name,
            "image_reading": "nearest",
            "keep_duplicates": recipe.keep_duplicates,
            "lab_preprocessing": recipe.lab_preprocessing,
            "stratify": recipe.stratify,
            "test_size": recipe.test_size,
        },
        metrics={"accuracy": scores.accuracy, "macro_recall": scores.macro_recall},
        created_at=datetime.now(UTC),
    )
    return BackboneResult(
        dataset=dataset,
        backbone=backbone.name,
        family=backbone.family,
        feature_size=backbone.feature_size,
        input_size=backbone.input_size,
        layers=backbone.layers,
        parameters=backbone.parameters,
        multiply_adds=multiply_adds,
        network=backbone.network_summary(),
        model_id=manifest.model_id,
        scores=scores,
        calibrated=calibrated,
        grouped=grouped,
        grouped_calibrated=grouped_calibrated,
        grouped_problem=problem,
        seconds_reading=extraction.seconds_reading / len(labels),
        seconds_network=extraction.seconds_network / len(labels),
        seconds_gram=seconds_gram,
        seconds_evaluation=seconds_evaluation,
    )


def result_folder(output: Path, dataset: str, backbone: str) -> Path:
    """Return the folder of one labelled set and backbone."""
    return output / dataset / store.model_name(backbone)


def _extract(
    dataset: LabelledFolder,
    backbone: LabBackbone,
    recipe: Recipe,
    folder: Path,
    progress: Callable[[int, int], object],
) -> lab_files.Extraction:
    def load(file: Path) -> UInt8Array:
        return load_image(file, backbone.input_size)

    progress(0, len(dataset.files))
    blank = np.zeros((*backbone.input_size, 3), np.uint8)
    backbone.features_of([blank] * min(recipe.batch, len(dataset.files)))  # the first pass sets up kernels
    return lab_files.extract(
        folder,
        dataset.files,
        dataset.labels,
        load=load,
        extractor=backbone,
        batch=recipe.batch,
        progress=progress,
    )


def _plain_splits(labels: Int64Array, recipe: Recipe) -> Sequence[Split]:
    return list(repeated_splits(labels, test_size=recipe.test_size, repeats=recipe.repeats, stratify=recipe.stratify))


def _grouped_scores(
    kernel: Float64Array, dataset: LabelledFolder, recipe: Recipe
) -> tuple[RepeatedScores | None, RepeatedScores | None, str | None]:
    """The grouped scores, those with the calibrated cut, or why there are none although there are groups."""
    labels, groups = dataset.labels, dataset.groups
    if groups is None:
        return None, None, None
    try:
        splits = list(grouped_splits(labels, groups, test_size=recipe.test_size, repeats=recipe.repeats))
        scores = score_splits(kernel, labels, splits, classes=len(dataset.classes), C=recipe.C)
    except EvaluationError as error:
        return None, None, str(error)
    return RepeatedScores(tuple(scores)), calibrated_scores(kernel, labels, groups, splits, C=recipe.C), None
