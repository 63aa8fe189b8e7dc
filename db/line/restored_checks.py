"""After a restore: the checks by which heads are known are read again, and their answers sent."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import clock
from db.line import check_revisions, incomplete_checks, restores
from db.schema.tables import Captures, Checks, Pockets

_CHECKS_AT_ONCE: Final = 500
"""Checks that are doubted in one step: a plant may have as many as pockets."""


def doubt(session: Session) -> None:
    """Have each check read again, and its answer sent, that says what is in a pocket that was not photographed since.

    These are the checks of the pockets' newest photographs, and the newest of each head. It is done once for each
    restore, whoever calls it how often.
    """
    restored = restores.restored_at(session)
    if restored is None or not restores.is_to_doubt(session):
        return
    heads = {(machine, head) for machine, head, _ in restores.not_seen_since(session)}
    newest = select(Checks.check_id).order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(1)
    doubted: set[UUID] = set()
    for machine, head in heads:  # one that came only in another one's checks has none
        doubted.update(session.scalars(newest.where(Checks.machine == machine, Checks.head == head)))
    shown = select(Captures.check_id).join(Pockets, Pockets.capture_id == Captures.capture_id)
    doubted.update(session.scalars(shown.where(Captures.received_at < restored)))
    ids = sorted(doubted)
    for first in range(0, len(ids), _CHECKS_AT_ONCE):
        # What still waits for photographs is no go: it is doubted when they have come (`db.line.incomplete_checks`).
        of_these = select(Checks.check_id).where(
            Checks.check_id.in_(ids[first : first + _CHECKS_AT_ONCE]), ~Checks.awaited
        )
        if some := [*session.scalars(of_these)]:
            incomplete_checks.doubt(session, some)
            check_revisions.note(session, some)
    restores.note_doubted(session, at=clock.of_database(session), checks=len(ids))
