"""The last checks of many heads at once, for the pages that show a whole line."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, Select, String, bindparam, cast, func, literal_column, select, text
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line.check_answers import KnownPockets
from db.line.checks import COLUMNS, Check, assessed
from db.schema.tables import Captures, Checks
from producer.contract.places import HeadPlace


class Span(NamedTuple):
    """When a check's photographs came: the first by a worker's clock, the last in the order of all photographs.

    One station's clock may place a photograph of it long before the others, but hardly all of them.
    """

    began: datetime
    last_at: datetime


LOOKED_THROUGH: Final = 50
"""So many of a head's last checks of more than one pocket are looked through for the last one of each size."""


def newest_of_heads(
    session: Session, places: Sequence[HeadPlace], number: int, also: Collection[UUID] = ()
) -> list[tuple[Check, KnownPockets, Span]]:
    """So many of the last checks of each head, the newest first, each with what is known of its pockets; `also` these.

    And the last one of each size: any number of checks of a few pockets say nothing of one that was missed in a check
    of more.
    """
    connection = session.connection()
    texts = (text for row in _newest(number).execute(connection, places=as_value(places)) for text in row if text)
    ids = {*also, *(UUID(of_one) for text in texts for of_one in text.split(","))}
    rows = _OF_IDS.execute(connection, ids=list(ids)) if ids else []
    spans = {row[1]: Span(*row[-2:]) for row in rows}
    checks = assessed(session, [row[:-2] for row in rows])
    with_spans = [(check, known, spans[check.check_id]) for check, known in checks]
    return sorted(with_spans, key=lambda of: (of[2].last_at, of[0].started_at, of[0].check_id), reverse=True)


_OF_IDS: Final = Prepared(
    lambda *_: (
        select(*COLUMNS, func.min(Captures.received_at), func.max(Captures.ordered_at))
        .join(Captures, Captures.check_id == Checks.check_id)
        .where(Checks.check_id.in_(bindparam("ids", expanding=True)))
        .group_by(Checks.check_id)
    )
)


def heads_table(dialect: str) -> CTE:
    """Some heads as a table to join with, in a statement that is given them `as_value` of `places`."""
    # One value for any number: as rows of values they take longer to send, and are planned anew, than to look up.
    rows = text(_ROWS[dialect]).bindparams(bindparam("places", type_=String()))
    return rows.columns(machine=String(64), head=String(64)).cte("given")


_ROWS: Final = {
    "sqlite": "SELECT json_extract(value, '$[0]') AS machine, json_extract(value, '$[1]') AS head"
    " FROM json_each(:places)",
    "postgresql": "SELECT value ->> 0 AS machine, value ->> 1 AS head FROM json_array_elements(CAST(:places AS json))",
}


def as_value(places: Sequence[HeadPlace]) -> str:
    """Some heads as one value of a statement."""
    return json.dumps(places)


@cache
def _newest(number: int) -> Prepared:
    """The ids of the checks of each head, as texts: several in one are separated by commas."""

    def built(dialect: str, _: int) -> Select[*tuple[Any, ...]]:
        of = heads_table(dialect)
        newest_first = Checks.started_at.desc(), Checks.check_id.desc()
        key: Any = cast(Checks.check_id, String)
        of_head = select(key).where(Checks.machine == of.c.machine, Checks.head == of.c.head)
        of_head = of_head.order_by(*newest_first).limit(1).correlate(of)
        of_several = of_head.where(literal_column("checks.size > 1"))  # as words: so a partial index will do
        several = of_several.with_only_columns(key.label("key"), Checks.size, Checks.started_at, Checks.check_id)
        last = several.limit(LOOKED_THROUGH).correlate(of).subquery()
        newest_of_size = last.c.started_at.desc(), last.c.check_id.desc()
        nth = func.row_number().over(partition_by=last.c.size, order_by=newest_of_size).label("nth")
        by_size = select(last.c.key, nth).subquery()
        of_each_size = select(func.aggregate_strings(by_size.c.key, ",")).where(by_size.c.nth == 1).correlate(of)
        # Each is looked up by an index. Told where the last so many begin, PostgreSQL, which cannot know how few these
        # are, would read all checks.
        sought = (*(of_head.offset(place) for place in range(number)), of_each_size)
        return select(*(one.scalar_subquery() for one in sought)).select_from(of)

    return Prepared(built)
