"""Compares backbones on folders of labelled photographs, without a line: nothing is imported, and nothing promoted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from db.schema.column_words import SPLIT_KINDS, SplitKind
from producer.runtime.arrays import Float32Array, Int64Array, UInt8Array
from worker.evaluation.backbone_scores import BackboneScores, Measured, backbone_scores
from worker.evaluation.cross_validation import cross_validate
from worker.evaluation.splits import EvaluationError
from worker.features.batches import feature_batches
from worker.images.decoding import UnusableImage, decode
from worker.images.foreground import foreground
from worker.learning.folder_import import LabelledPhoto, Photographs
from worker.learning.network import of_labelled, stored_or_built
from worker.models.candidate import CandidateError, binary, learn
from worker.models.costs import Costs
from worker.models.error_bound import ErrorBound
from worker.models.solver import solver_for
from worker.networks.loaded_network import Network
from worker.networks.memory_use import resident_megabytes
from worker.networks.names import NetworkName
from worker.networks.representative import Representative, some_of
from worker.runtime.progress import Progress
from worker.settings import WorkerSettings

TIMED: Final = 30
"""Photographs that are judged one after the other to measure what one takes."""

_BATCH: Final = 8
_SEEN_AS: Final = (224, 224)
"""Height and width in which a photograph is looked at, to see whether it is a cut-out."""


@dataclass(frozen=True, eq=False)
class ComparedSet:
    """A folder of labelled photographs: `labels` (n,), 1 for damaged, and `groups` (n,), the number of each insert.

    `groups` is None where nothing says which photographs show the same insert; `skipped` has the files that are not
    used, each with its reason, and `notes` what a person should know of how the folder was read.
    """

    name: str
    photos: tuple[LabelledPhoto, ...]
    labels: Int64Array
    groups: Int64Array | None
    skipped: tuple[tuple[Path, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ComparedBackbone:
    """One backbone on one set: its scores by kind of split, and what a photograph costs.

    `problems` says why a kind of split has no scores. `error_bound` is what could be promised of a model of the whole
    set, None where it is too small. `seconds` is the median time of a photograph on one core, from its bytes to its
    features; `megabytes` what the network takes of memory while it runs, its file included.
    """

    backbone: str
    fingerprint: str
    feature_size: int
    measured: Measured
    problems: dict[SplitKind, str]
    error_bound: ErrorBound | None
    seconds: float
    megabytes: float


def compared_set(name: str, photographs: Photographs) -> ComparedSet:
    """Return the usable photographs of a folder, each as one row, in their order.

    Raises:
        CandidateError: a label cannot be learned from.
    """
    photos = tuple(photo for photo in photographs.photos if photo.label != "unusable")
    labels = binary([photo.label for photo in photos])
    groups = None
    if any(photo.group is not None for photo in photos):
        # A photograph whose group is not known is an insert of its own.
        keys = [photo.group or str(photo.path) for photo in photos]
        groups = np.unique(keys, return_inverse=True)[1].astype(np.int64)
    return ComparedSet(name, photos, labels, groups, photographs.skipped, photographs.notes)


def mostly_cut_out(photos: Sequence[LabelledPhoto]) -> bool:
    """Whether most of these photographs, of which some are looked at, are of inserts that were cut out on black."""
    seen = [_is_cut_out(photo) for photo in photos[:: max(1, len(photos) // TIMED)]]
    return 2 * sum(seen) > len(seen)


def _is_cut_out(photo: LabelledPhoto) -> bool:
    try:
        return foreground(_pixels(photo, _SEEN_AS)) is not None
    except (OSError, UnusableImage):
        return False


def compare_on(
    compared: Sequence[ComparedSet],
    settings: WorkerSettings,
    *,
    repeats: int,
    progress: Progress,
) -> list[ComparedBackbone]:
    """Measure `settings.backbone` on each of the sets. The network is taken from the store, or built and kept there.

    Its features are held in a temporary file, so that wide ones need no memory. A set that is too small has no scores.

    Raises:
        EvaluationError: all the sets are too small.
        UnusableImage: a photograph cannot be read any more.
        ValueError: the network's features of one are not finite.
        As `worker.learning.network.ready_network` does.
    """
    network = stored_or_built(settings, lambda name, size: _pictures(name, size, compared))
    megabytes = resident_megabytes(settings.networks_root(), network)
    results = []
    for one in compared:
        with TemporaryDirectory(prefix="compare-") as folder:
            features = _features(one, network, Path(folder) / "features.npy", progress)
            measured, problems = _scores(one, features, repeats, progress)
            error_bound = _error_bound(one, features)
        seconds = _seconds(one, network)
        results.append(
            ComparedBackbone(
                network.name,
                network.fingerprint,
                network.feature_size,
                measured,
                problems,
                error_bound,
                seconds,
                megabytes,
            )
        )
    if not any(result.measured for result in results):
        reasons = (f"{one.name}: {result.problems['plain']}" for one, result in zip(compared, results, strict=True))
        raise EvaluationError("\n".join(reasons))
    return results


def _pictures(name: NetworkName, size: tuple[int, int], compared: Sequence[ComparedSet]) -> Representative | None:
    """Some photographs of all the sets, where the network's arithmetic needs pictures to be measured on."""
    if name.arithmetic != "int8":
        return None
    photos = [photo for one in compared for photo in one.photos]
    return of_labelled([_pixels(photo, size) for photo in some_of(photos)], size)


def _pixels(photo: LabelledPhoto, size: tuple[int, int]) -> UInt8Array:
    return decode(photo.path.read_bytes(), size)


def _features(one: ComparedSet, network: Network, file: Path, progress: Progress) -> Float32Array:
    """The features (n, d) of a set's photographs, in a file that is mapped into memory."""
    features = np.lib.format.open_memmap(file, "w+", np.float32, (len(one.photos), network.feature_size))
    done = 0
    batches = feature_batches(
        one.photos, lambda photo: _pixels(photo, network.input_size), network, size=_BATCH, unusable=()
    )
    for batch in batches:
        if batch.skipped:
            photo, reason = batch.skipped[0]
            raise ValueError(f"{photo.path}: {reason}")
        features[done : done + len(batch.items)] = batch.features
        done += len(batch.items)
        progress(f"{one.name} · {network.name}", done, len(one.photos))
    return features


def _scores(
    one: ComparedSet, features: Float32Array, repeats: int, progress: Progress
) -> tuple[Measured, dict[SplitKind, str]]:
    """The scores by kind of split, up to the first for which the set is too small, which has a problem instead."""
    alone = np.arange(len(one.labels))
    groups = alone if one.groups is None else one.groups
    kinds: tuple[SplitKind, ...] = ("plain",) if one.groups is None else SPLIT_KINDS
    measured: dict[SplitKind, BackboneScores] = {}
    for kind in kinds:
        try:
            results = cross_validate(
                features,
                one.labels,
                groups,
                costs=Costs(),
                repeats=repeats,
                kinds=(kind,),
                progress=partial(progress, f"{one.name} · {kind} splits"),
            )
        except (EvaluationError, CandidateError) as error:
            return measured, {kind: str(error)}
        measured[kind] = backbone_scores(results[kind][0], one.labels, groups)
    return measured, {}


def _error_bound(one: ComparedSet, features: Float32Array) -> ErrorBound | None:
    rows = np.arange(len(one.labels))
    groups = rows if one.groups is None else one.groups
    try:
        learned = learn(solver_for(features), features, one.labels, groups, rows, costs=Costs())
    except CandidateError:
        return None
    return learned.error_bound(one.labels, groups)


def _seconds(one: ComparedSet, network: Network) -> float:
    """The median time of a photograph, from its bytes to its features, one after another."""
    times = []
    for photo in one.photos[:TIMED]:
        data = photo.path.read_bytes()
        start = time.perf_counter()
        network.features_of([decode(data, network.input_size)])
        times.append(time.perf_counter() - start)
    return float(np.median(times))
