"""Checks: all captures after one operation on one head, and their result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session

from db.line.check_search import candidates, of_place
from db.line.rows import Filters
from db.schema.tables import Captures, Checks, Faults, UtcDateTime
from producer.contract.vocabulary import OUTCOME_OF, State

Rows = Sequence[Row[*tuple[Any, ...]]]

Place = tuple[str, str]
"""A machine and a head."""


@dataclass(frozen=True)
class Check:
    """What a post-operation check has come to.

    `state` is `pending` until `size` pockets are judged or have a fault; then `replace` if any insert is
    damaged, else `review` if a person has to look at any, else `go`. `replace` and `review` name the pockets
    in ascending order, also while the check is pending. `judged` counts the pockets that have an answer. A person's
    newest review of a capture overrides its verdict, and is an answer also where there is no verdict yet.

    A check that was given up (`db.line.incomplete_checks`) is `review`, whatever was found, once all photographs
    that came are judged; `missing` are the pockets, of those from 1 to `size`, of which none came. They are
    in `review` too.
    """

    check_id: UUID
    station: str
    machine: str
    head: str
    operation: str
    size: int
    started_at: datetime
    state: State
    replace: tuple[int, ...]
    review: tuple[int, ...]
    judged: int
    missing: tuple[int, ...] = ()


class PocketState(NamedTuple):
    """One capture of a check: its place in the order (`db.line.capture_order`) and its outcome.

    `outcome` is that of its newest review, else of its current verdict, else None: it waits for both. Id and moment are
    compared only, so they may be as a driver gives them.
    """

    capture_id: Any
    pocket: int
    ordered_at: Any
    outcome: str | None


@dataclass(frozen=True)
class Trouble:
    """An open fault that belongs to a check: of a capture, or of a pocket whose event could not be used."""

    capture_id: Any
    pocket: int | None


@dataclass(frozen=True)
class CheckSummary:
    """The answer of a check: the fields of the same names in `Check`."""

    state: State
    replace: tuple[int, ...]
    review: tuple[int, ...]
    judged: int
    missing: tuple[int, ...] = ()


def assess(
    size: int, states: Iterable[PocketState], troubles: Iterable[Trouble] = (), *, given_up: bool = False
) -> CheckSummary:
    """What a check of `size` inserts comes to.

    Of a pocket that was captured more than once the newest capture counts. A fault sends its pocket to review,
    unless its capture was judged after all, or was followed by a newer one. Where the check was `given_up`, pockets
    without a photograph are waited for no more.
    """
    pocket_of: dict[Any, int] = {}
    newest: dict[int, PocketState] = {}
    for capture in sorted(states, key=lambda each: (each.ordered_at, each.capture_id)):
        pocket_of[capture.capture_id] = capture.pocket
        newest[capture.pocket] = capture
    outcomes = {pocket: capture.outcome for pocket, capture in newest.items() if capture.outcome is not None}

    faulty: set[int] = set()
    for trouble in troubles:
        pocket = pocket_of.get(trouble.capture_id) if trouble.capture_id else None
        if pocket is None:
            if trouble.pocket is not None:
                faulty.add(trouble.pocket)
        elif pocket not in outcomes and newest[pocket].capture_id == trouble.capture_id:
            faulty.add(pocket)

    seen = newest.keys() | faulty
    missing = set(range(1, size + 1)) - seen if given_up and len(seen) < size else set()
    replace = {pocket for pocket, outcome in outcomes.items() if outcome == "damaged"}
    review = ({pocket for pocket, outcome in outcomes.items() if outcome != "intact"} | faulty | missing) - replace
    judged = len(outcomes.keys() | faulty)
    state: State = "go"
    if judged < (len(seen) if missing else size):
        state = "pending"
    elif missing:
        state = "review"
    elif replace:
        state = "replace"
    elif review:
        state = "review"
    return CheckSummary(state, tuple(sorted(replace)), tuple(sorted(review)), judged, tuple(sorted(missing)))


_COLUMNS = (
    Checks.check_id,
    Checks.station,
    Checks.machine,
    Checks.head,
    Checks.operation,
    Checks.size,
    Checks.started_at,
    type_coerce(Checks.check_id, String).label("key"),  # see `_key`
    Checks.given_up,
)


# Cheap, and never fewer than `assess` counts: a pocket counts once there, and may have several captures here.
_ALL_ANSWERED = (
    Checks.size
    <= select(func.count())
    .where(Captures.check_id == Checks.check_id, or_(Captures.outcome.is_not(None), Captures.review.is_not(None)))
    .scalar_subquery()
    + select(func.count()).where(Faults.check_id == Checks.check_id, Faults.state == "open").scalar_subquery()
)
_ANSWERED = select(Checks.check_id).where(
    Checks.check_id.in_(bindparam("ids", expanding=True)), or_(Checks.given_up, _ALL_ANSWERED)
)


def finished(session: Session, check_ids: Collection[UUID]) -> list[Check]:
    """Those of some checks that are not pending any more."""
    answered = list(session.connection().scalars(_ANSWERED, {"ids": list(check_ids)}))
    if not answered:
        return []
    rows = session.execute(select(*_COLUMNS).where(Checks.check_id.in_(answered))).all()
    return [check for check in _assessed(session, rows) if check.state != "pending"]


def if_given_up(session: Session, check_ids: Collection[UUID]) -> list[Check]:
    """What some checks come to when what has not come of them is waited for no more."""
    columns = [*_COLUMNS[:-1], true().label("given_up")]
    return list(_assessed(session, session.execute(select(*columns).where(Checks.check_id.in_(check_ids))).all()))


def recent(
    session: Session,
    *,
    station: str | None = None,
    machine: str | None = None,
    head: str | None = None,
    state: State | None = None,
    since: datetime | None = None,
    limit: int = 50,
) -> list[Check]:
    """Checks, the one that began last first; `since` is the earliest beginning.

    The checks of imported captures are not the line's: they are listed only for `machine`
    `db.line.insert_lives.IMPORTED`.
    """
    place: Filters = {"station": station, "machine": machine, "head": head, "since": since}
    if state is None:
        query = select(*_COLUMNS).where(*of_place(place))
        query = query.order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(limit)
        return list(_assessed(session, session.execute(query).all()))
    matching: list[Check] = []
    coming = candidates(session, state, _COLUMNS, place, 2 * limit)
    while len(matching) < limit and (rows := list(islice(coming, limit))):
        matching += [check for check in _assessed(session, rows) if check.state == state]
    return matching[:limit]


def newest_of_heads(session: Session, places: Sequence[Place], each: int) -> list[tuple[Check, list[PocketState]]]:
    """So many of the last checks of each head, the newest first, each with its captures: three queries for all."""
    of = given(places)
    # Where the last so many begin is looked up by an index for each head, which then gives just these.
    begin = (
        select(Checks.started_at)
        .where(Checks.machine == of.c.machine, Checks.head == of.c.head)
        .order_by(Checks.started_at.desc())
        .offset(each - 1)
        .limit(1)
        .correlate(of)
        .scalar_subquery()
    )
    since = func.coalesce(begin, literal(datetime.min.replace(tzinfo=UTC), UtcDateTime()))
    on = (Checks.machine == of.c.machine) & (Checks.head == of.c.head) & (Checks.started_at >= since)
    query = select(*_COLUMNS).select_from(of).join(Checks, on)
    rows = session.execute(query.order_by(Checks.started_at.desc(), Checks.check_id.desc())).all()
    return list(_with_captures(session, rows))


def given(places: Sequence[Place]) -> CTE:
    """Some heads as a table to join with."""
    # As text: SQLAlchemy's VALUES is compiled anew each time, which takes longer than the query.
    rows = " UNION ALL ".join(f"SELECT :m{n} AS machine, :h{n} AS head" for n in range(len(places)))
    values = {f"{name}{n}": each for n, place in enumerate(places) for name, each in zip("mh", place, strict=True)}
    return text(rows).bindparams(**values).columns(machine=String(64), head=String(64)).cte("given")


def _assessed(session: Session, rows: Rows) -> Iterator[Check]:
    return (check for check, _ in _with_captures(session, rows))


def _with_captures(session: Session, rows: Rows) -> Iterator[tuple[Check, list[PocketState]]]:
    """Checks with their answers, and the captures that these come from: three queries at most for any number."""
    ids = {row.key: row.check_id for row in rows}
    troubles: dict[Any, list[Trouble]] = defaultdict(list)
    faults: Select[*tuple[Any, ...]] = select(_key(Faults), type_coerce(Faults.capture_id, String), Faults.pocket)
    for key, capture_id, pocket in session.execute(
        faults.where(Faults.check_id.in_(ids.values()), Faults.state == "open")
    ):
        troubles[key].append(Trouble(capture_id, pocket))
    states = _states(session, ids, troubles.keys())
    for row in rows:
        columns = dict(row._mapping)
        key, given_up = columns.pop("key"), columns.pop("given_up")
        answer = assess(row.size, states[key], troubles[key], given_up=given_up)
        yield Check(**columns, **vars(answer)), states[key]


def _states(session: Session, ids: Mapping[Any, UUID], troubled: Collection[Any]) -> Mapping[Any, list[PocketState]]:
    """The captures of some checks.

    They come by what they have in common, a row for all intact pockets of a check: reading thousands one by one takes
    most of what a page of fifty heads may take. Where a pocket has several captures their order counts, and where there
    is a fault their ids: those checks are read capture by capture.
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
    each = {key for key, of in states.items() if key in troubled or len({state.pocket for state in of}) < len(of)}
    if each:
        states.update((key, []) for key in each)
        moment, capture_id = type_coerce(Captures.ordered_at, String), type_coerce(Captures.capture_id, String)
        columns = _key(Captures), capture_id, Captures.pocket, moment, Captures.outcome, Captures.review
        captures: Select[*tuple[Any, ...]] = select(*columns).where(Captures.check_id.in_([ids[key] for key in each]))
        for key, capture, pocket, at, outcome, review in session.execute(captures):
            outcome = OUTCOME_OF[review] if review is not None else outcome
            states[key].append(PocketState(capture, pocket, at, outcome))
    return states


def _key(table: Any) -> ColumnElement[Any]:
    """A row's check as the driver gives it: for thousands of rows, turning ids into objects takes the longest."""
    return type_coerce(table.check_id, String)
