"""Pockets: which of them hold an insert to be replaced, by the newest capture of each that shows its insert.

`db.line.captures.record` names a pocket's newest capture, which has no outcome then; what gives a capture its outcome,
or keeps it from having one, brings its pocket up to date here, in the same transaction. A photograph that is unusable
or has a fault shows nothing of the insert. A photograph without damage that may be of another pocket or operation is
not believed. In both cases damage shown by the photograph before it stays. It also stays while the newest photograph is
still to be judged (`db.line.damaged_pockets`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, func, select, update
from sqlalchemy.orm import aliased

from db.line.contradicting_captures import IS_DOUBTED
from db.schema.tables import Captures, Faults, Pockets
from db.schema.vocabulary import STANDING_FAULTS
from producer.contract.vocabulary import OUTCOME_OF

_Named, _Known, _Newest = aliased(Captures), aliased(Captures), aliased(Captures)
PLACE: Final = (Pockets.machine, Pockets.head, Pockets.pocket)


def here(captures: Any) -> Any:
    """A condition of a query about pockets: these captures are of the pocket."""
    return and_(*(getattr(captures, column.key) == column for column in PLACE))


_WORD_SEEN = func.coalesce(Captures.review, Captures.outcome)
_OF_NAMED = select(*PLACE).join(_Named, here(_Named)).where(_Named.capture_id.in_(bindparam("ids", expanding=True)))
# In the order in which captures take them, that of code points: two that write wait for each other in line and not in a
# circle.
_HELD = _OF_NAMED.order_by(Pockets.machine.collate("C"), Pockets.head.collate("C"), Pockets.pocket).with_for_update(
    of=Pockets
)
SHOWS_INSERT: Final = and_(_WORD_SEEN != "unusable", _WORD_SEEN.not_in(("intact", "unsure")) | ~IS_DOUBTED)
"""A condition on captures: it is judged or labelled, and shows the insert of its pocket."""

NEWEST_SEEN: Final = (
    select(Captures.capture_id)
    .where(here(Captures), SHOWS_INSERT)
    .order_by(Captures.ordered_at.desc(), Captures.capture_id.desc())
    .limit(1)
    .correlate(Pockets)
    .scalar_subquery()
)
"""The newest capture of a pocket that shows its insert, in a query about pockets."""

_HAS_FAULT = (
    select(Faults.id)
    .where(Faults.capture_id == Pockets.capture_id, func.coalesce(Faults.state, "").in_(STANDING_FAULTS))
    .correlate(Pockets)
    .exists()
)
_WAITS = and_(_Known.outcome.is_(None), _Known.review.is_(None), ~_HAS_FAULT)
_STATES = _OF_NAMED.add_columns(
    Pockets.ordered_at,
    Pockets.capture_id,
    _Newest.ordered_at.label("seen_at"),
    _Newest.capture_id.label("seen"),
    func.coalesce(_Newest.review, _Newest.outcome).label("word"),
    _WAITS.label("waits"),
)
_STATES = _STATES.join(_Known, _Known.capture_id == Pockets.capture_id)
_STATES = _STATES.outerjoin(_Newest, _Newest.capture_id == NEWEST_SEEN)
_MARK: Any = (
    update(Pockets.__table__)  # type: ignore[arg-type]
    .where(*(column == bindparam(f"of_{column.key}") for column in PLACE))
    .values(capture_id=bindparam("of_capture"), ordered_at=bindparam("at"), damaged=bindparam("is_damaged"))
)


def mark(connection: Connection, capture_ids: Collection[UUID]) -> None:
    """Bring the pockets of these captures up to date.

    The caller holds the captures' rows, so nothing else is decided about them meanwhile.
    """
    if not capture_ids:
        return
    ids = {"ids": list(capture_ids)}
    if connection.dialect.name == "postgresql":  # what others write of these pockets is seen once it is committed
        connection.execute(_HELD, ids)
    rows = [_marked(row) for row in connection.execute(_STATES, ids)]
    rows.sort(key=lambda row: (row["of_machine"], row["of_head"], row["of_pocket"]))
    if rows:
        connection.execute(_MARK, rows)


def _marked(row: Any) -> dict[str, Any]:
    """The new row of a pocket, whose insert was `seen` last by a capture that shows it.

    It keeps its newest capture, unless damage was seen before that, or one that has its outcome only now is newer. It
    always keeps a capture that `waits` to be judged (`db.line.damaged_pockets`), because the board shows it.
    """
    is_newer = row.word is not None and (row.seen_at, row.seen) > (row.ordered_at, row.capture_id)
    is_damaged = OUTCOME_OF.get(row.word, row.word) == "damaged" and (is_newer or not row.waits)
    capture_id, at = (row.seen, row.seen_at) if is_damaged or is_newer else (row.capture_id, row.ordered_at)
    place = {"of_machine": row.machine, "of_head": row.head, "of_pocket": row.pocket}
    return {**place, "of_capture": capture_id, "at": at, "is_damaged": is_damaged}
