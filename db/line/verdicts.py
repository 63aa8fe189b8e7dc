"""Verdicts: what was decided about a capture, one for each model, one of them current."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from db.engine.prepared import Prepared, inserted
from db.line import pockets
from db.line.contradicting_captures import HAS_TWO_KINDS, IS_DOUBTED
from db.line.rows import (
    COLUMNS,
    NEWEST_FIRST,
    Filters,
    Position,
    VerdictRow,
    conditions,
    current_verdict,
    older_than,
    on_machine,
)
from db.line.standing_faults import IS_OF_CAPTURE
from db.schema.column_words import UNSETTLED_FAULTS
from db.schema.tables import Captures, Faults, Verdicts


@dataclass(frozen=True)
class Verdict:
    """What one model, or none, decided about one capture.

    `outcome` is one of `producer.contract.vocabulary.OUTCOMES`, `label` the finer class (`worn`, `broken`) where there
    is one, `reason` why it is not plain (for people), `decision` the signed distance from the SVM's plane, `seconds`
    the time from receiving the capture to this verdict and `probability` that of damage, by the model's calibration.
    `evidence` is a map of where the decision came from, as bytes (`db.evidence.evidence_map`), where there is one.
    `sharpness`, `brightness`, `frame` and `sketch` are what was measured of the photograph (`db.line.station_history`),
    where it could be decoded. The `wear_` values are the widths across the edge (mean, what nine tenths of it do not
    exceed, largest) and the length along it of the wear land, in pixels of the photograph, if it was measured;
    `pixels_per_mm` is its scale, where that is declared.
    """

    capture_id: UUID
    model_id: str | None
    outcome: str
    label: str | None
    reason: str | None
    decision: float | None
    judged_at: datetime
    seconds: float | None = None
    probability: float | None = None
    evidence: bytes | None = None
    sharpness: float | None = None
    brightness: float | None = None
    frame: int | None = None
    sketch: bytes | None = None
    wear_mean: float | None = None
    wear_p90: float | None = None
    wear_max: float | None = None
    wear_length: float | None = None
    pixels_per_mm: float | None = None


_COLUMNS = [getattr(Verdicts, field.name) for field in fields(Verdict)]
_NAMES = [field.name for field in fields(Verdict)]
_IDS: Any = bindparam("ids", expanding=True)

_CURRENT = Prepared(lambda *_: select(*_COLUMNS).where(Verdicts.capture_id.in_(_IDS), Verdicts.current))
_INSERT = Prepared(
    lambda dialect, rows: (
        inserted(dialect, Verdicts, (*_NAMES, "current"), rows).on_conflict_do_nothing().returning(Verdicts.capture_id)
    )
)
_SET_OUTCOME = Prepared(
    lambda *_: (
        update(Captures.__table__)  # type: ignore[arg-type]
        .where(Captures.capture_id.in_(_IDS))
        .values(outcome=bindparam("new_outcome"))
    )
)
_DOUBTED = Prepared(
    lambda *_: select(Captures.capture_id).where(Captures.capture_id.in_(_IDS), IS_DOUBTED | HAS_TWO_KINDS)
)
_Doubted = aliased(Captures)
_ALIKE = Prepared(
    lambda *_: (
        select(Captures.capture_id)
        .join(_Doubted, _Doubted.check_id == Captures.check_id)
        .where(_Doubted.capture_id.in_(_IDS))
    )
)
_CLOSE_FAULTS = Prepared(
    lambda *_: (
        update(Faults.__table__)  # type: ignore[arg-type]
        # Not the column itself: by its index SQLite, which has no statistics, would read all open faults.
        .where(Faults.capture_id.in_(_IDS), func.coalesce(Faults.state, "").in_(UNSETTLED_FAULTS))
        .where(IS_OF_CAPTURE)
        .values(state="closed")
        .returning(Faults.capture_id)
    )
)


def record(session: Session, verdict: Verdict) -> Verdict:
    """Keep a verdict, make it the capture's current one, and return what is kept.

    Twice is once: where this model has judged this capture before, its first verdict is kept and returned, also
    when two workers record at the same moment. A verdict by another model takes over as the current one, and a model
    that is back in charge has its earlier verdict made current again. Faults of the capture are closed:
    it came again and was judged.

    Raises:
        IntegrityError: the capture or the model was never recorded, or there is no such outcome.
        ValueError: a datetime is naive.
    """
    return record_all(session, [verdict])[0]


def record_all(session: Session, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Keep many verdicts as `record` does, in order; nothing is kept when one of them cannot be.

    Raises:
        IntegrityError: as in `record`.
        ValueError: a datetime is naive.
    """
    connection = session.connection()
    first: dict[UUID, Verdict] = {}
    for verdict in verdicts:
        first.setdefault(verdict.capture_id, verdict)
    # In one order everywhere, so that two workers wait for each other in line and not in a circle.
    rows = [vars(first[capture_id]) | {"current": True} for capture_id in sorted(first)]
    # The first verdict of a capture conflicts with nothing: this is all that the line does.
    written = {capture_id for (capture_id,) in _INSERT.execute(connection, rows)} if rows else set()
    had_faults = _mark_judged(connection, [first[capture_id] for capture_id in sorted(written)])
    # A new photograph's pocket is not damaged before something says so: of what shows no damage there is nothing to
    # mark. What shows nothing, or is not believed, leaves the pocket to the photograph before, as its fault had.
    telling = {capture_id for capture_id in written if first[capture_id].outcome in ("damaged", "unusable")}
    pockets.mark(connection, sorted(telling | had_faults | _doubted(connection, written - telling)))
    kept = {
        number: verdict
        for number, verdict in enumerate(verdicts)
        if verdict.capture_id in written and first[verdict.capture_id] is verdict
    }
    for number in sorted(range(len(verdicts)), key=lambda number: verdicts[number].capture_id):
        if number not in kept:
            kept[number] = _change(session, verdicts[number])
    return [kept[number] for number in range(len(verdicts))]


def _mark_judged(connection: Connection, verdicts: Sequence[Verdict]) -> set[UUID]:
    """Note the outcomes of captures, and close their faults; which had some."""
    by_outcome: dict[str, list[UUID]] = defaultdict(list)
    for verdict in verdicts:
        by_outcome[verdict.outcome].append(verdict.capture_id)
    for outcome in sorted(by_outcome):
        _SET_OUTCOME.execute(connection, ids=by_outcome[outcome], new_outcome=outcome)
    if not verdicts:
        return set()
    # What once kept the capture from being judged is over: it ends in a verdict or in a fault, not in both.
    closed = _CLOSE_FAULTS.execute(connection, ids=[verdict.capture_id for verdict in verdicts])
    return {capture_id for (capture_id,) in closed}


def _doubted(connection: Connection, capture_ids: Collection[UUID]) -> set[UUID]:
    """Those of some captures that may show another pocket or operation, and all others of their checks: or these do."""
    doubted = [row[0] for row in _DOUBTED.execute(connection, ids=sorted(capture_ids))] if capture_ids else []
    return {row[0] for row in _ALIKE.execute(connection, ids=doubted)} if doubted else set()


def _change(session: Session, verdict: Verdict) -> Verdict:
    """Record a verdict about a capture that has one."""
    # The transaction that locks the capture's row decides; SQLite's writers have taken their turn before they got here.
    # (Not `FOR UPDATE`: that would also wait for every other row that only refers to this one.)
    captures = select(Captures.capture_id).where(Captures.capture_id == verdict.capture_id)
    session.execute(captures.with_for_update(key_share=True))
    of_capture = Verdicts.capture_id == verdict.capture_id
    known = {row.model_id: row for row in session.execute(select(*_COLUMNS, Verdicts.current).where(of_capture))}
    kept = known.get(verdict.model_id)
    if kept is not None and kept.current:
        return Verdict(*kept[:-1])

    session.execute(update(Verdicts).where(of_capture, Verdicts.current).values(current=False))
    if kept is not None:
        verdict = Verdict(*kept[:-1])
        by_model = Verdicts.model_id.is_not_distinct_from(verdict.model_id)
        session.execute(update(Verdicts).where(of_capture, by_model).values(current=True))
    else:
        session.execute(insert(Verdicts).values(**asdict(verdict), current=True))
    _mark_judged(session.connection(), [verdict])
    pockets.mark(session.connection(), [verdict.capture_id])
    return verdict


def current(session: Session, capture_id: UUID, *, hold: bool = False) -> Verdict | None:
    """The current verdict of a capture, or None before there is one.

    With `hold`, no other transaction gives the capture one before this one ends.
    """
    if hold:
        captures = select(Captures.capture_id).where(Captures.capture_id == capture_id)
        session.execute(captures.with_for_update(key_share=True))
    return current_of(session.connection(), [capture_id]).get(capture_id)


def current_of(connection: Connection, capture_ids: Collection[UUID]) -> dict[UUID, Verdict]:
    """The current verdicts of some captures; those that have none are not in the answer."""
    if not capture_ids:
        return {}
    return {row[0]: Verdict(*row) for row in _CURRENT.execute(connection, ids=list(capture_ids))}


def search(
    session: Session, *, limit: int = 100, after: Position | None = None, **filters: Unpack[Filters]
) -> list[VerdictRow]:
    """Judged captures, newest first; imported ones only where `machine` names them (`db.line.rows.conditions`).

    `after` is the position of the last one of the page before.
    """
    query = _judged(filters).limit(limit)
    if after is not None:
        query = query.where(older_than(after))
    return [VerdictRow(*row) for row in session.execute(query)]


def export(session: Session, **filters: Unpack[Filters]) -> Iterator[VerdictRow]:
    """As `search`, all that match, read as they are asked for: any number fits into memory."""
    query = _judged(filters).execution_options(yield_per=1000)
    return (VerdictRow(*row) for row in session.execute(query))


def count(session: Session) -> int:
    """How many verdicts there are, current or not; those of imported captures are not the line's and do not count."""
    of_the_line = select(func.count()).select_from(Verdicts).join(Captures, Verdicts.capture_id == Captures.capture_id)
    return session.scalar(of_the_line.where(on_machine(Captures.machine, None))) or 0


def _judged(filters: Filters) -> Select[Any]:
    # An outer join, although there is a verdict wherever there is an outcome: with an inner one SQLite, where it has no
    # statistics, would begin with the verdicts and sort them all (0.8 s among 300,000 instead of 0.2 ms).
    judged = select(*COLUMNS).outerjoin(Verdicts, current_verdict()).where(Captures.outcome.is_not(None))
    return judged.where(*conditions(filters)).order_by(*NEWEST_FIRST)
