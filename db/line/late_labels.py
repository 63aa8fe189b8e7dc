"""Damage that a person saw in a photograph, and what does not take it away: what was photographed before that was said.

Nobody changes an insert for damage that nobody knows of. So neither photographs that came before the label take the
damage away, nor one that was taken before it and comes after it, out of an outbox (decision 46). It stays until one
that was taken after the label and came after it shows the insert, a person records that the insert was changed, or the
label is taken back. What people say of other photographs does not end it: they may not know of it. Damage that the
model saw was known at once: there the next photograph decides (`db.line.pockets`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from db.engine.prepared import Prepared
from db.engine.upsert import insert
from db.line.insert_changes import is_changed_since
from db.line.pockets import DAMAGED, PLACE, SHOWS_INSERT, word_of
from db.schema.tables import Captures, LateLabels
from producer.contract.names import IMPORTED
from producer.contract.places import PocketPlace

_LAST: Final = 20
"""So many of a pocket's newest photographs are asked when they came: a label that is given now is later than that."""

_KEPT: Final = timedelta(days=1)
"""How long a note stays once a photograph has ended it, which a person may yet call unusable."""

_PLACE: Final = [column.key for column in PLACE]
_ALL_PLACES: Final = [getattr(LateLabels, name) for name in _PLACE]
_Said, _Newest = aliased(Captures), aliased(Captures)
_IS_LATER: Final = and_(
    *(getattr(Captures, name) == getattr(_Said, name) for name in _PLACE),
    tuple_(Captures.ordered_at, Captures.capture_id) > tuple_(_Said.ordered_at, _Said.capture_id),
)
_NEWEST_LATER: Final = (Captures.ordered_at.desc(), Captures.capture_id.desc())
# A claim of before the photograph that was labelled is of a wrong clock: then the order knows better.
_IS_OF_BEFORE: Final = or_(
    Captures.ordered_at <= LateLabels.at, Captures.captured_at.between(_Said.ordered_at, LateLabels.at)
)
_CAME_AFTER: Final = and_(Captures.received_at > LateLabels.at, ~_IS_OF_BEFORE)
_ENDS_IT: Final = or_(_CAME_AFTER, word_of(Captures).in_(DAMAGED))


def _is_said(ends_it: ColumnElement[bool], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition on late labels: the photograph is still labelled so, and no later one that shows the insert ends it.

    In this order, so that an engine without statistics begins with the few late labels too.
    """
    ending = select(Captures.capture_id).where(_IS_LATER, ends_it, SHOWS_INSERT).correlate(_Said, LateLabels)
    said = select(_Said.capture_id).where(_Said.capture_id == LateLabels.capture_id, _Said.review.in_(DAMAGED))
    return said.where(~ending.exists(), *conditions).correlate(LateLabels).exists()


@dataclass(frozen=True)
class LateLabel:
    """A label that holds: the pocket, the photograph and its check, what the label says, and when that was said first.

    `newest_check` is that of the newest later photograph of before, and `newest_at` the place of this in the order;
    None where there is no later one: it came late only where there is.
    """

    machine: str
    head: str
    pocket: int
    capture_id: UUID
    check_id: UUID
    label: str
    at: datetime
    newest_check: UUID | None
    newest_at: datetime | None

    @property
    def is_late(self) -> bool:
        """Whether later photographs, which do not take the damage away, show something else."""
        return self.newest_at is not None

    @property
    def place(self) -> PocketPlace:
        """Where the pocket is."""
        return PocketPlace(self.machine, self.head, self.pocket)


def keep(session: Session, capture_id: UUID, at: datetime, since: datetime | None = None) -> bool:
    """Note that a person says at this moment that a photograph shows damage; false where nothing can come of that.

    It counts from this moment, or from that `since` which people have said so: then it is noted if it was not. It is
    noted whether newer ones have come or not: one that was taken before may come yet. What counts no more is removed:
    there are hardly more notes than pockets to be looked at, and those of the last day.
    """
    place = [getattr(Captures, name) for name in _PLACE]
    of_it = select(*place, Captures.ordered_at, Captures.received_at).where(Captures.capture_id == capture_id)
    *names, ordered_at, received_at = session.execute(of_it).one()
    values = dict(zip(_PLACE, names, strict=True)) | {"capture_id": capture_id}
    if values["machine"] == IMPORTED:
        return False
    later = select(Captures.received_at).where(_IS_LATER).join(_Said, _Said.capture_id == capture_id)
    came = session.scalars(later.order_by(*_NEWEST_LATER).limit(_LAST)).all()
    ended = ~_is_said(and_(_CAME_AFTER, Captures.received_at < at - _KEPT))
    session.execute(delete(LateLabels).where(ended).execution_options(synchronize_session=False))
    moment = max(at, ordered_at, received_at, *came) if since is None else since
    new, key = insert(session, LateLabels).values(**values, at=moment), [*_PLACE, "capture_id"]
    anew = new.on_conflict_do_update(index_elements=key, set_={"at": new.excluded.at})
    session.execute(anew if since is None else new.on_conflict_do_nothing(index_elements=key))
    return True


def _in_force() -> Select[Any]:
    newest = select(Captures.capture_id).where(_IS_LATER, ~_CAME_AFTER).correlate(_Said, LateLabels)
    newest_id = newest.order_by(*_NEWEST_LATER).limit(1).scalar_subquery()
    of_said = _Said.capture_id, _Said.check_id, _Said.review
    return (
        select(*_ALL_PLACES, *of_said, LateLabels.at, _Newest.check_id, _Newest.ordered_at)
        .select_from(LateLabels)
        .join(_Said, _Said.capture_id == LateLabels.capture_id)
        .outerjoin(_Newest, _Newest.capture_id == newest_id)
        .where(_is_said(_ENDS_IT, ~is_changed_since(_Said)))
        .order_by(*_ALL_PLACES)
    )


_ANY, _IN_FORCE = Prepared(lambda *_: select(LateLabels.pocket).limit(1)), Prepared(lambda *_: _in_force())


def in_force(session: Session, machine: str | None = None, head: str | None = None) -> list[LateLabel]:
    """The labels that hold, of all heads or of one, by place; where there is none at all, that is asked first."""
    if not is_any(session):
        return []
    known = (LateLabel(*row) for row in _IN_FORCE.execute(session.connection()))
    return [label for label in known if machine in (None, label.machine) and head in (None, label.head)]


def is_any(session: Session) -> bool:
    """Whether there is a late label, also one that holds no more."""
    return bool(_ANY.execute(session.connection()))


def is_open() -> ColumnElement[bool]:
    """A condition on late labels: no photograph of since has ended it, whatever damage later ones show."""
    return _is_said(_CAME_AFTER)


def is_withheld(of: Any) -> ColumnElement[bool]:
    """A condition on pockets: a late label would hold there, had not a person changed the insert since."""
    here = [getattr(LateLabels, name) == getattr(of, name) for name in _PLACE]
    return select(LateLabels.capture_id).where(*here, _is_said(_ENDS_IT)).exists()
