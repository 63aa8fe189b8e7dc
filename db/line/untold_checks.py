"""Checks whose answer a person has changed by a label: a worker sends it, because a label comes without a message.

They are noted in the transaction of the label (`db.line.check_revisions.of_captures`), and removed once they have been
sent with the revision that they have by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.line import checks
from db.line.checks import Check
from db.schema.tables import Checks, UntoldChecks

AT_ONCE: Final = 200
"""How many are sent in one step."""


def untold(session: Session) -> tuple[list[Check], dict[UUID, int]]:
    """Some checks to be sent, and for these and others the revision up to which nothing is left to send.

    A pending check is sent when it ends.
    """
    query = select(Checks.check_id, Checks.revision).join(UntoldChecks, UntoldChecks.check_id == Checks.check_id)
    revisions = {row.check_id: row.revision for row in session.execute(query.limit(AT_ONCE))}
    return (checks.finished(session, revisions.keys()) if revisions else []), revisions


def remove(session: Session, revisions: Mapping[UUID, int]) -> None:
    """Remove these checks, which were sent, unless they have a later answer by now."""
    for check_id, revision in revisions.items():
        later = select(Checks.check_id).where(Checks.check_id == check_id, Checks.revision > revision)
        of_it = delete(UntoldChecks).where(UntoldChecks.check_id == check_id)
        session.execute(of_it.where(~later.exists()))
