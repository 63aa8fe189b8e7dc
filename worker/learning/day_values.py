"""A day's photographs as numbers, and how they differ from those of a station's reference days, aspect by aspect."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from db.line.station_days import ASPECTS, Aspect
from producer.runtime.arrays import AnyArray, Float32Array, Float64Array, Int64Array
from worker.models.energy_distance import between_inserts, compared, hardly_chance, pairwise

COLUMNS: Final = 128
"""The length that features are folded to, each with a sign of its own, which keeps distances to a tenth."""

FEWEST: Final = 4
"""Pockets that were photographed on a day, below which nothing is said of it."""

FEWEST_DAYS: Final = 5
"""Reference days, below which nothing is held against them."""

MOST_DAYS: Final = 10
"""Reference days that a day is held against; the first ones that can be compared with it."""

DAYS_APART: Final = 3
"""How far reference days are apart: on the next day nearly the same inserts are photographed."""

LEVEL: Final = 0.01
"""How likely some aspect of a day may be called different by the inserts that happen to be in the pockets."""

LEAST: Final = 0.02
"""A distance below this is none that matters, whatever chance says: a quarter of a standard deviation."""

_ROW: Final = np.dtype(
    [("place", "<u2"), ("brightness", "<f4"), ("sharpness", "<f4"), ("score", "<f4"), ("features", "<f2", (COLUMNS,))]
)


@dataclass(frozen=True, eq=False)
class DayValues:
    """What was measured of a day's photographs, NaN where something is not known.

    `rows` (n,) have the fields `place` (a number for each pocket), `brightness`, `sharpness`, `score` (the decision
    value) and `features` (folded); these are by the network of that `fingerprint`, the scores by the model `model_id`.
    """

    rows: AnyArray
    fingerprint: str | None
    model_id: str | None

    @classmethod
    def of(
        cls,
        places: Sequence[Hashable],
        measured: Mapping[str, Sequence[float | None]],
        features: Float32Array,
        *,
        fingerprint: str | None,
        model_id: str | None,
    ) -> DayValues:
        """From the `places` (n,) that were photographed, `measured` values (n,) by aspect and features (n, d).

        Of what is not known, features are NaN and other values None.
        """
        rows = np.empty(len(features), _ROW)
        for name, values in measured.items():
            rows[name] = np.array(values, np.float32)  # None becomes NaN
        numbers = {place: number for number, place in enumerate(dict.fromkeys(places))}
        rows["place"] = [numbers[place] for place in places]
        rows["features"] = folded(features)
        return cls(rows, fingerprint, model_id)

    def to_bytes(self) -> bytes:
        """The rows as they are kept: NumPy's own file format, without anything that could run."""
        file = io.BytesIO()
        np.save(file, self.rows, allow_pickle=False)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, fingerprint: str | None, model_id: str | None) -> DayValues:
        """What `to_bytes` returned.

        Raises:
            ValueError: it is something else.
        """
        rows = np.load(io.BytesIO(data), allow_pickle=False)
        if rows.dtype != _ROW:
            raise ValueError(f"a day's values are {_ROW}, not {rows.dtype}")
        return cls(rows, fingerprint, model_id)

    def known(self, aspect: str) -> tuple[AnyArray, Int64Array]:
        """The values of an aspect that are known, (m,) or (m, d), and which rows they are (m,)."""
        values = self.rows[aspect].astype(np.float64)
        places = np.flatnonzero(np.isfinite(values.reshape(len(values), -1)).all(axis=1))
        return values[places], places

    def is_comparable(self, other: DayValues, aspect: str) -> bool:
        """Whether the two mean the same by an aspect, and it is known of enough pockets of both."""
        if aspect == "features" and self.fingerprint != other.fingerprint:
            return False
        if aspect == "score" and self.model_id != other.model_id:
            return False
        return all(len(np.unique(one.rows["place"][one.known(aspect)[1]])) >= FEWEST for one in (self, other))


def folded(features: Float32Array) -> Float32Array:
    """The features (n, d) as directions, (n, `COLUMNS`) or filled up with zeros to that.

    The signs are digits of a digest, so that they are the same in each version of everything.
    """
    width = features.shape[1]
    bits = hashlib.shake_128(b"signs of a day's features").digest(-(-width // 8))
    signs = 1 - 2 * np.unpackbits(np.frombuffer(bits, np.uint8))[:width].astype(np.float32)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    directions = features / np.where(lengths == 0, 1, lengths)
    padded = np.pad(directions * signs, ((0, 0), (0, -width % COLUMNS)))
    return np.asarray(padded.reshape(len(features), -1, COLUMNS).sum(axis=1), np.float32)


def differences(day: DayValues, references: Sequence[DayValues]) -> tuple[dict[str, Aspect], list[int]]:
    """How a day differs from a station's reference days, the first one first, by each aspect that can be compared.

    Also the rows of the day, those that are farthest by the aspects that drifted first.
    """
    aspects: dict[str, Aspect] = {}
    far: dict[str, Float64Array] = {}
    for name in ASPECTS:
        others = [other for other in references if day.is_comparable(other, name)][:MOST_DAYS]
        if len(others) < FEWEST_DAYS:
            continue
        known = [one.known(name) for one in (*others, day)]
        values = [part for part, _ in known]
        days = np.repeat(np.arange(len(known)), [len(part) for part in values])
        places = np.concatenate([one.rows["place"][rows] for one, (_, rows) in zip((*others, day), known, strict=True)])
        seen, inserts = np.unique(np.stack([days, places]), axis=1, return_inverse=True)
        distances = pairwise(np.concatenate(values))
        comparison = compared(between_inserts(distances, inserts.ravel()), seen[0], len(others))
        single = name != "features"
        aspects[name] = Aspect(
            distance=comparison.distance,
            usual=comparison.usual,
            chance=comparison.chance,
            drifted=comparison.distance > max(comparison.usual, LEAST),
            median=float(np.median(values[-1])) if single else None,
            usual_median=float(np.median(np.concatenate(values[:-1]))) if single else None,
        )
        is_of_day = days == len(others)
        between = distances[np.ix_(is_of_day, ~is_of_day)].mean(axis=1)
        far[name] = np.full(len(day.rows), 0.0)
        far[name][known[-1][1]] = between / distances[~is_of_day][:, ~is_of_day].mean().clip(1e-9)
    for aspect, unlikely in zip(
        aspects.values(), hardly_chance((aspect["chance"] for aspect in aspects.values()), LEVEL), strict=True
    ):
        aspect["drifted"] = aspect["drifted"] and unlikely
    drifted: list[Any] = [far[name] for name, aspect in aspects.items() if aspect["drifted"]]
    order = np.argsort(-np.max(drifted, axis=0), kind="stable").tolist() if drifted else []
    return aspects, order
