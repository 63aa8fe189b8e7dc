"""What a model in shadow decides: kept apart from the line's verdicts, and compared with them and with reviews."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import Session

from db.engine.upsert import insert_into
from db.schema.tables import Captures, ShadowVerdicts
from producer.contract.vocabulary import DECIDED, OUTCOME_OF


@dataclass(frozen=True)
class ShadowVerdict:
    """The verdict that a model in shadow would have given a capture; the fields are those of a verdict."""

    capture_id: UUID
    model_id: str
    outcome: str
    decision: float | None
    probability: float | None
    judged_at: datetime


@dataclass(frozen=True)
class Tally:
    """How many captures that a person found intact or damaged one side got right; `undecided` has neither outcome."""

    right: int
    wrong: int
    undecided: int


@dataclass(frozen=True)
class OutcomePair:
    """How often the line decided one outcome and the shadow another, or the same."""

    line: str
    shadow: str
    count: int


@dataclass(frozen=True)
class ShadowReport:
    """A shadow beside the line.

    `compared` counts the captures that both have judged, `first_at` and `last_at` when the shadow did.
    `agreements` are those with the same outcome, `disagreements` the others, `outcomes` has both by pairs.
    `reviewed` of them have a review that says intact or damaged: against these, `line` and `shadow` are measured.
    """

    model_id: str
    compared: int
    agreements: int
    disagreements: int
    outcomes: tuple[OutcomePair, ...]
    reviewed: int
    line: Tally
    shadow: Tally
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True)
class Difference:
    """A capture about which line and shadow decided differently, and a person's label of it, if there is one."""

    capture_id: UUID
    machine: str
    head: str
    pocket: int
    line: str
    shadow: str
    review: str | None


def record(session: Session, verdicts: Sequence[ShadowVerdict]) -> int:
    """Keep shadow verdicts, and return how many were new: of a capture and model the first one is kept.

    Raises:
        IntegrityError: a capture or a model was never recorded, or there is no such outcome.
        ValueError: a datetime is naive.
    """
    if not verdicts:
        return 0
    # In one order everywhere, so that two workers wait for each other in line and not in a circle.
    rows = [asdict(verdict) for verdict in sorted(verdicts, key=lambda verdict: (verdict.model_id, verdict.capture_id))]
    connection = session.connection()
    new = insert_into(connection.dialect.name, ShadowVerdicts).on_conflict_do_nothing()
    return len(connection.execute(new.returning(ShadowVerdicts.capture_id), rows).all())


def compare(session: Session, model_id: str, since: datetime | None = None, newest: int | None = None) -> ShadowReport:
    """A shadow's verdicts compared with the line's, from a moment on, or only the `newest`; counted in the database."""
    of = _of(model_id, newest)
    query = (
        select(
            Captures.outcome,
            of.c.outcome,
            Captures.review,
            func.count(),
            func.min(of.c.judged_at),
            func.max(of.c.judged_at),
        )
        .join(Captures, Captures.capture_id == of.c.capture_id)
        .where(Captures.outcome.is_not(None))
        .group_by(Captures.outcome, of.c.outcome, Captures.review)
    )
    if since is not None:
        query = query.where(of.c.judged_at >= since)
    pairs: Counter[tuple[str, str]] = Counter()
    truths: list[tuple[str, OutcomePair]] = []
    moments: list[datetime] = []
    for line, shadow, review, count, first_at, last_at in session.execute(query):
        pair = OutcomePair(line or "", shadow, count)
        pairs[pair.line, pair.shadow] += count
        moments += [first_at, last_at]
        if review is not None and OUTCOME_OF[review] != "unusable":
            truths.append((OUTCOME_OF[review], pair))
    compared = pairs.total()
    agreements = sum(count for (line, shadow), count in pairs.items() if line == shadow)
    return ShadowReport(
        model_id=model_id,
        compared=compared,
        agreements=agreements,
        disagreements=compared - agreements,
        outcomes=tuple(OutcomePair(line, shadow, count) for (line, shadow), count in sorted(pairs.items())),
        reviewed=sum(pair.count for _, pair in truths),
        line=_tally((truth, pair.line, pair.count) for truth, pair in truths),
        shadow=_tally((truth, pair.shadow, pair.count) for truth, pair in truths),
        first_at=min(moments, default=None),
        last_at=max(moments, default=None),
    )


def differences(session: Session, model_id: str, newest: int, limit: int) -> list[Difference]:
    """Where line and shadow differ among the shadow's `newest` verdicts, the newest first."""
    of = _of(model_id, newest)
    query = (
        select(
            Captures.capture_id,
            Captures.machine,
            Captures.head,
            Captures.pocket,
            Captures.outcome,
            of.c.outcome,
            Captures.review,
        )
        .join(of, of.c.capture_id == Captures.capture_id)
        .where(Captures.outcome != of.c.outcome)
        .order_by(of.c.capture_id.desc())
        .limit(limit)
    )
    return [Difference(*row) for row in session.execute(query)]


def _of(model_id: str, newest: int | None) -> Subquery:
    """A shadow's verdicts, or the newest of them: captures are numbered in the order in which they were taken."""
    query = select(ShadowVerdicts.capture_id, ShadowVerdicts.outcome, ShadowVerdicts.judged_at)
    query = query.where(ShadowVerdicts.model_id == model_id)
    if newest is not None:
        query = query.order_by(ShadowVerdicts.capture_id.desc()).limit(newest)
    return query.subquery()


def _tally(answers: Iterable[tuple[str, str, int]]) -> Tally:
    tally: Counter[str] = Counter()
    for truth, outcome, count in answers:
        tally["right" if outcome == truth else "wrong" if outcome in DECIDED else "undecided"] += count
    return Tally(tally["right"], tally["wrong"], tally["undecided"])
