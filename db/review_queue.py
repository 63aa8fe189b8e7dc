"""Which captures a person should look at next: those first from which the next model learns most."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import and_, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from db.photographs import is_there
from db.reviews import Review
from db.rows import COLUMNS, NEWEST_FIRST, VerdictRow, current_verdict
from db.schema import OUTCOME_OF, Captures, Reviews, Verdicts

WINDOW: Final = 10_000
"""How many of the newest captures of an outcome, and of the newest reviews, are looked through: what a queue costs does
not grow with the database."""

NEAR_SHARE: Final = 0.1
"""The share of a model's verdicts, those nearest to its threshold, that somebody should look at."""

SAMPLE_ONE_IN: Final = 50
"""One in so many confident verdicts is looked at, so that a confident mistake has a chance to be seen."""

Why = Literal["unsure", "near the threshold", "a review disagrees", "a sample"]


@dataclass(frozen=True)
class ToReview:
    """A capture to look at, and why; ``review`` is what was said about it where that is the reason."""

    row: VerdictRow
    why: Why
    review: Review | None = None


@dataclass(frozen=True)
class Confident:
    """A verdict that is not ``unsure``, as far as the choice needs it."""

    capture_id: UUID
    model_id: str | None
    outcome: str
    decision: float | None
    reviewed: bool


def queue(session: Session, limit: int = 50) -> list[ToReview]:
    """What to look at next, most informative first, each capture once.

    First what is ``unsure``, newest first. Then, of the newest intact and damaged verdicts of each model, the share
    that lies nearest to its threshold. Then captures about which one person said the opposite of the verdict: a second
    look settles them. Then a sample of the others, the same for everybody. Only those where a review disagrees have
    been looked at before. What has no photograph any more is nothing to look at.
    """
    found = _unsure(session, limit)
    if len(found) < limit:
        confident = list(_confident(session))
        chosen: dict[UUID, Why] = dict.fromkeys(near_threshold(confident), "near the threshold")
        said = {review.capture_id: review for review in _disagreeing(session, limit)}
        chosen |= dict.fromkeys(said, "a review disagrees")
        for capture_id in sample(confident):
            chosen.setdefault(capture_id, "a sample")
        rows = _rows(session, list(chosen)[: limit - len(found)])
        found += [ToReview(row, chosen[capture_id], said.get(capture_id)) for capture_id, row in rows.items()]
    return found


def near_threshold(verdicts: Iterable[Confident]) -> list[UUID]:
    """The verdicts nearest to their model's threshold that nobody has reviewed, the nearest first.

    The threshold need not be known: of intact verdicts the highest decision value is nearest to it, of damaged ones
    the lowest. Values of two models have no common scale, so the share is taken of each model and outcome by itself;
    a capture keeps its place when its neighbour has been reviewed, so the list comes to an end.
    """
    groups: dict[tuple[str | None, str], list[tuple[float, Confident]]] = defaultdict(list)
    for each in verdicts:
        if each.decision is not None and each.outcome in ("intact", "damaged"):
            groups[each.model_id, each.outcome].append(
                (-each.decision if each.outcome == "intact" else each.decision, each)
            )
    ranked: list[tuple[int, UUID]] = []
    for group in groups.values():
        group.sort(key=lambda pair: (pair[0], pair[1].capture_id))
        nearest = group[: math.ceil(NEAR_SHARE * len(group))]
        ranked += [(rank, each.capture_id) for rank, (_, each) in enumerate(nearest) if not each.reviewed]
    return [capture_id for _, capture_id in sorted(ranked)]


def sample(verdicts: Iterable[Confident]) -> list[UUID]:
    """The verdicts that nobody has reviewed and chance has chosen: the same for ever, by a hash of the capture id."""
    return [each.capture_id for each in verdicts if not each.reviewed and _drawn(each.capture_id)]


def _drawn(capture_id: UUID) -> bool:
    return int.from_bytes(hashlib.sha256(capture_id.bytes).digest()[:8], "big") % SAMPLE_ONE_IN == 0


def _unsure(session: Session, limit: int) -> list[ToReview]:
    # As a word rather than as a parameter: that is how an engine sees that the index of just these will do.
    unanswered = (Captures.outcome == literal_column("'unsure'")) & Captures.review.is_(None) & is_there()
    query = select(*COLUMNS).join(Verdicts, current_verdict()).where(unanswered).order_by(*NEWEST_FIRST).limit(limit)
    return [ToReview(VerdictRow(*row), "unsure") for row in session.execute(query)]


def _confident(session: Session) -> Iterator[Confident]:
    """The newest verdicts of each outcome but ``unsure``; the newest of an outcome first."""
    for outcome in ("intact", "damaged", "unusable"):
        newest = (
            select(Captures.capture_id, Captures.captured_at, Captures.review)
            .where(Captures.outcome == outcome, is_there())
            .order_by(*NEWEST_FIRST)
            .limit(WINDOW)
            .subquery()
        )
        query = (
            select(newest.c.capture_id, Verdicts.model_id, Verdicts.decision, newest.c.review)
            .join(Verdicts, (Verdicts.capture_id == newest.c.capture_id) & Verdicts.current)
            .order_by(newest.c.captured_at.desc(), newest.c.capture_id.desc())
        )
        for capture_id, model_id, decision, review in session.execute(query):
            yield Confident(capture_id, model_id, outcome, decision, review is not None)


def _disagreeing(session: Session, limit: int) -> list[Review]:
    """The only reviews of captures that say the opposite of the verdict, the last one first."""
    columns = [getattr(Reviews, field.name) for field in fields(Review)]
    newest = select(*columns).order_by(Reviews.id.desc()).limit(WINDOW).subquery()
    other = aliased(Reviews)
    damaged = [label for label, outcome in OUTCOME_OF.items() if outcome == "damaged"]
    opposite = or_(
        and_(Captures.outcome == "intact", Captures.review.in_(damaged)),
        and_(Captures.outcome == "damaged", Captures.review == "intact"),
    )
    second = select(func.count()).where(other.capture_id == newest.c.capture_id, other.id != newest.c.id)
    query = (
        select(newest)
        .join(Captures, Captures.capture_id == newest.c.capture_id)
        .where(opposite, second.scalar_subquery() == 0, is_there())
        .order_by(newest.c.id.desc())
        .limit(limit)
    )
    return [Review(*row) for row in session.execute(query)]


def _rows(session: Session, capture_ids: list[UUID]) -> dict[UUID, VerdictRow]:
    """The rows of some captures, in the order in which they are asked for."""
    query = select(*COLUMNS).join(Verdicts, current_verdict()).where(Captures.capture_id.in_(capture_ids))
    found = {row.capture_id: row for row in (VerdictRow(*row) for row in session.execute(query))}
    return {capture_id: found[capture_id] for capture_id in capture_ids if capture_id in found}
