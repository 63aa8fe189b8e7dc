"""The last checks of many heads at once, for the pages that show a whole line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Row, Select, String, cast, func, literal, select, text, type_coerce
from sqlalchemy.orm import Session

from db.line import contradictions
from db.line.checks import COLUMNS, Check, PocketState, Trouble, assess
from db.line.contradictions import PICTURE, elsewhere
from db.schema.tables import Captures, Checks, Faults, UtcDateTime
from producer.contract.vocabulary import OUTCOME_OF

Place = tuple[str, str]
"""A machine and a head."""


def newest_of_heads(session: Session, places: Sequence[Place], number: int) -> list[tuple[Check, list[PocketState]]]:
    """So many of the last checks of each head, the newest first, each with its captures: three queries for all."""
    of = given(places)
    # Where the last so many begin is looked up by an index for each head, which then gives just these.
    begin = (
        select(Checks.started_at)
        .where(Checks.machine == of.c.machine, Checks.head == of.c.head)
        .order_by(Checks.started_at.desc())
        .offset(number - 1)
        .limit(1)
        .correlate(of)
        .scalar_subquery()
    )
    since = func.coalesce(begin, literal(datetime.min.replace(tzinfo=UTC), UtcDateTime()))
    on = (Checks.machine == of.c.machine) & (Checks.head == of.c.head) & (Checks.started_at >= since)
    query = select(_key(Checks).label("key"), *COLUMNS, Checks.given_up).select_from(of).join(Checks, on)
    rows = session.execute(query.order_by(Checks.started_at.desc(), Checks.check_id.desc())).all()
    return list(_with_captures(session, rows))


def given(places: Sequence[Place]) -> CTE:
    """Some heads as a table to join with."""
    # As text: SQLAlchemy's VALUES is compiled anew each time, which takes longer than the query.
    rows = " UNION ALL ".join(f"SELECT :m{n} AS machine, :h{n} AS head" for n in range(len(places)))
    values = {f"{name}{n}": value for n, place in enumerate(places) for name, value in zip("mh", place, strict=True)}
    return text(rows).bindparams(**values).columns(machine=String(64), head=String(64)).cte("given")


def _with_captures(
    session: Session, rows: Sequence[Row[*tuple[Any, ...]]]
) -> Iterator[tuple[Check, list[PocketState]]]:
    """Checks with their answers, and the captures that these come from: three queries at most for any number."""
    ids = {row.key: row.check_id for row in rows}
    places = {row.key: (row.machine, row.head, row.operation) for row in rows}
    doubtful = {row.key for row in rows if row.awaited or row.given_up}
    troubles: dict[Any, list[Trouble]] = defaultdict(list)
    faults: Select[*tuple[Any, ...]] = select(_key(Faults), type_coerce(Faults.capture_id, String), Faults.pocket)
    for key, capture_id, pocket in session.execute(
        faults.where(Faults.check_id.in_(ids.values()), Faults.state == "open")
    ):
        troubles[key].append(Trouble(capture_id, pocket))
    states = _states(session, ids, places, doubtful | troubles.keys())
    for row in rows:
        columns = dict(row._mapping)
        key, awaited, _ = columns.pop("key"), columns.pop("awaited"), columns.pop("given_up")
        answer = assess(row.size, states[key], troubles[key], awaited=awaited)
        yield Check(**columns, **vars(answer)), states[key]


def _states(
    session: Session, ids: Mapping[Any, UUID], places: Mapping[Any, contradictions.Place], doubtful: Collection[Any]
) -> Mapping[Any, list[PocketState]]:
    """The captures of some checks, which are of these heads.

    They come by what they have in common, a row for all intact pockets of a check: reading thousands one by one takes
    most of what a page of fifty heads may take. Where a pocket has several captures their order counts, and in a
    `doubtful` check each one: it has a fault, or is not whole, or its captures contradict each other.
    """
    states: dict[Any, list[PocketState]] = defaultdict(list)
    pockets = func.aggregate_strings(cast(Captures.pocket, String), ",")
    alike: Select[*tuple[Any, ...]] = select(_key(Captures), Captures.outcome, Captures.review, pockets)
    alike = alike.where(Captures.check_id.in_(ids.values())).group_by(
        Captures.check_id, Captures.outcome, Captures.review
    )
    for key, outcome, review, numbers in session.execute(alike):
        for pocket in map(int, numbers.split(",")):
            states[key].append(PocketState(pocket, pocket, 0, OUTCOME_OF[review] if review is not None else outcome))
    several = {key for key, of in states.items() if len({state.pocket for state in of}) < len(of)}
    several |= states.keys() & set(doubtful)
    if several:
        states.update((key, []) for key in several)
        moment, capture_id = type_coerce(Captures.ordered_at, String), type_coerce(Captures.capture_id, String)
        of_capture = _key(Captures), capture_id, Captures.pocket, moment, Captures.outcome, Captures.review, PICTURE
        place = Captures.machine, Captures.head, Captures.operation
        captures: Select[*tuple[Any, ...]] = select(*of_capture, *place)
        captures = captures.where(Captures.check_id.in_([ids[key] for key in several]))
        for key, capture, pocket, at, outcome, review, picture, *of in session.execute(captures):
            outcome = OUTCOME_OF[review] if review is not None else outcome
            other = elsewhere(places[key], (of[0], of[1], of[2]))
            states[key].append(PocketState(capture, pocket, at, outcome, other, picture))
    return states


def _key(table: Any) -> ColumnElement[Any]:
    """A row's check as the driver gives it: for thousands of rows, turning ids into objects takes the longest."""
    return type_coerce(table.check_id, String)
