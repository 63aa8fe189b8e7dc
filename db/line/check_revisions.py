"""The order of a check's answers: a number that rises with all that may give it another one.

Answers are told after the commit that they come from, by processes that may be held up between the two. Each number is
given by a transaction that holds the check's row to its end, so the later commit has the higher one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.schema.tables import Captures, Checks

_HELD = Prepared(
    lambda *_: (
        select(Checks.check_id)
        .where(Checks.check_id.in_(bindparam("ids", expanding=True)))
        .order_by(Checks.check_id)  # two that hold some wait for each other in line and not in a circle
        .with_for_update(key_share=True)
    )
)


def hold(session: Session, check_ids: Collection[UUID]) -> None:
    """Have others that hold some of these checks wait for the end of this transaction, which has locked nothing.

    So of several that record the last verdicts of a check at once, the last sees those of all. SQLite's writers have
    taken their turn before they got here.
    """
    if check_ids and session.connection().dialect.name == "postgresql":
        _HELD.execute(session.connection(), ids=list(check_ids))


def next_revision(of: ColumnElement[bool]) -> Any:
    """The statement that gives the checks for which `of` holds their next revision; it holds their rows."""
    return update(Checks.__table__).where(of).values(revision=Checks.revision + 1)  # type: ignore[arg-type]


def of_captures(session: Session, capture_ids: Collection[UUID]) -> None:
    """Give the checks of some captures their next revision, before anything of the captures is written or held.

    Whoever records verdicts holds the checks before the captures, too: so nobody waits in a circle.
    """
    checks = select(Captures.check_id).where(Captures.capture_id.in_(capture_ids))
    if len(capture_ids) > 1:
        held = select(Checks.check_id).where(Checks.check_id.in_(checks)).order_by(Checks.check_id)
        session.execute(held.with_for_update(key_share=True))
    session.execute(next_revision(Checks.check_id.in_(checks)))
