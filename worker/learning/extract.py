"""The job `reextract`: brings the feature store up to date, in chunks that several processes share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import db.line.captures
from db.learning import reviews
from worker.features import catalogue
from worker.features.extraction import (
    BATCH,
    SHARD_BYTES,
    ChunkResult,
    Stored,
    StoredImage,
    extract_chunk,
    key_of,
    missing,
)
from worker.features.store import FeatureStore
from worker.learning.context import Learning, trainable
from worker.learning.lease import held
from worker.runtime.progress import Progress, silent

MOST_IN_A_CHUNK: Final = 256
"""Most images of one task: seconds of work with a light network, a minute or two with a heavy one."""


@dataclass(frozen=True)
class Extracted:
    """How many features are `written` now, which captures have none and why, and how many images another process was
    extracting at the time.
    """

    written: int = 0
    unusable: tuple[tuple[UUID, str], ...] = ()
    elsewhere: int = 0


def reextract(learning: Learning, items: Sequence[StoredImage] | None = None, progress: Progress = silent) -> Extracted:
    """Extract the features that the labelled set (or `items`) lacks, all in this process.

    Chunks that another process is extracting are left to it.

    Raises:
        OSError: the image store cannot be read.
    """
    if items is None:
        with learning.database.reading() as session:
            items = trainable(reviews.labelled(session))
    if not items:
        return Extracted()
    store = current(learning)
    wanted = missing(items, store)
    written, elsewhere, done, unusable = 0, 0, 0, list[tuple[UUID, str]]()
    progress("features", 0, len(wanted))
    for chunk in chunks(wanted, store.feature_size):
        result = extract(learning, chunk, store)
        if result is None:
            elsewhere += len(chunk)
        else:
            written += result.written
            unusable += result.unusable
        done += len(chunk)
        progress("features", done, len(wanted))
    return Extracted(written, tuple(unusable), elsewhere)


def plan(learning: Learning) -> list[list[UUID]]:
    """Return the captures whose features the labelled set lacks, in chunks for many processes."""
    with learning.database.reading() as session:
        items = trainable(reviews.labelled(session))
    if not items:
        return []
    store = current(learning)
    return [[item.capture_id for item in chunk] for chunk in chunks(missing(items, store), store.feature_size)]


def extract_captures(learning: Learning, captures: Sequence[UUID]) -> ChunkResult | None:
    """Extract the features of these captures that are still missing; None where another process is extracting them.

    Raises:
        OSError: the image store cannot be read.
    """
    with learning.database.reading() as session:
        items = [db.line.captures.find(session, capture) for capture in captures]
    return extract(learning, [capture for capture in items if capture is not None], current(learning))


def extract(learning: Learning, chunk: Sequence[StoredImage], store: FeatureStore) -> ChunkResult | None:
    """Extract one chunk; None where another process is extracting the same one."""
    digest = hashlib.sha256(" ".join(sorted(key_of(item) for item in chunk)).encode()).hexdigest()
    with held(learning.database, f"extract {store.fingerprint[:16]} {digest[:32]}") as mine:
        return extract_chunk(chunk, learning.images, learning.backbone(), store) if mine else None


def current(learning: Learning) -> FeatureStore:
    """Return the feature store of the network to extract with, which is begun where there is none."""
    network = learning.backbone()
    return catalogue.begin(
        learning.features,
        fingerprint=network.fingerprint,
        backbone=network.name,
        feature_size=network.feature_size,
    )


def chunks(items: Sequence[Stored], feature_size: int) -> list[Sequence[Stored]]:
    """Divide `items` into chunks of about one shard each, so that a chunk is stored completely or not at all.

    The rest then falls into the same chunks as before, so that the leases on them keep processes apart.
    """
    size = min(MOST_IN_A_CHUNK, max(BATCH, SHARD_BYTES // (4 * feature_size)))
    return [items[start : start + size] for start in range(0, len(items), size)]
