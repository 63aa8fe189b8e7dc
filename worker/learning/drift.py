"""The job `drift`: holds each station's days against its reference days, once a day has ended.

A day is measured once, by some of its photographs (`db.queries.day_sample`). What was measured when they were judged
is at hand; their features are computed here, since the line keeps none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np
import structlog
from sqlalchemy.exc import IntegrityError

from db.line import station_days
from db.line.station_days import ReferenceDay, StationDay
from db.queries import day_sample
from db.queries.day_sample import Sampled
from producer.runtime.arrays import Float32Array, UInt8Array
from producer.storage.store import ImageMissing
from worker.features.batches import feature_batches
from worker.features.extraction import BATCH, read_image
from worker.learning.context import Learning
from worker.learning.day_values import DAYS_APART, FEWEST, MOST_DAYS, DayValues, differences
from worker.learning.lease import held

log = structlog.get_logger()

MOST_AT_ONCE: Final = 100
"""How many stations' days are measured by one run, some minutes of work; the next one goes on."""

FARTHEST: Final = 10
"""How many captures are shown of a day that drifted."""


@dataclass(frozen=True)
class DriftRun:
    """How many days were `measured`, how many are `left` for the next run, and the stations that drift."""

    measured: int = 0
    left: int = 0
    drifting: tuple[str, ...] = ()


def measure_drift(learning: Learning, now: datetime) -> DriftRun | None:
    """Measure the days that ended before `now`; None where another process is at it.

    Raises:
        OSError: the image store cannot be read.
    """
    with held(learning.database, "drift") as mine:
        if not mine:
            return None
        with learning.database.reading() as session:
            due = day_sample.unmeasured(session, now)
        for station, day in due[:MOST_AT_ONCE]:
            _measure(learning, station, day, now)
        with learning.database.reading() as session:
            drifts = station_days.drifting(session, now.date())
    for drift in drifts if due else ():
        log.warning(
            "a station drifts", station=drift.station, since=drift.since.isoformat(), aspects=list(drift.aspects)
        )
    return DriftRun(len(due[:MOST_AT_ONCE]), len(due[MOST_AT_ONCE:]), tuple(drift.station for drift in drifts))


def _measure(learning: Learning, station: str, day: date, now: datetime) -> None:
    with learning.database.reading() as session:
        photographs = day_sample.sample(session, station, day)
        references = station_days.reference_days(session, station)
    if len({photograph.place for photograph in photographs}) < FEWEST:
        row, values = StationDay(station, day, now, len(photographs)), None
        kept: set[date] = {reference.day for reference in references}
    else:
        values = _values(learning, photographs)
        others = [DayValues.from_bytes(one.sample, one.fingerprint, one.model_id) for one in references]
        aspects, order = differences(values, others)
        row = StationDay(
            station,
            day,
            now,
            len(photographs),
            values.fingerprint,
            values.model_id,
            aspects,
            [photographs[place].capture_id for place in order[:FARTHEST]],
        )
        kept = _still_held_against(references, values)
        same = sum((one.fingerprint, one.model_id) == (values.fingerprint, values.model_id) for one in others)
        near = any((day - one.day).days < DAYS_APART for one in references)
        if row.drifted or near or same >= MOST_DAYS:
            values = None
    try:
        with learning.database.transaction() as session:
            station_days.record(session, row, None if values is None else values.to_bytes())
            station_days.forget_samples(session, station, {one.day for one in references} - kept)
    except IntegrityError:  # it was measured meanwhile by a process that lost its lease
        log.info("another process has measured this day", station=station, day=day.isoformat())


def _still_held_against(references: Sequence[ReferenceDay], values: DayValues) -> set[date]:
    """The reference days that a day with such values is held against by some aspect."""
    by_network = [one for one in references if one.fingerprint == values.fingerprint]
    by_model = [one for one in references if one.model_id == values.model_id]
    return {one.day for some in (references, by_network, by_model) for one in some[:MOST_DAYS]}


def _values(learning: Learning, photographs: Sequence[Sampled]) -> DayValues:
    network = learning.backbone()
    counts = Counter(photograph.model_id for photograph in photographs if photograph.model_id is not None)
    model = counts.most_common(1)[0][0] if counts else None
    return DayValues.of(
        [photograph.place for photograph in photographs],
        {
            "brightness": [photograph.brightness for photograph in photographs],
            "sharpness": [photograph.sharpness for photograph in photographs],
            "score": [photograph.decision if photograph.model_id == model else None for photograph in photographs],
        },
        _features(learning, photographs),
        fingerprint=network.fingerprint,
        model_id=model,
    )


def _features(learning: Learning, photographs: Sequence[Sampled]) -> Float32Array:
    """The features (n, d) of the photographs, NaN of those that are gone or cannot be used."""
    network = learning.backbone()
    rows = {photograph.capture_id: number for number, photograph in enumerate(photographs)}
    features = np.full((len(photographs), network.feature_size), np.nan, np.float32)

    def read(photograph: Sampled) -> UInt8Array:
        return read_image(photograph, learning.images, network.input_size)

    for batch in feature_batches(photographs, read, network, size=BATCH, unusable=(ImageMissing, ValueError)):
        for photograph, vector in zip(batch.items, batch.features, strict=True):
            features[rows[photograph.capture_id]] = vector
    return features
