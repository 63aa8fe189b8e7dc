"""The last checks of many heads at once, for the pages that show a whole line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import CTE, Select, String, bindparam, literal_column, select, text, union_all
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line.check_answers import KnownPockets
from db.line.checks import COLUMNS, Check, assessed
from db.schema.tables import Checks

Place = tuple[str, str]
"""A machine and a head."""


LOOKED_THROUGH: Final = 50
"""So many of a head's last checks of more than one pocket are looked through for the one of the most."""


def newest_of_heads(session: Session, places: Sequence[Place], number: int) -> list[tuple[Check, KnownPockets]]:
    """So many of the last checks of each head, the newest first, each with what is known of its pockets.

    And, where it is not among these, the last one that was of the most pockets: any number of checks of a few say
    nothing of a pocket that was missed in it.
    """
    rows = _newest(number).execute(session.connection(), places=as_value(places))
    return list(assessed(session, rows))


def given(dialect: str) -> CTE:
    """Some heads as a table to join with, in a statement that is given them `as_value` of `places`."""
    # One value for any number: as rows of values they take longer to send, and are planned anew, than to look up.
    rows = text(_ROWS[dialect]).bindparams(bindparam("places", type_=String()))
    return rows.columns(machine=String(64), head=String(64)).cte("given")


_ROWS: Final = {
    "sqlite": "SELECT json_extract(value, '$[0]') AS machine, json_extract(value, '$[1]') AS head"
    " FROM json_each(:places)",
    "postgresql": "SELECT value ->> 0 AS machine, value ->> 1 AS head FROM json_array_elements(CAST(:places AS json))",
}


def as_value(places: Sequence[Place]) -> str:
    """Some heads as one value of a statement."""
    return json.dumps(places)


@cache
def _newest(number: int) -> Prepared:
    def built(dialect: str, _: int) -> Select[*tuple[Any, ...]]:
        of = given(dialect)
        newest_first = Checks.started_at.desc(), Checks.check_id.desc()
        of_head = select(Checks.check_id).where(Checks.machine == of.c.machine, Checks.head == of.c.head)
        of_head = of_head.order_by(*newest_first).limit(1).correlate(of)
        of_several = of_head.where(literal_column("checks.size > 1"))  # as words: so a partial index will do
        last = of_several.add_columns(Checks.size, Checks.started_at).limit(LOOKED_THROUGH).correlate(of).subquery()
        largest_first = last.c.size.desc(), last.c.started_at.desc(), last.c.check_id.desc()
        of_most = select(last.c.check_id).order_by(*largest_first).limit(1).correlate(of)
        # Each is looked up by an index. Told where the last so many begin, PostgreSQL, which cannot know how few these
        # are, would read all checks.
        sought = (*(of_head.offset(place) for place in range(number)), of_most)
        ids = union_all(*(select(one.scalar_subquery()).select_from(of) for one in sought))
        return select(*COLUMNS).where(Checks.check_id.in_(ids)).order_by(*newest_first)

    return Prepared(built)
