"""The order of the photographs of one head: by their ids, those of an outbox lie among its head's newest checks.

`db.line.capture_order` compares the photographs of one pocket only. That is not enough if a clock is behind, or was
ahead and has been corrected: then the first photograph of a new pocket, or a check of other pockets, would lie before
the previous check, and the head would keep the previous check's answer. It is not enough either for a photograph that
was lost and is sent again: it would lie behind a check that has missed its pocket since. The ids of an outbox say which
photograph was first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, String, bindparam, cast, func, or_, select, union

from db.engine.clock import TICK
from db.engine.prepared import Prepared
from db.line.capture_order import OrderedPhoto
from db.schema.tables import Captures, Checks
from producer.contract.event import are_of_one_outbox, node

_LOOKED_AT: Final = 3
"""How many of a head's newest checks are read, and of those that the same station began: the newest may be another
station's, or this one's own, of which more comes."""


def _newest(*_: object) -> Select[*tuple[Any, ...]]:
    of_head = select(Checks.check_id)
    of_head = of_head.where(Checks.machine == bindparam("machine"), Checks.head == bindparam("head"))
    of_head = of_head.order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(_LOOKED_AT)
    of_station = of_head.where(Checks.station == bindparam("station"))
    these = union(*(select(of.subquery().c.check_id) for of in (of_head, of_station))).subquery()
    id_ = cast(Captures.capture_id, String)
    times = func.min(Captures.ordered_at), func.max(Captures.ordered_at)
    query = select(Captures.check_id, func.min(id_), func.max(id_), *times).select_from(these)
    query = query.join(Captures, Captures.check_id == these.c.check_id).where(Captures.station == bindparam("station"))
    query = query.group_by(Captures.check_id, func.substr(id_, func.length(id_) - 7))  # by the node
    # Without nodes each photograph is a row, and there matters only what lies behind one of the new ones.
    has_node = func.substr(func.replace(func.min(id_), "-", ""), 14, 3) == "fff"
    return query.having(or_(has_node, func.max(Captures.ordered_at) > bindparam("earliest")))


_NEWEST: Final = Prepared(_newest)


class Placed(NamedTuple):
    """The newest photograph of a pocket, with its place in the order of that pocket's, `ordered_at`, and the place of
    the one `before` it, if there is one."""

    machine: str
    head: str
    check_id: UUID
    capture_id: UUID
    station: str
    received_at: datetime
    ordered_at: datetime
    before: datetime | None


class _Part(NamedTuple):
    """The photographs of a check that one outbox took: the first and the last by their ids, and by their places."""

    check_id: UUID
    first: UUID
    last: UUID
    first_at: datetime
    last_at: datetime


def put_in_order(connection: Connection, photos: Iterable[Placed]) -> dict[UUID, datetime]:
    """The place of each of some new photographs, the newest of their pockets, in the order of their heads, by capture.

    The head's newest checks decide, by the ids of what the same outbox took of them: a later one lies behind that, an
    earlier one, of another check, before it.
    """
    order: dict[UUID, datetime] = {}
    for (machine, head, station), group in groupby(sorted(photos, key=_source), key=_source):
        new = sorted(group, key=attrgetter("capture_id"))
        earliest = min(photo.ordered_at for photo in new)
        rows = _NEWEST.execute(connection, machine=machine, head=head, station=station, earliest=earliest)
        parts = [_Part(row[0], UUID(row[1]), UUID(row[2]), *row[3:]) for row in rows]
        lifted: Placed | None = None
        for photo in new:
            moment = _place(photo, parts)
            if lifted is not None and are_of_one_outbox(photo.capture_id, lifted.capture_id):
                moment = max(moment, lifted.ordered_at + TICK)
            if moment > photo.ordered_at:
                lifted = photo._replace(ordered_at=moment)
            if moment != photo.ordered_at:
                order[photo.capture_id] = moment
    return order


_DAY: Final = 24 * 3600 * 1000 << 80
"""In ids, which begin with their milliseconds."""


def taken_beside(connection: Connection, station: str, capture_id: UUID) -> list[OrderedPhoto]:
    """What an outbox took just before a photograph and just after it, within a day, by the ids of those that have come.

    Only ids that say of which outbox they are tell that.
    """
    if node(capture_id) is None:
        return []
    id_ = cast(Captures.capture_id, String)
    columns = [getattr(Captures, field.name) for field in fields(OrderedPhoto) if field.name != "flagged"]
    query = select(*columns).where(Captures.station == station)
    query = query.where(func.substr(id_, func.length(id_) - 7) == f"{node(capture_id):08x}")
    within = [UUID(int=max(0, capture_id.int + day)) for day in (-_DAY, _DAY)]
    before = query.where(Captures.capture_id.between(within[0], capture_id), Captures.capture_id != capture_id)
    after = query.where(Captures.capture_id.between(capture_id, within[1]), Captures.capture_id != capture_id)
    both = before.order_by(Captures.capture_id.desc()), after.order_by(Captures.capture_id)
    return [OrderedPhoto(*row) for one in both for row in connection.execute(one.limit(1))]


def _place(photo: Placed, parts: Sequence[_Part]) -> datetime:
    moment = photo.ordered_at
    for part in parts:
        if not are_of_one_outbox(photo.capture_id, part.last):
            continue
        if photo.capture_id > part.last and moment < part.last_at:
            moment = max(photo.received_at, part.last_at + TICK)
        is_earlier = photo.capture_id < part.first and node(photo.capture_id) == node(part.first) is not None
        if is_earlier and photo.check_id != part.check_id and moment >= part.first_at:
            moment = part.first_at - TICK
            if photo.before is not None:
                moment = max(moment, photo.before + TICK)
    return moment


def _source(photo: Placed) -> tuple[str, str, str]:
    return photo.machine, photo.head, photo.station
