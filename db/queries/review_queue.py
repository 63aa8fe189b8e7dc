"""Which captures a person should look at next: those first from which the next model learns most."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Select, bindparam, func, literal_column, select, text
from sqlalchemy.orm import Session, aliased

from db.engine.prepared import Prepared
from db.learning.review_chances import SAMPLE_ONE_IN, drawn
from db.learning.reviews import Review
from db.line.photographs import is_there
from db.line.rows import COLUMNS, NEWEST_FIRST, VerdictRow, current_verdict
from db.schema.index_conditions import DISPUTED, FINDING
from db.schema.tables import Captures, Reviews, Verdicts
from producer.contract.vocabulary import DECIDED, OUTCOMES

WINDOW: Final = 10_000
"""How many of the newest verdicts of an outcome, and of the newest reviews, are looked through: what a queue costs does
not grow with the database."""

NEAR_SHARE: Final = 0.1
"""The share of a model's verdicts, those nearest to its threshold, that a person should look at."""

SAMPLE_EVERY: Final = 10
"""One in this many that a person is offered comes from the sample, while there is any: it is never crowded out."""

Why = Literal["unsure", "near the threshold", "a review disagrees", "a sample"]


_CHANCES: Final[dict[Why, float]] = {"unsure": 1.0, "a sample": 1 / SAMPLE_ONE_IN}


@dataclass(frozen=True)
class ToReview:
    """A capture to look at, and why; `review` is what was said about it where that is the reason.

    `chance` is that with which it is offered, None where it is not by chance (`db.learning.review_chances`).
    """

    row: VerdictRow
    why: Why
    review: Review | None = None
    chance: float | None = None


def queue(session: Session, limit: int = 50) -> list[ToReview]:
    """What to look at next, most informative first, each capture once.

    First what is `unsure`, newest first. Then, of the newest intact and damaged verdicts of each model, the share that
    lies nearest to its threshold. Then captures about which one person said the opposite of the verdict: a second look
    settles them. Every tenth is from a sample of all verdicts that are not unsure, the same for every person, however
    much else waits: without it the share of damaged inserts on the line would be unknown (`db.queries.line_rate`). The
    outcomes take turns, and of each the capture that has waited longest comes next: so a skipped one comes back. Only
    captures whose review disagrees have been looked at before. Captures without a photograph are left out.
    """
    wanted = list(islice(_wanted(session, limit), limit))
    rows = _rows(session, [capture_id for capture_id, _, _ in wanted])
    known = ((rows[capture_id], why, review) for capture_id, why, review in wanted if capture_id in rows)
    return [ToReview(row, why, review, _CHANCES.get(why)) for row, why, review in known]


def in_turn(groups: Iterable[Sequence[int]]) -> list[int]:
    """The first of each group, then the second of each, and so on."""
    return [number for _, number in sorted(pair for group in groups for pair in enumerate(group))]


_SAMPLED: Final = tuple(outcome for outcome in OUTCOMES if outcome != "unsure")
"""The outcomes that need no look, of which a sample is looked at nevertheless."""


def is_sample(session: Session, capture_id: UUID) -> bool:
    """Whether chance has chosen a capture whose verdict decides: it is to be looked at without that being shown."""
    current = select(drawn(Verdicts.id)).where(Verdicts.capture_id == capture_id, Verdicts.current)
    return bool(session.scalar(current.where(Verdicts.outcome.in_(_SAMPLED))))


_Wanted = tuple[UUID, Why, Review | None]


def _wanted(session: Session, limit: int) -> Iterator[_Wanted]:
    """What to look at, in order, looked up only as far as it is requested."""
    informative, sample = _informative(session, limit), _sample(session, limit)
    while some := list(islice(informative, SAMPLE_EVERY - 1)):
        yield from some
        yield from islice(sample, 1)
    yield from sample


def _informative(session: Session, limit: int) -> Iterator[_Wanted]:
    for capture_id in session.scalars(_UNSURE.limit(limit)):
        yield capture_id, "unsure", None
    # A verdict keeps its place when its neighbour has been reviewed, so the list comes to an end.
    for near in _in_two(_near_threshold(session), limit):
        for capture_id in _not_reviewed(session, [number for number in near if not drawn(number)], limit):
            yield capture_id, "near the threshold", None
    for review in _disagreeing(session, limit):
        yield review.capture_id, "a review disagrees", review


def _sample(session: Session, limit: int) -> Iterator[_Wanted]:
    for chosen in _in_two(_chosen(session), math.ceil(limit / SAMPLE_EVERY)):
        for capture_id in _not_reviewed(session, chosen, limit):
            yield capture_id, "a sample", None


_Group = Callable[[int, int], Sequence[int]]
"""Some of a group's numbers in its order: after so many, so many at most."""


def _in_two(groups: Iterator[_Group], first: int) -> Iterator[list[int]]:
    """The numbers of all groups in turn: the `first` ones of each, which are enough as a rule, and then all others."""
    known = list(groups)
    yield in_turn(group(0, first) for group in known)
    yield in_turn(group(first, WINDOW) for group in known)


def _chosen(session: Session) -> Iterator[_Group]:
    """The sample of each outcome's newest verdicts, the oldest first."""
    for outcome in _SAMPLED:
        yield _numbers(session, _newest(session, outcome).where(drawn(Verdicts.id)).order_by(Verdicts.id), WINDOW)


def _numbers(session: Session, query: Select[int], most: int) -> _Group:
    """The first numbers of a query's answer, `most` of them."""

    def some(after: int, number: int) -> Sequence[int]:
        return session.scalars(query.offset(after).limit(max(0, min(number, most - after)))).all()

    return some


# As literals rather than as parameters: so an engine sees that a partial index will do.
_UNSURE = (
    select(Captures.capture_id)
    .where(Captures.outcome == literal_column("'unsure'"), Captures.review.is_(None), is_there())
    .order_by(*NEWEST_FIRST)
)


def _newest(session: Session, outcome: str) -> Select[int]:
    """The newest verdicts of an outcome; whether they are still in force is looked up of the chosen ones only."""
    # Their number orders them: the index of findings is in its order, and so is the table, where all others are.
    query = select(Verdicts.id).where(Verdicts.outcome == literal_column(f"'{outcome}'"))
    if outcome != "intact":
        query = query.where(text(FINDING))
    # Where they begin is looked up once: each question about them is then one way through them.
    begin = session.scalar(query.order_by(Verdicts.id.desc()).offset(WINDOW - 1).limit(1))
    return query.where(Verdicts.id >= (begin or 0))


def _near_threshold(session: Session) -> Iterator[_Group]:
    """For each model the share of an outcome's newest verdicts that is nearest to the threshold, the nearest first.

    The threshold need not be known: of intact verdicts the highest decision value is nearest to it, of damaged ones
    the lowest. Values of two models have no common scale, so the share is taken of each model by itself.
    """
    for outcome in DECIDED:
        newest = _newest(session, outcome).where(Verdicts.decision.is_not(None))
        nearest = Verdicts.decision.desc() if outcome == "intact" else Verdicts.decision
        counted = newest.with_only_columns(Verdicts.model_id, func.count()).group_by(Verdicts.model_id)
        for model_id, number in session.execute(counted).all():
            of_model = newest.where(Verdicts.model_id.is_not_distinct_from(model_id))
            yield _numbers(session, of_model.order_by(nearest, Verdicts.id), math.ceil(NEAR_SHARE * number))


_IDS: Any = bindparam("ids", expanding=True)
_NOT_REVIEWED = Prepared(
    lambda *_: (
        select(Verdicts.id, Verdicts.capture_id)
        .join(Captures, Captures.capture_id == Verdicts.capture_id)
        .where(Verdicts.current, Captures.review.is_(None), is_there(), Verdicts.id.in_(_IDS))
    )
)


def _not_reviewed(session: Session, numbers: Sequence[int], size: int) -> Iterator[UUID]:
    """The captures of current verdicts that have no review, in the order of the verdicts' numbers."""
    for begin in range(0, len(numbers), size):
        some = list(numbers[begin : begin + size])
        rows = _NOT_REVIEWED.execute(session.connection(), ids=some)
        outcomes = {row[0]: row[1] for row in rows}
        yield from (outcomes[number] for number in some if number in outcomes)


def _disagreeing(session: Session, limit: int) -> list[Review]:
    """The only reviews of captures that say the opposite of the verdict, the last one first."""
    columns = [getattr(Reviews, field.name) for field in fields(Review)]
    newest = select(*columns).order_by(Reviews.id.desc()).limit(WINDOW).subquery()
    disputed = select(Captures.capture_id).where(Captures.capture_id == newest.c.capture_id, text(DISPUTED), is_there())
    other = aliased(Reviews)
    second = select(other.id).where(other.capture_id == newest.c.capture_id, other.id != newest.c.id)
    query = select(newest).where(disputed.exists(), ~second.exists()).order_by(newest.c.id.desc()).limit(limit)
    return [Review(*row) for row in session.execute(query)]


_ROWS = Prepared(lambda *_: select(*COLUMNS).join(Verdicts, current_verdict()).where(Captures.capture_id.in_(_IDS)))


def _rows(session: Session, capture_ids: list[UUID]) -> dict[UUID, VerdictRow]:
    """The rows of some captures."""
    rows = _ROWS.execute(session.connection(), ids=capture_ids) if capture_ids else ()
    return {row.capture_id: row for row in (VerdictRow(*values) for values in rows)}
