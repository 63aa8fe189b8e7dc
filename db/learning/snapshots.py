"""Snapshots of the labelled set: what a model was trained on, exactly, for as long as there is the database."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import insert as insert_rows
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine.upsert import insert
from db.learning import reviews
from db.learning.reviews import OF_CAPTURE, Labelled
from db.schema.tables import Captures, Reviews, SnapshotItems, Snapshots
from producer.contract.vocabulary import LABELS

_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Snapshot:
    """A labelled set: `counts` has the number of captures of each label that occurs, `size` their sum.

    `last_review` is the highest id of a review in it, 0 where it is empty.
    """

    snapshot_id: str
    created_at: datetime
    size: int
    counts: Mapping[str, int]
    last_review: int


_COLUMNS = [getattr(Snapshots, field.name) for field in fields(Snapshot)]


def take(session: Session, at: datetime, labelled: Sequence[Labelled] | None = None) -> Snapshot:
    """Keep the labelled set as it is; the same content is the same snapshot, however often it is taken.

    A transaction of SQLite keeps all other writers waiting. Where there are very many captures, read `labelled`
    (`db.learning.reviews.labelled`) in a reading scope before and hand it in.

    Raises:
        ValueError: `at` is naive.
    """
    items = reviews.labelled(session) if labelled is None else labelled
    counts = Counter(item.label for item in items)
    snapshot = Snapshot(
        snapshot_id=digest(items),
        created_at=at,
        size=len(items),
        counts={label: counts[label] for label in LABELS if counts[label]},
        last_review=max((item.review_id for item in items), default=0),
    )
    new = insert(session, Snapshots).values(asdict(snapshot)).on_conflict_do_nothing()
    if session.execute(new.returning(Snapshots.snapshot_id)).first() is None:
        kept = session.execute(select(*_COLUMNS).where(Snapshots.snapshot_id == snapshot.snapshot_id)).one()
        return Snapshot(*kept)
    rows: list[dict[str, Any]] = [
        {
            "snapshot_id": snapshot.snapshot_id,
            "capture_id": item.capture_id,
            "label": item.label,
            "insert_key": item.insert_key,
            "review_id": item.review_id,
        }
        for item in items
    ]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        session.execute(insert_rows(SnapshotItems), rows[start : start + _ROWS_AT_ONCE])
    return snapshot


def digest(items: Iterable[Labelled]) -> str:
    """SHA-256, in hexadecimal, over what training sees: capture, image, region, label and insert of each, sorted."""
    lines = sorted(
        json.dumps([str(item.capture_id), item.image_sha256, item.region, item.label, item.insert_key], sort_keys=True)
        for item in items
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def find(session: Session, snapshot_id: str) -> Snapshot | None:
    """The snapshot of that name, or None."""
    row = session.execute(select(*_COLUMNS).where(Snapshots.snapshot_id == snapshot_id)).first()
    return Snapshot(*row) if row else None


def latest(session: Session) -> Snapshot | None:
    """The snapshot that was made last, or None before there is one."""
    query = select(*_COLUMNS).order_by(Snapshots.created_at.desc(), Snapshots.last_review.desc()).limit(1)
    row = session.execute(query).first()
    return Snapshot(*row) if row else None


def items(session: Session, snapshot_id: str) -> list[Labelled]:
    """All that is in a snapshot, by capture id: with the labels of then, whatever reviews came since.

    Raises:
        LookupError: there is no such snapshot.
    """
    if find(session, snapshot_id) is None:
        raise LookupError(f"there is no snapshot {snapshot_id!r}")
    query = (
        select(
            *OF_CAPTURE,
            SnapshotItems.label,
            SnapshotItems.insert_key,
            SnapshotItems.review_id,
            Reviews.provenance,
            Reviews.chance,
        )
        .select_from(SnapshotItems)
        .join(Captures, Captures.capture_id == SnapshotItems.capture_id)
        .join(Reviews, Reviews.id == SnapshotItems.review_id)
        .where(SnapshotItems.snapshot_id == snapshot_id)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    return sorted((Labelled(**row._mapping) for row in session.execute(query)), key=lambda item: item.capture_id)
