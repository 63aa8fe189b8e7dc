"""What is in the heads now, by the database and by what the console knows: its head register, and what is too old."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from db.console.context import Console
from db.engine.clock import BEFORE_ALL
from db.line import restores
from db.line.capture_order import TOLERANCE
from db.queries import head_overview
from db.queries.head_answer import HeadOverview
from producer.contract.places import HeadPlace, PocketPlace


def heads_now(
    console: Console,
    session: Session,
    places: Sequence[HeadPlace],
    now: datetime,
    to_replace: Collection[PocketPlace] | None = None,
) -> list[HeadOverview]:
    """Some heads at a moment, in the order of the places; `to_replace` as for `head_overview.overviews`.

    After a backup was restored, photographs from before the restore say nothing about now: everything judged since the
    backup was made, including damage, is lost.
    """
    known = {head: pockets for _, head in places if (pockets := declared(console, head)) is not None}
    fresh_since = max(now - console.settings.stale_after, restores.restored_at(session) or BEFORE_ALL)
    return head_overview.overviews(
        session, places, declared=known, fresh_since=fresh_since, now=now + TOLERANCE, to_replace=to_replace
    )


def declared(console: Console, head: str) -> int | None:
    """How many pockets the head register gives a head; None where it does not say."""
    entry = console.heads.get(head) if console.heads is not None else None
    return None if entry is None else entry.pockets
