"""Reviews: the labels that people give captures. They override every verdict, and the system learns from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import takewhile
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, func, insert, select, update
from sqlalchemy.orm import Session

from db.learning.review_chances import current_chance
from db.line import check_revisions, faults, late_labels, pockets
from db.line.insert_changes import insert_changed_at
from db.line.insert_lives import PocketPhoto, insert_keys
from db.line.photographs import MARK, is_there
from db.schema.column_types import fitting
from db.schema.column_words import Provenance
from db.schema.tables import Captures, Reviews, SnapshotItems, Snapshots, Verdicts
from producer.contract.reasons import refusals as why
from producer.contract.reasons.recognition import recognised
from producer.contract.reasons.stations import OF_STAND_INS
from producer.contract.vocabulary import LABELS, OUTCOME_OF

MAX_NOTE = 4_000
"""How many characters of a note are kept."""


@dataclass(frozen=True)
class Review:
    """The label that one person gave one capture.

    `label` is one of `producer.contract.vocabulary.LABELS`, `note` free text. `provenance` says how it came: of one
    photograph that was looked at (`single`), or of a contact sheet of them at once (`bulk`). `chance` is that with
    which the capture is offered for review, by its verdict when it was first reviewed (`db.learning.review_chances`).
    """

    id: int
    capture_id: UUID
    label: str
    by: str
    at: datetime
    note: str | None = None
    provenance: str = "single"
    chance: float | None = None


@dataclass(frozen=True)
class Labelled:
    """One capture with the label of its newest review: what training needs to know of it.

    `image` is the key in the image store, `region` what of it shows the insert, with the fields of
    `producer.contract.region`, and `insert_key` names the insert that it shows (`db.line.insert_lives`). `captured_at`
    is its place in the order of all captures (`db.line.capture_order`), `provenance` how its review came, and
    `chance` with which chance (`Review`).
    """

    capture_id: UUID
    image: str
    image_sha256: str
    region: Mapping[str, Any] | None
    label: str
    insert_key: str
    machine: str
    station: str
    captured_at: datetime
    review_id: int
    provenance: str = "single"
    head: str = ""
    chance: float | None = None


class Overtaken(Exception):
    """`by` has said what it is since the person looked, who has not seen that."""

    def __init__(self, by: str):
        super().__init__(by)
        self.by = by


class NobodySaw(ValueError):
    """There is no photograph of it, so nobody can say anything of it but that it is unusable."""


_CHECK_OF = select(Captures.check_id)
_COLUMNS = [getattr(Reviews, field.name) for field in fields(Review)]


def add(
    session: Session,
    *,
    capture_id: UUID,
    label: str,
    by: str,
    at: datetime,
    note: str | None = None,
    provenance: Provenance = "single",
    seen: int | None = None,
) -> Review:
    """Keep a review. It counts from now on, whatever the ones before say; none is ever deleted.

    `seen` is the newest review of it that the person knew, 0 for none. Where the first thing said since is the same,
    by the same person, it is said again, as its answer was lost or another tab of a browser had it too: that review is
    the answer, whatever was said after it.

    Raises:
        LookupError: the capture was never recorded.
        NobodySaw: it is a stand-in, or its photograph was removed or never read, and the label is not `unusable`.
            Whether a photograph that should be there can be read at the moment is not asked: it may have been seen.
        Overtaken: somebody has said something else after `seen`, of the same account or another.
        ValueError: there is no such label, `by` is empty, or `at` is naive.
    """
    if label not in LABELS:
        raise ValueError(f"a review says one of {', '.join(LABELS)}, not {label!r}")
    if not by.strip():
        raise ValueError("a review needs the name of who says it")
    check_revisions.of_captures(session, [capture_id])
    # Transactions lock the capture's row in turn: the order of the ids is the order in which reviews count.
    capture = select(Captures.image, Captures.outcome).where(Captures.capture_id == capture_id).with_for_update()
    known = session.execute(capture).first()
    if known is None:
        raise LookupError(why.NOT_RECORDED(capture=capture_id))
    if label != "unusable":
        _check_photograph(session, capture_id, *known)
    before = of_capture(session, capture_id)
    since = [] if seen is None else [review for review in before if review.id > seen]
    note = fitting(note.strip(), MAX_NOTE) or None if note else None
    if since and (since[-1].by, since[-1].label, since[-1].provenance, since[-1].note) == (by, label, provenance, note):
        return since[-1]
    if since:
        raise Overtaken(since[0].by)
    values = {
        "capture_id": capture_id,
        "label": label,
        "by": fitting(by.strip(), 120),
        "at": at,
        "note": note,
        "provenance": provenance,
        "chance": before[-1].chance if before else current_chance(session, capture_id),
    }
    row = session.execute(insert(Reviews).values(values).returning(*_COLUMNS)).one()
    session.execute(update(Captures).where(Captures.capture_id == capture_id).values(review=label))
    pockets.mark(session.connection(), [capture_id])
    same = [*takewhile(lambda review: OUTCOME_OF[review.label] == "damaged", before)]
    is_known = same == before and known.outcome == "damaged"  # since the verdict
    said_at = same[-1].at if same else None
    if OUTCOME_OF[label] == "damaged" and not is_known and late_labels.keep(session, capture_id, at, said_at):
        check_revisions.note(session, session.scalars(_CHECK_OF.where(Captures.capture_id == capture_id)).all())
    return Review(*row)


def _check_photograph(session: Session, capture_id: UUID, image: str, outcome: str | None) -> None:
    if image.startswith(MARK):
        raise NobodySaw(why.PHOTOGRAPH_REMOVED(capture=capture_id))
    if outcome is None and faults.is_unread(session, capture_id):
        raise NobodySaw(why.PHOTOGRAPH_NOT_READ(capture=capture_id))
    if outcome == "unusable":
        query = select(Verdicts.reason).where(Verdicts.capture_id == capture_id, Verdicts.current)
        reason = recognised(session.scalar(query) or "")
        if reason is not None and reason.template in OF_STAND_INS:
            raise NobodySaw(why.NO_PHOTOGRAPH(capture=capture_id))


def of_capture(session: Session, capture_id: UUID) -> list[Review]:
    """All reviews of a capture, the newest (which counts) first."""
    query = select(*_COLUMNS).where(Reviews.capture_id == capture_id).order_by(Reviews.id.desc())
    return [Review(*row) for row in session.execute(query)]


def newest_labels(session: Session, capture_ids: Collection[UUID]) -> dict[UUID, str]:
    """What the newest review says of each of these captures that has one."""
    query = select(Captures.capture_id, Captures.review)
    query = query.where(Captures.capture_id.in_(capture_ids), Captures.review.is_not(None))
    return {row.capture_id: row.review for row in session.execute(query)}


def recent(
    session: Session,
    *,
    capture_id: UUID | None = None,
    by: str | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Review]:
    """The last reviews, newest first; `since` is the earliest moment, `before` the last id of the page before."""
    query = select(*_COLUMNS).order_by(Reviews.id.desc()).limit(limit)
    if capture_id is not None:
        query = query.where(Reviews.capture_id == capture_id)
    if by is not None:
        query = query.where(Reviews.by == by)
    if since is not None:
        query = query.where(Reviews.at >= since)
    if before is not None:
        query = query.where(Reviews.id < before)
    return [Review(*row) for row in session.execute(query)]


OF_CAPTURE = (
    Captures.capture_id,
    Captures.image,
    Captures.image_sha256,
    Captures.region,
    Captures.machine,
    Captures.head,
    Captures.station,
    Captures.ordered_at.label("captured_at"),
)
"""The columns of a `Labelled` that its capture has."""


def labelled(session: Session) -> list[Labelled]:
    """The labelled set as it is now, by capture id: each reviewed capture with the label that counts.

    It goes through all captures of the pockets that have a label, to know which insert each shows, and keeps the
    labelled ones in memory. A label that was given when the photograph had been removed teaches nothing and is left
    out.
    """
    newest = _newest_reviews()
    key_of = dict.fromkeys(session.scalars(select(newest.c.capture_id)), "")
    for capture_id, insert_key in insert_keys(_photos(session)):
        if capture_id in key_of:
            key_of[capture_id] = insert_key
    query = (
        select(
            *OF_CAPTURE,
            Reviews.label,
            Reviews.id.label("review_id"),
            Reviews.provenance,
            Reviews.chance,
        )
        .select_from(newest)
        .join(Reviews, Reviews.id == newest.c.review_id)
        .join(Captures, Captures.capture_id == newest.c.capture_id)
        .where(is_there())
    )
    # A review that came since the keys were read belongs to the next set.
    items = (Labelled(**row._mapping, insert_key=key_of.get(row.capture_id, "")) for row in session.execute(query))
    return sorted((item for item in items if item.insert_key), key=lambda item: item.capture_id)


def newer_than(session: Session, snapshot_id: str | None) -> int:
    """How many captures have a label that a snapshot does not know, or knows differently; without one, how many at all.

    Raises:
        LookupError: there is no such snapshot.
    """
    if snapshot_id is None:
        reviewed = select(func.count(Reviews.capture_id.distinct()))
        return session.scalar(reviewed.join(Captures, Captures.capture_id == Reviews.capture_id).where(is_there())) or 0
    last = session.scalar(select(Snapshots.last_review).where(Snapshots.snapshot_id == snapshot_id))
    if last is None:
        raise LookupError(f"there is no snapshot {snapshot_id!r}")
    known = (SnapshotItems.snapshot_id == snapshot_id) & (SnapshotItems.capture_id == Reviews.capture_id)
    query = (
        select(func.count(Reviews.capture_id.distinct()))
        .join(Captures, Captures.capture_id == Reviews.capture_id)
        .outerjoin(SnapshotItems, known)
        .where(Reviews.id > last, is_there(), Captures.review.is_distinct_from(SnapshotItems.label))
    )
    return session.scalar(query) or 0


def _newest_reviews() -> Subquery:
    query = select(Reviews.capture_id, func.max(Reviews.id).label("review_id")).group_by(Reviews.capture_id)
    return query.subquery("newest_reviews")


def _photos(session: Session) -> Iterator[PocketPhoto]:
    """All captures of the pockets that have a label, up to the last labelled one of each, in their order."""
    place = (Captures.machine, Captures.head, Captures.pocket)
    newest = _newest_reviews()
    places = (
        select(*place, func.max(Captures.ordered_at).label("last_at"))
        .join(newest, newest.c.capture_id == Captures.capture_id)
        .group_by(*place)
        .subquery("places")
    )
    same = [column == places.c[column.key] for column in place]
    query = (
        select(
            Captures.capture_id,
            *place,
            Captures.insert_designation,
            Captures.edge,
            Captures.operations_on_edge,
            Captures.outcome,
            insert_changed_at(),
            Captures.review,
        )
        .join(places, (same[0]) & (same[1]) & (same[2]) & (Captures.ordered_at <= places.c.last_at))
        .order_by(*place, Captures.ordered_at, Captures.capture_id)
        .execution_options(yield_per=5_000)
    )
    yield from map(PocketPhoto.of, session.execute(query))
