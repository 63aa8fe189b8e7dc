"""The last checks of many heads at once, for the pages that show a whole line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import CTE, Integer, Select, String, bindparam, func, select, text
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line.check_answers import KnownPockets
from db.line.checks import COLUMNS, Check, assessed
from db.schema.tables import Checks, UtcDateTime

Place = tuple[str, str]
"""A machine and a head."""


def newest_of_heads(session: Session, places: Sequence[Place], number: int) -> list[tuple[Check, KnownPockets]]:
    """So many of the last checks of each head, the newest first, each with what is known of its pockets."""
    rows = _NEWEST.execute(session.connection(), rows_of(places), before=number - 1, long_ago=_LONG_AGO)
    return list(assessed(session, rows))


def given(number: int) -> CTE:
    """So many heads as a table to join with, in a statement that is given `rows_of` them."""
    # As text: SQLAlchemy's VALUES is compiled for each number anew, which takes longer than the query.
    numbers = range(1, number + 1)
    rows = text(" UNION ALL ".join(f"SELECT :machine_{n} AS machine, :head_{n} AS head" for n in numbers))
    values = [bindparam(f"{name}_{n}", type_=String(64)) for n in numbers for name in ("machine", "head")]
    return rows.bindparams(*values).columns(machine=String(64), head=String(64)).cte("given")


def rows_of(places: Sequence[Place]) -> list[dict[str, str]]:
    """Some heads as `db.engine.prepared` takes them."""
    return [{"machine": machine, "head": head} for machine, head in places]


def _newest(_: str, number: int) -> Select[*tuple[Any, ...]]:
    of = given(number)
    # Where the last so many begin is looked up by an index for each head, which then gives just these.
    begin = (
        select(Checks.started_at)
        .where(Checks.machine == of.c.machine, Checks.head == of.c.head)
        .order_by(Checks.started_at.desc())
        .offset(bindparam("before", type_=Integer))
        .limit(1)
        .correlate(of)
        .scalar_subquery()
    )
    since = func.coalesce(begin, bindparam("long_ago", type_=UtcDateTime()))
    on = (Checks.machine == of.c.machine) & (Checks.head == of.c.head) & (Checks.started_at >= since)
    query = select(*COLUMNS).select_from(of).join(Checks, on)
    return query.order_by(Checks.started_at.desc(), Checks.check_id.desc())


_NEWEST: Final = Prepared(_newest)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
