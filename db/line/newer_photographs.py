"""Photographs that an earlier run of a head got while a later one was under way, and that are newer than its own.

A run may be given another photograph when the next one has begun, and two stations may photograph one head at once.
Then the answer of the run that ends last says nothing of what the other one has seen since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, literal_column, select, tuple_
from sqlalchemy.orm import Session, aliased

from db.engine.prepared import Prepared
from db.line.checks import Check
from db.schema.tables import Captures, Checks

LOOKED_THROUGH: Final = 20
"""How many checks of the head that began before a run are looked at, the newest."""


class Newer(NamedTuple):
    """What a check has of pockets that another run photographed before: which, and when the last of them was taken."""

    pockets: set[int]
    last_at: datetime


_Own, _Of = aliased(Captures), aliased(Checks)
_BEGAN: Final = bindparam("began", type_=Checks.started_at.type)
_OWN: Final = bindparam("own", type_=Checks.check_id.type)
_EARLIER: Final = (
    select(_Of.check_id)
    .where(_Of.machine == bindparam("machine"), _Of.head == bindparam("head"))
    .where(_Of.started_at <= _BEGAN, _Of.check_id != _OWN)
    .where(_Of.size > literal_column("1"))  # a photograph by itself is answered by itself
    .order_by(_Of.started_at.desc(), _Of.check_id.desc())
    .limit(LOOKED_THROUGH)
)
_IS_OUTDATED: Final = (
    select(_Own.capture_id)
    .where(_Own.check_id == _OWN, _Own.machine == Captures.machine, _Own.head == Captures.head)
    .where(_Own.pocket == Captures.pocket)
    .where(tuple_(_Own.ordered_at, _Own.capture_id) > tuple_(Captures.ordered_at, Captures.capture_id))
    .correlate(Captures)
    .exists()
)
_NEWER: Final = Prepared(
    lambda *_: (
        select(Captures.check_id, Captures.pocket, Captures.ordered_at)
        .join(Checks, Checks.check_id == Captures.check_id)
        .where(Captures.check_id.in_(_EARLIER), Captures.ordered_at >= _BEGAN, ~_IS_OUTDATED)
        .where(Captures.machine == Checks.machine, Captures.head == Checks.head)
    )
)


def of_earlier_runs(session: Session, check: Check) -> Mapping[UUID, Newer]:
    """What the earlier runs of a head have that is newer than what a check has, by their ids; mostly nothing."""
    values = {"own": check.check_id, "machine": check.machine, "head": check.head, "began": check.started_at}
    newer: dict[UUID, list[tuple[int, datetime]]] = defaultdict(list)
    for check_id, pocket, at in _NEWER.execute(session.connection(), **values):
        newer[check_id].append((pocket, at))
    return {check_id: Newer({pocket for pocket, _ in of}, max(at for _, at in of)) for check_id, of in newer.items()}
