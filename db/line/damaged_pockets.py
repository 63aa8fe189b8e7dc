"""The pockets whose insert must be replaced by what is known now, even while a newer photograph waits."""

from __future__ import annotations

from sqlalchemy import Subquery, select, text
from sqlalchemy.orm import aliased

from db.line.insert_changes import is_changed_since, is_unseen
from db.line.pockets import DAMAGED, NEWEST_SEEN, PLACE, here, word_of
from db.schema.tables import Captures, Pockets

_Known, _Newest = aliased(Captures), aliased(Captures)


def damaged() -> tuple[Subquery, Subquery]:
    """The pockets whose insert is to be replaced, each with the capture that shows it, `capture_id`.

    First those of which nothing newer is known, then those whose newest capture is still to be judged. Where a person
    has changed the insert since, the pocket is not there.
    """
    marked = select(*PLACE, Pockets.capture_id).where(text("pockets.damaged"), ~is_unseen())
    waiting = select(*PLACE, _Newest.capture_id).select_from(Pockets)
    # By place and id: what waits is few, and its place leads to its pocket.
    waiting = waiting.join(_Known, here(_Known) & (_Known.capture_id == Pockets.capture_id))
    waiting = waiting.join(_Newest, _Newest.capture_id == NEWEST_SEEN)
    is_damage = word_of(_Newest).in_(DAMAGED)
    waiting = waiting.where(_Known.outcome.is_(None), _Known.review.is_(None), is_damage, ~is_changed_since(_Newest))
    return marked.subquery(), waiting.subquery()
