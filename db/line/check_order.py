"""The order of the photographs of one head: what an outbox handed in later lies behind its head's newest checks.

`db.line.capture_order` holds the photographs of one pocket against each other. By a clock that is behind, or that was
ahead and is set right, one of a pocket that was never seen before, or the check of others, lay before the check of
before, and what the head comes to would be what that said. The ids of an outbox say which was first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, select

from db.engine.prepared import Prepared
from db.schema.tables import Captures, Checks
from producer.contract.event import are_of_one_outbox
from producer.contract.places import HeadPlace

_NEXT: Final = timedelta(microseconds=1)


_LOOKED_AT: Final = 3
"""So many of a head's newest checks: the newest may be another station's, or this one's own, of which more comes."""


def _lasts(*_: object) -> Select[*tuple[Any, ...]]:
    newest = select(Checks.check_id)
    newest = newest.where(Checks.machine == bindparam("machine"), Checks.head == bindparam("head"))
    checks = newest.order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(_LOOKED_AT).subquery()
    last = select(Captures.capture_id).where(Captures.check_id == checks.c.check_id)
    last = last.order_by(Captures.capture_id.desc()).limit(1).correlate(checks)
    of_checks = select(last.scalar_subquery()).select_from(checks)
    return select(Captures.station, Captures.capture_id, Captures.ordered_at).where(Captures.capture_id.in_(of_checks))


_LASTS: Final = Prepared(_lasts)


class Placed(NamedTuple):
    """The newest photograph of a pocket, with its place in the order of that pocket's, `ordered_at`."""

    machine: str
    head: str
    capture_id: UUID
    station: str
    received_at: datetime
    ordered_at: datetime


def put_behind(connection: Connection, photos: Iterable[Placed]) -> dict[UUID, datetime]:
    """The place of each of some new photographs, the newest of their pockets, in the order of their heads, by capture.

    The last photographs of the head's newest checks decide, by their ids: what has a later one of the same outbox lies
    behind them.
    """
    order: dict[UUID, datetime] = {}
    of_heads: dict[HeadPlace, list[Placed]] = {}
    for photo in photos:
        of_heads.setdefault((photo.machine, photo.head), []).append(photo)
    for (machine, head), of_head in of_heads.items():
        for station, last, last_at in _LASTS.execute(connection, machine=machine, head=head):
            for photo in of_head:
                is_later = photo.station == station and photo.capture_id > last
                moment = order.get(photo.capture_id, photo.ordered_at)
                if is_later and moment < last_at and are_of_one_outbox(photo.capture_id, last):
                    order[photo.capture_id] = max(photo.received_at, last_at + _NEXT)
    return order
