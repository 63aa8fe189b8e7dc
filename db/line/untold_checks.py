"""Checks whose answer a person has changed by a label: a worker sends it, because a label comes without a message.

They are noted in the transaction of the label (`db.line.check_revisions.of_captures`), and removed once they have been
sent with the revision that they have by then. So are those that know what no answer says (`db.line.holds`).

A label whose check has no answer for its head (it is pending again, or is of another head) is sent itself: the head's
last answer must not stand until that check ends, or for good. Other systems are sent every label of what a pocket
shows, as they show that pocket too; a station has the answer of its check.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from db.line import checks, late_labels
from db.line.checks import Check
from db.line.pockets import here
from db.schema.tables import Captures, Checks, Pockets, Reviews, UntoldChecks
from producer.contract.vocabulary import LABELS, OUTCOME_OF

CHECKS_AT_ONCE: Final = 200
"""How many are sent in one step."""

_Said = aliased(Reviews)
_NOT_INTACT: Final = [label for label in LABELS if OUTCOME_OF[label] != "intact"]


@dataclass(frozen=True)
class LabelledCapture:
    """What a person said of a capture last, when, and whose insert it is."""

    station: str
    capture_id: UUID
    check_id: UUID
    machine: str
    head: str
    pocket: int
    label: str
    at: datetime


@dataclass(frozen=True)
class Untold:
    """What is to be sent: labels, then checks; and for the notes of them the revision up to which nothing is left.

    `shown` are the labels for other systems alone.
    """

    shown: list[LabelledCapture]
    labels: list[LabelledCapture]
    checks: list[Check]
    revisions: Mapping[UUID, int]


def untold(session: Session) -> Untold:
    """Some checks to be sent, and the labels that no check's answer tells. A pending check is sent when it ends.

    Of two runs of a head the later one is sent last: other systems take what it says for newer.
    """
    query = select(Checks.check_id, Checks.revision).join(UntoldChecks, UntoldChecks.check_id == Checks.check_id)
    revisions = {row.check_id: row.revision for row in session.execute(query.limit(CHECKS_AT_ONCE))}
    if not revisions:
        return Untold([], [], [], {})
    ended = sorted(checks.finished(session, revisions.keys()), key=lambda check: (check.started_at, check.check_id))
    pending = revisions.keys() - {check.check_id for check in ended}
    untold_labels = labels(session, revisions.keys(), pending)
    own = [one for one in shown(session, revisions.keys()) if one not in untold_labels]
    return Untold(own, untold_labels, ended, revisions)


def remove(session: Session, revisions: Mapping[UUID, int]) -> None:
    """Remove these checks, which were sent, unless they have a later answer by now."""
    # Whoever labels one of them now is waited for, and the next statement sees the revision that it has then.
    of_these = select(UntoldChecks.check_id).where(UntoldChecks.check_id.in_(list(revisions)))
    session.execute(of_these.order_by(UntoldChecks.check_id).with_for_update())
    for check_id, revision in revisions.items():
        later = select(Checks.check_id).where(Checks.check_id == check_id, Checks.revision > revision)
        of_it = delete(UntoldChecks).where(UntoldChecks.check_id == check_id)
        session.execute(of_it.where(~later.exists()))


def labels(session: Session, noted: Collection[UUID], pending: Collection[UUID]) -> list[LabelledCapture]:
    """The labels but for `intact` in these checks that are of another head than their check, or whose check pends."""
    of_none = or_(
        Captures.check_id.in_(list(pending)), Captures.machine != Checks.machine, Captures.head != Checks.head
    )
    return _labels(session, noted, Captures.review.in_(_NOT_INTACT), of_none)


def shown(session: Session, noted: Collection[UUID]) -> list[LabelledCapture]:
    """The labels in these checks of what a pocket shows now, also behind newer photographs (`db.line.late_labels`)."""
    in_force = late_labels.in_force(session)
    late, places = {label.capture_id for label in in_force}, {label.place for label in in_force}
    is_newest = select(Pockets.pocket).where(here(Captures), Pockets.capture_id == Captures.capture_id)
    said = _labels(session, noted, or_(Captures.capture_id.in_(late), is_newest.correlate(Captures).exists()))
    return [one for one in said if one.capture_id in late or (one.machine, one.head, one.pocket) not in places]


def _labels(session: Session, noted: Collection[UUID], *conditions: ColumnElement[bool]) -> list[LabelledCapture]:
    """What people said last of some photographs of these checks, in the order in which they said it."""
    of_it = select(func.max(_Said.id)).where(_Said.capture_id == Captures.capture_id)
    query = (
        select(
            Captures.station,
            Captures.capture_id,
            Captures.check_id,
            Captures.machine,
            Captures.head,
            Captures.pocket,
            Reviews.label,
            Reviews.at,
        )
        .join(Checks, Checks.check_id == Captures.check_id)
        .join(Reviews, Reviews.id == of_it.correlate(Captures).scalar_subquery())
        .where(Captures.check_id.in_(list(noted)), Captures.review.is_not(None), *conditions)
        .order_by(Reviews.id)
    )
    return [LabelledCapture(**row._mapping) for row in session.execute(query)]
