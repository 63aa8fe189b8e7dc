"""The answers since a moment, from the database: a worker sends them again where Redis may have lost them.

Each answer is as it was, or as it is by now: of a check the last counts. The database does not note what was sent, so
these are those that were written: verdicts by when they were given, checks by their revision, which is the database's
clock whatever changed the answer. Of faults, of what other systems reported (they report it until they are answered),
and of what was taken back or has ended, nothing is sent again.
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
"""How many verdicts, or checks, are sent again; the connector goes without its states where there are more."""

_CHECKS_AT_ONCE: Final = 500
"""Checks that are looked up in one step."""


@dataclass(frozen=True)
class AnswersSince:
    """They, each kind in its order."""

    news: list[News]
    verdicts: list[VerdictRow]
    labels: list[LabelledCapture]
    checks: list[Check]


def answers_since(session: Session, moment: datetime) -> AnswersSince | None:
    """The answers since a moment; None if they are too many."""
    one_more = select(Verdicts.judged_at).order_by(Verdicts.id.desc()).offset(AT_MOST).limit(1)
    if (judged_at := session.scalar(one_more)) is not None and judged_at >= moment:
        return None
    newest = select(Verdicts.id).order_by(Verdicts.id.desc()).limit(AT_MOST).subquery()
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
    if len(ids) > AT_MOST:
        return None
    news: list[News] = [*plant_news.sent_since(session, moment), *holds.now(session, ())]
    answers = AnswersSince(news, verdicts, [], [])
    for first in range(0, len(ids), _CHECKS_AT_ONCE):
        some = ids[first : first + _CHECKS_AT_ONCE]
        ended = {check.check_id: check for check in checks.finished(session, some)}
        answers.checks.extend(ended[check_id] for check_id in some if check_id in ended)
        answers.news.extend(holds.of_checks(session, some))
        labels = [one for one in untold_checks.labels(session, some, {*some} - ended.keys()) if one.at >= moment]
        shown = [one for one in untold_checks.shown(session, some) if one.at >= moment and one not in labels]
        unseen = unseen_since(session, [one.capture_id for one in labels])
        answers.labels.extend([*shown, *(one for one in labels if one.capture_id in unseen)])
    return answers
