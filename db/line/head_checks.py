"""The last checks of many heads at once, for the pages that show a whole line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import CTE, String, func, literal, select, text
from sqlalchemy.orm import Session

from db.line.check_answers import KnownPockets
from db.line.checks import COLUMNS, Check, assessed
from db.schema.tables import Checks, UtcDateTime

Place = tuple[str, str]
"""A machine and a head."""


def newest_of_heads(session: Session, places: Sequence[Place], number: int) -> list[tuple[Check, KnownPockets]]:
    """So many of the last checks of each head, the newest first, each with what is known of its pockets."""
    of = given(places)
    # Where the last so many begin is looked up by an index for each head, which then gives just these.
    begin = (
        select(Checks.started_at)
        .where(Checks.machine == of.c.machine, Checks.head == of.c.head)
        .order_by(Checks.started_at.desc())
        .offset(number - 1)
        .limit(1)
        .correlate(of)
        .scalar_subquery()
    )
    since = func.coalesce(begin, literal(datetime.min.replace(tzinfo=UTC), UtcDateTime()))
    on = (Checks.machine == of.c.machine) & (Checks.head == of.c.head) & (Checks.started_at >= since)
    query = select(*COLUMNS).select_from(of).join(Checks, on)
    rows = session.execute(query.order_by(Checks.started_at.desc(), Checks.check_id.desc())).all()
    return list(assessed(session, rows))


def given(places: Sequence[Place]) -> CTE:
    """Some heads as a table to join with."""
    # As text: SQLAlchemy's VALUES is compiled anew each time, which takes longer than the query.
    rows = " UNION ALL ".join(f"SELECT :m{n} AS machine, :h{n} AS head" for n in range(len(places)))
    values = {f"{name}{n}": value for n, place in enumerate(places) for name, value in zip("mh", place, strict=True)}
    return text(rows).bindparams(**values).columns(machine=String(64), head=String(64)).cte("given")
