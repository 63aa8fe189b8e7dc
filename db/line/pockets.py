"""Pockets: which of them hold an insert to be replaced, by the newest capture of each that shows its insert.

`db.line.captures.record` names a pocket's newest capture, which has no outcome then; what gives a capture its outcome,
or keeps it from having one, brings its pocket up to date here, in the same transaction. A photograph that is unusable
or has a fault shows nothing of the insert. A photograph without damage that may be of another pocket or operation is
not believed. In both cases damage shown by the photograph before it stays. It also stays while the newest photograph is
still to be judged (`db.line.damaged_pockets`).

A photograph that another outbox says it took before one that is not judged yet lies before that: either may be the
newer one. If it turns out to show damage, and the other one neither damage nor a doubt, it counts as the newer one, as
it arrived later, or may have: the other one came by a clock that was ahead (`db.line.captures_ahead`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import aliased

from db.engine.prepared import Prepared, inserted
from db.line.capture_order import OrderedPhoto, ordered_at
from db.line.contradicting_captures import IS_DOUBTED
from db.line.insert_changes import last_changed_at
from db.schema.column_words import STANDING_FAULTS
from db.schema.tables import Captures, CapturesAhead, Faults, Pockets
from producer.contract.vocabulary import OUTCOME_OF

_Named, _Known, _Newest = aliased(Captures), aliased(Captures), aliased(Captures)
PLACE: Final = (Pockets.machine, Pockets.head, Pockets.pocket)


def here(captures: Any) -> Any:
    """A condition of a query about pockets: these captures are of the pocket."""
    return and_(*(getattr(captures, column.key) == column for column in PLACE))


def word_of(captures: Any) -> Any:
    """What is known of captures, in a query: the label of the newest review, else the verdict's outcome."""
    return func.coalesce(captures.review, captures.outcome)


_PHOTO = [field.name for field in fields(OrderedPhoto) if field.name != "flagged"]
_WORD_SEEN = word_of(Captures)
_OF_NAMED = select(*PLACE).join(_Named, here(_Named)).where(_Named.capture_id.in_(bindparam("ids", expanding=True)))
# In the order in which captures take them, that of code points: two that write wait for each other in line and not in a
# circle.
_HELD_QUERY = _OF_NAMED.order_by(Pockets.machine.collate("C"), Pockets.head.collate("C"), Pockets.pocket)
_HELD_QUERY = _HELD_QUERY.with_for_update(of=Pockets)
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

HAS_FAULT: Final = (
    select(Faults.id)
    .where(Faults.capture_id == Pockets.capture_id, func.coalesce(Faults.state, "").in_(STANDING_FAULTS))
    .correlate(Pockets)
    .exists()
)
"""The capture of a pocket has a fault, so nothing will judge it, in a query about pockets."""

_WAITS = and_(_Known.outcome.is_(None), _Known.review.is_(None), ~HAS_FAULT)
_STATES_QUERY = _OF_NAMED.add_columns(
    Pockets.ordered_at,
    Pockets.capture_id,
    _Newest.ordered_at,
    _Newest.capture_id,
    word_of(_Newest),
    _WAITS,
)
_STATES_QUERY = _STATES_QUERY.join(_Known, _Known.capture_id == Pockets.capture_id)
_STATES_QUERY = _STATES_QUERY.outerjoin(_Newest, _Newest.capture_id == NEWEST_SEEN)
DAMAGED: Final = [word for word, outcome in OUTCOME_OF.items() if outcome == "damaged"]
"""What a verdict or a label says of a damaged insert."""

_WAS_AHEAD = select(CapturesAhead.capture_id).where(CapturesAhead.capture_id == _Known.capture_id).exists()
_LATE_QUERY = (
    select(*PLACE, last_changed_at(), *(getattr(of, name) for of in (_Named, _Known) for name in _PHOTO))
    .select_from(Pockets)
    .join(_Named, here(_Named))
    .join(_Known, _Known.capture_id == Pockets.capture_id)
    .where(_Named.capture_id.in_(bindparam("ids", expanding=True)), _Named.ordered_at < Pockets.ordered_at)
    .where(or_(_Known.received_at <= _Named.received_at, _WAS_AHEAD))
    .where(word_of(_Named).in_(DAMAGED))
    .where(func.coalesce(word_of(_Known), "").not_in((*DAMAGED, "unsure")))
)
_LATE = Prepared(lambda *_: _LATE_QUERY)
_MOVE_CAPTURE: Any = (
    update(Captures.__table__)  # type: ignore[arg-type]
    .where(Captures.capture_id == bindparam("of_capture"))
    .values(ordered_at=bindparam("at"))
)
_NAMES: Final = (*(column.key for column in PLACE), "capture_id", "ordered_at", "damaged")


def _mark(dialect: str, rows: int) -> Any:
    new = inserted(dialect, Pockets, _NAMES, rows)  # they are there: one statement changes all of them
    return new.on_conflict_do_update(index_elements=PLACE, set_={name: new.excluded[name] for name in _NAMES[3:]})


_STATES, _HELD, _MARK = Prepared(lambda *_: _STATES_QUERY), Prepared(lambda *_: _HELD_QUERY), Prepared(_mark)


def mark(connection: Connection, capture_ids: Collection[UUID]) -> None:
    """Bring the pockets of these captures up to date.

    The caller holds the captures' rows, so nothing else is decided about them meanwhile.
    """
    if not capture_ids:
        return
    ids = list(capture_ids)
    if connection.dialect.name == "postgresql":  # what others write of these pockets is seen once it is committed
        _HELD.execute(connection, ids=ids)
    _write(connection, _late(connection, ids))
    _write(connection, [_marked(*row) for row in _STATES.execute(connection, ids=ids)])


def _late(connection: Connection, capture_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """The new rows of pockets whose newest photograph shows no damage, though one of these came later and shows some.

    It lay before the newest one as long as nothing was known of that, and is moved to where it lies by its arrival.
    """
    rows = []
    for machine, head, pocket, changed_at, *photos in _LATE.execute(connection, ids=list(capture_ids)):
        late, newest = (OrderedPhoto(*of) for of in (photos[: len(_PHOTO)], photos[len(_PHOTO) :]))
        times = late.capture_id, late.station, late.captured_at, late.received_at
        moment = ordered_at(*times, newest, changed_at, now=late.received_at)
        if moment > newest.ordered_at:
            rows.append(dict(zip(_NAMES, (machine, head, pocket, late.capture_id, moment, False), strict=True)))
    if rows:
        moved = [{"of_capture": row["capture_id"], "at": row["ordered_at"]} for row in rows]
        connection.execute(_MOVE_CAPTURE, moved)
    return rows


def _write(connection: Connection, rows: list[dict[str, Any]]) -> None:
    of_places = {(row["machine"], row["head"], row["pocket"]): row for row in rows}
    if of_places:
        _MARK.execute(connection, [of_places[place] for place in sorted(of_places)])


def _marked(
    machine: str,
    head: str,
    pocket: int,
    ordered_at: datetime,
    capture_id: UUID,
    seen_at: datetime | None,
    seen: UUID | None,
    word: str | None,
    waits: bool,
) -> dict[str, Any]:
    """The new row of a pocket, whose insert was `seen` last by a capture that shows it.

    It keeps its newest capture, unless damage was seen before that, or one that has its outcome only now is newer. It
    always keeps a capture that `waits` to be judged (`db.line.damaged_pockets`), because the board shows it.
    """
    is_damaged = False
    if seen_at is not None and seen is not None and word is not None:
        is_newer = (seen_at, seen) > (ordered_at, capture_id)
        is_damaged = word in DAMAGED and (is_newer or not waits)
        if is_damaged or is_newer:
            capture_id, ordered_at = seen, seen_at
    return dict(zip(_NAMES, (machine, head, pocket, capture_id, ordered_at, is_damaged), strict=True))
