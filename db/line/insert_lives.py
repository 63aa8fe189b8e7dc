"""Which photographs show the same insert: the life of an insert in its pocket, between two replacements.

Two photographs of one insert are almost the same picture. If a model learns from one and is tested on the other, the
result looks too good. So evaluation keeps a life together, on one side of a split.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from producer.contract.names import IMPORTED, designation_form
from producer.contract.vocabulary import DECIDED, outcome_now


@dataclass(frozen=True)
class PocketPhoto:
    """One photograph of a pocket.

    The fields after `pocket` are those of `db.line.captures.Capture`, each None where the line does not send it;
    `outcome` is that of the newest review, else of the verdict, else None. `insert_changed_at` is when a person last
    changed the insert before the photograph was taken (`db.line.insert_changes`), None if no change is recorded.
    """

    capture_id: UUID
    machine: str
    head: str
    pocket: int
    insert_designation: str | None
    edge: int | None
    operations_on_edge: int | None
    outcome: str | None
    insert_changed_at: datetime | None = None

    @classmethod
    def of(cls, row: Any) -> PocketPhoto:
        """The one of a row with a capture's columns, its newest review and when its insert was changed."""
        return cls(
            row.capture_id,
            row.machine,
            row.head,
            row.pocket,
            row.insert_designation,
            row.edge,
            row.operations_on_edge,
            outcome_now(row.review, row.outcome),
            row.insert_changed_at,
        )


@dataclass
class _Known:
    """What is known about the insert that is in a pocket."""

    insert_designation: str | None = None
    edge: int | None = None
    operations_on_edge: int | None = None
    outcome: str | None = None
    changed_at: datetime | None = None

    def learn(self, photo: PocketPhoto) -> None:
        self.changed_at = photo.insert_changed_at
        if photo.insert_designation is not None:
            self.insert_designation = photo.insert_designation
        if photo.edge is not None:
            self.edge = photo.edge
        if photo.operations_on_edge is not None:
            self.operations_on_edge = photo.operations_on_edge
        if photo.outcome in DECIDED:
            self.outcome = photo.outcome


def insert_keys(photos: Iterable[PocketPhoto], *, only_stated: bool = False) -> Iterator[tuple[UUID, str]]:
    """The key of the insert that each photo shows: `machine/head/pocket/capture_id of its first photo`.

    An insert is new if a person says that it was changed, if another insert or another edge of it is named, or if the
    operations on the edge have become fewer. If the line does not count operations, an intact insert after a damaged
    one is new. If the line counts them and the count went on, the change is a model's mistake rather than a new insert;
    to take one insert for two would make an evaluation look too good.

    Args:
        photos: by machine, head, pocket, in their order (`db.line.capture_order`); read as they are asked for.
        only_stated: whether an intact insert after a damaged one is no new one unless a person or the line says so.
    """
    for (machine, head, pocket), of_pocket in groupby(photos, lambda photo: (photo.machine, photo.head, photo.pocket)):
        insert_key = ""
        known = _Known()
        for photo in of_pocket:
            if not insert_key or _is_stated(known, photo) or not (only_stated or _goes_on(known, photo)):
                insert_key = f"{machine}/{head}/{pocket}/{photo.capture_id}"
                known = _Known()
            known.learn(photo)
            yield photo.capture_id, insert_key


def _is_stated(known: _Known, photo: PocketPhoto) -> bool:
    """Whether a person or the line says that a photo is of another insert than the one before."""
    if photo.machine == IMPORTED:
        return False
    if photo.insert_changed_at != known.changed_at:
        return True
    kinds = known.insert_designation, photo.insert_designation
    if len({designation_form(kind) for kind in kinds if kind is not None}) > 1:
        return True
    if None not in (known.edge, photo.edge) and known.edge != photo.edge:
        return True
    if known.operations_on_edge is not None and photo.operations_on_edge is not None:
        return photo.operations_on_edge < known.operations_on_edge
    return False


def _goes_on(known: _Known, photo: PocketPhoto) -> bool:
    """Whether a photo can be of the same insert as the one before by what both show."""
    is_counted = known.operations_on_edge is not None and photo.operations_on_edge is not None
    return photo.machine == IMPORTED or is_counted or not (known.outcome == "damaged" and photo.outcome == "intact")
