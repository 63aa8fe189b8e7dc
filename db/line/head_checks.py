"""The last checks of many heads at once, for the pages that show a whole line."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, Select, String, Subquery, bindparam, case, cast, func, literal_column, select, text, tuple_
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line.check_answers import KnownPockets
from db.line.checks import COLUMNS, Check, assessed
from db.line.pockets import here
from db.schema.tables import Captures, Checks, Pockets
from producer.contract.places import HeadPlace


class Span(NamedTuple):
    """When a check's photographs came: the first by a worker's clock, the last in the order of all photographs.

    A station's clock may place one of its photographs long before the others, but hardly all of them.
    """

    began: datetime
    last_at: datetime

    def is_after(self, other: Span) -> bool:
        """Whether it is later by both, of which either may be wrong."""
        return self.began > other.began and self.last_at > other.last_at


_UNSEEN: Final = "pocket "

LOOKED_THROUGH: Final = 50
"""The number of a head's last checks of more than one pocket that are searched for the last one of each size."""


class LastChecks(NamedTuple):
    """The last checks of some heads, newest first, each with what is known of its pockets.

    `unseen` are the pockets of a head whose last capture is one that the pocket cannot show, in whichever check it is.
    """

    checks: Sequence[tuple[Check, KnownPockets, Span]]
    unseen: Mapping[HeadPlace, Collection[int]]


def newest_of_heads(
    session: Session, places: Sequence[HeadPlace], number: int, also: Collection[UUID] = ()
) -> LastChecks:
    """The last checks of each head, this many; `also` these.

    Also the last one of each size: checks of a few pockets, however many, say nothing about a pocket that a larger
    check missed. Also those in which the last capture of a pocket is one that the pocket cannot show.
    """
    connection = session.connection()
    ids, unseen = {*also}, dict[HeadPlace, set[int]]()
    for machine, head, *texts in _newest(number).execute(connection, places=as_value(places)):
        words = [word for text in texts if text for word in text.split(",")]
        ids |= {UUID(word) for word in words if not word.startswith(_UNSEEN)}
        unseen[machine, head] = {int(word.removeprefix(_UNSEEN)) for word in words if word.startswith(_UNSEEN)}
    rows = _OF_IDS.execute(connection, ids=list(ids)) if ids else []
    spans = {row[1]: Span(*row[-2:]) for row in rows}
    checks = assessed(session, [row[:-2] for row in rows])
    with_spans = [(check, known, spans[check.check_id]) for check, known in checks]
    with_spans.sort(key=lambda of: (of[2].last_at, of[0].started_at, of[0].check_id), reverse=True)
    return LastChecks(with_spans, unseen)


_OF_IDS: Final = Prepared(
    lambda *_: (
        select(
            *COLUMNS,
            # Of a check whose events could not be used there is no photograph (`db.line.check_rows`).
            func.coalesce(func.min(Captures.received_at), Checks.started_at),
            func.coalesce(func.max(Captures.ordered_at), Checks.started_at),
        )
        .outerjoin(Captures, Captures.check_id == Checks.check_id)
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
    """Each head, and the ids of its checks as texts: several in one are separated by commas."""

    def built(dialect: str, _: int) -> Select[*tuple[Any, ...]]:
        of = heads_table(dialect)
        newest_first = Checks.started_at.desc(), Checks.check_id.desc()
        key: Any = cast(Checks.check_id, String)
        of_head = select(key).where(Checks.machine == of.c.machine, Checks.head == of.c.head)
        of_head = of_head.order_by(*newest_first).limit(1).correlate(of)
        last = _last_of_several(of)
        newest_of_size = last.c.started_at.desc(), last.c.check_id.desc()
        nth = func.row_number().over(partition_by=last.c.size, order_by=newest_of_size).label("nth")
        by_size = select(cast(last.c.check_id, String).label("key"), nth).subquery()
        of_each_size = select(func.aggregate_strings(by_size.c.key, ",")).where(by_size.c.nth == 1).correlate(of)
        # Each is looked up by an index. Told where the last so many begin, PostgreSQL, which cannot know how few these
        # are, would read all checks.
        sought = (*(of_head.offset(place) for place in range(number)), of_each_size, _with_stand_ins(of))
        return select(of.c.machine, of.c.head, *(one.scalar_subquery() for one in sought)).select_from(of)

    return Prepared(built)


def _last_of_several(of: CTE) -> Subquery:
    """The last checks of several pockets of a head: what of them their index has, so that no row is looked up."""
    last = select(Checks.check_id, Checks.started_at, Checks.size)
    last = last.where(Checks.machine == of.c.machine, Checks.head == of.c.head)
    last = last.where(literal_column("checks.size > 1"))  # as words: so a partial index will do
    last = last.order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(LOOKED_THROUGH)
    return last.correlate(of).subquery()


def _with_stand_ins(of: CTE) -> Select[Any]:
    """The pockets, each behind `_UNSEEN`, whose newest capture is newer than what they show: a stand-in.

    With each the id of its check, unless that is another head's.
    """
    is_newer = tuple_(Captures.ordered_at, Captures.capture_id) > tuple_(Pockets.ordered_at, Pockets.capture_id)
    is_own = (Checks.machine == Pockets.machine) & (Checks.head == Pockets.head)
    pocket = _UNSEEN + cast(Pockets.pocket, String)
    word = case((is_own, cast(Captures.check_id, String) + "," + pocket), else_=pocket)
    newest = select(word).join(Checks, Checks.check_id == Captures.check_id).where(here(Captures), is_newer)
    newest = newest.order_by(Captures.ordered_at.desc(), Captures.capture_id.desc()).limit(1)
    words: Any = newest.correlate(Pockets).scalar_subquery()
    of_head = (Pockets.machine == of.c.machine) & (Pockets.head == of.c.head)
    return select(func.aggregate_strings(words, ",")).select_from(Pockets).where(of_head).correlate(of)
