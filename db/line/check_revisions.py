"""The order of a check's answers: a number that rises with every write that may change the answer.

Answers are sent after their commit, by processes that may be delayed between the two. A transaction that gives a number
holds the check's row to its end, so the later commit has the higher number. The number is the seconds of the database's
clock, or the next number if the clock has not advanced. A database that was restored from a backup knows less than was
sent, and its clock may be behind: the checks that are doubted then have numbers above all of the database that it
replaced. Stations, and programs that read what they are told, go by these; the connector goes by the word that a backup
was restored (`producer.contract.plant_news.Restored`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    inspect,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.functions import FunctionElement

from db.engine.prepared import Prepared
from db.engine.upsert import insert
from db.line.contradicting_captures import MAY_CONTRADICT
from db.line.late_labels import is_open
from db.line.pockets import PLACE, SHOWS_INSERT
from db.schema.tables import Captures, Checks, LateLabels, Pockets, UntoldChecks
from producer.contract.names import IMPORTED

_Labelled = aliased(Captures)
_SEEN_SINCE: Final = (
    select(Captures.capture_id)
    .where(
        *(getattr(Captures, column.key) == getattr(_Labelled, column.key) for column in PLACE),
        tuple_(Captures.ordered_at, Captures.capture_id) > tuple_(_Labelled.ordered_at, _Labelled.capture_id),
        SHOWS_INSERT,
    )
    .correlate(_Labelled)
)
_Late = aliased(Captures)
_LATE: Final = (
    select(_Labelled.capture_id, _Labelled.check_id, _Late.check_id)
    .select_from(_Labelled)
    .join(LateLabels, and_(*(getattr(LateLabels, column.key) == getattr(_Labelled, column.key) for column in PLACE)))
    .join(Pockets, and_(*(column == getattr(_Labelled, column.key) for column in PLACE)))
    .join(_Late, _Late.capture_id.in_((LateLabels.capture_id, Pockets.capture_id)))
    .where(is_open())
)
"""Captures of pockets that have late labels (`db.line.late_labels`), with their checks, and the checks of those labels
and of what the pockets show."""

_FIRST: Final = 1_767_225_600
"""The second from which the numbers count, the first of 2026: those of this century are whole numbers of 32 bits."""


class _Now(FunctionElement[int]):
    """The seconds that the database's clock has counted since 1970."""

    type = Integer()
    inherit_cache = True


@compiles(_Now, "sqlite")
def _of_sqlite(*_: object, **__: object) -> str:
    return "CAST(strftime('%s', 'now') AS INTEGER)"


@compiles(_Now, "postgresql")
def _of_postgresql(*_: object, **__: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS BIGINT)"


_HELD = Prepared(
    lambda *_: (
        select(Checks.check_id)
        .where(Checks.check_id.in_(bindparam("ids", expanding=True)))
        .order_by(Checks.check_id)  # two that hold some wait for each other in line and not in a circle
        .with_for_update(key_share=True)
    )
)


_DOUBTED = Prepared(
    lambda *_: (
        select(Checks.check_id)
        .where(Checks.check_id.in_(bindparam("ids", expanding=True)), Checks.revision > 0, MAY_CONTRADICT)
        .order_by(Checks.check_id)
    )
)


_HAS_LABEL: Final = (
    select(Captures.capture_id)
    .where(Captures.check_id == UntoldChecks.check_id, Captures.review.is_not(None))
    .correlate(UntoldChecks)
    .exists()
)
_FORGOTTEN = Prepared(
    lambda *_: delete(UntoldChecks).where(UntoldChecks.check_id.in_(bindparam("ids", expanding=True)), ~_HAS_LABEL)
)


def hold(session: Session, check_ids: Collection[UUID]) -> None:
    """Have others that hold some of these checks wait for the end of this transaction, which has locked nothing.

    So of several that record the last verdicts of a check at once, the last sees those of all. SQLite's writers have
    taken their turn before they got here.
    """
    if check_ids and session.connection().dialect.name == "postgresql":
        _HELD.execute(session.connection(), ids=list(check_ids))


def next_revision(of: ColumnElement[bool]) -> Any:
    """The statement that gives the checks for which `of` holds their next revision; it holds their rows."""
    seconds, following = _Now() - _FIRST, Checks.revision + 1
    later = case((seconds > following, seconds), else_=following)
    return update(Checks.__table__).where(of).values(revision=later)  # type: ignore[arg-type]


def highest(session: Session) -> int:
    """The highest number that any check has; 0 where no table has such numbers yet."""
    known = {column["name"] for column in inspect(session.connection()).get_columns(Checks.__tablename__)}
    return session.scalar(select(func.max(Checks.revision))) or 0 if Checks.revision.key in known else 0


def put_above(session: Session, check_ids: Collection[UUID], highest: int) -> None:
    """Have the next numbers of some checks be above the highest of before, though the clock may be behind."""
    of_these = Checks.check_id.in_(check_ids) & (Checks.revision < highest)
    session.execute(update(Checks.__table__).where(of_these).values(revision=highest))  # type: ignore[arg-type]


def revised_since(moment: datetime) -> ColumnElement[bool]:
    """A condition of a query about checks: something was written since a moment that may have changed the answer."""
    return Checks.revision >= int(moment.timestamp()) - _FIRST


def unseen_since(session: Session, capture_ids: Collection[UUID]) -> set[UUID]:
    """Those of these captures of which a label may change what their pocket shows now."""
    if not capture_ids:
        return set()
    of_these = _Labelled.capture_id.in_(capture_ids)
    unseen = session.scalars(select(_Labelled.capture_id).where(of_these, ~_SEEN_SINCE.exists()))
    return {*unseen, *session.scalars(_LATE.where(of_these))}


def of_captures(session: Session, capture_ids: Collection[UUID]) -> None:
    """Give the checks of some captures their next revision, before anything of the captures is written or held.

    If a label of one of the captures may change what its pocket shows now, the check's new answer is sent
    (`db.line.untold_checks`): behind a newer photograph that shows the insert it changes nothing of the head's present
    state, unless the pocket has a late label. Then the answers are sent that this one bears on. Transactions that
    record verdicts lock the checks before the captures too, so there is no deadlock.
    """
    of_these = _Labelled.capture_id.in_(capture_ids)
    late = {check_id for row in session.execute(_LATE.where(of_these)) for check_id in row[1:]}
    check_ids = late.union(session.scalars(select(_Labelled.check_id).where(of_these)))
    if len(check_ids) > 1:
        held = select(Checks.check_id).where(Checks.check_id.in_(check_ids)).order_by(Checks.check_id)
        session.execute(held.with_for_update(key_share=True))
    session.execute(next_revision(Checks.check_id.in_(check_ids)))
    unseen = select(_Labelled.check_id).where(of_these, _Labelled.machine != IMPORTED, ~_SEEN_SINCE.exists())
    note(session, late.union(session.scalars(unseen)))


def note(session: Session, check_ids: Collection[UUID]) -> None:
    """Have it told what these checks know, beside their answers (`db.line.untold_checks`)."""
    if check_ids:
        _note(session, select(Checks.check_id).where(Checks.check_id.in_(check_ids)))


def note_pending(session: Session, check_ids: Collection[UUID]) -> None:
    """Note checks that pend, each with its next revision: so who has lost what was told finds them again."""
    if check_ids:
        session.execute(next_revision(Checks.check_id.in_(check_ids)))
        note(session, check_ids)


def note_doubted(session: Session, check_ids: Collection[UUID]) -> None:
    """Note those of some checks that had an answer and doubt it, as they pend again: nothing else says so till then."""
    if check_ids:
        doubted = _DOUBTED.execute(session.connection(), ids=list(check_ids))
        note_pending(session, [check_id for (check_id,) in doubted])


def forget(session: Session, check_ids: Collection[UUID]) -> None:
    """Have nothing told of some checks that has been noted, but for labels; the caller holds their rows."""
    if check_ids:
        _FORGOTTEN.execute(session.connection(), ids=list(check_ids))


def _note(session: Session, noted: Select[UUID]) -> None:
    untold = insert(session, UntoldChecks).from_select(["check_id"], noted.order_by("check_id"))
    # What is noted already is written all the same: so `untold_checks.remove` waits for the end of this transaction.
    again = {"check_id": untold.excluded.check_id}
    session.execute(untold.on_conflict_do_update(index_elements=["check_id"], set_=again))
