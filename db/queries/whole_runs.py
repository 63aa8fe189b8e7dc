"""Heads whose last run says all that is known of them, so that what is open in them is read for a whole plant at once.

Most heads are photographed as a whole, run after run. Where every pocket shows its only photograph of the last run,
that run has all its photographs and no fault, and nothing of the head was photographed since it began or came out of
order, no other check can say anything: what is open are the photographs that were unsure or unusable. Of any other head
`db.queries.head_overview` says it, which looks through each head's checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import CTE, ColumnElement, String, bindparam, case, cast, func, literal, select, text, union_all
from sqlalchemy.orm import Session, aliased

from db.engine.clock import AFTER_ALL, BEFORE_ALL
from db.engine.prepared import Prepared
from db.line.head_checks import LOOKED_THROUGH
from db.line.insert_changes import insert_removed_at
from db.line.pockets import word_of
from db.line.standing_faults import STANDS
from db.queries.head_overview import OPERATIONS
from db.schema.index_conditions import FINDING
from db.schema.tables import Captures, Checks, Faults, Pockets
from producer.contract.names import IMPORTED
from producer.contract.places import HeadPlace


class WholeRun(NamedTuple):
    """How many pockets such a head has, and what is open in it: by pocket `unsure` or `unusable`."""

    pockets: int
    open: Mapping[int, str]


def whole_runs(session: Session) -> dict[HeadPlace, WholeRun]:
    """The heads of the line whose last run says all; where an insert is to be replaced nothing is open."""
    connection = session.connection()
    rows = _RUNS.execute(connection)
    first = min((row[3] for row in rows), default=None)
    odd = {} if first is None else {(row[0], row[1]): row[2] for row in _ODD.execute(connection, first=first)}
    runs = {}
    for machine, head, pockets, fifth, doubts, sizes, photographs, flagged in rows:
        words = dict(word.split(" ") for word in flagged.split(",")) if flagged else {}
        is_odd = (machine, head) in odd and odd[machine, head] >= fifth
        if not (doubts or sizes or is_odd or _LATE in words) and photographs == pockets:
            runs[machine, head] = WholeRun(pockets, {int(pocket): word for pocket, word in words.items()})
    return runs


_LATE: Final = "late"


def _known() -> CTE:
    """The heads of which no pocket is missing, each with its last check and the beginning of the last few."""
    newest = select(Checks.check_id).where(Checks.machine == Pockets.machine, Checks.head == Pockets.head)
    newest = newest.order_by(Checks.started_at.desc()).limit(1).correlate(Pockets)
    # By what is in their index alone, which has no ids.
    fifth: Any = newest.with_only_columns(Checks.started_at).offset(OPERATIONS - 1).scalar_subquery()
    newest = newest.order_by(Checks.check_id.desc())
    known = (
        select(
            Pockets.machine,
            Pockets.head,
            func.count().label("pockets"),
            func.min(Pockets.ordered_at).label("since"),
            newest.scalar_subquery().label("run"),
            func.coalesce(fifth, literal(BEFORE_ALL, Checks.started_at.type)).label("fifth"),
        )
        .where(Pockets.machine != IMPORTED)
        .group_by(Pockets.machine, Pockets.head)
        .having(func.max(Pockets.pocket) == func.count())
    )
    return _at_once(known.cte("known"))


def _at_once(of: CTE) -> CTE:
    """Before what is asked about them: PostgreSQL expects hardly any such heads, and would read all checks."""
    return of.prefix_with("MATERIALIZED", dialect="postgresql")


def _begun() -> CTE:
    """Those whose last check has a photograph of every pocket that came since it began."""
    known = _known()
    whole = (Checks.size == known.c.pockets) & (Checks.started_at <= known.c.since)
    begun = select(known, Checks.started_at).join(Checks, Checks.check_id == known.c.run).where(whole)
    return _at_once(begun.cte("begun"))


def _runs(*_: object) -> Any:
    of = _begun()
    own = Checks.machine == of.c.machine, Checks.head == of.c.head
    has_fault = select(Faults.id).where(Faults.check_id == Checks.check_id, STANDS)
    is_doubted = Checks.awaited | Checks.given_up | has_fault.correlate(Checks).exists()
    last = select(func.count(case((is_doubted, 1)))).where(*own, Checks.started_at >= of.c.fifth)
    # As words: so a partial index will do.
    of_several = select(Checks.size).where(*own, text("checks.size > 1"))
    of_several = of_several.order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(LOOKED_THROUGH)
    sizes = of_several.correlate(of).subquery()
    other = select(func.count(case((sizes.c.size != of.c.pockets, 1)))).select_from(sizes)
    # Not the column itself, by whose index SQLite would go through all that was ever photographed of the head.
    here = Captures.head == of.c.head, func.coalesce(Captures.machine, "") == of.c.machine
    # With two ends, for which PostgreSQL expects few: else it would look for those of each pocket.
    end = literal(AFTER_ALL, Captures.ordered_at.type)
    photographs = select(func.count()).where(*here, Captures.ordered_at.between(of.c.started_at, end))
    flagged = select(func.aggregate_strings(_flagged(of), ",")).where(*here, Captures.ordered_at >= of.c.fifth)
    flagged = flagged.where(Captures.outcome.in_(("unsure", "unusable")), text(f"captures.{FINDING}"))
    flagged = flagged.where(func.coalesce(Captures.review, "unusable") == "unusable")
    columns = of.c.machine, of.c.head, of.c.pockets, of.c.fifth
    asked_for = (one.correlate(of).scalar_subquery() for one in (last, other, photographs, flagged))
    return select(*columns, *asked_for).select_from(of)


def _flagged(of: CTE) -> ColumnElement[str | None]:
    """What a flagged photograph of the run says of its pocket, unless its insert was changed since; and of an earlier
    check, that it came when the run had begun."""
    arrived = aliased(Captures)
    begun = select(func.min(arrived.received_at)).where(arrived.check_id == of.c.run).correlate(of).scalar_subquery()
    is_there = insert_removed_at().is_(None)
    word = cast(Captures.pocket, String) + " " + word_of(Captures)
    is_of_run = Captures.ordered_at >= of.c.started_at
    return case(
        (is_of_run & is_there, word),
        (~is_of_run & (Captures.received_at >= begun), f"{_LATE} {_LATE}"),
    )


def _odd(*_: object) -> Any:
    """When a head's last photograph was taken that is still to be judged, or that only a person calls unusable."""
    of = select(Captures.machine, Captures.head, Captures.ordered_at)
    of = of.where(Captures.ordered_at >= bindparam("first", type_=Captures.ordered_at.type))
    # As words: so a partial index will do.
    unusable = of.where(text("captures.review = 'unusable'"), text("captures.review <> 'intact'"))
    unusable = unusable.where(Captures.outcome.in_(("intact", "damaged")))
    both = union_all(of.where(Captures.outcome.is_(None)), unusable).subquery()
    newest = func.max(both.c.ordered_at)
    return select(both.c.machine, both.c.head, newest).group_by(both.c.machine, both.c.head)


_RUNS, _ODD = Prepared(_runs), Prepared(_odd)
