"""What the newest photograph of each pocket of many heads shows, for the pages that show a whole line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Select, String, bindparam, cast, func, select
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line import head_checks
from db.line.captures_ahead import IS_AHEAD, WAS_AHEAD
from db.line.insert_changes import is_unseen
from db.line.pockets import HAS_FAULT, word_of
from db.schema.tables import Captures, Checks, Pockets
from producer.contract.places import HeadPlace
from producer.contract.vocabulary import OUTCOMES, Outcome, outcome_now

PocketWord = Literal[Outcome, "fault", "missing", "pending", "new", "empty"]
"""What a pocket shows: an outcome; a fault; no photograph, where its check says so; not judged yet; an insert that
a person has put there since its newest photograph; nothing."""

POCKET_WORDS: Final[tuple[PocketWord, ...]] = (*OUTCOMES, "fault", "missing", "pending", "new", "empty")
"""Every one of them."""


@dataclass(frozen=True)
class Alike:
    """Pockets of a head whose newest photographs are of one check, which may doubt them or wait for others, and show
    the same; when the first and last of these were taken, and when the first came."""

    word: PocketWord
    pockets: Collection[int]
    is_fresh: bool
    check_id: UUID
    is_doubtful: bool
    first_at: datetime
    last_at: datetime
    received_at: datetime


def newest(
    session: Session, places: Sequence[HeadPlace], since: datetime, until: datetime
) -> Mapping[HeadPlace, list[Alike]]:
    """The pockets of some heads. Fresh: what was photographed and came `since` a moment, and never lay in the future.

    The future begins at `until`.
    """
    seen: dict[HeadPlace, list[Alike]] = {place: [] for place in places}
    values = {"places": head_checks.as_value(places), "since": since, "until": until}
    for machine, head, *row in _NOW.execute(session.connection(), **values):
        seen[machine, head].append(_alike(row))
    return seen


def _alike(row: Sequence[Any]) -> Alike:
    outcome, review, is_new, is_fresh, check_id, is_elsewhere, is_open, is_faulty, pockets, *when = row
    waiting: PocketWord = "fault" if is_faulty else "pending"
    word: PocketWord = "new" if is_new else outcome_now(review, outcome) or waiting  # type: ignore[assignment]
    if is_elsewhere and word == "intact":
        word = "unsure"  # the check that it came with is another head's, and does not believe it
    numbers = frozenset(map(int, pockets.split(",")))
    is_doubtful = (bool(is_open) or word in ("pending", "fault")) and not is_elsewhere
    return Alike(word, numbers, bool(is_fresh), check_id, is_doubtful, *when)


def _now(dialect: str, _: int) -> Select[*tuple[Any, ...]]:
    """The outcome of the newest capture of each pocket of some heads: one row for all pockets that are alike."""
    of = head_checks.heads_table(dialect)
    is_elsewhere = (Checks.machine != Pockets.machine) | (Checks.head != Pockets.head)
    with_check = Checks.check_id, is_elsewhere, Checks.awaited | Checks.given_up
    since = bindparam("since", type_=Pockets.ordered_at.type)
    is_fresh = (Pockets.ordered_at >= since) & (Captures.received_at >= since) & ~IS_AHEAD & ~WAS_AHEAD
    alike = (
        Pockets.machine,
        Pockets.head,
        Captures.outcome,
        Captures.review,
        is_unseen(),
        is_fresh,
        *with_check,
    )
    return (
        select(
            *alike,
            (word_of(Captures).is_(None) & HAS_FAULT).label("is_faulty"),
            func.aggregate_strings(cast(Pockets.pocket, String), ","),
            func.min(Pockets.ordered_at),
            func.max(Pockets.ordered_at),
            func.min(Captures.received_at),
        )
        .select_from(of)
        .join(Pockets, (Pockets.machine == of.c.machine) & (Pockets.head == of.c.head))
        .join(Captures, Captures.capture_id == Pockets.capture_id)
        .join(Checks, Checks.check_id == Captures.check_id)
        .group_by(*alike, "is_faulty")
    )


_NOW: Final = Prepared(_now)
