"""What one shift tells the next: what was flagged, what people overruled, and what is still open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from db.learning import model_registry, remaining_lives, reviews
from db.learning.change_cost import ChangeCosts
from db.learning.model_registry import Promotion
from db.line import faults, insert_changes
from db.line.faults import Fault
from db.line.insert_changes import InsertChange
from db.line.insert_histories import SuspectedChange
from db.line.photographs import is_there
from db.line.rows import COLUMNS, NEWEST_FIRST, VerdictRow, conditions, current_verdict, on_machine
from db.queries import maintenance
from db.queries.lasting import Lasting, not_lasting_again
from db.queries.maintenance import PocketRow
from db.schema.tables import Captures, Checks, Verdicts
from producer.contract.vocabulary import OUTCOME_OF

MOST: Final = 100
"""Of each kind so many at most, the newest: more is nothing that a person reads at the end of a shift."""


REVIEWS: Final = 1_000
"""So many reviews of a shift are looked through, the newest."""


@dataclass(frozen=True)
class Overruled(VerdictRow):
    """A verdict of which a person said the opposite: `said` is the label, by whom and when."""

    said: str = ""
    said_by: str = ""
    said_at: datetime | None = None


@dataclass(frozen=True)
class HandOver:
    """A shift, each list the newest first: `flagged` was judged damaged in it, `overruled` said in it.

    What is open is open now: `to_replace` by machine, head and pocket, `to_look_at` what no model was sure about,
    `suspected` the inserts that seem to have been changed without anybody saying so, `not_lasting` those that may not
    last as many operations again as their head did since the shift began.
    """

    flagged: list[PocketRow]
    overruled: list[Overruled]
    changed: list[InsertChange]
    promoted: list[Promotion]
    to_replace: list[PocketRow]
    to_look_at: list[VerdictRow]
    faults: list[Fault]
    suspected: list[SuspectedChange]
    not_lasting: list[Lasting]


def since(session: Session, begin: datetime, costs: ChangeCosts) -> HandOver:
    """What happened from a moment on, and what is open now."""
    promotions = model_registry.promotions(session, MOST)
    return HandOver(
        flagged=_flagged(session, begin),
        overruled=_overruled(session, begin),
        changed=insert_changes.since(session, begin, MOST),
        promoted=[promotion for promotion in promotions if promotion.at >= begin],
        to_replace=maintenance.to_replace(session),
        to_look_at=_to_look_at(session),
        faults=faults.search(session, limit=MOST),
        suspected=remaining_lives.suspected(session),
        not_lasting=not_lasting_again(remaining_lives.search(session), _operations(session, begin), costs),
    )


def _operations(session: Session, begin: datetime) -> dict[tuple[str, str], int]:
    """How many operations each head has done since a moment: those that it was checked after."""
    place = (Checks.machine, Checks.head)
    query = select(*place, func.count()).where(Checks.started_at >= begin).group_by(*place)
    return {(machine, head): operations for machine, head, operations in session.execute(query)}


def _flagged(session: Session, begin: datetime) -> list[PocketRow]:
    query = select(*COLUMNS, Captures.review).outerjoin(Verdicts, current_verdict())
    newest = query.where(*conditions({"outcome": "damaged", "since": begin})).order_by(*NEWEST_FIRST).limit(MOST)
    return [PocketRow(**row._mapping) for row in session.execute(newest)]


def _overruled(session: Session, begin: datetime) -> list[Overruled]:
    # From the reviews to what their captures came to, and only then to all that is shown of the overruled ones. In one
    # question SQLite goes through all captures that were judged.
    last = {review.capture_id: review for review in reversed(reviews.recent(session, since=begin, limit=REVIEWS))}
    outcomes = select(Captures.capture_id, Captures.outcome).where(Captures.capture_id.in_(last))
    of_line = dict(session.execute(outcomes.where(on_machine(Captures.machine, None))).all())
    overruled = [
        review
        for review in sorted(last.values(), key=lambda review: review.id, reverse=True)
        if review.capture_id in of_line and _are_opposite(of_line[review.capture_id], review.label)
    ][:MOST]
    query = select(*COLUMNS).outerjoin(Verdicts, current_verdict())
    shown = query.where(Captures.capture_id.in_([review.capture_id for review in overruled]))
    rows = {row.capture_id: VerdictRow(*row) for row in session.execute(shown)}
    return [
        Overruled(**vars(rows[review.capture_id]), said=review.label, said_by=review.by, said_at=review.at)
        for review in overruled
    ]


def _are_opposite(outcome: str | None, label: str) -> bool:
    return {outcome, OUTCOME_OF[label]} == {"intact", "damaged"}


def _to_look_at(session: Session) -> list[VerdictRow]:
    # In words, as the index of what waits for a person has it (`db.schema.index_conditions.UNANSWERED`).
    waits = (Captures.outcome == literal_column("'unsure'")) & Captures.review.is_(None)
    query = select(*COLUMNS).outerjoin(Verdicts, current_verdict()).where(waits, is_there())
    newest = query.where(on_machine(Captures.machine, None)).order_by(*NEWEST_FIRST).limit(MOST)
    return [VerdictRow(*row) for row in session.execute(newest)]
