"""What checks know against a head while none of their answers says so: other systems are told it by itself.

A check that pends has no answer, though a photograph of it may have failed, be doubted or show damage; or it awaits a
pocket that nobody has seen of that head. A photograph that lies in another head's check is never answered for its own.
The board shows both at once (`db.queries.head_overview`), so no system must go on showing the head's last `go`.

And the answer of a run that is a go knows nothing of what an earlier run photographed after it. That is told with it.
Nor does it know what a person says later of an earlier run's photograph (`db.line.late_labels`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import func, literal_column, or_, select
from sqlalchemy.orm import Session

from db.engine.clock import TICK
from db.line import checks, late_labels, newer_photographs
from db.line.checks import Check
from db.line.contradicting_captures import CONTRADICT_WHEN_JUDGED, MAY_CONTRADICT, OF_CHECK
from db.line.pockets import here, word_of
from db.line.rows import on_machine
from db.line.standing_faults import STANDS
from db.schema.tables import Captures, Checks, Faults, Pockets
from producer.contract.plant_news import Hold

CHECKS_AT_ONCE: Final = 500
"""How many checks are looked at in one step."""

_LAST_IS_KNOWN: Final = select(Pockets.pocket).where(
    Pockets.machine == Checks.machine, Pockets.head == Checks.head, Pockets.pocket == Checks.size
)
_IS_UNSEEN: Final = (Checks.size > 1) & ~_LAST_IS_KNOWN.exists()
_IS_FLAGGED: Final = select(Captures.capture_id).where(OF_CHECK, word_of(Captures) != "intact").exists()
_HAS_FAULT: Final = select(Faults.id).where(Faults.check_id == Checks.check_id, STANDS).exists()
# Most that wait have nothing against their head, and to read them all one by one takes long where many wait.
_MAY_HOLD: Final = or_(_IS_UNSEEN, _IS_FLAGGED, _HAS_FAULT, MAY_CONTRADICT, CONTRADICT_WHEN_JUDGED)


def now(session: Session, noted: Collection[UUID]) -> list[Hold]:
    """What is known now by the checks that await a photograph and by the `noted` ones (`check_revisions.note`)."""
    # As words, so that a partial index will do.
    awaited = select(Checks.check_id).where(literal_column("checks.awaited"), on_machine(Checks.machine, None))
    of_all = sorted({*session.scalars(awaited.where(_MAY_HOLD)), *noted})
    steps = (of_all[first : first + CHECKS_AT_ONCE] for first in range(0, len(of_all), CHECKS_AT_ONCE))
    return [*_of_late_labels(session), *(hold for some in steps for hold in of_checks(session, some))]


def of_checks(session: Session, check_ids: Collection[UUID]) -> list[Hold]:
    """What some checks know."""
    if not check_ids:
        return []
    known = _assessed(session, check_ids)
    pending = [check for check in known if check.state == "pending"]
    return [*_of_pending(session, pending), *of_earlier_runs(session, known), *_of_other_heads(session, check_ids)]


def _assessed(session: Session, check_ids: Collection[UUID]) -> list[Check]:
    rows = session.execute(select(*checks.COLUMNS).where(Checks.check_id.in_(check_ids))).all()
    return [check for check, _ in checks.assessed(session, rows)]


def _of_pending(session: Session, pending: Collection[Check]) -> list[Hold]:
    if not pending:
        return []
    of_these = Checks.check_id.in_([check.check_id for check in pending])
    # Of the check, not of the pocket: the board has a check where its newest photograph is.
    last = select(Captures.check_id, func.max(Captures.ordered_at))
    last = last.join(Checks, Checks.check_id == Captures.check_id).where(of_these)
    at = {row[0]: row[1] for row in session.execute(last.group_by(Captures.check_id))}
    given_up = {*session.scalars(select(Checks.check_id).where(of_these, Checks.given_up))}
    unseen = {*session.scalars(select(Checks.check_id).where(of_these, _IS_UNSEEN))}
    return [
        Hold(
            check_id=check.check_id,
            machine=check.machine,
            head=check.head,
            pocket=pocket,
            at=at.get(check.check_id, check.started_at),
            revision=check.revision,
        )
        for check in pending
        for pocket in sorted(
            {
                *(*check.replace, *check.review),
                # An event that cannot be used may name no machine: then each that has the head has such a check.
                *([check.size] if check.check_id in unseen or check.check_id not in at else []),
                *(check.missing if check.check_id in given_up else ()),
            }
        )
    ]


def of_earlier_runs(session: Session, ended: Collection[Check]) -> list[Hold]:
    """What an earlier run of a head has seen since a later one of these that is a go: only its own answer says it.

    It is told before the later one's answer, so that no system is ever shown that go.
    """
    return [
        Hold(
            check_id=check.check_id,
            machine=check.machine,
            head=check.head,
            pocket=pocket,
            at=newer[check.check_id].last_at,
            revision=check.revision,
        )
        for later in ended
        if later.state == "go" and later.size > 1
        if (newer := newer_photographs.of_earlier_runs(session, later))
        for check in _assessed(session, newer.keys())
        for pocket in sorted(newer[check.check_id].pockets & {*check.replace, *check.review})
    ]


def _of_other_heads(session: Session, check_ids: Collection[UUID]) -> list[Hold]:
    """The photographs that their pockets show and that lie in the check of another head."""
    own = Captures.check_id, Captures.machine, Captures.head, Captures.pocket, Captures.ordered_at
    query = (
        select(*own)
        .join(Checks, Checks.check_id == Captures.check_id)
        .join(Pockets, here(Captures) & (Pockets.capture_id == Captures.capture_id))
        .where(Checks.check_id.in_(check_ids))
        .where(or_(Captures.machine != Checks.machine, Captures.head != Checks.head))
        .order_by(Captures.ordered_at, Captures.capture_id)
    )
    return [
        Hold(check_id=check_id, machine=machine, head=head, pocket=pocket, at=at)
        for check_id, machine, head, pocket, at in session.execute(query)
    ]


def _of_late_labels(session: Session) -> list[Hold]:
    """The damage that a person saw: what began before the person said so has not seen the insert since.

    Each is told of the check of its photograph, which a later go does not end, and of that which is a go without it, so
    that its go is told anew once the damage is over. It is told before a photograph of before comes, out of an outbox.
    """
    labels = late_labels.in_force(session)
    of = [(label, check) for label in labels for check in {label.check_id, label.newest_check or label.check_id}]
    known = select(Checks.check_id, Checks.revision).where(Checks.check_id.in_({check for _, check in of}))
    revisions = {row.check_id: row.revision for row in session.execute(known)} if of else {}
    return [
        Hold(
            check_id=check,
            machine=label.machine,
            head=label.head,
            pocket=label.pocket,
            at=max(label.at, label.newest_at or label.at) + TICK,
            revision=revisions[check],
        )
        for label, check in of
    ]
