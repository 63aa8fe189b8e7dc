"""What one shift tells the next: what was flagged, what people overruled, and what is still open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, TextClause, func, literal_column, select, text
from sqlalchemy.orm import Session

from db.learning import model_registry, remaining_lives
from db.learning.change_cost import ChangeCosts
from db.learning.model_registry import Promotion
from db.line import faults, insert_changes
from db.line.faults import Fault
from db.line.insert_changes import InsertChange
from db.line.insert_histories import SuspectedChange
from db.line.photographs import is_there
from db.line.rows import COLUMNS, NEWEST_FIRST, VerdictRow, conditions, current_verdict, on_machine
from db.queries import replace_list
from db.queries.pocket_history import PocketRow
from db.queries.shift_risk import ShiftRisk, not_lasting_again
from db.schema.index_conditions import DISPUTED
from db.schema.tables import Captures, Checks, Reviews, Verdicts
from producer.contract.places import HeadPlace, PocketPlace
from producer.contract.vocabulary import LABELS, OUTCOME_OF

MOST_OF_A_KIND: Final = 100
"""How many of each kind at most, the newest: a person does not read more at the end of a shift."""


REVIEWS: Final = 20_000
"""How many of the shift's newest reviews are read, so that the cost of a hand-over does not grow with the number of
reviews. A person who gives thirty a minute for eight hours gives fewer."""


_IS_DAMAGE: Final = Captures.review.in_([label for label in LABELS if OUTCOME_OF[label] == "damaged"])


@dataclass(frozen=True)
class Overruled(VerdictRow):
    """A verdict of which a person said the opposite: `said` is the label, by whom and when."""

    said: str = ""
    said_by: str = ""
    said_at: datetime | None = None


@dataclass(frozen=True)
class HandOver:
    """A shift, each list the newest first: `flagged` was judged damaged in it, or said to be where no model had
    decided; `overruled` was said in it.

    What is open is open now: `to_replace` by machine, head and pocket, `to_look_at` what no model was sure about,
    `suspected` the inserts that seem to have been changed without a record, `not_lasting` those that may not last as
    many operations again as their head did since the shift began.
    """

    flagged: list[PocketRow]
    overruled: list[Overruled]
    overruled_of: int | None
    """`overruled` covers only this many of the newest reviews; None if it covers all of the shift."""
    changed: list[InsertChange]
    promoted: list[Promotion]
    to_replace: list[PocketPlace]
    to_look_at: list[VerdictRow]
    faults: list[Fault]
    suspected: list[SuspectedChange]
    not_lasting: list[ShiftRisk]


def since(session: Session, begin: datetime, costs: ChangeCosts) -> HandOver:
    """What happened from a moment on, and what is open now."""
    promotions = model_registry.promotions(session, MOST_OF_A_KIND)
    lives = remaining_lives.search(session)
    return HandOver(
        flagged=_flagged(session, begin),
        overruled=_overruled(session, begin),
        overruled_of=REVIEWS if _has_more_reviews(session, begin) else None,
        changed=insert_changes.since(session, begin, MOST_OF_A_KIND),
        promoted=[promotion for promotion in promotions if promotion.at >= begin],
        to_replace=replace_list.places_to_replace(session),
        to_look_at=_to_look_at(session),
        faults=faults.search(session, limit=MOST_OF_A_KIND),
        suspected=remaining_lives.suspected(session),
        not_lasting=not_lasting_again(lives, _operations(session, begin), costs) if lives else [],
    )


def _operations(session: Session, begin: datetime) -> dict[HeadPlace, int]:
    """How many operations each head has done since a moment: those that it was checked after.

    A photograph by itself is of one pocket: where no check of a head was of several, those of the pocket count that was
    photographed most; beside such checks they are none, but the look at an insert that was changed.
    """
    # Not the columns themselves: in the order of their index SQLite would go through the checks of all times.
    machine, head = func.coalesce(Checks.machine, ""), func.coalesce(Checks.head, "")
    begun = Checks.started_at >= begin
    whole = select(machine, head, func.count()).where(begun, Checks.size > 1).group_by(machine, head)
    counts = {(row[0], row[1]): row[2] for row in session.execute(whole)}
    alone = (
        select(machine, head, func.count(Checks.check_id.distinct()))
        .join(Captures, Captures.check_id == Checks.check_id)
        .where(begun, Checks.size == 1)
        .group_by(machine, head, Captures.pocket)
    )
    most: dict[HeadPlace, int] = {}
    for row in session.execute(alone):
        most[row[0], row[1]] = max(row[2], most.get((row[0], row[1]), 0))
    return most | counts


def _flagged(session: Session, begin: datetime) -> list[PocketRow]:
    shown = select(*COLUMNS, Captures.review).outerjoin(Verdicts, current_verdict())
    judged = shown.where(*conditions({"outcome": "damaged", "since": begin})).order_by(*NEWEST_FIRST)
    decided = func.coalesce(Captures.outcome, "").in_(("intact", "damaged"))  # what a person says beside is `overruled`
    from_people = select(Reviews.capture_id).where(Reviews.id.in_(_last_said(session, begin, _IS_DAMAGE & ~decided)))
    of_people = shown.where(Captures.capture_id.in_(from_people))
    rows = [
        PocketRow(**row._mapping)
        for query in (judged.limit(MOST_OF_A_KIND), of_people)
        for row in session.execute(query)
    ]
    return sorted(rows, key=lambda row: (row.ordered_at, row.capture_id), reverse=True)[:MOST_OF_A_KIND]


def _overruled(session: Session, begin: datetime) -> list[Overruled]:
    last = _last_said(session, begin, text(DISPUTED))
    query = select(*COLUMNS, Reviews.label.label("said"), Reviews.by.label("said_by"), Reviews.at.label("said_at"))
    query = query.select_from(Reviews).join(Captures, Captures.capture_id == Reviews.capture_id)
    shown = query.outerjoin(Verdicts, current_verdict()).where(Reviews.id.in_(last)).order_by(Reviews.id.desc())
    return [Overruled(**row._mapping) for row in session.execute(shown)]


def _last_said(session: Session, begin: datetime, condition: ColumnElement[bool] | TextClause) -> list[int]:
    """The last reviews since a moment, each the newest of a capture of the line to which the condition applies."""
    newest = select(Reviews.id, Reviews.capture_id, Reviews.at).order_by(Reviews.id.desc()).limit(REVIEWS).subquery()
    # From the reviews to their captures, and only then to all that is shown of them. In one question SQLite goes
    # through all captures that were judged.
    of_it = select(Captures.capture_id).where(Captures.capture_id == newest.c.capture_id, condition)
    of_line = of_it.where(on_machine(Captures.machine, None)).exists()
    newest_in_shift = select(func.max(newest.c.id)).where(newest.c.at >= begin, of_line).group_by(newest.c.capture_id)
    return list(session.scalars(newest_in_shift.order_by(func.max(newest.c.id).desc()).limit(MOST_OF_A_KIND)))


def _has_more_reviews(session: Session, begin: datetime) -> bool:
    """Whether there are more reviews since a moment than are read."""
    beyond = session.scalar(select(Reviews.at).order_by(Reviews.id.desc()).offset(REVIEWS).limit(1))
    return beyond is not None and beyond >= begin


def _to_look_at(session: Session) -> list[VerdictRow]:
    # In words, as the index of what waits for a person has it (`db.schema.index_conditions.UNANSWERED`).
    waits = (Captures.outcome == literal_column("'unsure'")) & Captures.review.is_(None)
    query = select(*COLUMNS).outerjoin(Verdicts, current_verdict()).where(waits, is_there())
    newest = query.where(on_machine(Captures.machine, None)).order_by(*NEWEST_FIRST).limit(MOST_OF_A_KIND)
    return [VerdictRow(*row) for row in session.execute(newest)]
