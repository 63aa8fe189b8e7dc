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

from db.line import checks, holds, untold_checks
from db.line.check_revisions import revised_since, unseen_since
from db.line.checks import Check
from db.line.rows import COLUMNS, VerdictRow, current_verdict, on_machine
from db.line.untold_checks import LabelledCapture
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
    labels: list[LabelledCapture]
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
    news: list[News] = [*plant_news.told_since(session, moment), *holds.now(session, ())]
    said = SaidSince(news, verdicts, [], [])
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        ended = {check.check_id: check for check in checks.finished(session, some)}
        said.checks.extend(ended[check_id] for check_id in some if check_id in ended)
        said.news.extend(holds.of_checks(session, some))
        labels = [one for one in untold_checks.labels(session, some, {*some} - ended.keys()) if one.at >= moment]
        unseen = unseen_since(session, [one.capture_id for one in labels])
        said.labels.extend(one for one in labels if one.capture_id in unseen)
    return said
