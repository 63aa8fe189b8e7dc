"""Verdicts: what was decided about a capture, one for each model, one of them current."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import Session

from db.rows import COLUMNS, NEWEST_FIRST, Filters, Position, VerdictRow, conditions, current_verdict, older_than
from db.schema import Captures, Faults, Verdicts


@dataclass(frozen=True)
class Verdict:
    """What one model, or none, decided about one capture.

    ``outcome`` is one of :data:`db.schema.OUTCOMES`, ``label`` the finer class (``worn``, ``broken``) where there is
    one, ``reason`` why it is not plain (for people), ``decision`` the signed distance from the SVM's plane and
    ``seconds`` the time from receiving the capture to this verdict.
    """

    capture_id: UUID
    model_id: str | None
    outcome: str
    label: str | None
    reason: str | None
    decision: float | None
    judged_at: datetime
    seconds: float | None = None


_COLUMNS = [getattr(Verdicts, field.name) for field in fields(Verdict)]


def record(session: Session, verdict: Verdict) -> Verdict:
    """Keep a verdict, make it the capture's current one, and return what is kept.

    Twice is once: where this model has judged this capture before, its first verdict stands and is returned, also
    when two workers record at the same moment. A verdict by another model takes over as the current one, and a model
    that is back in charge has its earlier verdict made current again. Faults of the capture are closed:
    it came again and was judged.

    Raises:
        LookupError: the capture was never recorded.
        ValueError: a datetime is naive.
    """
    # Whoever holds the capture's row decides; SQLite's writers have taken their turn before they got here.
    capture = select(Captures.capture_id).where(Captures.capture_id == verdict.capture_id).with_for_update()
    if session.execute(capture).first() is None:
        raise LookupError(f"capture {verdict.capture_id} is not recorded, so it cannot have a verdict")

    of_capture = Verdicts.capture_id == verdict.capture_id
    known = {row.model_id: row for row in session.execute(select(*_COLUMNS, Verdicts.current).where(of_capture))}
    kept = known.get(verdict.model_id)
    if kept is not None and kept.current:
        return Verdict(*kept[:-1])

    if known:
        session.execute(update(Verdicts).where(of_capture, Verdicts.current).values(current=False))
    if kept is not None:
        verdict = Verdict(*kept[:-1])
        by_model = Verdicts.model_id.is_not_distinct_from(verdict.model_id)
        session.execute(update(Verdicts).where(of_capture, by_model).values(current=True))
    else:
        session.execute(insert(Verdicts).values(**asdict(verdict), current=True))
    session.execute(update(Captures).where(Captures.capture_id == verdict.capture_id).values(outcome=verdict.outcome))
    # What once kept the capture from being judged is over: it ends in a verdict or in a fault, not in both.
    session.execute(
        update(Faults)
        .where(Faults.capture_id == verdict.capture_id, Faults.state.in_(("open", "requeued")))
        .values(state="closed")
    )
    return verdict


def current(session: Session, capture_id: UUID) -> Verdict | None:
    """The verdict that stands for a capture, or None before there is one."""
    row = session.execute(select(*_COLUMNS).where(Verdicts.capture_id == capture_id, Verdicts.current)).first()
    return Verdict(*row) if row else None


def search(
    session: Session, *, limit: int = 100, before: Position | None = None, **filters: Unpack[Filters]
) -> list[VerdictRow]:
    """Judged captures, newest first.

    ``before`` continues after the last row of an earlier answer (its ``position``), without gaps or repetitions
    whatever was added since.
    """
    query = _judged(filters).limit(limit)
    if before is not None:
        query = query.where(older_than(before))
    return [VerdictRow(*row) for row in session.execute(query)]


def export(session: Session, **filters: Unpack[Filters]) -> Iterator[VerdictRow]:
    """All judged captures that match, newest first, read as they are asked for: any number fits into memory."""
    query = _judged(filters).execution_options(yield_per=1000)
    return (VerdictRow(*row) for row in session.execute(query))


def count(session: Session) -> int:
    """How many verdicts there are, current or not."""
    return session.scalar(select(func.count()).select_from(Verdicts)) or 0


def _judged(filters: Filters) -> Select[Any]:
    return select(*COLUMNS).join(Verdicts, current_verdict()).where(*conditions(filters)).order_by(*NEWEST_FIRST)
