"""When checks began, as far as can be known: what a station photographed later began later, whatever the clocks say.

A check begins with the first of its photographs, in their order (`db.line.capture_order`). There only the photographs
of one pocket are held against each other: by a clock that is behind, or that was ahead and is set right, one of a
pocket that was never seen before lies before the check of before, and what the head comes to would be what that said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, select

from db.engine.prepared import Prepared
from db.schema.tables import Captures, Checks
from producer.contract.event import are_of_one_outbox

_NEXT: Final = timedelta(microseconds=1)


def _newest(*_: object) -> Select[*tuple[Any, ...]]:
    of_head = select(Checks.check_id, Checks.station, Checks.started_at)
    of_head = of_head.where(Checks.machine == bindparam("machine"), Checks.head == bindparam("head"))
    return of_head.order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(1)


def _last_capture(*_: object) -> Select[*tuple[Any, ...]]:
    of_check = select(Captures.capture_id).where(Captures.check_id == bindparam("check_id"))
    return of_check.order_by(Captures.capture_id.desc()).limit(1)


_NEWEST, _LAST_CAPTURE = Prepared(_newest), Prepared(_last_capture)


class First(NamedTuple):
    """The first photograph of a check in a message."""

    capture_id: UUID
    received_at: datetime


def put_behind(connection: Connection, checks: Mapping[UUID, dict[str, Any]], first: Mapping[UUID, First]) -> None:
    """Put what would begin before its head's newest check behind that one, where the ids of its outbox say so.

    Args:
        connection: in a transaction.
        checks: rows to be written; `started_at` is changed in place.
        first: of each.
    """
    of_heads: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sorted(checks.values(), key=lambda row: first[row["check_id"]].capture_id):
        of_heads.setdefault((row["machine"], row["head"]), []).append(row)
    for (machine, head), rows in of_heads.items():
        for newest, station, began in _NEWEST.execute(connection, machine=machine, head=head):
            for row in rows:
                photo = first[row["check_id"]]
                if row["started_at"] > began or row["station"] != station:
                    continue
                if _is_later(connection, photo.capture_id, newest):
                    if row["check_id"] != newest:
                        began = max(photo.received_at, began + _NEXT)
                    row["started_at"] = began


def _is_later(connection: Connection, capture_id: UUID, check_id: UUID) -> bool:
    """Whether a photograph was handed in after all of a check, by the ids of their outbox."""
    lasts = _LAST_CAPTURE.execute(connection, check_id=check_id)
    return all(capture_id > last and are_of_one_outbox(capture_id, last) for (last,) in lasts)
