"""A head at a glance: what is in each pocket now, what the last operations left, and what its last check said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.line import checks
from db.line.checks import Check
from db.line.insert_lives import IMPORTED
from db.schema.tables import Captures, Pockets
from producer.contract.vocabulary import OUTCOME_OF, Outcome

PocketWord = Literal[Outcome, "fault", "missing", "pending", "empty"]
"""What a pocket shows: an outcome; a fault, or no photograph, where its check says so; not judged yet; nothing."""


@dataclass(frozen=True)
class PocketNow:
    """The newest capture of a pocket, and what it shows."""

    pocket: int
    capture_id: UUID
    at: datetime
    word: PocketWord


@dataclass(frozen=True)
class Operation:
    """A check of the head, and what it left in each pocket that was looked at."""

    check: Check
    words: Mapping[int, PocketWord]


@dataclass(frozen=True)
class HeadOverview:
    """A head; its newest operation first."""

    machine: str
    head: str
    pockets: Mapping[int, PocketNow]
    operations: Sequence[Operation]

    @property
    def last_at(self) -> datetime | None:
        """The place in the order of its newest capture."""
        return max((pocket.at for pocket in self.pockets.values()), default=None)

    @property
    def size(self) -> int:
        """How many pockets it has, as far as its captures tell."""
        of_check = self.operations[0].check.size if self.operations else 0
        return max([of_check, *self.pockets])


def heads(session: Session) -> list[tuple[str, str]]:
    """Machine and head of all that were ever seen on the line, by machine and head."""
    query = select(Pockets.machine, Pockets.head).where(Pockets.machine != IMPORTED).distinct()
    return [(machine, head) for machine, head in session.execute(query.order_by(Pockets.machine, Pockets.head))]


def overview(session: Session, machine: str, head: str, *, operations: int = 5) -> HeadOverview:
    """One head, with so many of its last operations."""
    last = _operations(session, checks.recent(session, machine=machine, head=head, limit=operations))
    query = (
        select(Pockets.pocket, Captures.capture_id, Captures.ordered_at, Captures.outcome, Captures.review)
        .join(Captures, Captures.capture_id == Pockets.capture_id)
        .where(Pockets.machine == machine, Pockets.head == head)
        .order_by(Pockets.pocket)
    )
    faulty = {pocket for pocket, word in last[0].words.items() if word == "fault"} if last else set()
    pockets = {}
    for pocket, capture_id, at, outcome, review in session.execute(query):
        word = _word(outcome, review)
        # The check knows why its own capture has no outcome.
        word = "fault" if word == "pending" and pocket in faulty else word
        pockets[pocket] = PocketNow(pocket, capture_id, at, word)
    return HeadOverview(machine, head, pockets, last)


def _operations(session: Session, last: Sequence[Check]) -> list[Operation]:
    words: dict[UUID, dict[int, PocketWord]] = {check.check_id: {} for check in last}
    query = (
        select(Captures.check_id, Captures.pocket, Captures.outcome, Captures.review)
        .where(Captures.check_id.in_(list(words)))
        .order_by(Captures.ordered_at, Captures.capture_id)  # of several captures of a pocket the newest counts
    )
    for check_id, pocket, outcome, review in session.execute(query):
        words[check_id][pocket] = _word(outcome, review)
    for check in last:
        of_check = words[check.check_id]
        for pocket in check.review:
            if of_check.get(pocket, "pending") == "pending":
                of_check[pocket] = "missing" if pocket in check.missing else "fault"
    return [Operation(check, words[check.check_id]) for check in last]


def _word(outcome: str | None, review: str | None) -> PocketWord:
    word: PocketWord = OUTCOME_OF[review] if review is not None else outcome or "pending"  # type: ignore[assignment]
    return word
