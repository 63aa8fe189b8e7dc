"""After a restore: the checks by which heads are known are read again, and their answers sent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from db.engine import clock
from db.line import check_revisions, incomplete_checks, restores
from db.schema.tables import Captures, Checks, Pockets
from producer.contract.names import IMPORTED

_CHECKS_AT_ONCE: Final = 500
"""Checks that are doubted in one step: a plant may have as many as pockets."""

_NEWEST: Final = 8
"""So many of a head's checks may still get a photograph, or a label."""


def doubt(session: Session) -> None:
    """Have each check read again, and its answer sent, that says what is in a pocket that was not photographed since.

    These are the checks of the pockets' newest photographs, and the newest of each head. It is done once for each
    restore, whoever calls it how often. Whatever is told of these from now on is above what was told before, also of
    those that still wait and of some more: what was a go after the backup must not stay one for other systems.
    """
    restored = restores.restored_at(session)
    if restored is None or not restores.is_to_doubt(session):
        return
    heads = {(machine, head) for machine, head, _ in restores.not_seen_since(session)}
    newest = select(Checks.check_id).order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(_NEWEST)
    doubted, renumbered = set[UUID](), set[UUID]()
    for machine, head in heads:  # one that came only in another one's checks has none
        of_head = [*session.scalars(newest.where(Checks.machine == machine, Checks.head == head))]
        doubted.update(of_head[:1])
        renumbered.update(of_head)
    shown = select(Captures.check_id).join(Pockets, Pockets.capture_id == Captures.capture_id)
    doubted.update(session.scalars(shown.where(Captures.received_at < restored, Captures.machine != IMPORTED)))
    renumbered.update(session.scalars(select(Checks.check_id).where(literal_column("checks.awaited"))))
    for step in _steps(renumbered | doubted):
        check_revisions.put_above(session, step, restores.highest_before(session))
    for step in _steps(doubted):
        # What still waits for photographs is no go: it is doubted when they have come (`db.line.incomplete_checks`).
        of_these = select(Checks.check_id).where(Checks.check_id.in_(step), ~Checks.awaited)
        if some := [*session.scalars(of_these)]:
            incomplete_checks.doubt(session, some)
            check_revisions.note(session, some)
    restores.note_doubted(session, at=clock.of_database(session), checks=len(doubted))


def _steps(check_ids: Collection[UUID]) -> list[list[UUID]]:
    ids = sorted(check_ids)
    return [ids[first : first + _CHECKS_AT_ONCE] for first in range(0, len(ids), _CHECKS_AT_ONCE)]
