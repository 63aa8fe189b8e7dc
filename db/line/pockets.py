"""Pockets: which of them hold an insert to be replaced, by the newest capture of each that shows its insert.

`db.line.captures.record` names a pocket's newest capture, which has no outcome then; what gives a capture its outcome,
or keeps it from having one, brings its pocket up to date here, in the same transaction. A photograph that is unusable,
or has a fault, shows nothing of the insert, nor is one without damage believed that may be of another pocket or
operation: damage that the one before it showed stands.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, func, select, update
from sqlalchemy.orm import aliased

from db.line.contradicting_captures import IS_DOUBTED
from db.schema.tables import Captures, Faults, Pockets
from db.schema.vocabulary import STANDING_FAULTS
from producer.contract.vocabulary import OUTCOME_OF

_Named, _Newest = aliased(Captures), aliased(Captures)
_PLACE = (Pockets.machine, Pockets.head, Pockets.pocket)


def _here(captures: Any) -> Any:
    return and_(*(getattr(captures, column.key) == column for column in _PLACE))


_WORD_SEEN = func.coalesce(Captures.review, Captures.outcome)
_OF_NAMED = select(*_PLACE).join(_Named, _here(_Named)).where(_Named.capture_id.in_(bindparam("ids", expanding=True)))
# In the order in which captures take them, that of code points: two that write wait for each other in line and not in a
# circle.
_HELD = _OF_NAMED.order_by(Pockets.machine.collate("C"), Pockets.head.collate("C"), Pockets.pocket).with_for_update(
    of=Pockets
)
_HAS_FAULT = (
    select(Faults.id)
    .where(Faults.capture_id == Captures.capture_id, func.coalesce(Faults.state, "").in_(STANDING_FAULTS))
    .correlate(Captures)
    .exists()
)
_NEWEST_SEEN = (
    select(Captures.capture_id)
    .where(
        _here(Captures),
        func.coalesce(_WORD_SEEN, "") != "unusable",
        _WORD_SEEN.is_not(None) | ~_HAS_FAULT,
        func.coalesce(_WORD_SEEN, "intact").not_in(("intact", "unsure")) | ~IS_DOUBTED,
    )
    .order_by(Captures.ordered_at.desc(), Captures.capture_id.desc())
    .limit(1)
    .correlate(Pockets)
    .scalar_subquery()
)
_STATES = _OF_NAMED.add_columns(
    Pockets.ordered_at,
    Pockets.capture_id,
    _Newest.ordered_at.label("seen_at"),
    _Newest.capture_id.label("seen"),
    func.coalesce(_Newest.review, _Newest.outcome).label("word"),
).outerjoin(_Newest, _Newest.capture_id == _NEWEST_SEEN)
_MARK: Any = (
    update(Pockets.__table__)  # type: ignore[arg-type]
    .where(*(column == bindparam(f"of_{column.key}") for column in _PLACE))
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
    """What becomes of a pocket, whose insert was `seen` last by a capture that shows it, or that is not judged yet.

    It keeps its newest capture, unless damage was seen before that, or one that has its outcome only now is newer.
    """
    is_damaged = OUTCOME_OF.get(row.word, row.word) == "damaged"
    is_newer = row.word is not None and (row.seen_at, row.seen) > (row.ordered_at, row.capture_id)
    capture_id, at = (row.seen, row.seen_at) if is_damaged or is_newer else (row.capture_id, row.ordered_at)
    place = {"of_machine": row.machine, "of_head": row.head, "of_pocket": row.pocket}
    return {**place, "of_capture": capture_id, "at": at, "is_damaged": is_damaged}
