"""What the line has said since a moment, from the database: a worker says it again where Redis may have lost it.

Each answer is as it was said, or as it is by now: of a check the last counts. The database does not note what was sent,
so this is what was written: verdicts by when they were given, checks by their revision, which is the database's clock
whatever changed the answer. Of faults, of what other systems reported (they report it until they are answered), and of
what was taken back or has ended, nothing is said again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.line import checks
from db.line.check_revisions import revised_since
from db.line.checks import Check
from db.line.rows import COLUMNS, VerdictRow, current_verdict, on_machine
from db.queries import plant_news
from db.schema.tables import Captures, Checks, Verdicts
from producer.contract.plant_news import News

AT_MOST: Final = 5_000
"""How many verdicts, or checks, are said again; the connector goes without its states where there are more."""

_AT_ONCE: Final = 500
"""Checks that are looked up in one step."""


@dataclass(frozen=True)
class SaidSince:
    """It, each in the order in which it was said."""

    news: list[News]
    verdicts: list[VerdictRow]
    checks: list[Check]


def said_since(session: Session, moment: datetime) -> SaidSince | None:
    """What was said since a moment; None if that is too much."""
    newest = select(Verdicts.id).order_by(Verdicts.id.desc()).limit(AT_MOST + 1).subquery()
    given_since = (
        select(*COLUMNS)
        .join(Verdicts, current_verdict())
        .join(newest, newest.c.id == Verdicts.id)
        .where(Verdicts.judged_at >= moment, on_machine(Captures.machine, None))
        .order_by(Verdicts.id)
    )
    verdicts = [VerdictRow(*row) for row in session.execute(given_since)]
    answered = select(Checks.check_id).where(revised_since(moment), on_machine(Checks.machine, None))
    answered = answered.order_by(Checks.revision, Checks.check_id).limit(AT_MOST + 1)
    ids = [*session.scalars(answered)]
    if max(len(verdicts), len(ids)) > AT_MOST:
        return None
    parts = [checks.finished(session, ids[first : first + _AT_ONCE]) for first in range(0, len(ids), _AT_ONCE)]
    ended = {check.check_id: check for part in parts for check in part}
    said = [ended[check_id] for check_id in ids if check_id in ended]
    return SaidSince(plant_news.told_since(session, moment), verdicts, said)
