"""What is in the heads now, with what the console knows besides: its register of heads, and what is too old now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from db.console.context import Console
from db.line.capture_order import TOLERANCE
from db.queries import head_overview
from db.queries.head_overview import HeadOverview
from producer.contract.places import HeadPlace


def heads_now(console: Console, session: Session, places: Sequence[HeadPlace], now: datetime) -> list[HeadOverview]:
    """Some heads at a moment, in the order of the places."""
    known = {head: console.heads.get(head) for _, head in places} if console.heads is not None else {}
    declared = {head: entry.pockets for head, entry in known.items() if entry is not None}
    fresh_since = now - console.settings.stale_after
    return head_overview.overviews(
        session, places, declared=declared, fresh_since=fresh_since, now=now + TOLERANCE, ahead=console.ahead
    )
