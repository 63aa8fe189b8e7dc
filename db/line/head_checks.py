"""The last checks of many heads at once, for the pages that show a whole line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import CTE, Select, String, bindparam, select, text, union_all
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line.check_answers import KnownPockets
from db.line.checks import COLUMNS, Check, assessed
from db.schema.tables import Checks

Place = tuple[str, str]
"""A machine and a head."""


def newest_of_heads(session: Session, places: Sequence[Place], number: int) -> list[tuple[Check, KnownPockets]]:
    """So many of the last checks of each head, the newest first, each with what is known of its pockets."""
    rows = _newest(number).execute(session.connection(), rows_of(places))
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


@cache
def _newest(number: int) -> Prepared:
    def built(_: str, heads: int) -> Select[*tuple[Any, ...]]:
        of = given(heads)
        newest_first = Checks.started_at.desc(), Checks.check_id.desc()
        of_head = select(Checks.check_id).where(Checks.machine == of.c.machine, Checks.head == of.c.head)
        of_head = of_head.order_by(*newest_first).limit(1).correlate(of)
        # Each is looked up by an index. Told where the last so many begin, PostgreSQL, which cannot know how few these
        # are, would read all checks.
        ids = union_all(*(select(of_head.offset(place).scalar_subquery()).select_from(of) for place in range(number)))
        return select(*COLUMNS).where(Checks.check_id.in_(ids)).order_by(*newest_first)

    return Prepared(built)
